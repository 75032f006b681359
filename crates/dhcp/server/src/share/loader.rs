//! Brings the rows of gained slots to the packet thread, and takes lost slots away from it.

use crate::handle::Handle;
use purlin_dhcp_core::Takeover;
use purlin_dhcp_core::rows::{LEASES, WINDOWS};
use purlin_fabric::Holdings;
use purlin_store::{Copies, FenceFault, FencedRows, Standing};
use purlin_types::{Epoch, NodeId, SLOTS, Slot, SlotSet};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;

/// Slots loaded together: their clients wait for the last of them.
const SLOTS_AT_ONCE: usize = 64;
/// Rows per question to the store.
const PAGE: usize = 5000;
/// Before a store that did not answer is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// A slot to be decided about, with all that is stored of it.
#[derive(Debug)]
pub(crate) struct Gained {
    pub(crate) takeover: Takeover,
    /// Bodies of its rows, with the epochs that they were written under.
    pub(crate) rows: Vec<(Epoch, Vec<u8>)>,
}

/// A slot that was held under `former` without a break until it was claimed anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Continued {
    pub(crate) slot: Slot,
    pub(crate) former: Epoch,
    pub(crate) epoch: Epoch,
}

/// Whether rows that were read between these two looks at the store are all that a claim's former owners wrote.
///
/// Those of a history that came after the grant may lack some; the claim is made anew before long. Those of a history
/// before it are an old primary's, which is alive still and hears of nothing: claims and rows come by different
/// connections.
fn is_whole(epoch: Epoch, before: &Standing, after: &Standing) -> bool {
    let relied_on = matches!(after.copies, Copies::Synced { .. });
    epoch.timeline <= before.timeline.min(after.timeline)
        && (relied_on || epoch.timeline >= before.timeline.max(after.timeline))
}

/// The task that follows the holdings.
pub(super) struct Loader {
    handle: Handle,
    rows: Arc<dyn FencedRows>,
    holdings: watch::Receiver<Arc<Holdings>>,
    /// What the packet thread was given.
    given: BTreeMap<Slot, Epoch>,
    /// While no packets are read: this node, and how long they wait at most.
    patient: Option<(NodeId, Duration)>,
}

impl Loader {
    pub(super) fn new(
        handle: Handle,
        rows: Arc<dyn FencedRows>,
        holdings: watch::Receiver<Arc<Holdings>>,
        patient: Option<(NodeId, Duration)>,
    ) -> Self {
        Self {
            handle,
            rows,
            holdings,
            given: BTreeMap::new(),
            patient,
        }
    }

    /// For a packet thread that decides about these slots already.
    pub(super) fn with(mut self, given: BTreeMap<Slot, Epoch>) -> Self {
        self.given = given;
        self
    }

