//! Equal values of many rows in one piece of memory.

use super::{Atom, Datum, Str};
use foldhash::fast::FixedState;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Shares equal texts and maps between rows, and keeps the buffers in which values are gathered.
///
/// Fixed tables that forget: a value is found again when no other took its place meanwhile. So memory is bounded
/// (8192 texts, 1024 maps of 16 pairs, each text of 64 octets), nothing has to be cleaned up, and what comes in every row is shared all the same. A peer that
/// knows the hash can keep values from being shared; it cannot make them slow to find.
#[derive(Debug)]
pub struct Interner {
    texts: Box<[Option<Str>]>,
    maps: Box<[Option<Arc<[Pair]>>]>,
    hasher: FixedState,
    pub(super) atoms: Buffer<Atom>,
    pub(super) pairs: Buffer<Pair>,
    pub(crate) columns: Buffer<(u32, Datum)>,
}

pub(super) type Pair = (Atom, Atom);

impl Interner {
    const TEXTS: usize = 8192;
    const MAPS: usize = 1024;
    /// Longer texts are seldom the same.
    const TEXT_MAX: usize = 64;
    /// Nor are larger maps.
    const MAP_MAX: usize = 16;

    /// Empty tables.
    #[must_use]
    pub fn new() -> Self {
        Self {
            texts: vec![None; Self::TEXTS].into(),
            maps: vec![None; Self::MAPS].into(),
            hasher: FixedState::default(),
            atoms: Buffer::new(),
            pairs: Buffer::new(),
            columns: Buffer::new(),
        }
    }

    /// The text, shared with whoever had it lately.
    #[must_use]
    pub fn intern(&mut self, text: &str) -> Str {
        if text.len() > Self::TEXT_MAX {
            return Str::from(text);
        }
        let slot = self.slot(text, Self::TEXTS);
        match &self.texts[slot] {
            Some(known) if &**known == text => known.clone(),
            _ => self.texts[slot].insert(Str::from(text)).clone(),
        }
    }

    /// The map of these pairs, which are sorted, shared with whoever had it lately; the buffer is empty afterwards.
    pub(super) fn map(&mut self, pairs: &mut Vec<Pair>) -> Datum {
        if pairs.is_empty() {
            return Datum::EMPTY_MAP;
        }
        let short = |atom: &Atom| atom.as_str().is_none_or(|text| text.len() <= Self::TEXT_MAX);
        if pairs.len() > Self::MAP_MAX || !pairs.iter().all(|(key, value)| short(key) && short(value)) {
            return Datum::Map(Some(pairs.drain(..).collect()));
        }
        let slot = self.slot(pairs.as_slice(), Self::MAPS);
        match &self.maps[slot] {
            Some(known) if **known == **pairs => {
                pairs.clear();
                Datum::Map(Some(known.clone()))
            }
            _ => {
                let map = self.maps[slot].insert(pairs.drain(..).collect());
                Datum::Map(Some(map.clone()))
            }
        }
    }

    fn slot(&self, value: impl Hash, slots: usize) -> usize {
        let hash = self.hasher.hash_one(value);
        usize::try_from(hash % slots as u64).expect("below the number of slots")
    }
}

impl Default for Interner {
    fn default() -> Self {
        Self::new()
    }
}

/// A list that is filled and emptied for each value anew, in the same memory.
#[derive(Debug)]
pub(crate) struct Buffer<T>(Vec<T>);

impl<T> Buffer<T> {
    /// The memory of a larger one is given back.
    const KEPT_MAX: usize = 4096;

    const fn new() -> Self {
        Self(Vec::new())
    }

    /// The list, empty; to be put back.
    pub(crate) fn take(&mut self) -> Vec<T> {
        std::mem::take(&mut self.0)
    }

    /// Back, with whatever is left in it forgotten.
    pub(crate) fn put(&mut self, mut list: Vec<T>) {
        list.clear();
        if list.capacity() <= Self::KEPT_MAX {
            self.0 = list;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_the_same_memory() {
        let mut interner = Interner::new();
        let (a, b) = (interner.intern("web"), interner.intern("web"));
        assert!(Arc::ptr_eq(&a, &b));
        let pairs = || vec![(Atom::from("owner"), Atom::from("purlin"))];
        let mut map = || match interner.map(&mut pairs()) {
            Datum::Map(Some(map)) => map,
            other => panic!("{other:?} is no map"),
        };
        assert!(Arc::ptr_eq(&map(), &map()));
        assert_eq!(*map(), *pairs());
    }

    #[test]
    fn another_value_in_the_same_place_is_not_taken_for_it() {
        let mut interner = Interner::new();
        for n in 0..3000 {
            let text = format!("text-{n}");
            assert_eq!(&*interner.intern(&text), text);
            let map = interner.map(&mut vec![(Atom::from(&text), Atom::from(n))]);
            assert_eq!(map, Datum::map([(text.as_str(), n)]));
        }
        assert_eq!(
            interner.texts.len() + interner.maps.len(),
            Interner::TEXTS + Interner::MAPS
        );
    }

    #[test]
    fn what_is_large_is_not_kept() {
        let mut interner = Interner::new();
        let long = "x".repeat(Interner::TEXT_MAX + 1);
        let _ = interner.intern(&long);
        interner.map(&mut vec![(Atom::from("key"), Atom::from(&long))]);
        interner.map(&mut (0..=16).map(|n| (Atom::from(n), Atom::from(n))).collect());
        assert!(interner.texts.iter().all(Option::is_none));
        assert!(interner.maps.iter().all(Option::is_none));
    }

    #[test]
    fn the_memory_of_a_large_value_is_given_back() {
        let mut buffer = Buffer::new();
        buffer.put(Vec::<u8>::with_capacity(Buffer::<u8>::KEPT_MAX + 1));
        assert_eq!(buffer.take().capacity(), 0);
        buffer.put(vec![7; 9]);
        let kept = buffer.take();
        assert!(kept.is_empty() && kept.capacity() >= 9);
    }
}
