//! From a socket or the inbox through the core.

use super::Worker;
use super::segment::link;
use super::stats::record;
use crate::handover::{Handed, Inbox, Link};
use crate::ports::Assignment;
use purlin_dhcp_core::step::{Arrival, Verdict};
use purlin_netio::{BATCH, Datagram};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::time::Instant;

/// Datagrams read from one socket before the others and the rest of the loop have their turn: four full calls.
pub(super) const DATAGRAMS_PER_TURN: usize = 4 * BATCH;
/// One packet in so many is timed.
const TIMED: u64 = 64;
/// DHCPDISCOVER (RFC 2132, section 9.6).
const DISCOVER: usize = 1;

impl Worker {
    /// Reads what waits at a port.
    pub(super) fn read(&mut self, port: u32) {
        let Some(Some(slot)) = self.slots.get(port as usize) else {
            return;
        };
        let assigned = slot.assigned.clone();
        let most = self.switches.per_receive();
        let (mut taken, mut grouped) = (0, 0);
        while taken < DATAGRAMS_PER_TURN && self.parked.has_room() && !self.waits_for_check() {
            // Of trains no more than about as many datagrams as of single ones.
            let messages = (DATAGRAMS_PER_TURN / self.per_message.max(1)).clamp(1, most);
            // An error here is an ICMP report about an earlier reply; the next turn reads on.
            let Ok(count) = self.received.receive_up_to(&assigned.port.socket, messages) else {
                break;
            };
            self.counters.batch(count);
            taken += count;
            let mut decided = 0;
            while decided < count {
                let end = count.min(decided + BATCH - grouped);
                self.decide(&assigned, decided..end);
                grouped += end - decided;
                decided = end;
                // Datagrams received one by one are answered together, like those of one call.
                if most > 1 || grouped >= BATCH {
                    self.settle();
                    grouped = 0;
                }
            }
            let got = self.received.messages();
            self.per_message = count.div_ceil(got.max(1));
            if got < messages {
                break;
            }
        }
        self.settle();
    }

    /// Decides on some of what was received.
    fn decide(&mut self, assigned: &Assignment, which: Range<usize>) {
        let (now, tenure) = (self.time_of_reading(), self.tenure());
        let mut log = self.state_of_log(&now);
        let (port, position) = (assigned.port.id, assigned.position);
        for i in which {
            let datagram = self.received.get(i);
            let Some(arrival) = arrival(&datagram, assigned) else {
                if datagram.truncated {
                    self.counters.truncated += 1;
                } else {
                    self.counters.foreign_broadcasts += 1;
                }
                continue;
            };
            if self.shards > 1 {
                let owner = match self.retired {
                    true => 0,
                    false => self.plan.shard_of_arrival(&arrival, self.shards),
                };
                if owner != self.shard {
                    let given = hand_over(&self.inboxes[usize::from(owner)], port, &arrival);
                    self.counters.handed_over += u64::from(given);
                    self.counters.handed_over_lost += u64::from(!given);
                    continue;
                }
            }
            let (reply, records) = self.batch.slot();
            let before = records.len();
            let discovers = self.engine.counters().received[DISCOVER];
            let timed = (self.counters.datagrams + i as u64)
                .is_multiple_of(TIMED)
                .then(Instant::now);
            let verdict = self.engine.step(&now, &tenure, log, &arrival, reply, records);
            if let Some(since) = timed {
                record(&mut self.counters.step_time, since.elapsed(), 1);
            }
            if verdict == Verdict::Reply {
                self.batch.offers += self.engine.counters().received[DISCOVER] - discovers;
            }
            debug_assert!(position == arrival.interface);
            if let (Verdict::Forward { slot, attempt }, Some(own)) = (verdict, &mut self.own) {
                let carried = own.forward(now.boot, (slot, attempt), &arrival, link(assigned, &arrival));
                self.counters.forwarded_lost += u64::from(!carried);
            }
            self.note(verdict, port, arrival_local(&datagram, assigned), &now);
            if self.count_operation(before) {
                log = self.state_of_log(&now);
            }
        }
    }

