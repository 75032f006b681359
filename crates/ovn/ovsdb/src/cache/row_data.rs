//! A row's columns.

use super::layout::TableLayout;
use crate::value::Datum;
use std::sync::Arc;

/// A row's columns, by their places in its table's layout; copies are the same memory.
///
/// Only those that are not at their defaults are kept: most rows use few of the columns that their table has.
#[derive(Debug, Clone)]
pub struct RowData {
    /// Sorted by place.
    kept: Arc<[(u32, Datum)]>,
}

impl RowData {
    /// Takes columns out of the buffer, in any order; of two for one place the last one counts.
    pub(crate) fn new(layout: &TableLayout, columns: &mut Vec<(u32, Datum)>) -> Self {
        if !columns.is_sorted_by(|a, b| a.0 < b.0) {
            columns.reverse();
            columns.sort_by_key(|(at, _)| *at);
            columns.dedup_by_key(|(at, _)| *at);
        }
        columns.retain(|(at, value)| layout.default_at(*at as usize) != value);
        Self {
            kept: columns.drain(..).collect(),
        }
    }

    /// This row with some columns changed: `change` says what becomes of what there was.
    pub(super) fn with(
        &self,
        layout: &TableLayout,
        columns: impl IntoIterator<Item = (u32, Datum)>,
        change: impl Fn(usize, &Datum, Datum) -> Datum,
    ) -> Self {
        let mut all = self.kept.to_vec();
        for (at, new) in columns {
            match all.binary_search_by_key(&at, |(at, _)| *at) {
                Ok(held) => all[held].1 = change(at as usize, &all[held].1, new),
                Err(free) => all.insert(
                    free,
                    (at, change(at as usize, layout.default_at(at as usize), new)),
                ),
            }
        }
        Self::new(layout, &mut all)
    }

    /// What it has in this place; `None` for the default.
    pub(super) fn get(&self, at: usize) -> Option<&Datum> {
        let held = self
            .kept
            .binary_search_by(|(place, _)| (*place as usize).cmp(&at))
            .ok()?;
        Some(&self.kept[held].1)
    }

    /// The places that are not at their defaults, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.kept.iter().map(|(at, _)| *at as usize)
    }

    /// The places in which the two differ, in order.
    pub(super) fn differences(&self, other: &Self) -> impl Iterator<Item = usize> {
        let (mut a, mut b) = (self.kept.iter().peekable(), other.kept.iter().peekable());
        std::iter::from_fn(move || {
            loop {
                let at = match (a.peek(), b.peek()) {
                    (Some((x, _)), Some((y, _))) => *x.min(y),
                    (Some((at, _)), None) | (None, Some((at, _))) => *at,
                    (None, None) => return None,
                };
                let (old, new) = (
                    a.next_if(|(place, _)| *place == at),
                    b.next_if(|(place, _)| *place == at),
                );
                if old != new {
                    return Some(at as usize);
                }
            }
        })
    }

    /// Whether one is a copy of the other, in the same memory. Costs nothing; rows that came apart are not the same,
    /// whether they differ or not.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kept, &other.kept)
    }
}

impl PartialEq for RowData {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.kept == other.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AtomicType;

    fn layout() -> TableLayout {
        let columns = ["a", "b", "c"].map(|name| (name.to_owned(), AtomicType::Integer.into()));
        TableLayout::new("t", columns, [])
    }

    fn row(columns: &[(u32, i64)]) -> RowData {
        let mut columns: Vec<_> = columns.iter().map(|(at, n)| (*at, Datum::from(*n))).collect();
        RowData::new(&layout(), &mut columns)
    }

    #[test]
    fn what_is_at_its_default_takes_no_room() {
        let one = row(&[(2, 7), (0, 0)]);
        assert_eq!(one.kept.len(), 1);
        assert_eq!((one.get(0), one.get(2)), (None, Some(&7.into())));
        assert_eq!(
            one,
            row(&[(2, 7)]),
            "a default that was sent and one that was not are the same row"
        );
        assert_eq!(row(&[(1, 3), (1, 4), (1, 0)]), row(&[]), "the last one counts");
    }

    #[test]
    fn differences_are_those_of_the_columns() {
        let (a, b) = (row(&[(0, 1), (1, 2)]), row(&[(1, 3), (2, 4)]));
        assert!(a.differences(&b).eq([0, 1, 2]));
        assert_eq!(b.differences(&b.clone()).count(), 0);
        assert!(row(&[]).differences(&a).eq([0, 1]));
    }

    #[test]
    fn a_change_back_to_the_default_takes_the_room_away() {
        let changed = row(&[(0, 1), (1, 2)]).with(&layout(), [(0, 0.into()), (2, 5.into())], |_, _, new| new);
        assert_eq!(changed, row(&[(1, 2), (2, 5)]));
        assert_eq!(changed.kept.len(), 2);
    }
}
