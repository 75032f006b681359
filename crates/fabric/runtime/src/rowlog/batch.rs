//! Frames on their way to the store, and what of them goes into one transaction.
//!
//! Rows are moved from the frames into the order in which they are written, and are not copied: at a hundred thousand
//! leases a second each copy counts.

use super::{LoggedRow, Refused, Setback, Terms};
use purlin_store::{FencedRow, Position, Rival};
use purlin_types::{Epoch, Slot};
use std::collections::BTreeMap;

/// Rows of one frame with the terms under which they were decided.
#[derive(Debug)]
pub(super) struct Entry {
    position: Position,
    rows: Vec<(LoggedRow, Option<Epoch>)>,
    octets: usize,
}

impl Entry {
    pub(super) fn new(position: Position, rows: impl Iterator<Item = LoggedRow>, terms: &Terms) -> Self {
        let terms = terms.all();
        let rows = rows.map(|logged| {
            let epoch = terms[usize::from(logged.row.slot.index())];
            (logged, epoch)
        });
        let rows: Vec<_> = rows.collect();
        let of = |row: &FencedRow| {
            row.body.len() + row.unique.as_ref().map_or(0, Vec::len) + size_of::<FencedRow>()
        };
        let octets = rows.iter().map(|(logged, _)| of(&logged.row)).sum();
        Self {
            position,
            rows,
            octets,
        }
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }
}

/// Where a row comes from: its frame, and the term under which it was decided.
#[derive(Debug, Clone, Copy)]
struct Whence {
    position: Position,
    epoch: Epoch,
}

/// The rows of one table.
#[derive(Debug)]
struct Table {
    name: &'static str,
    /// Once arranged, the newest statement about each key, in the order of keys.
    rows: Vec<FencedRow>,
    /// Of each of `rows`.
    whence: Vec<Whence>,
    /// Statements that a later one of the batch replaces: their frames fail with it.
    replaced: Vec<(FencedRow, Whence)>,
}

impl Table {
    fn all(&self) -> impl Iterator<Item = (&FencedRow, Whence)> {
        let replaced = self.replaced.iter().map(|(row, whence)| (row, *whence));
        self.rows.iter().zip(self.whence.iter().copied()).chain(replaced)
    }

    /// Puts the rows in the order of keys, the last statement about each alone.
    fn arrange(&mut self) {
        let mut order: Vec<(u64, usize)> = self.rows.iter().map(|row| row.key).zip(0..).collect();
        order.sort_unstable();
        let mut rows: Vec<Option<FencedRow>> = std::mem::take(&mut self.rows).into_iter().map(Some).collect();
        let whence = std::mem::take(&mut self.whence);
        for (at, &(key, from)) in order.iter().enumerate() {
            let row = rows[from].take().expect("each is taken once");
            if order.get(at + 1).is_some_and(|&(next, _)| next == key) {
                self.replaced.push((row, whence[from]));
            } else {
                self.rows.push(row);
                self.whence.push(whence[from]);
            }
        }
    }

    fn keep(&mut self, stays: impl Fn(&FencedRow, Epoch) -> bool) {
        let mut whence = std::mem::take(&mut self.whence).into_iter();
        let whence_kept = &mut self.whence;
        self.rows.retain(|row| {
            let whence = whence.next().expect("one for each row");
            let stays = stays(row, whence.epoch);
            if stays {
                whence_kept.push(whence);
            }
            stays
        });
        self.replaced.retain(|(row, whence)| stays(row, whence.epoch));
    }
}

