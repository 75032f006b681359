//! What the pool must know of the block that comes next.

use purlin_chain_proto::{ChainSpec, Fork, Header};

/// The next block, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The chain's id (EIP-155).
    pub chain_id: u64,
    /// The rules of the next block.
    pub fork: Fork,
    /// Its base fee in wei per gas; zero before London.
    pub base_fee: u64,
    /// Its gas limit, if the producer does not move it.
    pub gas_limit: u64,
}

impl Head {
    /// The block after `parent`, if it gets this timestamp.
    #[must_use]
    pub fn after(spec: &ChainSpec, parent: &Header, timestamp: u64) -> Self {
        Self {
            chain_id: spec.chain_id(),
            fork: spec.fork_at(parent.number + 1, timestamp),
            base_fee: spec.next_base_fee(parent, timestamp).unwrap_or_default(),
            gas_limit: spec.parent_gas_limit(parent, timestamp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_chain_proto::B256;

    #[test]
    fn the_next_blocks_base_fee_follows_from_what_its_parent_used() {
        let spec = ChainSpec::development(1337, &[], 1000);
        let genesis = spec.genesis_header(B256::ZERO);
        let head = Head::after(&spec, &genesis, 1001);
        assert_eq!((head.chain_id, head.gas_limit), (1337, genesis.gas_limit));
        assert_eq!(Some(head.base_fee), spec.next_base_fee(&genesis, 1001));
        assert!(head.fork >= Fork::Osaka);
    }
}
