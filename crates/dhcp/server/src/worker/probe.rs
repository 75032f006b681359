//! Asking the link whether an address is used before it is offered for the first time (RFC 2131, section 3.1).

use super::{ARP, PING, Worker};
use purlin_dhcp_core::step::Probe;
use purlin_netio::{ArpProber, Pinger, Trigger};
use purlin_types::{BootTime, Now};
use std::collections::VecDeque;
use std::net::Ipv4Addr;

/// Questions open at most; a client whose question has no room asks again.
const PROBES_MAX: usize = 4096;

/// A question on its way.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    token: u64,
    address: Ipv4Addr,
    deadline: BootTime,
    /// Where the client's request came from, for the reply.
    port: u32,
    local: Ipv4Addr,
}

/// Open questions and the sockets they go by, opened when first needed.
#[derive(Debug, Default)]
pub(super) struct Probes {
    /// In the order of their deadlines, as all wait equally long.
    waiting: VecDeque<Waiting>,
    pinger: Option<Pinger>,
    sequence: u16,
    /// By port id of their segment.
    arp: Vec<(u32, ArpProber)>,
}

impl Probes {
    pub(super) fn next_deadline(&self) -> Option<BootTime> {
        self.waiting.front().map(|first| first.deadline)
    }
}

impl Worker {
    /// Whether nothing is read until an address has been checked.
    pub(super) fn waits_for_check(&self) -> bool {
        !self.switches.async_operations && !self.probes.waiting.is_empty()
    }

    pub(super) fn ask_link(&mut self, probe: Probe, port: u32, local: Ipv4Addr, now: &Now) {
        self.counters.probes += 1;
        if self.probes.waiting.len() >= PROBES_MAX {
            self.counters.probes_failed += 1;
            return;
        }
        let asked = match probe.arp_on {
            Some(position) => self.ask_arp(position, probe.address),
            None => self.ask_ping(probe.address),
        };
        let wait = self.plan.settings().conflict_wait.as_millis() as u64;
        if asked.is_none() {
            // Not being able to ask (no permission, no route) must not keep clients from addresses.
            self.counters.probes_failed += 1;
        }
        self.counters.probe_waits += u64::from(!self.switches.async_operations);
        let deadline = now.boot.plus_millis(wait);
        self.probes.waiting.push_back(Waiting {
            token: probe.token,
            address: probe.address,
            deadline,
            port,
            local,
        });
    }

    fn ask_ping(&mut self, address: Ipv4Addr) -> Option<()> {
        if self.probes.pinger.is_none() {
            let ident = (std::process::id() as u16).wrapping_add(self.shard);
            let pinger = Pinger::open(ident).ok()?;
            self.poller.add(&pinger, PING, Trigger::Level).ok()?;
            self.checks_only.add(&pinger, PING, Trigger::Level).ok()?;
            self.probes.pinger = Some(pinger);
        }
        self.probes.sequence = self.probes.sequence.wrapping_add(1);
        self.probes
            .pinger
            .as_ref()?
            .ping(address, self.probes.sequence)
            .ok()
    }

    fn ask_arp(&mut self, position: u16, address: Ipv4Addr) -> Option<()> {
        let port = self.segment(position)?;
        let id = port.id;
        if !self.probes.arp.iter().any(|(known, _)| *known == id) {
            let prober = ArpProber::open(&port.segment.as_ref()?.interface).ok()?;
            for poller in [&self.poller, &self.checks_only] {
                poller.add(&prober, ARP + u64::from(id), Trigger::Level).ok()?;
            }
            self.probes.arp.push((id, prober));
        }
        let (_, prober) = self.probes.arp.iter().find(|(known, _)| *known == id)?;
        prober.probe(address).ok()
    }

    pub(super) fn hear_pings(&mut self) {
        while let Some(Ok(Some((address, _)))) = self.probes.pinger.as_ref().map(Pinger::receive) {
            self.heard(address);
        }
    }

    pub(super) fn hear_arp(&mut self, id: u32) {
        while let Some((_, prober)) = self.probes.arp.iter().find(|(known, _)| *known == id) {
            let Ok(Some(packet)) = prober.receive() else {
                return;
            };
            self.heard(packet.sender);
        }
    }

    /// Nothing that was asked matters any more: the clients ask again.
    pub(super) fn drop_questions(&mut self) {
        self.probes.waiting.clear();
    }

    /// Somebody uses `address`.
    fn heard(&mut self, address: Ipv4Addr) {
        let Some(at) = self.probes.waiting.iter().position(|w| w.address == address) else {
            return;
        };
        if let Some(waiting) = self.probes.waiting.remove(at) {
            self.answer(&waiting, true);
        }
    }

    /// Questions whose time is over: nobody answered.
    pub(super) fn end_probes(&mut self, now: &Now) {
        while let Some(first) = self.probes.waiting.front().copied() {
            if first.deadline > now.boot {
                return;
            }
            self.probes.waiting.pop_front();
            self.answer(&first, false);
        }
    }

    fn answer(&mut self, waiting: &Waiting, in_use: bool) {
        let (now, tenure) = (self.time(), self.tenure());
        let log = self.state_of_log(&now);
        let (reply, records) = self.batch.slot();
        let verdict = self
            .engine
            .probed(&now, &tenure, log, waiting.token, in_use, reply, records);
        self.note(verdict, waiting.port, waiting.local, &now);
        self.settle();
    }

    /// An ARP socket hears all its segment's ARP; it is kept only while there are questions.
    pub(super) fn close_idle_probers(&mut self) {
        if self.probes.waiting.is_empty() {
            self.probes.arp.clear();
        }
    }
}
