//! From decisions to the journal and out: what a group of packets brought is recorded, sent, or parked.

use super::Worker;
use super::park::Ticket;
use super::stats::record;
use purlin_dhcp_core::step::{self, Reply, Verdict};
use purlin_netio::BATCH;
use purlin_store::Position;
use purlin_types::Now;
use std::net::Ipv4Addr;
use std::time::Instant;

/// When a reply may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// Once the records of its commit are in the journal.
    Written,
    Durable,
    /// Once the store's second copy has them.
    Copied,
}

impl When {
    /// Nothing is waited for but the journal's taking the records.
    pub(super) const fn is_at_once(self) -> bool {
        matches!(self, Self::Now | Self::Written)
    }
}

/// A composed reply of the group at hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) reply: u8,
    pub(super) when: When,
    pub(super) port: u32,
    pub(super) local: Ipv4Addr,
    /// Where its commit ends in the journal.
    position: Position,
}

/// Everything a group of packets needs, made once: replies, what is due of them, and the records.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) replies: Box<[Reply]>,
    pub(super) due: Vec<Due>,
    pub(super) records: Vec<u8>,
    /// Replies in use; some of them may no longer be due.
    used: usize,
    /// How many of `due` belong to commits that are done.
    committed: usize,
    /// Packets whose records are in `records`.
    operations: usize,
    pub(super) offers: u64,
    /// When the group was begun: the time of all its decisions.
    begun: Option<(Now, Instant)>,
    /// How the log stood when the group was begun, or after its last commit.
    log: Option<step::Log>,
}

impl Batch {
    pub(super) fn new() -> Self {
        let replies = (0..BATCH).map(|_| Reply::default()).collect();
        Self {
            replies,
            due: Vec::with_capacity(BATCH),
            records: Vec::with_capacity(1 << 16),
            used: 0,
            committed: 0,
            operations: 0,
            offers: 0,
            begun: None,
            log: None,
        }
    }

    /// The time of the group at hand, which begins now if there is none.
    pub(super) fn time(&mut self, read: impl FnOnce() -> Now) -> Now {
        self.begun.get_or_insert_with(|| (read(), Instant::now())).0
    }

    /// The slot for the next reply.
    pub(super) fn slot(&mut self) -> (&mut Reply, &mut Vec<u8>) {
        (&mut self.replies[self.used], &mut self.records)
    }

    /// Whether the replies at hand have to leave before another one is composed.
    pub(super) fn is_full(&self) -> bool {
        self.used == self.replies.len()
    }

    /// The reply that was composed last, before it is due.
    pub(super) fn reply_at_hand(&mut self) -> &mut Reply {
        &mut self.replies[self.used]
    }

    fn clear(&mut self) {
        self.due.clear();
        (self.used, self.committed, self.offers) = (0, 0, 0);
        (self.begun, self.log) = (None, None);
    }
}

impl Worker {
    /// Does what a verdict says, as far as that is possible before the records are in the journal.
    pub(super) fn note(&mut self, verdict: Verdict, port: u32, local: Ipv4Addr, now: &Now) {
        let when = match verdict {
            Verdict::Reply => When::Now,
            Verdict::WriteThenReply => When::Written,
            Verdict::CommitThenReply => When::Durable,
            Verdict::CopyThenReply => When::Copied,
            Verdict::Probe(probe) => return self.ask_link(probe, port, local, now),
            // Forwarded where the packet still is at hand.
            Verdict::Commit | Verdict::Forward { .. } | Verdict::Silent => return,
        };
        let Some(port) = self.port_of_reply(port) else {
            self.counters.withheld += 1;
            return;
        };
        self.batch.due.push(Due {
            reply: self.batch.used as u8,
            when,
            port,
            local,
            position: Position(0),
        });
        self.batch.used += 1;
    }

    /// Counts a packet that brought records, of which there were `before` octets; commits when the commit at hand
    /// holds as many as it may. True when it did.
    pub(super) fn count_operation(&mut self, before: usize) -> bool {
        self.batch.operations += usize::from(self.batch.records.len() > before);
        let full = self.batch.operations >= self.switches.per_commit();
        if full {
            // Records are dated as the first of them: what is durable is told by time.
            let at = self.time();
            self.commit(&at);
        }
        full
    }

    /// Records what is open, sends what may leave and parks the rest.
    pub(super) fn settle(&mut self) {
        let Some((now, since)) = self.batch.begun else {
            return;
        };
        self.carry_out();
        self.commit(&now);
        if !self.may_answer() {
            // R0, right before sending: the tenure ended while this was decided.
            self.counters.withheld += self.batch.due.len() as u64;
            self.batch.due.clear();
        }
        if !self.batch.due.is_empty() {
            self.send_due();
            self.park_due(since);
        }
        if self.batch.offers > 0 {
            record(&mut self.counters.offer_time, since.elapsed(), self.batch.offers);
        }
        self.batch.clear();
    }

    /// How the log stands, for decisions of the group at hand: asked when nothing of it is waiting to be recorded.
    pub(super) fn state_of_log(&mut self, now: &Now) -> step::Log {
        if let Some(log) = self.batch.log {
            return log;
        }
        let log = self.log.state(now);
        // A refused row counts as dealt with there. Before anybody's renewal rests on it, the lease has ended that it was
        // about.
        self.take_setbacks();
        self.batch.log = Some(log);
        log
    }

    /// Makes one commit of the records at hand. Replies that depend on records that could not be taken are
    /// withheld.
    fn commit(&mut self, now: &Now) {
        self.batch.log = None;
        let from = self.batch.committed;
        if let Some(position) = self.record(now) {
            self.batch.due[from..]
                .iter_mut()
                .for_each(|due| due.position = position);
        } else {
            let before = self.batch.due.len();
            let mut at = 0;
            self.batch.due.retain(|due| {
                at += 1;
                at <= from || due.when == When::Now
            });
            self.counters.withheld += (before - self.batch.due.len()) as u64;
        }
        self.batch.committed = self.batch.due.len();
    }

    fn park_due(&mut self, since: Instant) {
        if let Some(copies) = self.log.copies() {
            let last = self.batch.due.iter().map(|due| due.position).max();
            copies.parked(last.unwrap_or(Position(0)));
        }
        for due in &self.batch.due {
            let ring = match due.when {
                When::Durable => &mut self.parked,
                When::Copied => &mut self.copying,
                When::Now | When::Written => continue,
            };
            let ticket = Ticket {
                position: due.position,
                port: due.port,
                local: due.local,
                since,
            };
            if !ring.put(ticket, &self.batch.replies[usize::from(due.reply)]) {
                // The client asks again; what was recorded for it is then found.
                self.counters.withheld += 1;
            }
        }
    }

    /// Hands the records at hand to the journal; `None` when what depends on them must not be sent.
    pub(super) fn record(&mut self, now: &Now) -> Option<Position> {
        if self.batch.records.is_empty() {
            return Some(self.log.position());
        }
        // What an operator or a timer changes is an operation too.
        let operations = std::mem::take(&mut self.batch.operations).max(1);
        self.counters.commit(operations, self.batch.records.len());
        let open = &self.batch.due[self.batch.committed..];
        let (at, records) = (now.wall, &mut self.batch.records);
        let written = if open.iter().any(|due| due.when == When::Written) {
            self.log.append_written(at, records)
        } else {
            self.log.append(at, records)
        };
        self.batch.records.clear();
        written
    }
}
