//! The proof that a height was decided: signatures of more than two thirds of its validators' power.

use super::signed::{Network, VoteKind, recover};
use crate::quorum::ValidatorSet;
use alloy_primitives::{Address, B256, Bytes};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use std::collections::BTreeSet;

/// One validator's precommit for the block: 65 octets, see [`super::signed`].
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Commit {
    pub validator: Address,
    pub signature: Bytes,
}

/// Signatures that decide a block.
///
/// Stored and sent as RLP: `[height, round, hash, [[validator, signature], ...]]`.
#[derive(Debug, Clone, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Certificate {
    pub height: u64,
    pub round: u32,
    /// Hash of the decided block's header.
    pub hash: B256,
    pub commits: Vec<Commit>,
}

/// Why a certificate proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    #[error("certificate of height {height}: {validator} is no validator there")]
    Stranger { height: u64, validator: Address },
    #[error("certificate of height {height}: {validator} signed twice")]
    Twice { height: u64, validator: Address },
    #[error("certificate of height {height}: the signature of {validator} is wrong")]
    Signature { height: u64, validator: Address },
    #[error("certificate of height {height}: power {power} signed, and {quorum} of {total} must")]
    NoQuorum {
        height: u64,
        power: u64,
        quorum: u64,
        total: u64,
    },
}

