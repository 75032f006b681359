//! Changing a trie by a sorted batch of keys, each branch on the way built and hashed once.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use alloy_trie::{Nibbles, TrieMask};

use super::node::{Branch, Child, Leaf};
use super::{NodeSource, row};
use crate::store::StateError;

/// From this many edits on, the children of the root are shared out to threads. A thread costs some 30 us, an
/// edit one to three.
const PARALLEL: usize = 256;

/// What becomes of the value at a key.
pub(crate) trait Values: Sync {
    type Edit: Sync;
    /// What else comes of an edit, in no order.
    type Beside: Send;

    /// The value after an edit, given the one before; `None` is no value. Called once for each edit.
    fn value(
        &self,
        edit: &Self::Edit,
        old: Option<&[u8]>,
        beside: &mut Vec<Self::Beside>,
    ) -> Result<Option<Vec<u8>>, StateError>;
}

/// A row to write, or to remove, under a path.
pub(crate) type RowChange = (Nibbles, Option<Vec<u8>>);

/// A trie after a batch.
#[derive(Debug)]
pub(crate) struct Outcome<B> {
    pub(crate) root: Option<Child>,
    /// Sorted by path, each path once.
    pub(crate) rows: Vec<RowChange>,
    pub(crate) beside: Vec<B>,
}

/// How a batch is applied.
pub(crate) struct Batch<'a, S: ?Sized, V> {
    pub(crate) source: &'a S,
    pub(crate) values: &'a V,
    /// The number of this update; grows.
    pub(crate) stamp: u64,
}

/// What a thread has made so far. A later row for a path takes the place of an earlier one.
struct Made<B> {
    rows: Vec<RowChange>,
    beside: Vec<B>,
}

/// A key and its value, while a new part of the trie is built.
type Entry = (Nibbles, Box<[u8]>);