/// Whole frames for one transaction per table.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// In the order of their first rows.
    tables: Vec<Table>,
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
            let LoggedRow { table, row } = logged;
            match epoch {
                Some(epoch) => {
                    let table = self.table(table);
                    table.rows.push(row);
                    let position = entry.position;
                    table.whence.push(Whence { position, epoch });
                }
                None => {
                    let why = Refused::Lost {
                        slot: row.slot,
                        epoch: None,
                    };
                    self.refused.push(Setback {
                        position: entry.position,
                        table,
                        key: row.key,
                        why,
                    });
                }
            }
        }
    }

    fn table(&mut self, name: &'static str) -> &mut Table {
        let at = self.tables.iter().position(|table| table.name == name);
        let at = at.unwrap_or_else(|| {
            self.tables.push(Table {
                name,
                rows: Vec::new(),
                whence: Vec::new(),
                replaced: Vec::new(),
            });
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }

    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }

    /// Once all frames are in: what of them is to be written.
    pub(super) fn arrange(&mut self) {
        self.drop_former_terms();
        self.tables.iter_mut().for_each(Table::arrange);
    }

    /// The tables that are written, with the claims over their rows.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&'static str, Vec<(Slot, Epoch)>, &[FencedRow])> {
        let tables = self.tables.iter().filter(|table| !table.rows.is_empty());
        tables.map(|table| {
            (
                table.name,
                terms(std::slice::from_ref(table)),
                table.rows.as_slice(),
            )
        })
    }

    /// Leaves out what these slots own; true when there was anything.
    pub(super) fn lose(&mut self, slots: &[Slot]) -> bool {
        self.leave_out(|_, row, epoch| {
            let slot = row.slot;
            slots.contains(&slot).then_some(Refused::Lost {
                slot,
                epoch: Some(epoch),
            })
        })
    }

    /// Leaves out every statement about keys that others are in the way of; true when there was any.
    pub(super) fn taken(&mut self, table: &str, rivals: &[Rival]) -> bool {
        let rivals: BTreeMap<u64, u64> = rivals.iter().map(|rival| (rival.key, rival.by)).collect();
        self.leave_out(|of, row, epoch| {
            let by = *rivals.get(&row.key).filter(|_| of == table)?;
            Some(Refused::Taken {
                by,
                unique: row.unique.clone().unwrap_or_default(),
                slot: row.slot,
                epoch,
            })
        })
    }

    /// Leaves out what was decided about these slots under a history before `timeline`; true when there was anything.
    pub(super) fn end_history(&mut self, slots: &[Slot], timeline: u32) -> bool {
        self.leave_out(|_, row, epoch| {
            let slot = row.slot;
            let ended = epoch.timeline < timeline && slots.contains(&slot);
            ended.then_some(Refused::Former { slot, epoch })
        })
    }

    pub(super) fn setbacks(&mut self) -> Vec<Setback> {
        std::mem::take(&mut self.refused)
    }

    /// Two epochs of one slot cannot be fenced together; the earlier one has ended.
    fn drop_former_terms(&mut self) {
        let terms = terms(&self.tables);
        if terms.windows(2).all(|two| two[0].0 != two[1].0) {
            return;
        }
        // In the order of epochs: of each slot the last counts.
        let newest: BTreeMap<Slot, Epoch> = terms.into_iter().collect();
        self.leave_out(|_, row, epoch| {
            let slot = row.slot;
            (newest.get(&slot) != Some(&epoch)).then_some(Refused::Lost {
                slot,
                epoch: Some(epoch),
            })
        });
    }

    fn leave_out(&mut self, why: impl Fn(&str, &FencedRow, Epoch) -> Option<Refused>) -> bool {
        let before = self.refused.len();
        for table in &mut self.tables {
            let name = table.name;
            let out = table.all().filter_map(|(row, whence)| {
                Some(Setback {
                    position: whence.position,
                    table: name,
                    key: row.key,
                    why: why(name, row, whence.epoch)?,
                })
            });
            let known = self.refused.len();
            self.refused.extend(out);
            if self.refused.len() > known {
                table.keep(|row, epoch| why(name, row, epoch).is_none());
            }
        }
        let new = &mut self.refused[before..];
        new.sort_by_key(|setback| setback.position);
        !new.is_empty()
    }
}

/// The terms of all rows, each once, in the order of slots and epochs.
fn terms(tables: &[Table]) -> Vec<(Slot, Epoch)> {
    let all = tables.iter().flat_map(Table::all);
    let mut terms: Vec<_> = all.map(|(row, whence)| (row.slot, whence.epoch)).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}
