//! Values by UUID, in order, of which an old state costs nothing to keep.
//!
//! A radix trie over the 32 half-octets of the key. Leaves hold up to 32 entries; a full one becomes a branch of 16.
//! Copies share nodes; a change copies the path to its leaf, unless nobody else holds it.

use crate::uuid::Uuid;
use std::sync::Arc;

const LEAF_MAX: usize = 32;
const DEPTH_MAX: usize = 32;

/// Values by UUID, sorted; a copy costs a pointer, and what is changed in one copy is not changed in the other.
#[derive(Debug, Clone)]
pub struct Trie<V> {
    root: Option<Arc<Node<V>>>,
    len: usize,
}

#[derive(Debug, Clone)]
enum Node<V> {
    Leaf(Vec<(Uuid, V)>),
    Branch(Box<[Option<Arc<Self>>; 16]>),
}

fn step(key: &Uuid, depth: usize) -> usize {
    let octet = key.as_bytes()[depth / 2];
    usize::from(if depth.is_multiple_of(2) {
        octet >> 4
    } else {
        octet & 15
    })
}

impl<V: Clone> Default for Trie<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// The same entries; in which shape they are kept does not count.
impl<V: Clone + PartialEq> PartialEq for Trie<V> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || (self.len == other.len && self.iter().eq(other.iter()))
    }
}

impl<V: Clone> Trie<V> {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { root: None, len: 0 }
    }

    /// Of entries that are sorted by key, none twice: at once, each node in as much memory as it needs.
    pub(crate) fn from_sorted(entries: Vec<(Uuid, V)>) -> Self {
        debug_assert!(entries.is_sorted_by(|a, b| a.0 < b.0), "sorted, none twice");
        let len = entries.len();
        let mut entries = entries.into_iter();
        Self {
            root: (len > 0).then(|| Arc::new(build(&mut entries, len, 0))),
            len,
        }
    }

    /// How many entries it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether one is an unchanged copy of the other. Costs nothing; two that came to the same entries on different
    /// ways are not the same.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (&self.root, &other.root) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        }
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &Uuid) -> Option<&V> {
        let (mut node, mut depth) = (self.root.as_ref()?, 0);
        loop {
            match &**node {
                Node::Leaf(entries) => {
                    let at = place(entries, key).ok()?;
                    return Some(&entries[at].1);
                }
                Node::Branch(children) => node = children[step(key, depth)].as_ref()?,
            }
            depth += 1;
        }
    }

    /// The value under a key, to be changed in this copy.
    pub fn get_mut(&mut self, key: &Uuid) -> Option<&mut V> {
        // Looked up first, so that a key that is not there copies nothing.
        self.get(key)?;
        let (mut node, mut depth) = (self.root.as_mut()?, 0);
        loop {
            match Arc::make_mut(node) {
                Node::Leaf(entries) => {
                    let at = place(entries, key).ok()?;
                    return Some(&mut entries[at].1);
                }
                Node::Branch(children) => node = children[step(key, depth)].as_mut()?,
            }
            depth += 1;
        }
    }

    /// Puts a value in; returns the one that was there before.
    pub fn insert(&mut self, key: Uuid, value: V) -> Option<V> {
        let mut value = Some(value);
        let held = self.held(key, &mut value)?;
        value.map(|value| std::mem::replace(held, value))
    }

    /// Puts a value in where there is none; else the one that is there, to be changed in this copy.
    pub(crate) fn get_or_insert(&mut self, key: Uuid, value: V) -> Option<&mut V> {
        self.held(key, &mut Some(value))
    }

    /// What is under a key; where there is nothing, the value is taken and put there.
    fn held(&mut self, key: Uuid, value: &mut Option<V>) -> Option<&mut V> {
        let Self { root, len } = self;
        let root = root.get_or_insert_with(|| Arc::new(Node::Leaf(Vec::new())));
        let held = held(root, key, value, 0);
        *len += usize::from(held.is_none());
        held
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &Uuid) -> Option<V> {
        // Looked up first, so that a key that is not there copies nothing.
        self.get(key)?;
        let root = self.root.as_mut().expect("the key is there");
        let old = remove(root, key, 0);
        self.len -= 1;
        if self.len == 0 {
            self.root = None;
        }
        old
    }

    /// Entries in the order of their keys.
    pub fn iter(&self) -> Iter<'_, V> {
        Iter {
            stack: self.root.as_deref().map(|root| (root, 0)).into_iter().collect(),
        }
    }

    /// Those whose keys are greater than this one. Costs what it yields, not what it skips.
    pub fn iter_after(&self, key: &Uuid) -> Iter<'_, V> {
        let (mut stack, mut node, mut depth) = (Vec::new(), self.root.as_deref(), 0);
        while let Some(here) = node {
            match here {
                Node::Leaf(entries) => {
                    stack.push((here, entries.partition_point(|(k, _)| k <= key)));
                    node = None;
                }
                Node::Branch(children) => {
                    let at = step(key, depth);
                    stack.push((here, at + 1));
                    node = children[at].as_deref();
                }
            }
            depth += 1;
        }
        Iter { stack }
    }
}

