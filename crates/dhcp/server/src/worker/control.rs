//! Answers to questions from outside the packet threads.

use super::Worker;
use crate::status::{Condition, JournalStatus};
use purlin_dhcp_core::view::Told;
use purlin_store::Position;
use std::net::Ipv4Addr;
use tokio::sync::oneshot;

/// Someone who waits for the disk.
#[derive(Debug)]
pub(super) struct Awaiting {
    position: Position,
    done: oneshot::Sender<()>,
}

impl Worker {
    /// Tells when all that was handed to the journal so far is durable, and fails when the journal takes nothing.
    pub(super) fn all_durable(&mut self) -> oneshot::Receiver<()> {
        let (done, receiver) = oneshot::channel();
        if self.log.condition() == Condition::Serving {
            let position = self.log.position();
            self.awaiting.push(Awaiting { position, done });
        }
        receiver
    }

    /// Ends a lease; `None` when there is none here. The receiver tells when that is durable, and fails when it
    /// cannot be recorded.
    pub(crate) fn release_lease(&mut self, address: Ipv4Addr) -> Option<oneshot::Receiver<()>> {
        let now = self.clock();
        self.batch.records.clear();
        let (done, receiver) = oneshot::channel();
        if !self.log.state(&now).writable {
            return self.engine.lease(&now, address).map(|_| receiver);
        }
        if !self.engine.release(&now, address, &mut self.batch.records) {
            return None;
        }
        if let Some(position) = self.record(&now) {
            self.awaiting.push(Awaiting { position, done });
        }
        Some(receiver)
    }

    /// Tells those whose position has become durable.
    pub(super) fn tell_durable(&mut self) {
        if self.awaiting.is_empty() {
            return;
        }
        let durable = self.log.durable();
        for awaiting in self
            .awaiting
            .extract_if(.., |awaiting| awaiting.position <= durable)
        {
            // Whoever asked may have gone.
            let _ = awaiting.done.send(());
        }
    }

    /// Decisions from `seq` on, the number to go on with, and how many had gone already. Without a number it
    /// begins with what comes next.
    pub(crate) fn decisions_since(&self, seq: Option<u64>, limit: usize) -> (Vec<Told>, u64, u64) {
        let ring = self.engine.decisions();
        let Some(seq) = seq else {
            return (Vec::new(), ring.next_seq(), 0);
        };
        let missed = ring.oldest_seq().saturating_sub(seq);
        let from = seq.max(ring.oldest_seq());
        let told: Vec<Told> = ring
            .since(from, limit)
            .map(|decision| self.engine.tell(decision))
            .collect();
        let next = told.last().map_or(from, |told| told.decision.seq + 1);
        (told, next, missed)
    }

    pub(crate) fn journal_status(&mut self) -> JournalStatus {
        JournalStatus {
            condition: self.log.condition(),
            appended: self.log.position().0,
            durable: self.log.durable().0,
            parked: self.parked.len(),
        }
    }
}
