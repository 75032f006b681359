//! The proof that a height was decided: signatures of more than two thirds of its validators' power.

use crate::quorum::ValidatorSet;
use alloy_primitives::{Address, B256, Bytes};
use std::collections::BTreeSet;

/// One validator's signature over (height, round, hash), in the engine's own encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub validator: Address,
    pub signature: Bytes,
}

/// Signatures that decide a block.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// The power that signed, when it is a quorum of `validators`, the set of this height. How a signature is checked is the
    /// engine's business: `verify` says whether it is right.
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
