//! Replies on their way out: at once, or when they have become durable.

use super::segment::PEERS;
use super::stats::record;
use super::{Slot, Worker};
use crate::ports::Port;
use crate::share::Own;
use purlin_dhcp_core::step::Destination;
use purlin_netio::{Outgoing, UdpFrame, UdpPort};
use std::net::{Ipv4Addr, SocketAddrV4};

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
const FRAME_MAX: usize = purlin_dhcp_core::step::REPLY_MAX + purlin_netio::FRAME_OVERHEAD;

impl Worker {
    /// Sends what need not wait, by runs of one port each.
    pub(super) fn send_due(&mut self) {
        let mut at = 0;
        while let Some(first) = self.batch.due.get(at) {
            let port = first.port;
            let run = self.batch.due[at..]
                .iter()
                .take_while(|due| due.port == port)
                .count();
            if let Some(socket) = socket(&self.slots, self.own.as_ref(), port) {
                let replies = &self.batch.replies;
                let due = self.batch.due[at..at + run]
                    .iter()
                    .filter(|due| due.when.is_at_once());
                let messages = due.filter_map(|due| {
                    let reply = &replies[usize::from(due.reply)];
                    let Destination::Udp(to) = reply.to else {
                        return None;
                    };
                    Some(Outgoing {
                        payload: reply.as_bytes(),
                        to,
                        from: due.local,
                    })
                });
                let report = self.outgoing.send(socket, messages);
                self.counters.sent += report;
            }
            at += run;
        }
        self.send_due_frames();
    }

    fn send_due_frames(&mut self) {
        if self.segments.is_empty() {
            return;
        }
        for i in 0..self.batch.due.len() {
            let due = self.batch.due[i];
            let reply = &self.batch.replies[usize::from(due.reply)];
            if due.when.is_at_once() && !matches!(reply.to, Destination::Udp(_)) {
                let sent = self.send_frame(reply.to, reply.from, reply.as_bytes());
                self.counters.sent.sent += u64::from(sent);
                self.counters.sent.failed += u64::from(!sent);
            }
        }
    }

    /// Sends every parked reply that has become durable, or that the store's second copy has.
    pub(super) fn release(&mut self) {
        if self.parked.is_empty() && self.own.is_none() {
            return;
        }
        let durable = self.log.durable();
        self.take_setbacks();
        if !self.may_answer() {
            self.counters.withheld += (self.parked.clear() + self.copying.clear()) as u64;
            return;
        }
        let (durable, overtaken) = self.log.alone(durable);
        if let Some((after, upto)) = overtaken {
            let overtaken = |position| after < position && position <= upto;
            self.counters.withheld += self.parked.strike(overtaken) as u64;
        }
        self.release_upto(durable);
        if self.copying.is_empty() {
            return;
        }
        match self.log.copied() {
            Some(copied) => {
                std::mem::swap(&mut self.parked, &mut self.copying);
                self.release_upto(copied);
                std::mem::swap(&mut self.parked, &mut self.copying);
            }
            // The client asks again, and is told why nothing is promised.
            None => self.counters.withheld += self.copying.clear() as u64,
        }
        if self.copying.is_empty() {
            self.count_histories();
        }
    }

    fn release_upto(&mut self, durable: purlin_store::Position) {
        loop {
            let Some((first, _)) = self.parked.due(durable).next() else {
                return;
            };
            let since = first.since;
            let Some(socket) = socket(&self.slots, self.own.as_ref(), first.port) else {
                self.parked.release(1);
                continue;
            };
            let due = self.parked.due(durable);
            let count = due.clone().count();
            let messages = due.filter_map(|(parked, bytes)| {
                let Destination::Udp(to) = parked.to else {
                    return None;
                };
                // Struck replies have no octets left.
                (!bytes.is_empty()).then_some(Outgoing {
                    payload: bytes,
                    to,
                    from: parked.local,
                })
            });
            let report = self.outgoing.send(socket, messages);
            self.counters.sent += report;
            self.release_frames(durable, count);
            // Timed by the oldest of the run, the longest wait.
            record(&mut self.counters.commit_time, since.elapsed(), count as u64);
            self.parked.release(count);
        }
    }

    fn release_frames(&mut self, durable: purlin_store::Position, count: usize) {
        if self.segments.is_empty() {
            return;
        }
        let (mut sent, mut failed) = (0, 0);
        for (parked, bytes) in self.parked.due(durable).take(count) {
            if !matches!(parked.to, Destination::Udp(_)) && !bytes.is_empty() {
                let done = self.send_frame(parked.to, parked.from, bytes);
                sent += u64::from(done);
                failed += u64::from(!done);
            }
        }
        self.counters.sent.sent += sent;
        self.counters.sent.failed += failed;
    }

    pub(super) fn send_frame(&self, to: Destination, from: Ipv4Addr, payload: &[u8]) -> bool {
        let (position, target_mac, target) = match to {
            Destination::Udp(_) => return false,
            Destination::Raw {
                interface,
                mac,
                address,
            } => (interface, mac, address),
            Destination::Broadcast { interface } => (interface, [0xff; 6], Ipv4Addr::BROADCAST),
        };
        let Some(port) = self.segment(position) else {
            return false;
        };
        let Some(segment) = &port.segment else {
            return false;
        };
        let frame = UdpFrame {
            source_mac: segment.mac,
            target_mac,
            source: SocketAddrV4::new(from, SERVER_PORT),
            target: SocketAddrV4::new(target, CLIENT_PORT),
            payload,
        };
        let mut out = [0; FRAME_MAX];
        let Some(bytes) = frame.compose(&mut out) else {
            return false;
        };
        segment.frames.send(segment.interface.index, bytes).is_ok()
    }

    /// The port of the segment at a position of `Settings::interfaces`.
    pub(super) fn segment(&self, position: u16) -> Option<&Port> {
        let id = *self.segments.get(usize::from(position))?;
        self.slots
            .get(id as usize)?
            .as_ref()
            .map(|slot| &*slot.assigned.port)
    }
}

/// By which replies of a port leave: for [`PEERS`], the one to other nodes.
fn socket<'a>(slots: &'a [Option<Slot>], own: Option<&'a Own>, port: u32) -> Option<&'a UdpPort> {
    if port == PEERS {
        return own.map(|own| own.carrier.socket());
    }
    let slot = slots.get(port as usize)?.as_ref()?;
    Some(&slot.assigned.port.socket)
}
