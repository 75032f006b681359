//! What a column holds in a row.

use super::atom::Atom;
use crate::types::ColumnType;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::sync::Arc;

/// One atom, a set of atoms, or a map from atoms to atoms.
///
/// Sets and maps are sorted and hold nothing twice. A set of one element is always [`Datum::One`], so that equal
/// values compare equal. Copies share their elements.
///
/// Source: RFC 7047, section 5.1, `<value>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Datum {
    /// One atom, or a set of just this one.
    One(Atom),
    /// A set of none or of several elements, sorted; `None` is the empty one.
    Set(Option<Arc<[Atom]>>),
    /// A map, sorted by key; `None` is the empty one.
    Map(Option<Arc<[(Atom, Atom)]>>),
}

impl Datum {
    /// The empty set.
    pub const EMPTY: Self = Self::Set(None);
    /// The empty map.
    pub const EMPTY_MAP: Self = Self::Map(None);

    /// A set of these, in any order; what comes twice is taken once.
    #[must_use]
    pub fn set(elements: impl IntoIterator<Item = impl Into<Atom>>) -> Self {
        let mut atoms: Vec<Atom> = elements.into_iter().map(Into::into).collect();
        atoms.sort_unstable();
        atoms.dedup();
        Self::from_sorted(atoms)
    }

    /// A map of these, in any order; of equal keys the last one counts.
    #[must_use]
    pub fn map(pairs: impl IntoIterator<Item = (impl Into<Atom>, impl Into<Atom>)>) -> Self {
        let mut pairs: Vec<(Atom, Atom)> = pairs.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        pairs.reverse();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        pairs.dedup_by(|a, b| a.0 == b.0);
        Self::from_sorted_pairs(pairs)
    }

    /// What a column of this type holds in a row for which nobody gave it.
    ///
    /// Source: RFC 7047, section 5.2.1.
    #[must_use]
    pub fn default_of(kind: &ColumnType) -> Self {
        match (&kind.value, kind.min) {
            (None, 0) => Self::EMPTY,
            (Some(_), 0) => Self::EMPTY_MAP,
            (None, _) => Self::One(Atom::default_of(kind.key.atomic)),
            (Some(value), _) => Self::from_sorted_pairs(vec![(
                Atom::default_of(kind.key.atomic),
                Atom::default_of(value.atomic),
            )]),
        }
    }

    pub(crate) fn from_sorted(mut atoms: Vec<Atom>) -> Self {
        debug_assert!(atoms.is_sorted_by(|a, b| a < b), "sorted, nothing twice");
        match atoms.len() {
            0 => Self::EMPTY,
            1 => Self::One(atoms.remove(0)),
            _ => Self::Set(Some(atoms.into())),
        }
    }

    pub(crate) fn from_sorted_pairs(pairs: Vec<(Atom, Atom)>) -> Self {
        debug_assert!(pairs.is_sorted_by(|a, b| a.0 < b.0), "sorted, no key twice");
        Self::Map((!pairs.is_empty()).then(|| pairs.into()))
    }

    /// The elements of a set, or the one atom; a map has none.
    #[must_use]
    pub fn atoms(&self) -> &[Atom] {
        match self {
            Self::One(atom) => std::slice::from_ref(atom),
            Self::Set(atoms) => atoms.as_deref().unwrap_or_default(),
            Self::Map(_) => &[],
        }
    }

    /// The pairs of a map; anything else has none.
    #[must_use]
    pub fn pairs(&self) -> &[(Atom, Atom)] {
        match self {
            Self::Map(pairs) => pairs.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// How many elements or pairs it has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Map(_) => self.pairs().len(),
            _ => self.atoms().len(),
        }
    }

    /// Whether it is the empty set or the empty map.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The atom, when there is exactly one.
    #[must_use]
    pub const fn one(&self) -> Option<&Atom> {
        match self {
            Self::One(atom) => Some(atom),
            _ => None,
        }
    }

    /// Whether a set has this element. Binary search.
    #[must_use]
    pub fn contains(&self, atom: &Atom) -> bool {
        self.atoms().binary_search(atom).is_ok()
    }

