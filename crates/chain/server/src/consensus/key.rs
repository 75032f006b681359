//! The key that a node signs with: its votes, when it is a validator, and its connections.

use alloy_consensus::crypto::secp256k1::{recover_signer, sign_message};
use alloy_primitives::{Address, B256, keccak256};
use std::fmt;
use std::str::FromStr;

/// A private key on secp256k1 and the address that it owns. It shows itself to nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeKey {
    secret: B256,
    address: Address,
}

/// A text is no private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a private key is 64 hexadecimal digits, not zero and below the order of secp256k1")]
pub struct NodeKeyError;

impl NodeKey {
    /// # Errors
    /// Zero and numbers from the curve's order on are no keys.
    pub fn new(secret: B256) -> Result<Self, NodeKeyError> {
        // The address falls out of a signature: whoever signed owns it.
        let digest = keccak256(b"purlin node key");
        let signature = sign_message(secret, digest).map_err(|_| NodeKeyError)?;
        let address = recover_signer(&signature, digest).map_err(|_| NodeKeyError)?;
        Ok(Self { secret, address })
    }

    /// A new one, from the operating system's randomness.
    ///
    /// # Errors
    /// When there is none.
    pub fn random() -> Result<Self, getrandom::Error> {
        loop {
            let mut octets = [0; 32];
            getrandom::fill(&mut octets)?;
            // All but one in 2^127 are keys.
            if let Ok(key) = Self::new(octets.into()) {
                return Ok(key);
            }
        }
    }

    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The private key itself, for the file that keeps it.
    #[must_use]
    pub const fn secret(&self) -> B256 {
        self.secret
    }

    /// r, s and the parity of y.
    fn sign_digest(&self, digest: B256) -> [u8; 65] {
        let signature = sign_message(self.secret, digest).expect("a checked key signs every digest");
        let mut octets = [0; 65];
        octets[..32].copy_from_slice(&signature.r().to_be_bytes::<32>());
        octets[32..64].copy_from_slice(&signature.s().to_be_bytes::<32>());
        octets[64] = u8::from(signature.v());
        octets
    }
}

impl FromStr for NodeKey {
    type Err = NodeKeyError;

    fn from_str(text: &str) -> Result<Self, NodeKeyError> {
        Self::new(text.trim().parse().map_err(|_| NodeKeyError)?)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.address)
    }
}

impl purlin_chain_bft::Signer for NodeKey {
    fn address(&self) -> Address {
        self.address
    }

    fn sign(&self, digest: B256) -> [u8; 65] {
        self.sign_digest(digest)
    }
}

impl purlin_chain_peers::Identity for NodeKey {
    fn address(&self) -> Address {
        self.address
    }

    fn sign(&self, digest: B256) -> [u8; 65] {
        self.sign_digest(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_chain_core::consensus::signed::recover;

    #[test]
    fn a_signature_names_its_key_and_a_key_shows_its_address_only() {
        let key = NodeKey::new(B256::repeat_byte(7)).expect("a key");
        let digest = keccak256(b"anything");
        assert_eq!(recover(digest, &key.sign_digest(digest)), Some(key.address()));
        assert_eq!(format!("{key:?}"), format!("NodeKey({})", key.address()));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "0x12", &"0".repeat(64), &"f".repeat(64)] {
            assert_eq!(text.parse::<NodeKey>(), Err(NodeKeyError), "{text}");
        }
        let hex = format!("0x{}\n", "07".repeat(32));
        assert!(hex.parse::<NodeKey>().is_ok());
    }
}
