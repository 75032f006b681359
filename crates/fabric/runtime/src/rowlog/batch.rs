//! Frames on their way to the store, and what of them goes into one transaction.

use super::{LoggedRow, Refused, Setback, Terms};
use purlin_store::{FencedRow, Position, Rival};
use purlin_types::{Epoch, Slot};
use std::collections::BTreeMap;

/// Rows of one frame with the terms under which they were decided.
#[derive(Debug)]
pub(super) struct Entry {
    position: Position,
    rows: Vec<(LoggedRow, Option<Epoch>)>,
}

impl Entry {
    pub(super) fn new(position: Position, rows: impl Iterator<Item = LoggedRow>, terms: &Terms) -> Self {
        let rows = rows.map(|logged| {
            let epoch = terms.get(logged.row.slot);
            (logged, epoch)
        });
        Self {
            position,
            rows: rows.collect(),
        }
    }

    pub(super) fn octets(&self) -> usize {
        let of = |row: &FencedRow| {
            row.body.len() + row.unique.as_ref().map_or(0, Vec::len) + size_of::<FencedRow>()
        };
        self.rows.iter().map(|(logged, _)| of(&logged.row)).sum()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Whole frames for one transaction per table.
#[derive(Debug, Default)]
pub(super) struct Batch {
    rows: Vec<(Position, LoggedRow, Epoch)>,
    /// Position of the last frame.
    pub(super) end: Position,
    pub(super) octets: usize,
    refused: Vec<Setback>,
}

impl Batch {
    pub(super) fn add(&mut self, entry: Entry) {
        self.octets += entry.octets();
        self.end = entry.position;
        for (logged, epoch) in entry.rows {
            match epoch {
                Some(epoch) => self.rows.push((entry.position, logged, epoch)),
                None => {
                    let slot = logged.row.slot;
                    self.refuse(entry.position, &logged, Refused::Lost { slot, epoch: None });
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The tables that are written, in the order of their first rows.
    pub(super) fn tables(&self) -> Vec<&'static str> {
        let mut tables = Vec::new();
        for (_, logged, _) in &self.rows {
            if !tables.contains(&logged.table) {
                tables.push(logged.table);
            }
        }
        tables
    }

    /// The newest statement about each key of a table, and the claims over them.
    pub(super) fn rows_of(&self, table: &str) -> (Vec<(Slot, Epoch)>, Vec<FencedRow>) {
        let (mut held, mut rows) = (BTreeMap::new(), BTreeMap::new());
        for (_, logged, epoch) in self.rows.iter().filter(|(_, logged, _)| logged.table == table) {
            held.insert(logged.row.slot, *epoch);
            rows.insert(logged.row.key, &logged.row);
        }
        (held.into_iter().collect(), rows.into_values().cloned().collect())
    }

    /// Leaves out what these slots own; true when there was anything.
    pub(super) fn lose(&mut self, slots: &[Slot]) -> bool {
        self.leave_out(|logged, epoch| {
            let slot = logged.row.slot;
            slots.contains(&slot).then_some(Refused::Lost {
                slot,
                epoch: Some(epoch),
            })
        })
    }

    /// Leaves out every statement about keys that others are in the way of; true when there was any.
    pub(super) fn taken(&mut self, table: &str, rivals: &[Rival]) -> bool {
        let rivals: BTreeMap<u64, u64> = rivals.iter().map(|rival| (rival.key, rival.by)).collect();
        self.leave_out(|logged, epoch| {
            let by = *rivals.get(&logged.row.key).filter(|_| logged.table == table)?;
            let unique = logged.row.unique.clone().unwrap_or_default();
            let slot = logged.row.slot;
            Some(Refused::Taken {
                by,
                unique,
                slot,
                epoch,
            })
        })
    }

    /// Leaves out what was decided about these slots under a history before `timeline`; true when there was anything.
    pub(super) fn end_history(&mut self, slots: &[Slot], timeline: u32) -> bool {
        self.leave_out(|logged, epoch| {
            let slot = logged.row.slot;
            let ended = epoch.timeline < timeline && slots.contains(&slot);
            ended.then_some(Refused::Former { slot, epoch })
        })
    }

    pub(super) fn setbacks(&mut self) -> Vec<Setback> {
        std::mem::take(&mut self.refused)
    }

    /// Two epochs of one slot cannot be fenced together; the earlier one has ended.
    pub(super) fn drop_former_terms(&mut self) {
        let mut newest: BTreeMap<Slot, Epoch> = BTreeMap::new();
        for (_, logged, epoch) in &self.rows {
            let known = newest.entry(logged.row.slot).or_insert(*epoch);
            *known = (*known).max(*epoch);
        }
        self.leave_out(|logged, epoch| {
            let slot = logged.row.slot;
            (newest.get(&slot) != Some(&epoch)).then_some(Refused::Lost {
                slot,
                epoch: Some(epoch),
            })
        });
    }

    fn leave_out(&mut self, why: impl Fn(&LoggedRow, Epoch) -> Option<Refused>) -> bool {
        let (kept, out): (Vec<_>, Vec<_>) = std::mem::take(&mut self.rows)
            .into_iter()
            .partition(|(_, logged, epoch)| why(logged, *epoch).is_none());
        self.rows = kept;
        for (position, logged, epoch) in &out {
            if let Some(refused) = why(logged, *epoch) {
                self.refuse(*position, logged, refused);
            }
        }
        !out.is_empty()
    }

    fn refuse(&mut self, position: Position, logged: &LoggedRow, why: Refused) {
        self.refused.push(Setback {
            position,
            table: logged.table,
            key: logged.row.key,
            why,
        });
    }
}
