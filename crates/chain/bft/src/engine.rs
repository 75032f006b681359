//! The engine.

use alloy_primitives::{Address, B256};

/// A validator's key.
pub trait Signer: Send {
    fn address(&self) -> Address;
    /// r, s (in the lower half of the order) and the parity of y (0 or 1).
    fn sign(&self, digest: B256) -> [u8; 65];
}