fn held<'n, V: Clone>(
    node: &'n mut Arc<Node<V>>,
    key: Uuid,
    value: &mut Option<V>,
    depth: usize,
) -> Option<&'n mut V> {
    if let Some(grown) = grown(node, key, value) {
        *node = grown;
        return None;
    }
    let node = Arc::make_mut(node);
    if let Node::Leaf(entries) = node
        && entries.len() == LEAF_MAX
        && depth < DEPTH_MAX
        && place(entries, &key).is_err()
    {
        *node = split(std::mem::take(entries), depth);
    }
    match node {
        Node::Leaf(entries) => match place(entries, &key) {
            Ok(at) => Some(&mut entries[at].1),
            Err(at) => {
                if let Some(value) = value.take() {
                    entries.insert(at, (key, value));
                }
                None
            }
        },
        Node::Branch(children) => {
            let child = &mut children[step(&key, depth)];
            let child = child.get_or_insert_with(|| Arc::new(Node::Leaf(Vec::new())));
            held(child, key, value, depth + 1)
        }
    }
}

/// Of a leaf with room that others hold too: the copy with the new entry in it, made at once.
fn grown<V: Clone>(node: &Arc<Node<V>>, key: Uuid, value: &mut Option<V>) -> Option<Arc<Node<V>>> {
    let Node::Leaf(entries) = &**node else { return None };
    if Arc::strong_count(node) == 1 || entries.len() >= LEAF_MAX {
        return None;
    }
    let at = place(entries, &key).err()?;
    let mut grown = Vec::with_capacity(entries.len() + 1);
    grown.extend_from_slice(&entries[..at]);
    grown.extend(value.take().map(|value| (key, value)));
    grown.extend_from_slice(&entries[at..]);
    Some(Arc::new(Node::Leaf(grown)))
}

/// Where a key is among a leaf's entries, or belongs.
fn place<V>(entries: &[(Uuid, V)], key: &Uuid) -> Result<usize, usize> {
    entries.binary_search_by(|(k, _)| k.cmp(key))
}

/// A node of the next `count` entries, which begin alike up to this depth.
fn build<V>(entries: &mut std::vec::IntoIter<(Uuid, V)>, count: usize, depth: usize) -> Node<V> {
    if count <= LEAF_MAX || depth == DEPTH_MAX {
        return Node::Leaf(entries.by_ref().take(count).collect());
    }
    let (mut children, mut left) = (Box::<[Option<Arc<Node<V>>>; 16]>::default(), count);
    while left > 0 {
        let rest = &entries.as_slice()[..left];
        let at = step(&rest[0].0, depth);
        let own = rest.partition_point(|(key, _)| step(key, depth) == at);
        children[at] = Some(Arc::new(build(entries, own, depth + 1)));
        left -= own;
    }
    Node::Branch(children)
}

fn split<V: Clone>(entries: Vec<(Uuid, V)>, depth: usize) -> Node<V> {
    let mut children: [Option<Arc<Node<V>>>; 16] = Default::default();
    let mut entries = entries.into_iter().peekable();
    while let Some((first, _)) = entries.peek() {
        let at = step(first, depth);
        let mut own = Vec::new();
        while let Some(entry) = entries.next_if(|(key, _)| step(key, depth) == at) {
            own.push(entry);
        }
        children[at] = Some(Arc::new(Node::Leaf(own)));
    }
    Node::Branch(Box::new(children))
}

fn remove<V: Clone>(node: &mut Arc<Node<V>>, key: &Uuid, depth: usize) -> Option<V> {
    match Arc::make_mut(node) {
        Node::Leaf(entries) => {
            let at = place(entries, key).ok()?;
            Some(entries.remove(at).1)
        }
        Node::Branch(children) => {
            let slot = &mut children[step(key, depth)];
            let child = slot.as_mut()?;
            let old = remove(child, key, depth + 1);
            let empty = match &**child {
                Node::Leaf(entries) => entries.is_empty(),
                Node::Branch(children) => children.iter().all(Option::is_none),
            };
            if empty {
                *slot = None;
            }
            old
        }
    }
}

/// Entries in the order of their keys.
#[derive(Debug)]
pub struct Iter<'a, V> {
    stack: Vec<(&'a Node<V>, usize)>,
}

impl<'a, V: Clone> IntoIterator for &'a Trie<V> {
    type Item = (&'a Uuid, &'a V);
    type IntoIter = Iter<'a, V>;

    fn into_iter(self) -> Iter<'a, V> {
        self.iter()
    }
}