impl<S: NodeSource + ?Sized, V: Values> Batch<'_, S, V> {
    /// Applies `edits`, sorted by key, all keys of one length and different.
    pub(crate) fn apply(
        &self,
        root: Option<&Child>,
        edits: &[(Nibbles, V::Edit)],
    ) -> Result<Outcome<V::Beside>, StateError> {
        debug_assert!(edits.is_sorted_by(|a, b| a.0 < b.0));
        let mut made = Made {
            rows: Vec::with_capacity(edits.len()),
            beside: Vec::new(),
        };
        if edits.is_empty() {
            return Ok(made.outcome(root.cloned()));
        }
        let top = Nibbles::new();
        let after = self.update(root, top, edits, &mut made)?;
        let same = match (root, &after) {
            (Some(before), Some(after)) => before.is(after),
            (None, None) => true,
            _ => false,
        };
        match &after {
            _ if same => made.rows.clear(),
            None => made.rows.push((top, None)),
            Some(Child::Leaf(leaf)) => made.rows.push((top, Some(row::encode_leaf(leaf)))),
            Some(_) => {}
        }
        Ok(made.outcome(after))
    }

    /// The part of a trie at `path` that comes of `edits` alone, sorted by key and all below that path. A part that is a
    /// single leaf has a row only where it is the whole trie: else it lies in the row of the branch above.
    pub(crate) fn part(
        &self,
        path: Nibbles,
        edits: &[(Nibbles, V::Edit)],
    ) -> Result<Outcome<V::Beside>, StateError> {
        debug_assert!(edits.iter().all(|(key, _)| key.starts_with(&path)));
        if path.is_empty() {
            return self.apply(None, edits);
        }
        let mut made = Made {
            rows: Vec::with_capacity(edits.len()),
            beside: Vec::new(),
        };
        let root = self.update(None, path, edits, &mut made)?;
        Ok(made.outcome(root))
    }

    fn update(
        &self,
        node: Option<&Child>,
        path: Nibbles,
        edits: &[(Nibbles, V::Edit)],
        made: &mut Made<V::Beside>,
    ) -> Result<Option<Child>, StateError> {
        let Some(node) = node else {
            let mut entries = Vec::with_capacity(edits.len());
            for (key, edit) in edits {
                let value = self.values.value(edit, None, &mut made.beside)?;
                entries.extend(value.map(|value| (*key, value.into())));
            }
            return Ok(self.build(path, &mut entries, made));
        };
        match node.loaded(self.source, &path, self.stamp)? {
            Child::Leaf(leaf) => self.update_leaf(&leaf, path, edits, made),
            Child::Branch(branch) => self.update_branch(&branch, path, edits, made),
            Child::Cold(_) => unreachable!("loaded just now"),
        }
    }

    /// Whatever is left of the leaf, together with what is new beside it.
    fn update_leaf(
        &self,
        leaf: &Arc<Leaf>,
        path: Nibbles,
        edits: &[(Nibbles, V::Edit)],
        made: &mut Made<V::Beside>,
    ) -> Result<Option<Child>, StateError> {
        let here = path.join(&leaf.suffix);
        let mut entries: Vec<Entry> = Vec::with_capacity(edits.len() + 1);
        let mut met = false;
        for (key, edit) in edits {
            if !met && *key > here {
                entries.push((here, leaf.value.clone()));
                met = true;
            }
            let old = (*key == here).then(|| &*leaf.value);
            met |= old.is_some();
            let value = self.values.value(edit, old, &mut made.beside)?;
            entries.extend(value.map(|value| (*key, value.into())));
        }
        if !met {
            entries.push((here, leaf.value.clone()));
        }
        if let [(key, value)] = entries.as_slice()
            && *key == here
            && *value == leaf.value
        {
            return Ok(Some(Child::Leaf(leaf.clone())));
        }
        Ok(self.build(path, &mut entries, made))
    }

    /// A new part of the trie from sorted entries.
    fn build(&self, path: Nibbles, entries: &mut [Entry], made: &mut Made<V::Beside>) -> Option<Child> {
        let last = entries.last()?.0;
        if let [(key, value)] = entries {
            let value = std::mem::take(value);
            return Some(Child::Leaf(Leaf::new(key.slice(path.len()..), value)));
        }
        let fork = entries[0].0.common_prefix_length(&last);
        let mut mask = TrieMask::default();
        let mut children = Vec::new();
        for group in entries.chunk_by_mut(|a, b| a.0.get(fork) == b.0.get(fork)) {
            let below = group[0].0.slice(..=fork);
            mask.set_bit(below.last().expect("at least one nibble"));
            children.extend(self.build(below, group, made));
        }
        let prefix = last.slice(path.len()..fork);
        Some(self.branch(path, prefix, mask, children, made))
    }

    fn update_branch(
        &self,
        branch: &Arc<Branch>,
        path: Nibbles,
        edits: &[(Nibbles, V::Edit)],
        made: &mut Made<V::Beside>,
    ) -> Result<Option<Child>, StateError> {
        let mark = made.rows.len();
        let inside = path.join(&branch.prefix);
        // The keys are sorted: if one leaves the prefix early, the first or the last does.
        let shared = |key: &Nibbles| key.common_prefix_length(&inside);
        let fork = shared(&edits[0].0).min(shared(&edits[edits.len() - 1].0));
        let at = inside.slice(..fork);
        let (mask, children) = if fork == inside.len() {
            match self.update_children(branch.mask, &branch.children, at, edits, made)? {
                Some(changed) => changed,
                None => return Ok(Some(Child::Branch(branch.clone()))),
            }
        } else {
            // A new branch where the keys part; what was here hangs below it.
            let below = inside.slice(..=fork);
            let nibble = below.last().expect("at least one nibble");
            let rest = branch.prefix.slice(below.len() - path.len()..);
            let moved = self.branch(below, rest, branch.mask, branch.children.clone(), made);
            let mask = TrieMask::from_nibble(nibble);
            self.update_children(mask, std::slice::from_ref(&moved), at, edits, made)?
                .unwrap_or_else(|| (mask, vec![moved]))
        };
        let after = self.settle(path, at, mask, children, made)?;
        if after
            .as_ref()
            .is_some_and(|after| *after.reference() == branch.reference)
        {
            made.rows.truncate(mark);
            return Ok(Some(Child::Branch(branch.clone())));
        }
        Ok(after)
    }

    /// The children after the edits; `None` when nothing changed.
    fn update_children(
        &self,
        mask: TrieMask,
        children: &[Child],
        at: Nibbles,
        edits: &[(Nibbles, V::Edit)],
        made: &mut Made<V::Beside>,
    ) -> Result<Option<(TrieMask, Vec<Child>)>, StateError> {
        let depth = at.len();
        let groups: Vec<_> = edits
            .chunk_by(|a, b| a.0.get_unchecked(depth) == b.0.get_unchecked(depth))
            .map(|group| (group[0].0.slice(..=depth), group))
            .collect();
        let child = |nibble: u8| {
            let before = (mask.get() & ((1_u16 << nibble) - 1)).count_ones() as usize;
            mask.is_bit_set(nibble).then(|| &children[before])
        };
        let one = |(path, group): &(Nibbles, &[(Nibbles, V::Edit)]), made: &mut Made<_>| {
            let nibble = path.last().expect("at least one nibble");
            Ok((nibble, self.update(child(nibble), *path, group, made)?))
        };
        let updated: Vec<(u8, Option<Child>)> = if depth == 0 && edits.len() >= PARALLEL {
            in_threads(&groups, edits.len(), made, one)?
        } else {
            groups
                .iter()
                .map(|group| one(group, made))
                .collect::<Result<_, StateError>>()?
        };
        let (mut after, mut kept, mut changed) = (TrieMask::default(), Vec::with_capacity(16), false);
        let mut updated = updated.into_iter().peekable();
        for nibble in 0..16 {
            let old = child(nibble);
            let new = match updated.next_if(|(edited, _)| *edited == nibble) {
                Some((_, new)) => {
                    changed |= match (old, &new) {
                        (Some(old), Some(new)) => !old.is(new),
                        (None, None) => false,
                        _ => true,
                    };
                    new
                }
                None => old.cloned(),
            };
            if let Some(new) = new {
                after.set_bit(nibble);
                kept.push(new);
            }
        }
        Ok(changed.then_some((after, kept)))
    }

    /// A branch needs two children; with one it becomes part of that one, with none nothing.
    fn settle(
        &self,
        path: Nibbles,
        at: Nibbles,
        mask: TrieMask,
        children: Vec<Child>,
        made: &mut Made<V::Beside>,
    ) -> Result<Option<Child>, StateError> {
        let Some(nibble) = mask.first_set_bit_index() else {
            made.rows.push((path, None));
            return Ok(None);
        };
        let prefix = at.slice(path.len()..);
        if children.len() > 1 {
            return Ok(Some(self.branch(path, prefix, mask, children, made)));
        }
        let mut below = at;
        below.push(nibble);
        let prefix = below.slice(path.len()..);
        Ok(Some(
            match children[0].loaded(self.source, &below, self.stamp)? {
                Child::Leaf(leaf) => {
                    made.rows.push((path, None));
                    Child::Leaf(Leaf::new(prefix.join(&leaf.suffix), leaf.value.clone()))
                }
                Child::Branch(only) => {
                    made.rows.push((below, None));
                    let prefix = prefix.join(&only.prefix);
                    self.branch(path, prefix, only.mask, only.children.clone(), made)
                }
                Child::Cold(_) => unreachable!("loaded just now"),
            },
        ))
    }

    fn branch(
        &self,
        path: Nibbles,
        prefix: Nibbles,
        mask: TrieMask,
        children: Vec<Child>,
        made: &mut Made<V::Beside>,
    ) -> Child {
        let branch = Branch::new(prefix, mask, children, self.stamp);
        made.rows.push((path, Some(row::encode_branch(&branch))));
        Child::Branch(branch)
    }
}