    /// What a map has under this key. Binary search.
    #[must_use]
    pub fn get(&self, key: &Atom) -> Option<&Atom> {
        let pairs = self.pairs();
        let at = pairs.binary_search_by(|(k, _)| k.cmp(key)).ok()?;
        Some(&pairs[at].1)
    }

    /// What a map of strings has under this key. Binary search, without an allocation.
    #[must_use]
    pub fn get_str(&self, key: &str) -> Option<&str> {
        let pairs = self.pairs();
        let at = pairs.binary_search_by(|(k, _)| k.as_str().cmp(&Some(key))).ok()?;
        pairs[at].1.as_str()
    }

    /// The set with these elements too. Costs a copy of the set, not its sorting.
    #[must_use]
    pub fn with_atoms(&self, added: &[Atom]) -> Self {
        let mut new: Vec<&Atom> = added.iter().filter(|atom| !self.contains(atom)).collect();
        if new.is_empty() {
            return self.clone();
        }
        new.sort_unstable();
        new.dedup();
        let (mut all, mut held) = (Vec::with_capacity(self.len() + new.len()), self.atoms());
        for atom in new {
            let (smaller, greater) = held.split_at(held.partition_point(|held| held < atom));
            all.extend_from_slice(smaller);
            all.push(atom.clone());
            held = greater;
        }
        all.extend_from_slice(held);
        Self::from_sorted(all)
    }

    /// Elements of this set that the other has not; of a map the pairs that the other has not just so.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        match self {
            Self::Map(_) => {
                let pairs = self.pairs().iter().filter(|(k, v)| other.get(k) != Some(v));
                Self::from_sorted_pairs(pairs.cloned().collect())
            }
            _ => {
                let mut others = other.atoms();
                let differs = |atom: &&Atom| {
                    // Both are sorted: one walk over them.
                    while others.first().is_some_and(|other| other < *atom) {
                        others = &others[1..];
                    }
                    others.first() != Some(*atom)
                };
                let mut atoms = Vec::new();
                atoms.extend(self.atoms().iter().filter(differs).cloned());
                Self::from_sorted(atoms)
            }
        }
    }

    /// As JSON; a set of one element as the element alone.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let pair = |(key, value): &(Atom, Atom)| json!([key.to_json(), value.to_json()]);
        match self {
            Self::One(atom) => atom.to_json(),
            Self::Set(_) => json!(["set", self.atoms().iter().map(Atom::to_json).collect::<Vec<_>>()]),
            Self::Map(_) => json!(["map", self.pairs().iter().map(pair).collect::<Vec<_>>()]),
        }
    }

    /// Puts `rename(name)` in place of each `named-uuid`.
    pub(crate) fn rename(&mut self, rename: &dyn Fn(&str) -> Atom) {
        let named = |atom: &Atom| matches!(atom, Atom::Named(_));
        let change = |atom: &Atom| match atom {
            Atom::Named(name) => rename(name),
            other => other.clone(),
        };
        match self {
            Self::One(atom) => *atom = change(atom),
            Self::Set(Some(atoms)) if atoms.iter().any(named) => *self = Self::set(atoms.iter().map(change)),
            Self::Map(Some(pairs)) if pairs.iter().any(|(k, v)| named(k) || named(v)) => {
                *self = Self::map(pairs.iter().map(|(k, v)| (change(k), change(v))));
            }
            Self::Set(_) | Self::Map(_) => {}
        }
    }
}

impl<A: Into<Atom>> From<A> for Datum {
    fn from(atom: A) -> Self {
        Self::One(atom.into())
    }
}

impl Serialize for Datum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(atom) => atom.serialize(serializer),
            Self::Set(_) => tagged(serializer, "set", self.atoms()),
            Self::Map(_) => tagged(serializer, "map", self.pairs()),
        }
    }
}

fn tagged<S: Serializer>(serializer: S, tag: &str, elements: impl Serialize) -> Result<S::Ok, S::Error> {
    let mut seq = serializer.serialize_seq(Some(2))?;
    seq.serialize_element(tag)?;
    seq.serialize_element(&elements)?;
    seq.end()
}