    /// Runs until the fabric is gone.
    pub(super) async fn run(mut self) {
        let began = Instant::now();
        loop {
            let holdings = Arc::clone(&self.holdings.borrow_and_update());
            self.go_on(&holdings).await;
            self.resign(&holdings).await;
            let gained: Vec<Slot> = holdings
                .slots()
                .iter()
                .filter(|slot| self.given.get(slot).copied() != holdings.epoch(*slot))
                .take(SLOTS_AT_ONCE)
                .collect();
            self.begin_to_read(&holdings, began).await;
            if gained.is_empty() {
                if self.changed(began).await.is_err() {
                    return;
                }
                continue;
            }
            match self.load(&holdings, &gained).await {
                Ok(loaded) => self.adopt(loaded).await,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Has packets read as soon as all leases are here, when nobody else holds any, or the wait is over.
    async fn begin_to_read(&mut self, holdings: &Holdings, began: Instant) {
        let Some((me, patience)) = &self.patient else {
            return;
        };
        let elsewhere = |slot| holdings.home(slot).is_some_and(|home| home != me);
        let whole = self.given.len() == usize::from(SLOTS) || SlotSet::FULL.iter().any(elsewhere);
        if whole || began.elapsed() >= *patience {
            self.patient = None;
            self.handle.read_packets().await;
        }
    }

    /// Waits until the holdings change, or packets must wait no longer.
    async fn changed(&mut self, began: Instant) -> Result<(), RecvError> {
        let Some((_, patience)) = &self.patient else {
            return self.holdings.changed().await;
        };
        let left = patience.saturating_sub(began.elapsed());
        tokio::time::timeout(left, self.holdings.changed())
            .await
            .unwrap_or(Ok(()))
    }

    /// What this node held all the while is not read again: the store may have lost some of it.
    async fn go_on(&mut self, holdings: &Holdings) {
        let continued = self.given.iter().filter_map(|(&slot, &former)| {
            let epoch = holdings.epoch(slot).filter(|&epoch| epoch != former)?;
            (holdings.continues(slot) == Some(former)).then_some(Continued { slot, former, epoch })
        });
        let continued: Vec<Continued> = continued.collect();
        for some in continued.chunks(SLOTS_AT_ONCE) {
            let unknown = self.handle.continue_slots(some.to_vec()).await;
            let known = some.iter().filter(|one| !unknown.contains(&one.slot));
            self.given.extend(known.map(|one| (one.slot, one.epoch)));
        }
    }

    async fn resign(&mut self, holdings: &Holdings) {
        let gone = |(slot, epoch): (&Slot, &Epoch)| (holdings.epoch(*slot) != Some(*epoch)).then_some(*slot);
        let lost: Vec<Slot> = self.given.iter().filter_map(gone).collect();
        if !lost.is_empty() {
            self.given.retain(|slot, _| !lost.contains(slot));
            self.handle.resign_slots(lost).await;
        }
    }

    async fn load(&self, holdings: &Holdings, slots: &[Slot]) -> Result<Vec<Gained>, FenceFault> {
        let mut gained: BTreeMap<Slot, Gained> = BTreeMap::new();
        for &slot in slots {
            if let Some(epoch) = holdings.epoch(slot) {
                let takeover = Takeover {
                    slot,
                    epoch,
                    suspect_until: holdings.suspect_until(slot),
                    given_back: holdings.given_back(slot),
                };
                let rows = Vec::new();
                gained.insert(slot, Gained { takeover, rows });
            }
        }
        let before = self.rows.standing().await?;
        for table in [WINDOWS, LEASES] {
            let mut after = None;
            loop {
                let page = self.rows.load(table, slots, after, PAGE).await?;
                let full = page.len() == PAGE;
                after = page.last().map(|stored| stored.row.key);
                for stored in page {
                    if let Some(gained) = gained.get_mut(&stored.row.slot) {
                        gained.rows.push((stored.epoch, stored.row.body));
                    }
                }
                if !full {
                    break;
                }
            }
        }
        let after = self.rows.standing().await?;
        let whole = |gained: &Gained| is_whole(gained.takeover.epoch, &before, &after);
        let loaded: Vec<Gained> = gained.into_values().filter(whole).collect();
        if loaded.is_empty() {
            return Err(FenceFault::Former(slots.to_vec()));
        }
        Ok(loaded)
    }

    async fn adopt(&mut self, loaded: Vec<Gained>) {
        // The claims may have gone meanwhile; what the newest holdings do not say is not given.
        let newest = Arc::clone(&self.holdings.borrow());
        let still: Vec<Gained> = loaded
            .into_iter()
            .filter(|gained| newest.epoch(gained.takeover.slot) == Some(gained.takeover.epoch))
            .collect();
        self.given.extend(
            still
                .iter()
                .map(|gained| (gained.takeover.slot, gained.takeover.epoch)),
        );
        self.handle.adopt_slots(still, newest.wall_less_boot()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(timeline: u32, copies: Copies) -> Standing {
        Standing {
            timeline,
            written: 0,
            copies,
        }
    }

    /// Of a claim of the second history.
    fn whole(before: u32, after: u32, copies: Copies) -> bool {
        let epoch = Epoch {
            timeline: 2,
            counter: 7,
        };
        is_whole(epoch, &standing(before, copies), &standing(after, copies))
    }

    #[test]
    fn rows_of_another_history_than_the_claims_are_not_taken_for_whole() {
        assert!(whole(2, 2, Copies::None));
        assert!(!whole(3, 3, Copies::None), "it may have lost some");
        assert!(!whole(2, 3, Copies::None), "it came in between");
        let synced = Copies::Synced { upto: 9 };
        assert!(whole(3, 3, synced) && whole(2, 3, synced), "it has lost nothing");
    }

    #[test]
    fn rows_of_an_old_primary_that_is_alive_are_not_taken_for_whole() {
        for copies in [Copies::None, Copies::Synced { upto: 9 }] {
            assert!(!whole(1, 1, copies));
            assert!(!whole(1, 2, copies) && !whole(2, 1, copies), "or some of them");
        }
    }
}
