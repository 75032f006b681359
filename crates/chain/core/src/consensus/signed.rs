//! What validators sign, and who signed it.
//!
//! Every digest is keccak-256 over fields of fixed width, in this order:
//!
//! ```text
//!   "purlin/vote/1" | genesis hash 32 | kind 1 | height 8 | round 4 | some 1 | block hash 32 | [polka round 8]
//!                                       1 proposal, 2 prevote, 3 precommit                     proposals only
//! ```
//!
//! Numbers are big-endian. `some` is 0 for a vote for no block, whose hash is then zero. The polka round is -1 when there
//! is none. The genesis hash binds a signature to its chain: a key that serves two chains cannot be made to lie on either.
//!
//! A signature is 65 octets: r, s and the parity of y, which is 0 or 1. s is in the lower half of the order (EIP-2), so
//! that nobody but the signer can make a second signature from one. The signer's address falls out of it.

use alloy_consensus::crypto::secp256k1::recover_signer;
use alloy_primitives::{Address, B256, Keccak256, Signature};
use alloy_rlp::{BufMut, Decodable, Encodable};

/// Octets of a signature.
pub const SIGNATURE_LEN: usize = 65;

/// The chain that signatures are made for: the hash of its first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub B256);

/// The two votes of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VoteKind {
    /// "I have this block, and it is valid", or "I do not".
    Prevote,
    /// "More than two thirds have it": so many of these decide it.
    Precommit,
}

impl VoteKind {
    /// Its octet, in digests and in messages.
    const fn octet(self) -> u8 {
        match self {
            Self::Prevote => 2,
            Self::Precommit => 3,
        }
    }
}

impl Encodable for VoteKind {
    fn encode(&self, out: &mut dyn BufMut) {
        self.octet().encode(out);
    }

    fn length(&self) -> usize {
        self.octet().length()
    }
}

impl Decodable for VoteKind {
    fn decode(rest: &mut &[u8]) -> Result<Self, alloy_rlp::Error> {
        match u8::decode(rest)? {
            2 => Ok(Self::Prevote),
            3 => Ok(Self::Precommit),
            _ => Err(alloy_rlp::Error::Custom("2 is a prevote, 3 a precommit")),
        }
    }
}

impl Network {
    /// What a validator signs to vote for the block `hash`, or for none.
    #[must_use]
    pub fn vote(self, kind: VoteKind, height: u64, round: u32, hash: Option<B256>) -> B256 {
        self.common(kind.octet(), height, round, hash).finalize()
    }

    /// What a proposer signs; `polka` is the earlier round in which more than two thirds prevoted for the block.
    #[must_use]
    pub fn proposal(self, height: u64, round: u32, hash: B256, polka: Option<u32>) -> B256 {
        let mut hasher = self.common(1, height, round, Some(hash));
        hasher.update(polka.map_or(-1, i64::from).to_be_bytes());
        hasher.finalize()
    }

    fn common(self, kind: u8, height: u64, round: u32, hash: Option<B256>) -> Keccak256 {
        let mut hasher = Keccak256::new();
        hasher.update(b"purlin/vote/1");
        hasher.update(self.0);
        hasher.update([kind]);
        hasher.update(height.to_be_bytes());
        hasher.update(round.to_be_bytes());
        hasher.update([u8::from(hash.is_some())]);
        hasher.update(hash.unwrap_or_default());
        hasher
    }
}

/// Who made this signature over `digest`; `None` when it is no signature, or one in another form than the one above.
#[must_use]
pub fn recover(digest: B256, signature: &[u8]) -> Option<Address> {
    let octets: &[u8; SIGNATURE_LEN] = signature.try_into().ok()?;
    if octets[64] > 1 {
        return None;
    }
    let signature = Signature::from_raw_array(octets).ok()?;
    recover_signer(&signature, digest).ok()
}

#[cfg(test)]
mod tests;
