//! The difference of two values, as `update2` and `update3` send it.
//!
//! Columns of at most one element or pair: the new value, which may be none. Sets: what only one of them has. Maps: keys
//! that only one of them has, and keys with another value, with the new one.
//!
//! Source: ovsdb-server(7), section 4.1.14; that a column of none or one counts as "single" is seen from ovsdb-server
//! 3.1 itself.

use super::{Atom, Datum};
use crate::types::ColumnType;
use std::cmp::Ordering;

impl Datum {
    /// What must be put on `self` to make it `new`; `None` when they are equal.
    #[must_use]
    pub fn diff(&self, new: &Self, kind: &ColumnType) -> Option<Self> {
        if self == new {
            return None;
        }
        Some(match (self, new) {
            _ if kind.max == 1 => new.clone(),
            (Self::Map(_), Self::Map(_)) => map_xor(self.pairs(), new.pairs(), |_, value| Some(value)),
            _ => set_xor(self.atoms(), new.atoms()),
        })
    }

    /// Puts a difference on this value.
    #[must_use]
    pub fn apply(&self, diff: &Self, kind: &ColumnType) -> Self {
        if kind.max == 1 {
            return diff.clone();
        }
        if kind.value.is_some() {
            return map_xor(self.pairs(), diff.pairs(), |old, value| {
                (old != value).then_some(value)
            });
        }
        set_xor(self.atoms(), diff.atoms())
    }
}

fn set_xor(old: &[Atom], other: &[Atom]) -> Datum {
    let mut atoms = Vec::with_capacity(old.len() + other.len());
    merge(old, other, Atom::cmp, |a, b| match (a, b) {
        (Some(atom), None) | (None, Some(atom)) => atoms.push(atom.clone()),
        _ => {}
    });
    Datum::from_sorted(atoms)
}

/// Keys of one side only stay; of a key on both sides `both` says what becomes of it. Equal pairs go when `both` is
/// for putting on, and when it is for comparing.
fn map_xor<'a>(
    old: &'a [(Atom, Atom)],
    other: &'a [(Atom, Atom)],
    both: impl Fn(&'a Atom, &'a Atom) -> Option<&'a Atom>,
) -> Datum {
    let mut pairs = Vec::with_capacity(old.len() + other.len());
    merge(
        old,
        other,
        |a, b| a.0.cmp(&b.0),
        |a, b| match (a, b) {
            (Some(pair), None) | (None, Some(pair)) => pairs.push(pair.clone()),
            (Some((key, x)), Some((_, y))) if x != y => {
                pairs.extend(both(x, y).map(|value| (key.clone(), value.clone())));
            }
            _ => {}
        },
    );
    Datum::from_sorted_pairs(pairs)
}

/// Walks two sorted lists at once; equal elements come together.
fn merge<'a, T>(
    a: &'a [T],
    b: &'a [T],
    order: impl Fn(&T, &T) -> Ordering,
    mut visit: impl FnMut(Option<&'a T>, Option<&'a T>),
) {
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let turn = match (a.get(i), b.get(j)) {
            (Some(x), Some(y)) => order(x, y),
            (Some(_), None) => Ordering::Less,
            _ => Ordering::Greater,
        };
        let left = turn.is_le().then(|| &a[i]);
        let right = turn.is_ge().then(|| &b[j]);
        visit(left, right);
        i += usize::from(turn.is_le());
        j += usize::from(turn.is_ge());
    }
}
