//! Conflict checks: the packet waits beside the engine until the link has answered or kept silent.

use super::Engine;
use super::admit::Call;
use crate::reasons;
use crate::settings::ConflictCheck;
use crate::step::{Arrival, Log, Probe, Reply, Verdict};
use purlin_telemetry::{Decision, Outcome, ReasonCode};
use purlin_types::{Now, Tenure};
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};

/// Checks in flight per thread.
const PROBES_MAX: usize = 1024;
/// Addresses tried for one packet before its client has to ask again.
const TRIES_MAX: u8 = 3;

#[derive(Debug, Default)]
pub(super) struct Probes {
    waiting: HashMap<u64, Waiting>,
    next: u64,
}

/// A packet kept for later.
#[derive(Debug)]
struct Waiting {
    payload: Box<[u8]>,
    source: SocketAddrV4,
    local: Ipv4Addr,
    port: u16,
    interface: Option<u16>,
    broadcast: bool,
    attempt: u8,
    address: u32,
    /// Why this one was chosen.
    why: ReasonCode,
    tries: u8,
}

/// What came of a probe.
#[derive(Debug, Clone, Copy)]
pub(super) enum Probed {
    /// The address is in use.
    Used,
    /// Nobody has it; it was chosen for this reason.
    Unused { address: u32, why: ReasonCode },
}

impl Probed {
    /// The address to ask for now; 0 where another is to be tried, whatever the client asked for.
    pub(super) fn wanted(self) -> u32 {
        match self {
            Self::Used => 0,
            Self::Unused { address, .. } => address,
        }
    }

    /// Why this address was chosen, when it is the one that was found unused.
    pub(super) fn why(self, chosen: u32) -> Option<ReasonCode> {
        match self {
            Self::Unused { address, why } if address == chosen => Some(why),
            Self::Unused { .. } | Self::Used => None,
        }
    }
}

impl Probes {
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

impl Engine {
    pub(super) fn start_probe(
        &mut self,
        now: &Now,
        arrival: &Arrival<'_>,
        (address, why): (u32, ReasonCode),
        decision: &mut Decision,
    ) -> Verdict {
        let repeated = self.probes.waiting.values().any(|w| w.address == address);
        if repeated || self.probes.waiting.len() >= PROBES_MAX {
            if !repeated {
                (decision.outcome, decision.reason) = (Outcome::Silent, reasons::PROBES_FULL);
            }
            return Verdict::Silent;
        }
        let token = self.probes.next ^ now.boot.0.rotate_left(20);
        self.probes.next += 1;
        let waiting = Waiting {
            payload: arrival.payload.into(),
            source: arrival.source,
            local: arrival.local,
            port: arrival.port,
            interface: arrival.interface,
            broadcast: arrival.broadcast,
            attempt: arrival.attempt,
            address,
            why,
            tries: 1,
        };
        // A check that a restore asks for goes by ARP where it can.
        let arp = self.check_for(decision.scope) != ConflictCheck::Ping;
        self.probes.waiting.insert(token, waiting);
        Verdict::Probe(Probe {
            token,
            address: address.into(),
            arp_on: arrival.interface.filter(|_| arp),
        })
    }

    fn check_for(&self, subnet: u16) -> ConflictCheck {
        let own = self
            .plan
            .subnets
            .get(usize::from(subnet))
            .and_then(|s| s.conflict_check);
        own.unwrap_or(self.plan.settings().conflict_check)
    }

    /// The link's answer to a [`Probe`]. Unused: the waiting packet is decided now. In use: the address is taken
    /// out of service and another is tried.
    #[expect(clippy::too_many_arguments, reason = "a step with what the probe found")]
    pub fn probed(
        &mut self,
        now: &Now,
        tenure: &Tenure,
        log: Log,
        token: u64,
        in_use: bool,
        reply: &mut Reply,
        records: &mut Vec<u8>,
    ) -> Verdict {
        let Some(waiting) = self.probes.waiting.remove(&token) else {
            return Verdict::Silent;
        };
        let arrival = Arrival {
            payload: &waiting.payload,
            source: waiting.source,
            local: waiting.local,
            port: waiting.port,
            interface: waiting.interface,
            broadcast: waiting.broadcast,
            attempt: waiting.attempt,
        };
        if !in_use {
            let probed = Some(Probed::Unused {
                address: waiting.address,
                why: waiting.why,
            });
            return self.decide(Call {
                now,
                tenure,
                log,
                arrival: &arrival,
                probed,
                reply,
                records,
            });
        }
        self.conflict(now, waiting.address, records);
        if waiting.tries >= TRIES_MAX || !log.writable {
            return Verdict::Commit;
        }
        let probed = Some(Probed::Used);
        let verdict = self.decide(Call {
            now,
            tenure,
            log,
            arrival: &arrival,
            probed,
            reply,
            records,
        });
        if let Verdict::Probe(probe) = verdict
            && let Some(next) = self.probes.waiting.get_mut(&probe.token)
        {
            next.tries = waiting.tries + 1;
        }
        verdict
    }

    /// Takes an address out of use because something answered on it.
    fn conflict(&mut self, now: &Now, address: u32, records: &mut Vec<u8>) {
        let plan = std::sync::Arc::clone(&self.plan);
        for network in self.networks.iter_mut().flatten() {
            let Some(slot) = network.table.slot(address) else {
                continue;
            };
            network.quarantine(&plan, slot, now.wall.secs());
            super::replay::encode(network, slot, records);
            self.counters.records += 1;
            let mut decision = Decision {
                at: now.wall,
                ..Decision::default()
            };
            (decision.outcome, decision.reason) = (Outcome::Noted, reasons::CONFLICT_FOUND);
            decision.with.address = address;
            self.counters.count(decision.reason);
            self.ring.push(decision);
        }
    }
}
