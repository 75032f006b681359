//! Keeping the part of a trie that is in memory within bounds: what was touched longest ago becomes a reference.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use super::node::{Branch, Child, Leaf};

/// Octets in memory by the update that touched them last.
#[derive(Debug, Default)]
pub(crate) struct Weights(BTreeMap<u64, usize>);

impl Weights {
    pub(crate) fn add(&mut self, stamp: u64, bytes: usize) {
        *self.0.entry(stamp).or_default() += bytes;
    }

    pub(crate) fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// The oldest update of which everything may stay so that at most `bytes` do; later than the newest when that
    /// alone is more.
    pub(crate) fn oldest_within(&self, bytes: usize) -> u64 {
        let mut kept = 0;
        let mut oldest = u64::MAX;
        for (stamp, weight) in self.0.iter().rev() {
            kept += weight;
            if kept > bytes {
                break;
            }
            oldest = *stamp;
        }
        oldest
    }
}

/// Adds what hangs at a node.
pub(crate) fn weigh(node: &Child, weights: &mut Weights) {
    let Child::Branch(branch) = node else { return };
    weights.add(branch.stamp, weight(branch));
    branch.children.iter().for_each(|child| weigh(child, weights));
}

/// The same trie without branches that no update since `oldest` touched.
pub(crate) fn trim(node: &Child, oldest: u64) -> Child {
    let Child::Branch(branch) = node else {
        return node.clone();
    };
    if branch.stamp < oldest {
        return Child::Cold(branch.reference.clone());
    }
    let children: Vec<Child> = branch.children.iter().map(|child| trim(child, oldest)).collect();
    let same = children.iter().zip(&branch.children).all(|(a, b)| a.is(b));
    if same {
        return node.clone();
    }
    Child::Branch(Arc::new(Branch {
        prefix: branch.prefix,
        mask: branch.mask,
        children,
        reference: branch.reference.clone(),
        stamp: branch.stamp,
    }))
}

/// A branch with its leaves; 32 octets for what the allocator keeps for itself.
fn weight(branch: &Branch) -> usize {
    let leaf = |leaf: &Leaf| size_of::<Leaf>() + leaf.value.len() + 32;
    let leaves = branch.children.iter().map(|child| match child {
        Child::Leaf(at) => leaf(at),
        _ => 0,
    });
    size_of::<Branch>() + branch.children.capacity() * size_of::<Child>() + 32 + leaves.sum::<usize>()
}
