//! What the packet thread of a share has beside its engine.

use super::homes::Book;
use super::{Carrier, SharedPlan, Wish};
use crate::handover::Link;
use crate::worker::Links;
use purlin_dhcp_core::Plan;
use purlin_dhcp_core::SteadyClock;
use purlin_dhcp_core::step::Arrival;
use purlin_fabric_runtime::{Refused, RowLogHandle, Setback, SharedTenure, Terms};
use purlin_netio::RecvBatch;
use purlin_types::{BootTime, Epoch, Slot, Tenure};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use tokio::sync::mpsc;

/// The thread's side of a share.
pub(crate) struct Own {
    /// Nothing is read from sockets yet: what is known of the clients is still on its way.
    pub(crate) waiting: bool,
    pub(crate) tenure: SharedTenure,
    pub(crate) terms: Terms,
    pub(crate) clock: SteadyClock,
    pub(crate) ended: Ended,
    pub(crate) log: RowLogHandle,
    pub(crate) lost: mpsc::UnboundedSender<Vec<Slot>>,
    pub(crate) homes: Book,
    pub(crate) carrier: Carrier,
    /// Where what other nodes send is received; taken out while it is read.
    pub(crate) ear: Option<RecvBatch>,
    /// For a packet that was heard on another node's segment; taken out while it is looked at.
    pub(crate) room: Vec<u8>,
    /// What other nodes ask for, until the packets at hand are done.
    pub(crate) wishes: Vec<Wish>,
    /// Segments that other nodes are on.
    pub(crate) links: Links,
    /// Which the log reads frames by.
    pub(crate) plan: SharedPlan,
}

/// The newest term of each slot that was given up.
#[derive(Debug, Default)]
pub(crate) struct Ended(BTreeMap<Slot, Epoch>);

impl Ended {
    pub(crate) fn note(&mut self, slot: Slot, epoch: Epoch) {
        let newest = self.0.entry(slot).or_insert(epoch);
        *newest = (*newest).max(epoch);
    }

    /// Whether that term is over: nothing is to be decided under it any more.
    pub(crate) fn covers(&self, slot: Slot, epoch: Epoch) -> bool {
        self.0.get(&slot).is_some_and(|&newest| epoch <= newest)
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

impl Own {
    /// The tenure as the core takes it; epochs are by slot there.
    pub(crate) fn tenure(&self) -> Tenure {
        Tenure {
            valid_until: self.tenure.valid_until(),
            epoch: Epoch::default(),
        }
    }

    /// Frames are read by this plan from now on.
    pub(crate) fn follow(&self, plan: &Arc<Plan>) {
        self.plan.set(plan);
    }

    /// Gives a packet to the node that holds `slot`; `link` says how it is answered when it was heard on a segment.
    pub(crate) fn forward(
        &mut self,
        now: BootTime,
        (slot, attempt): (Slot, u8),
        arrival: &Arrival<'_>,
        link: Option<Link>,
    ) -> bool {
        let home = self.homes.home(now, slot);
        home.is_some_and(|home| self.carrier.carry(home, attempt, arrival, link))
    }

    /// Asks the node that holds the slot of an address to end its lease.
    pub(crate) fn ask(&mut self, wish: &Wish) {
        if let Some(home) = self.homes.ask(Slot::of_address(wish.address)) {
            self.carrier.ask(home, wish);
        }
    }

    /// What has been refused, told apart: slots that are lost, and rows that stand in somebody's way.
    pub(crate) fn setbacks(&self) -> Vec<Setback> {
        self.log.setbacks()
    }

    /// Tells the fabric which slots a write has shown to be lost.
    /// What was decided under a term before the present one, which `epoch` tells, says nothing about that.
    pub(crate) fn report(&self, setbacks: &[Setback], epoch: impl Fn(Slot) -> Option<Epoch>) {
        let lost = setbacks.iter().filter_map(|setback| match setback.why {
            Refused::Lost { slot, epoch: under } if under == epoch(slot) => Some(slot),
            Refused::Lost { .. } | Refused::Former { .. } | Refused::Taken { .. } => None,
        });
        let lost: Vec<Slot> = lost.collect();
        if !lost.is_empty() {
            // A fabric that is gone has no more use for it.
            let _ = self.lost.send(lost);
        }
    }
}
