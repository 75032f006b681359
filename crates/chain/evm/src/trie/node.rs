//! Nodes in memory and their references, as the parent's RLP names them.

use std::sync::Arc;

use alloy_rlp::Encodable;
use alloy_trie::nodes::{BranchNodeRef, ExtensionNodeRef, LeafNodeRef, RlpNode};
use alloy_trie::{Nibbles, TrieMask};

use super::{NodeSource, hash_of, row};
use crate::store::StateError;

/// What hangs at a path.
#[derive(Debug, Clone)]
pub(crate) enum Child {
    Leaf(Arc<Leaf>),
    Branch(Arc<Branch>),
    /// Not in memory: what its parent says of it.
    Cold(RlpNode),
}

/// The rest of a key, and its value.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(super) suffix: Nibbles,
    pub(super) value: Box<[u8]>,
    pub(super) reference: RlpNode,
}

/// A branch, and the extension above it when the prefix is not empty.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(super) prefix: Nibbles,
    /// Which of the 16 children there are; at least two.
    pub(super) mask: TrieMask,
    pub(super) children: Vec<Child>,
    pub(super) reference: RlpNode,
    /// The update that touched it last. Never less than that of a branch below.
    pub(super) stamp: u64,
}

impl Child {
    /// What the parent's RLP has of this node: its hash, or all of it when that is shorter than 32 octets.
    pub(crate) fn reference(&self) -> &RlpNode {
        match self {
            Self::Leaf(leaf) => &leaf.reference,
            Self::Branch(branch) => &branch.reference,
            Self::Cold(reference) => reference,
        }
    }

    /// Whether both are the same node in memory.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(a), Self::Leaf(b)) => Arc::ptr_eq(a, b),
            (Self::Branch(a), Self::Branch(b)) => Arc::ptr_eq(a, b),
            (Self::Cold(a), Self::Cold(b)) => a == b,
            _ => false,
        }
    }

    /// This node in memory. What comes from the source must be what the parent names: damage is found here and
    /// not in a wrong root later.
    pub(super) fn loaded<S: NodeSource + ?Sized>(
        &self,
        source: &S,
        path: &Nibbles,
        stamp: u64,
    ) -> Result<Self, StateError> {
        let Self::Cold(wanted) = self else {
            return Ok(self.clone());
        };
        let damaged = |what: &str| StateError::Damaged(format!("trie node at path {path:?} {what}"));
        let octets = source.row(path)?.ok_or_else(|| damaged("is missing"))?;
        let node = row::decode(&octets, stamp).ok_or_else(|| damaged("is not readable"))?;
        let found = node.reference();
        let fits = found == wanted || wanted.as_hash().is_some_and(|hash| hash == hash_of(found));
        fits.then_some(node)
            .ok_or_else(|| damaged("is not the one that its parent names"))
    }
}

impl Leaf {
    pub(super) fn new(suffix: Nibbles, value: Box<[u8]>) -> Arc<Self> {
        let mut rlp = Vec::with_capacity(160);
        let reference = LeafNodeRef::new(&suffix, &value).rlp(&mut rlp);
        Arc::new(Self {
            suffix,
            value,
            reference,
        })
    }

    pub(super) fn rlp(&self) -> Vec<u8> {
        encoded(&LeafNodeRef::new(&self.suffix, &self.value))
    }
}

impl Branch {
    pub(super) fn new(prefix: Nibbles, mask: TrieMask, children: Vec<Child>, stamp: u64) -> Arc<Self> {
        debug_assert_eq!(mask.len(), children.len());
        let mut rlp = Vec::with_capacity(17 * 33);
        let below = BranchNodeRef::new(&references(&children), mask).rlp(&mut rlp);
        let reference = if prefix.is_empty() {
            below
        } else {
            rlp.clear();
            ExtensionNodeRef::new(&prefix, &below).rlp(&mut rlp)
        };
        Arc::new(Self {
            prefix,
            mask,
            children,
            reference,
            stamp,
        })
    }

    /// The child at a nibble.
    pub(super) fn child(&self, nibble: u8) -> Option<&Child> {
        let below = (1_u16 << nibble) - 1;
        let at = (self.mask.get() & below).count_ones() as usize;
        self.mask.is_bit_set(nibble).then(|| &self.children[at])
    }

    /// RLP of the extension, if there is a prefix.
    pub(super) fn extension_rlp(&self) -> Option<Vec<u8>> {
        let below = RlpNode::from_rlp(&self.branch_rlp());
        (!self.prefix.is_empty()).then(|| encoded(&ExtensionNodeRef::new(&self.prefix, &below)))
    }

    /// RLP of the branch without its prefix.
    pub(super) fn branch_rlp(&self) -> Vec<u8> {
        encoded(&BranchNodeRef::new(&references(&self.children), self.mask))
    }
}

fn references(children: &[Child]) -> Vec<RlpNode> {
    children.iter().map(|child| child.reference().clone()).collect()
}

fn encoded(node: &impl Encodable) -> Vec<u8> {
    let mut rlp = Vec::with_capacity(node.length());
    node.encode(&mut rlp);
    rlp
}
