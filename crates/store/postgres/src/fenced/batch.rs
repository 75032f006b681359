//! Rows made ready to send: the newest of each key, as columns.

use foldhash::{HashMap, HashMapExt};
use purlin_store::{FenceFault, FencedRow, Rival};
use purlin_types::{Epoch, Slot};

use super::column;

/// A row's columns, ready to send.
#[derive(Debug, Default)]
pub(super) struct Columns<'a> {
    pub(super) keys: Vec<i64>,
    pub(super) slots: Vec<i16>,
    pub(super) timelines: Vec<i64>,
    pub(super) counters: Vec<i64>,
    pub(super) versions: Vec<i64>,
    pub(super) uniques: Vec<Option<&'a [u8]>>,
    pub(super) bodies: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    fn with_capacity(rows: usize) -> Self {
        Self {
            keys: Vec::with_capacity(rows),
            slots: Vec::with_capacity(rows),
            timelines: Vec::with_capacity(rows),
            counters: Vec::with_capacity(rows),
            versions: Vec::with_capacity(rows),
            uniques: Vec::with_capacity(rows),
            bodies: Vec::with_capacity(rows),
        }
    }

    pub(super) fn of(rows: &[Stated<'a>]) -> Self {
        let mut columns = Self::with_capacity(rows.len());
        for &Stated { row, epoch } in rows {
            columns.keys.push(column::key(row.key));
            columns.slots.push(column::slot(row.slot));
            columns.timelines.push(i64::from(epoch.timeline));
            columns.counters.push(epoch.counter.cast_signed());
            columns.versions.push(i64::from(row.version));
            columns.uniques.push(row.unique.as_deref());
            columns.bodies.push(&row.body);
        }
        columns
    }
}

/// A row and the epoch of its slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stated<'a> {
    row: &'a FencedRow,
    epoch: Epoch,
}

/// One row per key, the newest. Rows that claim nothing come first, so that what they give up is free for the others;
/// then in the order of keys, so that two batches lock what they share in the same order.
///
/// # Errors
/// When a row's slot is not named in `held`, or two of the rows claim the same.
pub(super) fn newest<'a>(
    held: &[(Slot, Epoch)],
    rows: &'a [FencedRow],
) -> Result<Vec<Stated<'a>>, FenceFault> {
    let mut rows = stated(held, rows)?;
    // Of equally new ones the last counts.
    rows.reverse();
    rows.sort_by(|a, b| {
        let newer = (b.epoch, b.row.version).cmp(&(a.epoch, a.row.version));
        a.row.key.cmp(&b.row.key).then(newer)
    });
    rows.dedup_by_key(|stated| stated.row.key);
    rows.sort_by_key(|stated| stated.row.unique.is_some());
    let rivals = rivals(&rows);
    match rivals.is_empty() {
        true => Ok(rows),
        false => Err(FenceFault::Taken(rivals)),
    }
}

fn stated<'a>(held: &[(Slot, Epoch)], rows: &'a [FencedRow]) -> Result<Vec<Stated<'a>>, FenceFault> {
    let mut epochs = held.to_vec();
    epochs.sort_unstable();
    let epoch = |slot: Slot| {
        let at = epochs.partition_point(|&(held, _)| held < slot);
        epochs
            .get(at)
            .filter(|&&(held, _)| held == slot)
            .map(|&(_, epoch)| epoch)
    };
    let mut strangers = Vec::new();
    let mut stated = Vec::with_capacity(rows.len());
    for row in rows {
        match epoch(row.slot) {
            Some(epoch) => stated.push(Stated { row, epoch }),
            None => strangers.push(row.slot),
        }
    }
    if strangers.is_empty() {
        return Ok(stated);
    }
    strangers.sort_unstable();
    strangers.dedup();
    Err(FenceFault::Lost(strangers))
}

/// Rows that claim what an earlier one of the batch claims.
fn rivals(rows: &[Stated<'_>]) -> Vec<Rival> {
    let mut claimed: HashMap<&[u8], u64> = HashMap::with_capacity(rows.len());
    let mut rivals = Vec::new();
    for Stated { row, .. } in rows {
        if let Some(unique) = &row.unique {
            let (key, by) = (row.key, *claimed.entry(unique).or_insert(row.key));
            rivals.extend((by != key).then_some(Rival { key, by }));
        }
    }
    rivals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u64, version: u32, unique: Option<&str>) -> FencedRow {
        FencedRow {
            key,
            slot: Slot::new(1).expect("below 4096"),
            version,
            unique: unique.map(|unique| unique.as_bytes().to_vec()),
            body: vec![version as u8],
        }
    }

    fn held() -> [(Slot, Epoch); 1] {
        [(Slot::new(1).expect("below 4096"), Epoch::default())]
    }

    #[test]
    fn of_a_key_that_is_stated_twice_the_newest_counts_and_of_equals_the_last() {
        let mut rows = vec![row(5, 2, None), row(5, 3, None), row(5, 1, None), row(4, 1, None)];
        rows.push(FencedRow {
            body: vec![9],
            ..row(4, 1, None)
        });
        let newest = newest(&held(), &rows).expect("all of one slot");
        let kept: Vec<_> = newest
            .iter()
            .map(|stated| (stated.row.key, stated.row.body[0]))
            .collect();
        assert_eq!(kept, [(4, 9), (5, 3)]);
    }

    #[test]
    fn what_claims_nothing_comes_first_and_then_keys_rise() {
        let rows = [
            row(3, 1, Some("a")),
            row(2, 1, Some("b")),
            row(9, 1, None),
            row(7, 1, None),
        ];
        let newest = newest(&held(), &rows).expect("all of one slot");
        let keys: Vec<_> = newest.iter().map(|stated| stated.row.key).collect();
        assert_eq!(keys, [7, 9, 2, 3]);
    }
}