impl Certificate {
    /// The octets that are stored and sent.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut out = Vec::with_capacity(self.length());
        Encodable::encode(self, &mut out);
        out.into()
    }

    /// Reads what [`encode`](Self::encode) wrote; signatures are not checked.
    ///
    /// # Errors
    /// Octets that are no certificate, or more than one.
    pub fn decode(octets: &[u8]) -> Result<Self, alloy_rlp::Error> {
        let mut rest = octets;
        let certificate = <Self as Decodable>::decode(&mut rest)?;
        if rest.is_empty() {
            Ok(certificate)
        } else {
            Err(alloy_rlp::Error::UnexpectedLength)
        }
    }

    /// The power whose precommits for this block, on the chain whose first block is `network`, are in here; when it is a
    /// quorum of `validators`, the set of this height.
    ///
    /// # Errors
    /// Signatures that prove nothing.
    pub fn verify_signed(&self, network: B256, validators: &ValidatorSet) -> Result<u64, CertificateFault> {
        let digest = Network(network).vote(VoteKind::Precommit, self.height, self.round, Some(self.hash));
        self.verify(validators, |_, commit| {
            recover(digest, &commit.signature) == Some(commit.validator)
        })
    }

    /// The power that signed, when it is a quorum of `validators`, the set of this height; `verify` says whether a signature
    /// is right.
    ///
    /// # Errors
    /// Signatures that prove nothing.
    pub fn verify(
        &self,
        validators: &ValidatorSet,
        verify: impl Fn(&Self, &Commit) -> bool,
    ) -> Result<u64, CertificateFault> {
        let height = self.height;
        let mut seen = BTreeSet::new();
        let mut power = 0;
        for commit in &self.commits {
            let validator = commit.validator;
            let theirs = validators.power(&validator);
            power += theirs.ok_or(CertificateFault::Stranger { height, validator })?;
            if !seen.insert(validator) {
                return Err(CertificateFault::Twice { height, validator });
            }
            if !verify(self, commit) {
                return Err(CertificateFault::Signature { height, validator });
            }
        }
        let (quorum, total) = (validators.quorum(), validators.total());
        if power < quorum {
            return Err(CertificateFault::NoQuorum {
                height,
                power,
                quorum,
                total,
            });
        }
        Ok(power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::crypto::secp256k1::sign_message;

    fn check(signers: &[u8], expected: Result<u64, CertificateFault>) {
        let validators = ValidatorSet::new((1..=4).map(|n| (Address::repeat_byte(n), 1))).expect("a set");
        let commit = |n: &u8| Commit {
            validator: Address::repeat_byte(*n),
            signature: Bytes::from(vec![*n]),
        };
        let certificate = Certificate {
            height: 7,
            round: 0,
            hash: B256::ZERO,
            commits: signers.iter().map(commit).collect(),
        };
        let right = |_: &Certificate, commit: &Commit| commit.signature[0] != 4;
        assert_eq!(certificate.verify(&validators, right), expected);
    }

    fn signed(signers: &[u8], network: B256) -> (Certificate, ValidatorSet) {
        let key = |n: &u8| B256::repeat_byte(*n);
        let hash = B256::repeat_byte(0xab);
        let digest = Network(network).vote(VoteKind::Precommit, 7, 2, Some(hash));
        let commit = |n: &u8| {
            let signature = sign_message(key(n), digest).expect("a key");
            let mut octets = signature.as_bytes();
            octets[64] -= 27;
            Commit {
                validator: recover(digest, &octets).expect("a signature"),
                signature: octets.to_vec().into(),
            }
        };
        let all = [1, 2, 3, 4].map(|n| (commit(&n).validator, 1));
        let certificate = Certificate {
            height: 7,
            round: 2,
            hash,
            commits: signers.iter().map(commit).collect(),
        };
        (certificate, ValidatorSet::new(all).expect("a set"))
    }

    #[test]
    fn signatures_prove_one_block_of_one_height_round_and_chain() {
        let (right, validators) = signed(&[1, 2, 4], B256::ZERO);
        assert_eq!(right.verify_signed(B256::ZERO, &validators), Ok(3));
        let wrong = |change: &dyn Fn(&mut Certificate), network| {
            let mut certificate = right.clone();
            change(&mut certificate);
            let verdict = certificate.verify_signed(network, &validators);
            assert!(
                matches!(verdict, Err(CertificateFault::Signature { .. })),
                "{verdict:?}"
            );
        };
        wrong(&|_| (), B256::repeat_byte(1));
        wrong(&|it| it.height += 1, B256::ZERO);
        wrong(&|it| it.round += 1, B256::ZERO);
        wrong(&|it| it.hash = B256::ZERO, B256::ZERO);
        wrong(
            &|it| it.commits[0].signature = it.commits[1].signature.clone(),
            B256::ZERO,
        );
        wrong(&|it| it.commits[2].signature = Bytes::new(), B256::ZERO);
    }

    #[test]
    fn a_certificate_is_read_as_it_was_written_and_nothing_else_is_one() {
        let (certificate, _) = signed(&[1, 2, 3], B256::ZERO);
        let octets = certificate.encode();
        assert_eq!(Certificate::decode(&octets), Ok(certificate));
        for cut in 0..octets.len() {
            assert!(Certificate::decode(&octets[..cut]).is_err(), "{cut}");
        }
        let more = [&octets[..], &[0x80]].concat();
        assert_eq!(
            Certificate::decode(&more),
            Err(alloy_rlp::Error::UnexpectedLength)
        );
    }

    #[test]
    fn only_different_validators_with_right_signatures_make_a_quorum() {
        let (height, who) = (7, Address::repeat_byte);
        check(&[1, 2, 3], Ok(3));
        check(
            &[],
            Err(CertificateFault::NoQuorum {
                height,
                power: 0,
                quorum: 3,
                total: 4,
            }),
        );
        check(
            &[1, 2],
            Err(CertificateFault::NoQuorum {
                height,
                power: 2,
                quorum: 3,
                total: 4,
            }),
        );
        check(
            &[1, 2, 2],
            Err(CertificateFault::Twice {
                height,
                validator: who(2),
            }),
        );
        check(
            &[1, 2, 9],
            Err(CertificateFault::Stranger {
                height,
                validator: who(9),
            }),
        );
        check(
            &[1, 2, 4],
            Err(CertificateFault::Signature {
                height,
                validator: who(4),
            }),
        );
    }
}