impl<'a, V> Iterator for Iter<'a, V> {
    type Item = (&'a Uuid, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (node, at) = self.stack.last_mut()?;
            let here = *at;
            *at += 1;
            match node {
                Node::Leaf(entries) => match entries.get(here) {
                    Some((key, value)) => return Some((key, value)),
                    None => drop(self.stack.pop()),
                },
                Node::Branch(children) => match children.get(here) {
                    Some(Some(child)) => self.stack.push((child, 0)),
                    Some(None) => {}
                    None => drop(self.stack.pop()),
                },
            }
        }
    }
}

/// Calls `visit` for each key whose value differs between the two, in the order of the keys. Nodes that both share
/// are not entered.
pub(crate) fn differences<'a, V: Clone>(
    old: &'a Trie<V>,
    new: &'a Trie<V>,
    visit: &mut impl FnMut(&'a Uuid, Option<&'a V>, Option<&'a V>),
) {
    walk(old.root.as_ref(), new.root.as_ref(), visit);
}

fn walk<'a, V: Clone>(
    old: Option<&'a Arc<Node<V>>>,
    new: Option<&'a Arc<Node<V>>>,
    visit: &mut impl FnMut(&'a Uuid, Option<&'a V>, Option<&'a V>),
) {
    if let (Some(a), Some(b)) = (old, new) {
        if Arc::ptr_eq(a, b) {
            return;
        }
        if let (Node::Branch(a), Node::Branch(b)) = (&**a, &**b) {
            for (a, b) in a.iter().zip(b.iter()) {
                walk(a.as_ref(), b.as_ref(), visit);
            }
            return;
        }
    }
    let entries = |node: Option<&'a Arc<Node<V>>>| Iter {
        stack: node.map(|node| (&**node, 0)).into_iter().collect(),
    };
    let (mut a, mut b) = (entries(old).peekable(), entries(new).peekable());
    loop {
        let turn = match (a.peek(), b.peek()) {
            (None, None) => return,
            (Some((x, _)), Some((y, _))) => x.cmp(y),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
        };
        let before = a.next_if(|_| turn.is_le());
        let after = b.next_if(|_| turn.is_ge());
        let key = before
            .or(after)
            .map(|(key, _)| key)
            .expect("one of the two has an entry");
        visit(key, before.map(|(_, value)| value), after.map(|(_, value)| value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn key(n: u16) -> Uuid {
        // Half of the keys share a long beginning, as chosen names may.
        let mut bytes = [0; 16];
        let at = if n.is_multiple_of(2) { 0 } else { 14 };
        bytes[at..at + 2].copy_from_slice(&n.to_be_bytes());
        Uuid::from_bytes(bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_is_a_sorted_map_whose_copies_do_not_change(
            before in prop::collection::vec((any::<u16>(), 0u8..3), 0..400),
            after in prop::collection::vec((0u16..600, 0u8..3), 0..400),
        ) {
            let (mut trie, mut map) = (Trie::new(), BTreeMap::new());
            let run = |trie: &mut Trie<u8>, map: &mut BTreeMap<Uuid, u8>, steps: &[(u16, u8)]| {
                for (n, value) in steps {
                    if *value == 0 {
                        prop_assert_eq!(trie.remove(&key(*n)), map.remove(&key(*n)));
                    } else {
                        prop_assert_eq!(trie.insert(key(*n), *value), map.insert(key(*n), *value));
                    }
                }
                Ok(())
            };
            run(&mut trie, &mut map, &before)?;
            let (old, old_map) = (trie.clone(), map.clone());
            run(&mut trie, &mut map, &after)?;
            prop_assert!(old.iter().eq(old_map.iter()));
            prop_assert!(trie.iter().eq(map.iter()));
            prop_assert_eq!(trie.len(), map.len());
            prop_assert!(map.iter().all(|(k, v)| trie.get(k) == Some(v)));
            for n in [0, 1, 77, 300, 599, u16::MAX] {
                let above = (std::ops::Bound::Excluded(key(n)), std::ops::Bound::Unbounded);
                prop_assert!(trie.iter_after(&key(n)).eq(map.range(above)));
            }
            let mut other = trie.clone();
            for (at, n) in map.keys().enumerate() {
                *other.get_mut(n).expect("it is there") = u8::try_from(at % 7).expect("small");
            }
            prop_assert!(trie.iter().eq(map.iter()), "a copy is changed by itself");
            prop_assert!(other.iter().map(|(_, v)| usize::from(*v)).eq((0..map.len()).map(|at| at % 7)));
            let built = Trie::from_sorted(map.iter().map(|(key, value)| (*key, *value)).collect());
            prop_assert!(built == trie && built.iter().eq(map.iter()), "built at once, or one by one");
            prop_assert!(map.iter().all(|(k, v)| built.get(k) == Some(v)));
            let mut rebuilt = old_map;
            differences(&old, &trie, &mut |key, before, after| {
                assert_eq!(rebuilt.get(key), before);
                match after {
                    Some(value) => rebuilt.insert(*key, *value),
                    None => rebuilt.remove(key),
                };
            });
            prop_assert_eq!(rebuilt, map);
        }
    }
}
