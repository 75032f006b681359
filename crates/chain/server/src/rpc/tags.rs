//! Which block is meant: a number, a hash, or a tag.
//!
//! A block is final as soon as it is the head, so `latest`, `safe` and `finalized` are the same block. `pending` is the block
//! that would come next (`place.rs`) for accounts, calls, traces of calls, blocks and their transactions; for what only a block has that
//! was decided (proofs, what simulations begin from, certificates) it reads the head.

use super::Query;
use super::args::invalid;
use crate::fault::Fault;
use alloy_eips::{BlockId, BlockNumberOrTag};

impl Query<'_> {
    /// The number of the block that an optional argument names; the head when it is left out.
    pub(super) fn block_at(&self, index: usize) -> Result<u64, Fault> {
        let id = self.block_id(index)?.unwrap_or_default();
        self.resolve(id)?.ok_or_else(Fault::header_not_found)
    }

    pub(super) fn block_id(&self, index: usize) -> Result<Option<BlockId>, Fault> {
        let value: Option<serde_json::Value> = self.args.maybe(index)?;
        let Some(value) = value else {
            return Ok(None);
        };
        if let Some(text) = value.as_str() {
            let tag = ["latest", "earliest", "pending", "safe", "finalized"].contains(&text);
            if !tag && !text.is_empty() && !text.starts_with("0x") {
                return Err(invalid(index, "hex string without 0x prefix"));
            }
        }
        serde_json::from_value(value)
            .map(Some)
            .map_err(|e| invalid(index, e))
    }

    /// The number of a block that exists.
    pub(super) fn resolve(&self, id: BlockId) -> Result<Option<u64>, Fault> {
        match id {
            BlockId::Number(tag) => {
                let number = self.number(tag);
                Ok((number <= self.node.head().header.number).then_some(number))
            }
            BlockId::Hash(hash) => self.node.source.number_of(hash.block_hash),
        }
    }

    /// The number that a tag stands for; a plain number may be in the future.
    pub(super) fn number(&self, tag: BlockNumberOrTag) -> u64 {
        match tag {
            BlockNumberOrTag::Number(number) => number,
            BlockNumberOrTag::Earliest => 0,
            BlockNumberOrTag::Latest
            | BlockNumberOrTag::Safe
            | BlockNumberOrTag::Finalized
            | BlockNumberOrTag::Pending => self.node.head().header.number,
        }
    }
}
