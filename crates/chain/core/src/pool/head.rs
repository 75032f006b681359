//! What the pool must know of the block that comes next.

use purlin_chain_proto::Fork;

/// The next block, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The chain's id (EIP-155).
    pub chain_id: u64,
    /// The rules of the next block.
    pub fork: Fork,
    /// Its base fee in wei per gas; zero before London.
    pub base_fee: u64,
    /// Its gas limit.
    pub gas_limit: u64,
}
