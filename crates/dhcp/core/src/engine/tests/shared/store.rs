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
    /// The owner before, when that one gave it back in order and without a doubt.
    pub(super) given_back: Option<Epoch>,
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
    /// Claims of a history that a failover has ended.
    Former(Vec<Slot>),
    Taken {
        key: u64,
        unique: Vec<u8>,
        by: u64,
    },
}

/// What a standby has of the store.
#[derive(Debug, Clone, Default)]
struct Image {
    claims: BTreeMap<Slot, Claim>,
    rows: BTreeMap<(&'static str, u64), (Epoch, Row)>,
    epochs: u64,
    stamp: u64,
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) claims: BTreeMap<Slot, Claim>,
    rows: BTreeMap<(&'static str, u64), (Epoch, Row)>,
    epochs: u64,
    pub(super) timeline: u32,
    /// Rises with every transaction.
    pub(super) stamp: u64,
    copy: Image,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            claims: BTreeMap::new(),
            rows: BTreeMap::new(),
            epochs: 0,
            timeline: 1,
            stamp: 0,
            copy: Image::default(),
        }
    }
}

impl Store {
    /// The standby has everything.
    pub(super) fn replicate(&mut self) {
        self.copy = Image {
            claims: self.claims.clone(),
            rows: self.rows.clone(),
            epochs: self.epochs,
            stamp: self.stamp,
        };
    }

    /// How far the standby is.
    pub(super) fn copied(&self) -> u64 {
        self.copy.stamp
    }

    /// The standby takes the store's place, with what it has.
    pub(super) fn fail_over(&mut self) {
        self.claims = self.copy.claims.clone();
        self.rows = self.copy.rows.clone();
        self.epochs = self.copy.epochs;
        self.timeline += 1;
        self.stamp += 1;
        self.replicate();
    }

    /// Grants a slot. `quarantine` is until when a former owner that has not released it leaves doubts.
    pub(super) fn claim(&mut self, slot: Slot, owner: usize, quarantine: u64) -> Claim {
        self.epochs += 1;
        self.stamp += 1;
        let former = self.claims.get(&slot);
        let doomed = |epoch: Epoch| epoch.timeline < self.timeline;
        let suspect_until = match former {
            None if self.timeline == 1 => 0,
            Some(former) if former.released && !doomed(former.epoch) => former.suspect_until,
            _ => quarantine,
        };
        let sure = |former: &&Claim| former.released && !doomed(former.epoch) && former.suspect_until == 0;
        let given_back = former.filter(sure).map(|former| former.epoch);
        let epoch = Epoch {
            timeline: self.timeline,
            counter: self.epochs,
        };
        let claim = Claim {
            owner,
            epoch,
            released: false,
            suspect_until,
            given_back,
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
        let former = |row: &&Row| terms[&row.slot].timeline < self.timeline;
        let doomed: Vec<Slot> = rows.iter().filter(former).map(|row| row.slot).collect();
        if !doomed.is_empty() {
            return Err(Fault::Former(doomed));
        }
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
        self.stamp += 1;
        Ok(())
    }

    /// The bodies of a slot's rows, with the epochs that they were written under.
    pub(super) fn load(&self, slot: Slot) -> Vec<(Epoch, Vec<u8>)> {
        let rows = self.rows.values().filter(|(_, row)| row.slot == slot);
        rows.map(|(epoch, row)| (*epoch, row.body.clone())).collect()
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
