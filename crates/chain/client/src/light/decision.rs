//! That a block was decided, for who has the block and trusts nobody: what a snapshot of a chain carries with it.

use super::{LightFault, Step, Trust, certified, steps};
use alloy_primitives::{Address, B256, Bytes};
use purlin_chain_proto::Header;

/// The signatures of a block, and how the validators of the genesis document became those that signed it;
/// `purlin_getCertificate` and `purlin_getStep` answer the same parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// RLP of the block's certificate.
    pub certificate: Bytes,
    /// One for each change, the oldest first. Those that the block's state holds and that count later are among them.
    pub steps: Vec<Step>,
}

/// Who decided a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The round in which it was decided.
    pub round: u32,
    /// The power that signed, of `total`.
    pub power: u64,
    pub total: u64,
    /// The validators that signed.
    pub signers: Vec<Address>,
}

impl Decision {
    /// Of a certificate and the proof beside it in a snapshot: a JSON list of steps, no octets for none. Nothing of it is
    /// believed yet.
    ///
    /// # Errors
    /// [`LightFault::Unreadable`].
    pub fn read(certificate: Bytes, proof: &[u8]) -> Result<Self, LightFault> {
        let steps = if proof.is_empty() {
            Ok(Vec::new())
        } else {
            serde_json::from_slice(proof)
        };
        let steps = steps.map_err(|cause| LightFault::Unreadable {
            what: "proof",
            cause: cause.to_string(),
        })?;
        Ok(Self { certificate, steps })
    }

    /// Whether it proves this header to somebody who trusts this.
    ///
    /// # Errors
    /// The first step that fails; nothing is proven then.
    pub fn verify(&self, trust: &Trust, header: &Header) -> Result<Signed, LightFault> {
        signed(trust, &self.certificate, &self.steps, header, header.hash_slow())
    }

    /// What it says of itself: who claims to have signed. Nothing of it is checked.
    ///
    /// # Errors
    /// [`LightFault::Unreadable`], or that the certificate is another block's.
    pub fn claimed(&self, header: &Header) -> Result<Vec<Address>, LightFault> {
        let certificate = certified(&self.certificate, header, header.hash_slow())?;
        let commits = certificate.commits.iter();
        Ok(commits.map(|commit| commit.validator).collect())
    }
}

/// Whether more than two thirds of the power that decides at the header's height have signed it.
pub(super) fn signed(
    trust: &Trust,
    certificate: &Bytes,
    steps: &[Step],
    header: &Header,
    hash: B256,
) -> Result<Signed, LightFault> {
    let certificate = certified(certificate, header, hash)?;
    let set = steps::set_at(trust, steps, header.number)?;
    let power = certificate.verify_signed(trust.genesis, &set)?;
    let commits = certificate.commits.iter();
    Ok(Signed {
        round: certificate.round,
        power,
        total: set.total(),
        signers: commits.map(|commit| commit.validator).collect(),
    })
}
