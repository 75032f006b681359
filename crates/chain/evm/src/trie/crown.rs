//! The top of a trie whose branches are all full, down to one depth: the part that all of its subtrees share.
//!
//! A trie of many hashed keys looks so: down to some depth each branch has all of its 16 children and no prefix. Then what
//! hangs at that depth says all about the top, and each of these subtrees can be made, and proven, alone.

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;
use alloy_trie::{Nibbles, TrieMask};

use super::edit::RowChange;
use super::node::{Branch, Child};
use super::{NodeSource, hash_of, row};
use crate::store::StateError;

/// The path of the subtree with this place at a depth.
pub(crate) fn path(place: usize, depth: usize) -> Nibbles {
    let nibble = |at: usize| ((place >> (4 * at)) & 15) as u8;
    (0..depth).rev().map(nibble).collect()
}

/// The hashes of all subtrees at a depth, in the order of their paths; `None` where the branches above are not all full.
/// Of values of 32 octets and more: what is shorter may have no hash.
pub(crate) fn subtrees<S: NodeSource + ?Sized>(
    root: &Child,
    source: &S,
    depth: usize,
) -> Result<Option<Vec<B256>>, StateError> {
    let mut level = vec![root.clone()];
    for above in 0..depth {
        let mut below = Vec::with_capacity(level.len() * 16);
        for (place, node) in level.iter().enumerate() {
            let Child::Branch(branch) = node.loaded(source, &path(place, above), 0)? else {
                return Ok(None);
            };
            if !branch.prefix.is_empty() || branch.mask.len() < 16 {
                return Ok(None);
            }
            below.extend(branch.children.iter().cloned());
        }
        level = below;
    }
    Ok(Some(level.iter().map(|node| hash_of(node.reference())).collect()))
}

/// A subtree of which only the hash is known.
pub(crate) fn known(hash: &B256) -> Child {
    Child::Cold(RlpNode::word_rlp(hash))
}

/// The trie over all subtrees at a depth (1, 16, 256 ... of them, in the order of their paths), and the rows of the branches above.
pub(crate) fn crown(subtrees: Vec<Child>) -> (Child, Vec<RowChange>) {
    let (mut level, mut rows) = (subtrees, Vec::new());
    while level.len() > 1 {
        let depth = level.len().ilog2() as usize / 4 - 1;
        let above = level.chunks(16).enumerate().map(|(place, children)| {
            let branch = Branch::new(Nibbles::new(), TrieMask::new(u16::MAX), children.to_vec(), 0);
            rows.push((path(place, depth), Some(row::encode_branch(&branch))));
            Child::Cold(branch.reference.clone())
        });
        level = above.collect();
    }
    let root = level.pop().expect("at least one subtree");
    (root, rows)
}
