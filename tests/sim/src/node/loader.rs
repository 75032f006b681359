//! Brings the rows of gained slots to the packet thread and takes lost slots away (`dhcp/server/src/share/loader.rs`).

use crate::mutation::Mutation;
use purlin_dhcp_core::Takeover;
use purlin_dhcp_core::rows::{LEASES, WINDOWS};
use purlin_fabric::Holdings;
use purlin_store::{Copies, Standing};
use purlin_types::{Epoch, Slot};
use std::collections::BTreeMap;
use std::sync::Arc;

const SLOTS_AT_ONCE: usize = 64;

/// A stored row: its slot, the epoch that it was written under, and what it says.
pub(crate) type Body = (Slot, Epoch, Vec<u8>);

/// A slot to be decided about, with the bodies of its rows.
#[derive(Debug, Clone)]
pub(crate) struct Gained {
    pub(crate) takeover: Takeover,
    pub(crate) rows: Vec<(Epoch, Vec<u8>)>,
}

/// A slot that was held under `former` without a break until it was claimed anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Continued {
    pub(crate) slot: Slot,
    pub(crate) former: Epoch,
    pub(crate) epoch: Epoch,
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing until the holdings change.
    Rest,
    /// Read that table of these slots.
    Load(&'static str, Vec<Slot>),
    /// Ask what history the store is on.
    Standing,
}

#[derive(Debug)]
pub(crate) struct Loader {
    mutation: Option<Mutation>,
    /// What the packet thread was given.
    given: BTreeMap<Slot, Epoch>,
    /// The holdings that it is at work about.
    at_hand: Arc<Holdings>,
    /// Being read.
    loading: BTreeMap<Slot, Gained>,
    /// It reads, or waits for the thread, or for a moment before it reads again.
    pub(crate) busy: bool,
    /// Rows as they were when a claim was asked for: a rule left out.
    pub(crate) early: BTreeMap<Slot, Vec<(Epoch, Vec<u8>)>>,
}

impl Loader {
    pub(crate) fn new(mutation: Option<Mutation>) -> Self {
        Self {
            mutation,
            given: BTreeMap::new(),
            at_hand: Arc::default(),
            loading: BTreeMap::new(),
            busy: false,
            early: BTreeMap::new(),
        }
    }

    /// Turns to the newest holdings: slots of them that were held all the while under another epoch.
    pub(crate) fn turn_to(&mut self, holdings: &Arc<Holdings>) -> Vec<Continued> {
        self.at_hand = Arc::clone(holdings);
        if self.mutation == Some(Mutation::NoReassert) {
            return Vec::new();
        }
        let continued = self.given.iter().filter_map(|(&slot, &former)| {
            let epoch = holdings.epoch(slot).filter(|&epoch| epoch != former)?;
            (holdings.continues(slot) == Some(former)).then_some(Continued { slot, former, epoch })
        });
        continued.collect()
    }

    /// The thread has gone on with these.
    pub(crate) fn gone_on(&mut self, known: &[Continued]) {
        self.given.extend(known.iter().map(|one| (one.slot, one.epoch)));
    }

    /// Slots that the thread must let go of.
    pub(crate) fn gone(&mut self) -> Vec<Slot> {
        let holdings = &self.at_hand;
        let gone = |(slot, epoch): (&Slot, &Epoch)| (holdings.epoch(*slot) != Some(*epoch)).then_some(*slot);
        let gone: Vec<Slot> = self.given.iter().filter_map(gone).collect();
        self.given.retain(|slot, _| !gone.contains(slot));
        gone
    }

    /// Begins with the slots that are new.
    pub(crate) fn begin(&mut self) -> Next {
        let holdings = &self.at_hand;
        let new = |slot: &Slot| self.given.get(slot).copied() != holdings.epoch(*slot);
        let slots: Vec<Slot> = holdings.slots().iter().filter(new).take(SLOTS_AT_ONCE).collect();
        self.loading = slots
            .iter()
            .filter_map(|&slot| {
                let takeover = Takeover {
                    slot,
                    epoch: holdings.epoch(slot)?,
                    suspect_until: holdings.suspect_until(slot),
                    given_back: holdings.given_back(slot),
                };
                let rows = Vec::new();
                Some((slot, Gained { takeover, rows }))
            })
            .collect();
        self.busy = !slots.is_empty();
        match self.busy {
            true => Next::Load(WINDOWS, slots),
            false => Next::Rest,
        }
    }

    /// The epochs under which it reads.
    pub(crate) fn epochs(&self) -> Vec<(Slot, Epoch)> {
        let epoch = |(slot, gained): (&Slot, &Gained)| (*slot, gained.takeover.epoch);
        self.loading.iter().map(epoch).collect()
    }

    /// Takes in what a table has; gives what to ask next.
    pub(crate) fn loaded(&mut self, table: &str, rows: Vec<Body>) -> Next {
        for (slot, epoch, body) in rows {
            if let Some(gained) = self.loading.get_mut(&slot) {
                gained.rows.push((epoch, body));
            }
        }
        match table == WINDOWS {
            true => Next::Load(LEASES, self.loading.keys().copied().collect()),
            false => Next::Standing,
        }
    }

    /// Rows of a history that came after the grant may lack some; the claim is made anew before long. False when
    /// nothing is left.
    pub(crate) fn judge(&mut self, standing: &Standing) -> bool {
        let relied_on = matches!(standing.copies, Copies::Synced { .. });
        let of_this_history =
            |gained: &Gained| relied_on || gained.takeover.epoch.timeline >= standing.timeline;
        if self.mutation != Some(Mutation::AnyHistory) {
            self.loading.retain(|_, gained| of_this_history(gained));
        }
        !self.loading.is_empty()
    }

    /// What was read, as far as it still is this node's.
    pub(crate) fn finish(&mut self, newest: &Holdings) -> Vec<Gained> {
        let loaded = std::mem::take(&mut self.loading).into_values();
        let still: Vec<Gained> = loaded
            .filter(|gained| newest.epoch(gained.takeover.slot) == Some(gained.takeover.epoch))
            .map(|mut gained| {
                if let Some(early) = self.early.remove(&gained.takeover.slot) {
                    gained.rows = early;
                }
                gained
            })
            .collect();
        let given = still
            .iter()
            .map(|gained| (gained.takeover.slot, gained.takeover.epoch));
        self.given.extend(given);
        still
    }
}
