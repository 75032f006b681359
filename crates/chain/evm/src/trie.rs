//! A Merkle-Patricia trie (yellow paper, appendix D) that is changed in place, a batch at a time.
//!
//! ```text
//!   row ""        branch ─┬─ 0 ── reference ──► row "0"     branch ...
//!                         ├─ 3 ── leaf (suffix, value)
//!                         └─ f ── reference ──► row "f"     prefix "a2", branch ...
//! ```
//!
//! A node is kept under its path from the root, one row for each branch. An extension is the prefix of the branch
//! below it, and a leaf lies in the row of the branch above it, so a row is a whole bundle of what changes
//! together: an account that is touched costs the rows of the branches on its path and no row of its own.
//! Rows are overwritten and removed, never piled up; older states come from the changes of blocks.
//!
//! In memory the trie is a tree of shared nodes: an update makes new ones along the paths that it touches and
//! shares the rest, so that whoever holds the old root goes on seeing the old trie. What is not in memory is a
//! reference, loaded from a [`NodeSource`] when something below it is touched. The tree of a chain and which of
//! its tries are storage is not known here.

mod crown;
mod edit;
mod node;
mod proof;
mod row;
#[cfg(test)]
mod tests;
mod trim;

use alloy_primitives::{B256, keccak256};
use alloy_trie::nodes::RlpNode;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};

use crate::store::StateError;

pub(crate) use self::crown::{crown, known, path, subtrees};
pub(crate) use self::edit::{Batch, RowChange, Values};
pub(crate) use self::node::Child;
pub(crate) use self::proof::prove;
pub(crate) use self::trim::{Weights, trim, weigh};

/// Where rows come from that are not in memory.
pub(crate) trait NodeSource: Sync {
    /// The row at this path from the root.
    fn row(&self, path: &Nibbles) -> Result<Option<Vec<u8>>, StateError>;
}

/// The trie with this root, of which nothing is in memory yet; `None` when it is empty.
pub(crate) fn cold(root: B256) -> Option<Child> {
    (root != EMPTY_ROOT_HASH).then(|| Child::Cold(RlpNode::word_rlp(&root)))
}

/// The root hash of a trie.
pub(crate) fn root_hash(root: Option<&Child>) -> B256 {
    root.map_or(EMPTY_ROOT_HASH, |root| hash_of(root.reference()))
}

/// The hash that a node has as a root: a root is hashed however short it is.
fn hash_of(reference: &RlpNode) -> B256 {
    reference.as_hash().unwrap_or_else(|| keccak256(reference))
}