impl<B> Made<B> {
    fn outcome(mut self, root: Option<Child>) -> Outcome<B> {
        // The sort keeps the order of equal paths: the last one is in force.
        self.rows.reverse();
        self.rows.sort_by_key(|row| row.0);
        self.rows.dedup_by_key(|row| row.0);
        Outcome {
            root,
            rows: self.rows,
            beside: self.beside,
        }
    }
}

type Group<'a, E> = (Nibbles, &'a [(Nibbles, E)]);

/// Runs `one` on every group, in as many threads as there are processors, each with neighbouring groups of about
/// as many edits. The results are in the order of the groups.
fn in_threads<E: Sync, B: Send, T: Send>(
    groups: &[Group<'_, E>],
    edits: usize,
    made: &mut Made<B>,
    one: impl Fn(&Group<'_, E>, &mut Made<B>) -> Result<T, StateError> + Sync,
) -> Result<Vec<T>, StateError> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(16);
    let share = edits.div_ceil(threads);
    let mut parts = Vec::with_capacity(threads);
    let (mut start, mut count) = (0, 0);
    for (end, (_, group)) in groups.iter().enumerate() {
        count += group.len();
        if count >= share || end + 1 == groups.len() {
            parts.push(&groups[start..=end]);
            (start, count) = (end + 1, 0);
        }
    }
    let one = &one;
    let work = |part: &[Group<'_, E>]| {
        let mut made = Made {
            rows: Vec::new(),
            beside: Vec::new(),
        };
        let results: Result<Vec<T>, StateError> = part.iter().map(|group| one(group, &mut made)).collect();
        results.map(|results| (results, made))
    };
    thread::scope(|scope| {
        let running: Vec<_> = parts
            .into_iter()
            .map(|part| scope.spawn(move || work(part)))
            .collect();
        let mut all = Vec::with_capacity(groups.len());
        for handle in running {
            let (results, theirs) = handle.join().expect("updating a trie does not panic")?;
            all.extend(results);
            made.rows.extend(theirs.rows);
            made.beside.extend(theirs.beside);
        }
        Ok(all)
    })
}