    /// Packets that other threads received for this one.
    pub(super) fn read_inbox(&mut self) {
        if self.inboxes.len() < 2 {
            return;
        }
        let mut handed = std::mem::take(&mut self.handed);
        if handed.is_empty() {
            self.inboxes[usize::from(self.shard)].take(&mut handed);
        }
        let together = if self.switches.async_operations { BATCH } else { 1 };
        let mut done = 0;
        while done < handed.len() && !self.waits_for_check() {
            let end = handed.len().min(done + together);
            for packet in &handed[done..end] {
                self.decide_handed(packet);
            }
            self.settle();
            done = end;
        }
        // What is left waits for a check to end.
        handed.drain(..done);
        self.handed = handed;
    }

    fn decide_handed(&mut self, packet: &Handed) {
        let slot = self.slots.get(packet.port as usize).and_then(Option::as_ref);
        let interface = slot.and_then(|slot| slot.assigned.position);
        self.decide_given(&Given {
            port: packet.port,
            payload: &packet.payload,
            source: packet.source,
            local: Some(packet.local).filter(|local| !local.is_unspecified()),
            interface,
            broadcast: packet.broadcast,
            attempt: 0,
            way: None,
        });
    }

    /// Decides on a packet that was received elsewhere.
    pub(super) fn decide_given(&mut self, packet: &Given<'_>) {
        let Some(Some(slot)) = self.slots.get(packet.port as usize) else {
            return;
        };
        let here = slot.assigned.port.socket.local_address();
        let local = packet.local.unwrap_or(*here.ip());
        let arrival = Arrival {
            payload: packet.payload,
            source: packet.source,
            local,
            port: here.port(),
            interface: packet.interface,
            broadcast: packet.broadcast,
            attempt: packet.attempt,
        };
        let (now, tenure) = (self.time(), self.tenure());
        let log = self.state_of_log(&now);
        let (reply, records) = self.batch.slot();
        let before = records.len();
        let verdict = self.engine.step(&now, &tenure, log, &arrival, reply, records);
        if let (Verdict::Forward { slot, attempt }, Some(own)) = (verdict, &mut self.own) {
            let carried = own.forward(now.boot, (slot, attempt), &arrival, packet.way);
            self.counters.forwarded_lost += u64::from(!carried);
        }
        self.note(verdict, packet.port, local, &now);
        self.count_operation(before);
    }
}

/// A packet from another thread or node.
#[derive(Debug)]
pub(super) struct Given<'a> {
    /// By which its reply leaves.
    pub(super) port: u32,
    pub(super) payload: &'a [u8],
    pub(super) source: SocketAddrV4,
    /// Where it was sent to; `None` for that port's own address.
    pub(super) local: Option<Ipv4Addr>,
    pub(super) interface: Option<u16>,
    pub(super) broadcast: bool,
    pub(super) attempt: u8,
    /// The segment where another node heard it.
    pub(super) way: Option<Link>,
}

/// The datagram in the core's words; `None` for what is not to be looked at.
fn arrival<'a>(datagram: &Datagram<'a>, assigned: &Assignment) -> Option<Arrival<'a>> {
    let elsewhere = assigned.port.segment.is_none() && datagram.target != datagram.local;
    if datagram.truncated || elsewhere {
        return None;
    }
    Some(Arrival {
        payload: datagram.payload,
        source: datagram.source,
        local: arrival_local(datagram, assigned),
        port: assigned.port.socket.local_address().port(),
        interface: assigned.position,
        broadcast: assigned.port.segment.is_some() && datagram.target != datagram.local,
        attempt: 0,
    })
}

/// The address it was sent to; for a broadcast on a segment, the interface's own.
fn arrival_local(datagram: &Datagram<'_>, assigned: &Assignment) -> Ipv4Addr {
    match (&assigned.port.segment, datagram.local) {
        (Some(segment), local) if local.is_none() || datagram.target != local => segment.address,
        (_, Some(local)) => local,
        (_, None) => *assigned.port.socket.local_address().ip(),
    }
}

fn hand_over(inbox: &Inbox, port: u32, arrival: &Arrival<'_>) -> bool {
    let Arrival {
        payload,
        source,
        local,
        broadcast,
        ..
    } = *arrival;
    inbox.put(Handed {
        port,
        payload: payload.into(),
        source,
        local,
        broadcast,
    })
}
