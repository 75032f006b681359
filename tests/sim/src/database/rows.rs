//! Fenced rows: claims first, then the newest statement about each key, all or none
//! (`store/postgres/src/fenced/write.rs`).

use super::{Change, Database};
use crate::node::Body;
use purlin_dhcp_core::rows::{LEASES, WINDOWS};
use purlin_fabric::port::{ClaimKey, ClaimRow, Durability, NodeState};
use purlin_store::{FenceFault, FencedRow, Rival, StoredRow, Written};
use purlin_types::{Epoch, Slot};
use std::collections::{BTreeMap, BTreeSet};

/// A batch of rows of one table, and the claims that it is written under.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) table: &'static str,
    pub(crate) held: Vec<(Slot, Epoch)>,
    pub(crate) rows: Vec<FencedRow>,
}

/// The database's name of a table of the service.
pub(crate) fn table(name: &str) -> &'static str {
    if name == WINDOWS { WINDOWS } else { LEASES }
}

impl Database {
    /// The claims among these that do not hold.
    pub(crate) fn lost(&self, real: u64, held: &[(Slot, Epoch)]) -> Vec<Slot> {
        let holds = |slot: Slot, epoch: Epoch| {
            let row = self.tables.claims.get(&ClaimKey::Slot(slot));
            row.is_some_and(|row| {
                row.version.epoch == epoch && self.is_of_this_history(real, row) && self.has_live_owner(row)
            })
        };
        let lost = held
            .iter()
            .filter(|&&(slot, epoch)| !self.laxity.no_fence && !holds(slot, epoch));
        lost.map(|&(slot, _)| slot).collect()
    }

    /// The whole transaction.
    pub(crate) fn write(&mut self, real: u64, write: &Write) -> Result<Written, FenceFault> {
        let lost = self.lost(real, &write.held);
        if !lost.is_empty() {
            return Err(self.refusal(real, write, lost));
        }
        self.write_unfenced(write)
    }

    /// A claim of a former history may be its holder's still, unless its row says that it is somebody else's.
    fn refusal(&self, real: u64, write: &Write, lost: Vec<Slot>) -> FenceFault {
        let probe = self.probe(real);
        let former = |slot: &Slot| {
            let held = write.held.iter().find(|(held, _)| held == slot);
            probe.durability != Durability::Synced
                && held.is_some_and(|&(_, epoch)| {
                    epoch.timeline < probe.timeline && !self.is_overtaken(*slot, epoch)
                })
        };
        let (former, lost): (Vec<Slot>, Vec<Slot>) = lost.into_iter().partition(former);
        if lost.is_empty() {
            FenceFault::Former(former)
        } else {
            FenceFault::Lost(lost)
        }
    }

    /// Whether the row of a claim says that somebody claimed after it, or that it was given back, or that its owner is
    /// removed.
    fn is_overtaken(&self, slot: Slot, epoch: Epoch) -> bool {
        let row = self.tables.claims.get(&ClaimKey::Slot(slot));
        row.is_some_and(|row| {
            row.version.epoch > epoch || (row.version.epoch == epoch && !self.has_live_owner(row))
        })
    }

    fn has_live_owner(&self, row: &ClaimRow) -> bool {
        row.owner.as_ref().is_some_and(|(id, incarnation)| {
            let node = self.tables.nodes.get(id);
            node.is_some_and(|node| node.incarnation == *incarnation && node.state != NodeState::Removed)
        })
    }

