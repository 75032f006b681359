//! What ends by time: offers, leases, quarantines and memories of former clients.

use super::Engine;
use crate::lease::{FLAG_CONTESTED, FLAG_INHERITED, FLAG_OWN_OFFER, FLAG_RECORDED, Lease};
use crate::network::Network;
use crate::plan::Plan;
use crate::reasons;
use crate::table::Slot;
use crate::view::LeaseState;
use purlin_telemetry::{Decision, Outcome, ReasonCode};
use purlin_types::Now;

/// Blocks of 64 leases swept in one call, so that a million leases ending at once never stop the packets.
const BLOCKS_MAX: usize = 64;

/// Where the sweep of this second stands.
#[derive(Debug, Default)]
pub(super) struct Progress {
    network: usize,
    block: usize,
}

impl Engine {
    /// Ends what has ended. Call it once a second; `true` means that more is due at once, in another call.
    pub fn tick(&mut self, now: &Now) -> bool {
        self.clock_set |= self.follow_clock(now);
        let secs = now.wall.secs();
        let plan = std::sync::Arc::clone(&self.plan);
        let rules = Rules::of(&plan);
        let mut left = BLOCKS_MAX;
        while self.sweep.network < self.networks.len() {
            let Some(network) = &mut self.networks[self.sweep.network] else {
                self.sweep.network += 1;
                continue;
            };
            let (blocks, more) = network.table.due(secs, self.sweep.block, left);
            left -= blocks.len();
            for block in blocks {
                let slots: Vec<Slot> = network.table.slots_of(block).collect();
                for slot in slots {
                    if let Some(reason) = network.end_by_time(&plan, &rules, slot, secs) {
                        let address = network.table.address(slot);
                        let mac = { network.table.identity(slot, &mut [0; 17]).mac() };
                        let mut note = Decision {
                            at: now.wall,
                            reason,
                            mac,
                            outcome: Outcome::Noted,
                            ..Decision::default()
                        };
                        note.with.address = address;
                        note.scope = plan.subnet_containing(network.index, address).unwrap_or(u16::MAX);
                        self.counters.count(reason);
                        self.ring.push(note);
                    }
                }
                network.table.rebound(block, |lease| rules.event(lease));
            }
            match more {
                Some(block) => {
                    self.sweep.block = block;
                    return true;
                }
                None => {
                    self.sweep.network += 1;
                    self.sweep.block = 0;
                }
            }
        }
        self.sweep = Progress::default();
        false
    }
}

/// The durations that the sweep needs, in seconds.
pub(crate) struct Rules {
    affinity: u32,
    mclt: u32,
}

impl Rules {
    fn of(plan: &Plan) -> Self {
        let settings = plan.settings();
        Self {
            affinity: settings.affinity.as_secs() as u32,
            mclt: settings.mclt.as_secs() as u32,
        }
    }

    /// When something happens to the lease next by time alone.
    fn event(&self, lease: &Lease) -> u32 {
        match lease.state {
            LeaseState::Free => u32::MAX,
            LeaseState::Offered | LeaseState::Declined => lease.expires,
            // A client counts from when it sent its request, up to a second after the whole second that is written here.
            LeaseState::Bound => lease.expires.saturating_add(1),
            LeaseState::Expired | LeaseState::Released => self.forget_at(lease),
        }
    }

    /// When an ended lease is forgotten: after the affinity, and not before its address may be reused at all.
    fn forget_at(&self, lease: &Lease) -> u32 {
        let kept = lease.expires.saturating_add(self.affinity);
        if lease.has(FLAG_INHERITED) {
            kept.max(lease.pot.saturating_add(self.mclt))
        } else {
            kept
        }
    }
}

impl Network {
    /// Moves a lease on if its time has come; says why.
    fn end_by_time(&mut self, plan: &Plan, rules: &Rules, slot: Slot, now: u32) -> Option<ReasonCode> {
        let lease = *self.table.lease(slot);
        if rules.event(&lease) > now {
            return None;
        }
        match lease.state {
            LeaseState::Free => None,
            LeaseState::Offered => {
                self.lapse(plan, slot, now);
                Some(reasons::OFFER_LAPSED)
            }
            LeaseState::Bound => {
                self.finish(plan, slot, LeaseState::Expired, lease.expires);
                Some(reasons::EXPIRED)
            }
            LeaseState::Expired | LeaseState::Released | LeaseState::Declined => {
                self.finish(plan, slot, LeaseState::Free, 0);
                None
            }
        }
    }

    /// An offer was not taken up. The client's own ended lease is that again; anything else is free.
    pub(crate) fn lapse(&mut self, plan: &Plan, slot: Slot, now: u32) {
        let lease = *self.table.lease(slot);
        let own = lease.has(FLAG_OWN_OFFER) && lease.has(FLAG_RECORDED);
        self.table.update(slot, |l| {
            l.flags &= !(FLAG_OWN_OFFER | FLAG_CONTESTED);
            l.giaddr = 0;
        });
        if own {
            self.finish(plan, slot, LeaseState::Expired, now);
        } else {
            self.finish(plan, slot, LeaseState::Free, 0);
        }
        // The client is found at the lease that it kept meanwhile.
        let held = self.table.slot(lease.giaddr).filter(|_| lease.giaddr != 0);
        if let Some(held) = held.filter(|&s| self.table.lease(s).state == LeaseState::Bound) {
            self.table.repoint(held);
        }
    }
}
