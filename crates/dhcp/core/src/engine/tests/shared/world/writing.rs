//! From a node's decisions to the store, and the replies that wait for it.

use super::super::super::conversation::Answer;
use super::super::store::{Fault, rows_without};
use super::{Delivered, NODES, World};
use crate::step::{Copied, Log, Verdict};
use purlin_types::{Epoch, Slot, WallTime};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A step's records on their way to the store, and the reply that waits for them.
pub(super) struct Pending {
    at: WallTime,
    frame: Vec<u8>,
    terms: BTreeMap<Slot, Epoch>,
    reply: Option<(u8, u64, Answer)>,
}

/// What came of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Written,
    /// Some of it, for good.
    Refused,
    /// Some of it, because the history that it was decided under has ended: it will be said again.
    LostWithHistory,
}

/// A reply that waits for the standby.
pub(super) struct Copying {
    terms: BTreeMap<Slot, Epoch>,
    reply: Delivered,
}

impl World {
    pub(super) fn log(&self, i: usize) -> Log {
        let waiting = self.nodes[i].pending.front().map(|p| p.at);
        let durable = waiting.unwrap_or(self.now(i).wall);
        Log {
            writable: true,
            durable,
            copy: self.standby.then(|| Copied {
                upto: self.uncopied(i).map_or(durable, |at| at.min(durable)),
                follows: self.follows && !self.has_lost(i),
            }),
        }
    }

    /// When the first record was made that the standby may not have.
    fn uncopied(&self, i: usize) -> Option<WallTime> {
        let copied = self.store.copied();
        let mut written = self.nodes[i].written.iter();
        let first = written.find(|(_, stamp)| stamp.is_none_or(|stamp| stamp > copied));
        first.map(|(at, _)| *at)
    }

    /// Whether a failover has lost what this node has not said again.
    fn has_lost(&self, i: usize) -> bool {
        let engine = &self.nodes[i].engine;
        let doomed = |slot| {
            engine
                .epoch(slot)
                .is_some_and(|e| e.timeline < self.store.timeline)
        };
        self.nodes[i].written.iter().any(|(_, stamp)| stamp.is_none()) || engine.held().iter().any(doomed)
    }

    /// All that is known has been said again and is written: what was lost is no longer.
    pub(super) fn find_again(&mut self, i: usize) {
        if !self.has_lost(i) {
            return;
        }
        self.flush(i);
        let engine = &self.nodes[i].engine;
        let doomed = |slot| {
            engine
                .epoch(slot)
                .is_some_and(|e| e.timeline < self.store.timeline)
        };
        if self.nodes[i].pending.is_empty() && !engine.held().iter().any(doomed) {
            let stamp = self.store.stamp;
            for (_, lost) in &mut self.nodes[i].written {
                lost.get_or_insert(stamp);
            }
        }
    }

    /// The standby gets all that is written, and the replies go that waited for it.
    pub(in crate::engine::tests::shared) fn replicate(&mut self) {
        if !self.follows {
            return;
        }
        self.store.replicate();
        let copied = self.store.copied();
        for i in 0..NODES {
            let there = |stamp: Option<u64>| stamp.is_some_and(|stamp| stamp <= copied);
            while self.nodes[i]
                .written
                .front()
                .is_some_and(|(_, stamp)| there(*stamp))
            {
                self.nodes[i].written.pop_front();
            }
            if self.is_well(i) {
                for copying in std::mem::take(&mut self.nodes[i].copying) {
                    self.let_go(i, &copying.terms, copying.reply);
                }
            }
        }
    }

    /// Rule R0, right before a reply leaves.
    fn let_go(&mut self, i: usize, terms: &BTreeMap<Slot, Epoch>, reply: Delivered) {
        let holds = self.tenure(i).holds(self.now(i).boot);
        let engine = &self.nodes[i].engine;
        if holds && terms.iter().all(|(&s, &e)| engine.epoch(s) == Some(e)) {
            self.delivered.push(reply);
        }
    }

    /// Keeps records with the terms that hold as they are made.
    pub(super) fn keep(&mut self, i: usize, frame: Vec<u8>, reply: Option<Delivered>) {
        if frame.is_empty() {
            return;
        }
        let engine = &self.nodes[i].engine;
        let rows = crate::rows::rows_of(&self.plan, &frame);
        let terms = rows.map(|row| {
            let epoch = engine.epoch(row.slot);
            (row.slot, epoch.expect("only of held slots anything is recorded"))
        });
        let terms = terms.collect();
        let at = self.now(i).wall;
        let pending = Pending {
            at,
            frame,
            terms,
            reply,
        };
        self.nodes[i].pending.push_back(pending);
    }

    /// Writes what waits, and lets the replies go that waited for it.
    pub(in crate::engine::tests::shared) fn flush(&mut self, i: usize) {
        self.flush_at(i, NODES);
    }

    fn flush_at(&mut self, i: usize, depth: usize) {
        if !self.is_well(i) || depth == 0 {
            return;
        }
        while let Some(pending) = self.nodes[i].pending.pop_front() {
            let outcome = self.write(i, &pending, depth);
            let stamp = self.store.stamp;
            let lost = outcome == Outcome::LostWithHistory;
            self.nodes[i]
                .written
                .push_back((pending.at, (!lost).then_some(stamp)));
            let (terms, reply) = (pending.terms, pending.reply);
            match reply.filter(|_| outcome == Outcome::Written) {
                Some(reply) if reply.2.verdict == Verdict::CopyThenReply => {
                    self.nodes[i].copying.push(Copying { terms, reply });
                }
                Some(reply) => self.let_go(i, &terms, reply),
                None => {}
            }
        }
    }

    fn write(&mut self, i: usize, pending: &Pending, depth: usize) -> Outcome {
        let (mut out, mut outcome) = (Vec::new(), Outcome::Written);
        loop {
            let rows = rows_without(&self.plan, &pending.frame, &out);
            match self.store.write(i, &pending.terms, &rows) {
                Ok(()) => return outcome,
                Err(Fault::Former(slots)) => {
                    outcome = Outcome::LostWithHistory;
                    out.extend(slots);
                }
                Err(Fault::Lost(slots)) => {
                    outcome = outcome.max(Outcome::Refused);
                    for slot in slots {
                        let engine = &mut self.nodes[i].engine;
                        if engine.epoch(slot) == pending.terms.get(&slot).copied() {
                            engine.resign(slot);
                        }
                        out.push(slot);
                    }
                }
                Err(Fault::Taken { key, unique, by }) => {
                    let (now, mut records) = (self.now(i), Vec::new());
                    let address = Ipv4Addr::from(key as u32);
                    let engine = &mut self.nodes[i].engine;
                    let since = engine.unwritten(&now, address, &unique, &mut records);
                    self.keep(i, records, None);
                    if let Some(since) = since {
                        self.vacate(by, &unique, since, depth);
                    }
                    return outcome.max(Outcome::Refused);
                }
            }
        }
    }

    /// Asks the holder of a row to end its client's claim to it; the client's next attempt then succeeds.
    fn vacate(&mut self, key: u64, unique: &[u8], since: u32, depth: usize) {
        let address = Ipv4Addr::from(key as u32);
        let Some(i) = self.holder_of(address).filter(|&i| self.is_well(i)) else {
            return;
        };
        let (now, mut records) = (self.now(i), Vec::new());
        let engine = &mut self.nodes[i].engine;
        engine.vacate(&now, address, unique, since, &mut records);
        self.keep(i, records, None);
        self.flush_at(i, depth - 1);
    }
}