    /// The rows without a look at the claims.
    pub(crate) fn write_unfenced(&mut self, write: &Write) -> Result<Written, FenceFault> {
        let epochs: BTreeMap<Slot, Epoch> = write.held.iter().copied().collect();
        let strangers: BTreeSet<Slot> = write
            .rows
            .iter()
            .map(|row| row.slot)
            .filter(|slot| !epochs.contains_key(slot))
            .collect();
        if !strangers.is_empty() {
            return Err(FenceFault::Lost(strangers.into_iter().collect()));
        }
        let newest = newest(&epochs, &write.rows)?;
        let replacing: BTreeMap<u64, StoredRow> = newest
            .into_values()
            .filter(|new| self.is_newer(write.table, new))
            .map(|new| (new.row.key, new))
            .collect();
        let rival = |new: &StoredRow| {
            let by = self.holder_of(write.table, new, &replacing)?;
            Some(Rival { key: new.row.key, by })
        };
        let rivals: Vec<Rival> = replacing.values().filter_map(rival).collect();
        if !rivals.is_empty() && !self.laxity.no_unique {
            return Err(FenceFault::Taken(rivals));
        }
        let rows = replacing.into_values();
        self.commit(rows.map(|row| Change::Row(write.table, row)).collect());
        Ok(Written {
            alone: self.standby.is_none() || self.laxity.calls_itself_alone,
        })
    }

    fn is_newer(&self, table: &'static str, new: &StoredRow) -> bool {
        let stored = self.tables.rows.get(&(table, new.row.key));
        self.laxity.no_order
            || stored.is_none_or(|stored| (stored.epoch, stored.row.version) < (new.epoch, new.row.version))
    }

    /// Who else has what a row claims, and keeps it.
    fn holder_of(
        &self,
        table: &'static str,
        new: &StoredRow,
        replacing: &BTreeMap<u64, StoredRow>,
    ) -> Option<u64> {
        let unique = new.row.unique.as_ref()?;
        let same = |stored: &&StoredRow| {
            stored.row.unique.as_ref() == Some(unique)
                && stored.row.key != new.row.key
                && !replacing.contains_key(&stored.row.key)
        };
        self.rows_of_table(table).find(same).map(|stored| stored.row.key)
    }

    fn rows_of_table(&self, table: &'static str) -> impl Iterator<Item = &StoredRow> {
        self.tables
            .rows
            .range((table, 0)..=(table, u64::MAX))
            .map(|(_, row)| row)
    }

    /// The bodies of all rows of these slots.
    pub(crate) fn load(&self, table: &'static str, slots: &[Slot]) -> Vec<Body> {
        self.rows_of_table(table)
            .filter(|stored| slots.contains(&stored.row.slot))
            .map(|stored| (stored.row.slot, stored.epoch, stored.row.body.clone()))
            .collect()
    }

    /// A new owner has read a slot.
    pub(crate) fn note_read(&mut self, slot: Slot, epoch: Epoch) {
        let known = self.read_under.entry(slot).or_default();
        *known = (*known).max(epoch);
    }

    /// The slots of a write that a later owner has read already: the rows came too late (I4).
    pub(crate) fn too_late(&self, write: &Write) -> Option<Slot> {
        let late = |&&(slot, epoch): &&(Slot, Epoch)| {
            self.read_under.get(&slot).is_some_and(|&read| epoch < read)
                && write.rows.iter().any(|row| row.slot == slot)
        };
        write.held.iter().find(late).map(|&(slot, _)| slot)
    }
}

/// One row per key; two that claim the same cannot both be written.
fn newest(
    epochs: &BTreeMap<Slot, Epoch>,
    rows: &[FencedRow],
) -> Result<BTreeMap<u64, StoredRow>, FenceFault> {
    let mut newest: BTreeMap<u64, StoredRow> = BTreeMap::new();
    for row in rows {
        let new = StoredRow {
            row: row.clone(),
            epoch: epochs[&row.slot],
        };
        let older = newest
            .get(&row.key)
            .is_none_or(|known| (known.epoch, known.row.version) <= (new.epoch, row.version));
        if older {
            newest.insert(row.key, new);
        }
    }
    let mut claimed: BTreeMap<&[u8], u64> = BTreeMap::new();
    for (key, stored) in &newest {
        if let Some(unique) = &stored.row.unique
            && let Some(by) = claimed.insert(unique, *key)
        {
            return Err(FenceFault::Taken(vec![Rival { key: *key, by }]));
        }
    }
    Ok(newest)
}
