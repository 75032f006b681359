//! From a node's decisions to the store, and the replies that wait for it.

use super::super::super::conversation::Answer;
use super::super::store::{Fault, rows_without};
use super::{Delivered, NODES, World};
use crate::step::Log;
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

impl World {
    pub(super) fn log(&self, i: usize) -> Log {
        let waiting = self.nodes[i].pending.front().map(|p| p.at);
        Log {
            writable: true,
            durable: waiting.unwrap_or(self.now(i).wall),
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
            let written = self.write(i, &pending, depth);
            // Rule R0, right before a reply leaves.
            let holds = self.tenure(i).holds(self.now(i).boot);
            let engine = &self.nodes[i].engine;
            let still = pending.terms.iter().all(|(&s, &e)| engine.epoch(s) == Some(e));
            if let Some(reply) = pending.reply.filter(|_| written && holds && still) {
                self.delivered.push(reply);
            }
        }
    }

    fn write(&mut self, i: usize, pending: &Pending, depth: usize) -> bool {
        let mut lost = Vec::new();
        loop {
            let rows = rows_without(&self.plan, &pending.frame, &lost);
            match self.store.write(i, &pending.terms, &rows) {
                Ok(()) => return lost.is_empty(),
                Err(Fault::Lost(slots)) => {
                    for slot in slots {
                        let engine = &mut self.nodes[i].engine;
                        if engine.epoch(slot) == pending.terms.get(&slot).copied() {
                            engine.resign(slot);
                        }
                        lost.push(slot);
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
                    return false;
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
