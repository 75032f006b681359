//! A branch, or the leaf that is a whole trie, as octets. `docs/formats/chain.md` draws them.

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;
use alloy_trie::{Nibbles, TrieMask};

use super::node::{Branch, Child, Leaf};

const BRANCH: u8 = 0;
const LEAF: u8 = 1;

pub(super) fn encode_branch(branch: &Branch) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + branch.children.len() * 120);
    out.push(BRANCH);
    put_nibbles(&mut out, &branch.prefix);
    let mut leaves = TrieMask::default();
    for (nibble, child) in branch.mask.iter().zip(&branch.children) {
        if matches!(child, Child::Leaf(_)) {
            leaves.set_bit(nibble);
        }
    }
    out.extend(branch.mask.get().to_be_bytes());
    out.extend(leaves.get().to_be_bytes());
    for child in &branch.children {
        match child {
            Child::Leaf(leaf) => put_leaf(&mut out, leaf),
            other => put_reference(&mut out, other.reference()),
        }
    }
    out
}

pub(super) fn encode_leaf(leaf: &Leaf) -> Vec<u8> {
    let mut out = vec![LEAF];
    put_leaf(&mut out, leaf);
    out
}

/// `None` when the octets are no row.
pub(super) fn decode(octets: &[u8], stamp: u64) -> Option<Child> {
    let mut octets = octets;
    let node = match octet(&mut octets)? {
        BRANCH => Child::Branch(branch(&mut octets, stamp)?),
        LEAF => leaf(&mut octets)?,
        _ => return None,
    };
    octets.is_empty().then_some(node)
}

fn branch(octets: &mut &[u8], stamp: u64) -> Option<std::sync::Arc<Branch>> {
    let prefix = nibbles(octets)?;
    let mask = mask(octets)?;
    let leaves = self::mask(octets)?;
    let mut children = Vec::with_capacity(mask.len());
    for nibble in mask.iter() {
        children.push(if leaves.is_bit_set(nibble) {
            leaf(octets)?
        } else {
            Child::Cold(reference(octets)?)
        });
    }
    (mask.len() >= 2 && leaves.is_subset_of(mask)).then(|| Branch::new(prefix, mask, children, stamp))
}

fn leaf(octets: &mut &[u8]) -> Option<Child> {
    let suffix = nibbles(octets)?;
    let length = u16::from_be_bytes(take(octets, 2)?.try_into().ok()?);
    let value = take(octets, usize::from(length))?;
    Some(Child::Leaf(Leaf::new(suffix, value.into())))
}

fn put_leaf(out: &mut Vec<u8>, leaf: &Leaf) {
    put_nibbles(out, &leaf.suffix);
    let length = u16::try_from(leaf.value.len()).expect("an account or a word, far below 64 KiB");
    out.extend(length.to_be_bytes());
    out.extend_from_slice(&leaf.value);
}

/// A hash without its RLP header, anything else as it is: shorter than 32 octets, so the length tells them apart.
fn put_reference(out: &mut Vec<u8>, reference: &RlpNode) {
    let hash = reference.as_hash();
    let octets = hash.as_ref().map_or(reference.as_slice(), B256::as_slice);
    out.push(u8::try_from(octets.len()).expect("at most 32"));
    out.extend_from_slice(octets);
}

fn reference(octets: &mut &[u8]) -> Option<RlpNode> {
    let length = octet(octets)?;
    let reference = take(octets, length.into())?;
    match reference.len() {
        32 => Some(RlpNode::word_rlp(&B256::from_slice(reference))),
        1..32 => RlpNode::from_raw(reference),
        _ => None,
    }
}

/// Their number, then two in an octet, the last one alone in the upper half.
fn put_nibbles(out: &mut Vec<u8>, nibbles: &Nibbles) {
    out.push(u8::try_from(nibbles.len()).expect("at most 64"));
    out.extend_from_slice(&nibbles.pack());
}

fn nibbles(octets: &mut &[u8]) -> Option<Nibbles> {
    let length = usize::from(octet(octets)?);
    if length > 64 {
        return None;
    }
    let mut nibbles = Nibbles::unpack(take(octets, length.div_ceil(2))?);
    nibbles.truncate(length);
    Some(nibbles)
}

fn mask(octets: &mut &[u8]) -> Option<TrieMask> {
    let octets = take(octets, 2)?;
    Some(TrieMask::new(u16::from_be_bytes(octets.try_into().ok()?)))
}

fn octet(octets: &mut &[u8]) -> Option<u8> {
    take(octets, 1).map(|octet| octet[0])
}

fn take<'a>(octets: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    octets.split_off(..count)
}
