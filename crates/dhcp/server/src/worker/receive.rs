//! From a socket or the inbox through the core to the journal.

use super::Worker;
use super::park::Ticket;
use super::stats::record;
use crate::handover::{Handed, Inbox};
use crate::ports::Assignment;
use purlin_dhcp_core::step::{Arrival, Reply, Verdict};
use purlin_netio::{BATCH, Datagram, now};
use purlin_store::Position;
use purlin_types::{Now, Tenure};
use std::net::Ipv4Addr;
use std::time::Instant;

/// Batches read from one socket before the others and the rest of the loop have their turn.
const BATCHES_PER_TURN: usize = 4;
/// One packet in so many is timed.
const TIMED: u64 = 64;
/// DHCPDISCOVER (RFC 2132, section 9.6).
const DISCOVER: usize = 1;

/// When a reply may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// Once the batch's records are in the journal.
    Written,
    Durable,
}

/// A composed reply of the batch at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) reply: u8,
    pub(super) when: When,
    pub(super) port: u32,
    pub(super) local: Ipv4Addr,
}

/// Everything a batch needs, made once: replies, what is due of them, and the records.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) replies: Box<[Reply]>,
    pub(super) due: Vec<Due>,
    pub(super) records: Vec<u8>,
    offers: u64,
}

impl Batch {
    pub(super) fn new() -> Self {
        let replies = (0..BATCH).map(|_| Reply::default()).collect();
        Self {
            replies,
            due: Vec::with_capacity(BATCH),
            records: Vec::with_capacity(1 << 16),
            offers: 0,
        }
    }

    /// The slot for the next reply.
    fn slot(&mut self) -> (&mut Reply, &mut Vec<u8>) {
        (&mut self.replies[self.due.len()], &mut self.records)
    }
}

impl Worker {
    /// Reads what waits at a port.
    pub(super) fn read(&mut self, port: u32) {
        for _ in 0..BATCHES_PER_TURN {
            if !self.parked.has_room() {
                return;
            }
            let Some(Some(slot)) = self.slots.get(port as usize) else {
                return;
            };
            let assigned = slot.assigned.clone();
            // An error here is an ICMP report about an earlier reply; the next call reads on.
            let Ok(count) = self.received.receive(&assigned.port.socket) else {
                return;
            };
            self.counters.batch(count);
            if count > 0 {
                self.decide(&assigned);
            }
            if count < BATCH {
                return;
            }
        }
    }

    fn decide(&mut self, assigned: &Assignment) {
        let started = Instant::now();
        let now = now();
        let log = self.log.state(&now);
        let (port, position) = (assigned.port.id, assigned.position);
        for i in 0..self.received.len() {
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
                let owner = self.plan.shard_of_arrival(&arrival, self.shards);
                if owner != self.shard {
                    let given = hand_over(&self.inboxes[usize::from(owner)], port, &arrival);
                    self.counters.handed_over += u64::from(given);
                    self.counters.handed_over_lost += u64::from(!given);
                    continue;
                }
            }
            let (reply, records) = self.batch.slot();
            let discovers = self.engine.counters().received[DISCOVER];
            let timed = (self.counters.datagrams + i as u64)
                .is_multiple_of(TIMED)
                .then(Instant::now);
            let verdict = self
                .engine
                .step(&now, &Tenure::SOLE, log, &arrival, reply, records);
            if let Some(since) = timed {
                record(&mut self.counters.step_time, since.elapsed(), 1);
            }
            if verdict == Verdict::Reply {
                self.batch.offers += self.engine.counters().received[DISCOVER] - discovers;
            }
            debug_assert!(position == arrival.interface);
            self.note(verdict, port, arrival_local(&datagram, assigned), &now);
        }
        let offers = std::mem::take(&mut self.batch.offers);
        self.settle_since(&now, started);
        if offers > 0 {
            record(&mut self.counters.offer_time, started.elapsed(), offers);
        }
    }

    /// Packets that other threads received for this one.
    pub(super) fn read_inbox(&mut self) {
        if self.shards < 2 {
            return;
        }
        let mut handed = std::mem::take(&mut self.handed);
        self.inboxes[usize::from(self.shard)].take(&mut handed);
        for some in handed.chunks(BATCH) {
            let now = now();
            let log = self.log.state(&now);
            for packet in some {
                self.decide_handed(packet, &now, log);
            }
            self.settle(&now);
        }
        handed.clear();
        self.handed = handed;
    }

    fn decide_handed(&mut self, packet: &Handed, now: &Now, log: purlin_dhcp_core::step::Log) {
        let Some(Some(slot)) = self.slots.get(packet.port as usize) else {
            return;
        };
        let arrival = Arrival {
            payload: &packet.payload,
            source: packet.source,
            local: packet.local,
            port: slot.assigned.port.socket.local_address().port(),
            interface: slot.assigned.position,
            broadcast: packet.broadcast,
        };
        let (reply, records) = self.batch.slot();
        let verdict = self
            .engine
            .step(now, &Tenure::SOLE, log, &arrival, reply, records);
        self.note(verdict, packet.port, packet.local, now);
    }

    /// Does what a verdict says, as far as that is possible before the batch's records are in the journal.
    pub(super) fn note(&mut self, verdict: Verdict, port: u32, local: Ipv4Addr, now: &Now) {
        let when = match verdict {
            Verdict::Reply => When::Now,
            Verdict::WriteThenReply => When::Written,
            Verdict::CommitThenReply => When::Durable,
            Verdict::Probe(probe) => return self.ask_link(probe, port, local, now),
            Verdict::Commit | Verdict::Silent => return,
        };
        let reply = self.batch.due.len() as u8;
        self.batch.due.push(Due {
            reply,
            when,
            port,
            local,
        });
    }

    /// Records the batch, sends what may leave and parks the rest.
    pub(super) fn settle(&mut self, now: &Now) {
        self.settle_since(now, Instant::now());
    }

    fn settle_since(&mut self, now: &Now, since: Instant) {
        let written = self.record(now);
        if self.batch.due.is_empty() {
            return;
        }
        if written.is_none() {
            let before = self.batch.due.len();
            self.batch.due.retain(|due| due.when == When::Now);
            self.counters.withheld += (before - self.batch.due.len()) as u64;
        }
        self.send_due();
        if let Some(position) = written {
            self.park_due(position, since);
        }
        self.batch.due.clear();
    }

    fn park_due(&mut self, position: Position, since: Instant) {
        for due in self.batch.due.iter().filter(|due| due.when == When::Durable) {
            let ticket = Ticket {
                position,
                port: due.port,
                local: due.local,
                since,
            };
            if !self
                .parked
                .put(ticket, &self.batch.replies[usize::from(due.reply)])
            {
                // The client asks again; what was recorded for it is then found.
                self.counters.withheld += 1;
            }
        }
    }

    /// Hands the batch's records to the journal; `None` when what depends on them must not be sent.
    pub(super) fn record(&mut self, now: &Now) -> Option<Position> {
        if self.batch.records.is_empty() {
            return Some(self.log.position());
        }
        self.counters.frames += 1;
        self.counters.frame_octets += self.batch.records.len() as u64;
        let (at, records) = (now.wall, &mut self.batch.records);
        let written = if self.batch.due.iter().any(|due| due.when == When::Written) {
            self.log.append_written(at, records)
        } else {
            self.log.append(at, records)
        };
        self.batch.records.clear();
        written
    }
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
