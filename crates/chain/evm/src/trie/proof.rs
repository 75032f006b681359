//! Merkle proofs: the nodes from the root towards a key, as EIP-1186 lists them.

use alloy_primitives::Bytes;
use alloy_trie::Nibbles;
use alloy_trie::nodes::RlpNode;

use super::NodeSource;
use super::node::Child;
use crate::store::StateError;

/// RLP of the nodes on the way, and the value at the key. Where there is no value, the nodes prove that.
///
/// A node shorter than 32 octets is part of the one above it and has no place of its own in the list; only the
/// root is always there. An empty trie has no nodes.
pub(crate) fn prove<S: NodeSource + ?Sized>(
    root: Option<&Child>,
    source: &S,
    key: &Nibbles,
) -> Result<(Vec<Bytes>, Option<Vec<u8>>), StateError> {
    let mut nodes = Vec::new();
    let mut next = root.cloned();
    let mut path = Nibbles::new();
    while let Some(node) = next.take() {
        match node.loaded(source, &path, 0)? {
            Child::Leaf(leaf) => {
                add(&mut nodes, leaf.rlp());
                let found = path.join(&leaf.suffix) == *key;
                return Ok((nodes, found.then(|| leaf.value.to_vec())));
            }
            Child::Branch(branch) => {
                if let Some(extension) = branch.extension_rlp() {
                    add(&mut nodes, extension);
                }
                path.extend(&branch.prefix);
                if !key.starts_with(&path) {
                    break;
                }
                add(&mut nodes, branch.branch_rlp());
                let nibble = key.get_unchecked(path.len());
                next = branch.child(nibble).cloned();
                path.push(nibble);
            }
            Child::Cold(_) => unreachable!("loaded just now"),
        }
    }
    Ok((nodes, None))
}

fn add(nodes: &mut Vec<Bytes>, rlp: Vec<u8>) {
    if nodes.is_empty() || RlpNode::from_rlp(&rlp).is_hash() {
        nodes.push(rlp.into());
    }
}
