//! Whether a snapshot's block is one of the chain: its validators say so, or somebody whom the reader trusts.
//!
//! ```text
//!   genesis document ─► validators ─ steps over every change ─► those of the block ─► their signatures over its hash
//!                   └─► none: the hash that the reader names
//! ```
//!
//! Whoever gives the snapshot need not be trusted. Everything else in it hangs on that hash: the headers before it, and the
//! state under its root.

use crate::exit::Failure;
use purlin_chain_client::light::{Decision, LightFault, Signed, Step, Trust};
use purlin_chain_evm::snapshot::Manifest;
use purlin_chain_proto::{B256, ChainSpec, Header, roots};

/// What the reader believes beforehand.
#[derive(Debug)]
pub(crate) struct Believer {
    genesis: B256,
    /// `None` for a chain whose blocks nobody signs.
    validators: Option<Trust>,
    /// The hash that somebody has named.
    named: Option<B256>,
}

/// A snapshot that is believed.
#[derive(Debug, Default)]
pub(crate) struct Believed {
    pub(crate) steps: Vec<Step>,
    pub(crate) signed: Option<Signed>,
}

/// Why one is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doubt {
    pub(crate) what: String,
    pub(crate) fix: &'static str,
}

impl Believer {
    /// Who has this genesis document, and perhaps the hash of the block.
    ///
    /// # Errors
    /// Validators that cannot be.
    pub(crate) fn of(spec: &ChainSpec, named: Option<B256>) -> Result<Self, Failure> {
        let validators = match Trust::of(spec) {
            Ok(trust) => Some(trust),
            Err(LightFault::NoValidators) => None,
            Err(cause) => return Err(Failure::failed(cause.to_string(), "correct the genesis document")),
        };
        let root = roots::state(&spec.genesis().alloc);
        Ok(Self {
            genesis: spec.genesis_header(root).hash_slow(),
            validators,
            named,
        })
    }

    /// Whether this is a snapshot of a block of the chain.
    ///
    /// # Errors
    /// With what is missing.
    pub(crate) fn judge(&self, manifest: &Manifest) -> Result<Believed, Doubt> {
        if manifest.genesis != self.genesis {
            return Err(Doubt {
                what: format!(
                    "it is of the chain that began with {}, and the genesis document begins with {}",
                    manifest.genesis, self.genesis
                ),
                fix: "give the genesis document of the snapshot's chain",
            });
        }
        let (head, hash) = manifest.head();
        let number = head.number;
        if self.named.is_some_and(|named| named != hash) {
            return Err(Doubt {
                what: format!(
                    "it is of block {number} with the hash {hash}, which is not the one to be trusted"
                ),
                fix: "take another snapshot, or ask the chain's owner for the hash of this one's block",
            });
        }
        match &self.validators {
            Some(trust) => signed(trust, manifest, head),
            None if self.named.is_some() => Ok(Believed::default()),
            None => Err(Doubt {
                what: format!(
                    "nobody has signed it: the genesis document names no validators. Its block {number} has the hash {hash}"
                ),
                fix: "ask whoever you trust for the hash of that block, and name it: --trust HASH, or chain.snapshot_trust",
            }),
        }
    }
}

/// Who says to have signed it, before anything is checked.
pub(crate) fn claimed(manifest: &Manifest) -> Vec<String> {
    let decision = manifest.certificate.clone().map(|certificate| Decision {
        certificate,
        steps: Vec::new(),
    });
    let claimed = decision.and_then(|decision| decision.claimed(manifest.head().0).ok());
    claimed
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn signed(trust: &Trust, manifest: &Manifest, head: &Header) -> Result<Believed, Doubt> {
    let unproven = |what: String| Doubt {
        what: format!("not proven: {what}"),
        fix: "believe nothing of it; take a snapshot from another node",
    };
    let Some(certificate) = manifest.certificate.clone() else {
        return Err(unproven(format!(
            "nobody's signatures are with its block {}",
            head.number
        )));
    };
    let decision =
        Decision::read(certificate, &manifest.proof).map_err(|cause| unproven(cause.to_string()))?;
    let signed = decision
        .verify(trust, head)
        .map_err(|cause| unproven(cause.to_string()))?;
    Ok(Believed {
        steps: decision.steps,
        signed: Some(signed),
    })
}
