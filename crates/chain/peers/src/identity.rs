//! Who this node is, and who may be its peer: answered by whoever has the keys and the chain.

use alloy_primitives::{Address, B256};

/// The node's key: secp256k1, for a validator the key that it votes with.
pub trait Identity: Send + Sync {
    /// The account of the key: the node's name among its peers.
    fn address(&self) -> Address;

    /// Signs a digest: r, s (in the lower half of the order, EIP-2) and the parity of y, 0 or 1. The digest binds one
    /// TLS session of one chain; it can never be one of a transaction or a vote that a peer made up.
    fn sign(&self, digest: B256) -> [u8; 65];
}

/// Who may be a peer.
pub trait Admission: Send + Sync {
    /// Asked when somebody has proven to be `id`; the error is told to the other side.
    ///
    /// # Errors
    /// Why this one may not be a peer, in one line.
    fn admit(&self, id: Address) -> Result<(), String>;

    /// Validators: they neither count towards the limit nor are refused for it.
    fn precious(&self, id: Address) -> bool;
}

/// Admits everybody and prefers nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Everybody;

impl Admission for Everybody {
    fn admit(&self, _: Address) -> Result<(), String> {
        Ok(())
    }

    fn precious(&self, _: Address) -> bool {
        false
    }
}
