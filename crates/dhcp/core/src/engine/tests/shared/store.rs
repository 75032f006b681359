//! What the nodes have in common: claims, and rows that are written only under them (rule R7).

use crate::Plan;
use crate::rows::RowRef;
use purlin_types::{Epoch, Slot};
use std::collections::BTreeMap;

/// Who may decide about a slot. Times are seconds of boot time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) owner: usize,
    pub(super) epoch: Epoch,
    pub(super) released: bool,
    /// Until when what has no record is in doubt; kept here, because the next owner must heed it too.
    pub(super) suspect_until: u64,
}

#[derive(Debug, Clone)]
pub(super) struct Row {
    table: &'static str,
    key: u64,
    slot: Slot,
    version: u32,
    unique: Option<Vec<u8>>,
    body: Vec<u8>,
}

impl From<RowRef<'_>> for Row {
    fn from(row: RowRef<'_>) -> Self {
        Self {
            table: row.table,
            key: row.key,
            slot: row.slot,
            version: row.version,
            unique: row.unique,
            body: row.body.into_owned(),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Lost(Vec<Slot>),
    Taken { key: u64, unique: Vec<u8>, by: u64 },
}

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) claims: BTreeMap<Slot, Claim>,
    rows: BTreeMap<(&'static str, u64), (Epoch, Row)>,
    epochs: u64,
}

impl Store {
    /// Grants a slot. `quarantine` is until when a former owner that has not released it leaves doubts.
    pub(super) fn claim(&mut self, slot: Slot, owner: usize, quarantine: u64) -> Claim {
        self.epochs += 1;
        let former = self.claims.get(&slot);
        let suspect_until = match former {
            None => 0,
            Some(former) if former.released => former.suspect_until,
            Some(_) => quarantine,
        };
        let epoch = Epoch {
            timeline: 1,
            counter: self.epochs,
        };
        let claim = Claim {
            owner,
            epoch,
            released: false,
            suspect_until,
        };
        self.claims.insert(slot, claim);
        claim
    }

    /// All rows of a frame or none.
    pub(super) fn write(
        &mut self,
        owner: usize,
        terms: &BTreeMap<Slot, Epoch>,
        rows: &[Row],
    ) -> Result<(), Fault> {
        let stale = |row: &&Row| {
            let claim = self.claims.get(&row.slot);
            let held =
                claim.filter(|c| c.owner == owner && !c.released && terms.get(&row.slot) == Some(&c.epoch));
            held.is_none()
        };
        let lost: Vec<Slot> = rows.iter().filter(stale).map(|row| row.slot).collect();
        if !lost.is_empty() {
            return Err(Fault::Lost(lost));
        }
        let mut after = self.rows.clone();
        for row in rows {
            let epoch = terms[&row.slot];
            let newer = |(known, stored): &(Epoch, Row)| (*known, stored.version) <= (epoch, row.version);
            if after.get(&(row.table, row.key)).is_none_or(newer) {
                after.insert((row.table, row.key), (epoch, row.clone()));
            }
        }
        let stands = |row: &&Row| after[&(row.table, row.key)].1.version == row.version;
        for row in rows.iter().filter(stands) {
            let same = |other: &&(Epoch, Row)| {
                other.1.table == row.table && other.1.key != row.key && other.1.unique == row.unique
            };
            if let Some(unique) = &row.unique
                && let Some((_, other)) = after.values().find(same)
            {
                return Err(Fault::Taken {
                    key: row.key,
                    unique: unique.clone(),
                    by: other.key,
                });
            }
        }
        self.rows = after;
        Ok(())
    }

    /// The bodies of a slot's rows.
    pub(super) fn load(&self, slot: Slot) -> Vec<Vec<u8>> {
        let rows = self.rows.values().map(|(_, row)| row);
        rows.filter(|row| row.slot == slot)
            .map(|row| row.body.clone())
            .collect()
    }

    /// The bodies of all lease rows.
    pub(super) fn leases(&self) -> impl Iterator<Item = &[u8]> {
        let rows = self.rows.values().map(|(_, row)| row);
        rows.filter(|row| row.table == crate::rows::LEASES)
            .map(|row| row.body.as_slice())
    }
}

/// The rows of a frame that lie in none of these slots.
pub(super) fn rows_without(plan: &Plan, frame: &[u8], lost: &[Slot]) -> Vec<Row> {
    let rows = crate::rows::rows_of(plan, frame).filter(|row| !lost.contains(&row.slot));
    rows.map(Row::from).collect()
}
