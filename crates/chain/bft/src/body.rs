//! Whether a block is the one that its header's hash names.

use alloy_primitives::B256;
use purlin_chain_proto::{Block, roots};

/// The hash of the header, when the lists of the block are those of the header; `None` for a body that somebody exchanged.
///
/// Validators sign hashes of headers. A block whose body does not belong to its header must be dropped, not judged: the
/// verdict would stick to the hash, and the right block would never be voted for.
pub(crate) fn whole(block: &Block) -> Option<B256> {
    let (header, body) = (&block.header, &block.body);
    let withdrawals = body.withdrawals.as_ref().map(|list| roots::withdrawals(list));
    let right = header.transactions_root == roots::transactions(&body.transactions)
        && header.ommers_hash == roots::ommers(&body.ommers)
        && header.withdrawals_root == withdrawals;
    right.then(|| header.hash_slow())
}
