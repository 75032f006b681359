//! What the core asked for, done.

use super::{OWN, Worker};
use crate::inbox::Note;
use purlin_netio::{BulkPort, Piece, Trigger, Way, now};
use purlin_tftp_core::{Ask, Effect, Peer, Run, Scheme, Slot};
use purlin_tftp_files::{CHUNK, OwnedAsk};
use purlin_types::Now;
use std::sync::Arc;

/// A window that waits for its turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Later {
    slot: Slot,
    first: u64,
    count: u16,
}

impl Worker {
    /// Does everything in `effects`, and what follows from it at once. `payload` is the datagram they come from.
    pub(super) fn perform(&mut self, now: &Now, payload: &[u8]) {
        while let Some(effect) = self.effects.next() {
            match effect {
                Effect::Open { slot } => self.open(now, slot),
                Effect::Create { slot, size } => self.create(slot, size),
                Effect::Reply { to, own, bytes } => self.reply(&to, own, &bytes),
                Effect::Blocks {
                    slot,
                    first: 1,
                    count,
                } => self.send_blocks(now, slot, 1, count),
                Effect::Blocks { slot, first, count } => self.later.push_back(Later { slot, first, count }),
                Effect::Store { slot, skip, len } => {
                    let from = usize::from(skip);
                    self.store(slot, &payload[from..from + usize::from(len)]);
                }
                Effect::Commit { slot } => self.commit(slot),
                Effect::Discard { slot } => self.uploads.discard(slot),
                Effect::Ended { slot, .. } => self.forget(slot),
            }
        }
    }

    /// Finds the file of a read request: at once when the library remembers, else on its threads.
    fn open(&mut self, now: &Now, slot: Slot) {
        self.own_port(slot);
        let Some(request) = self.engine.request(slot) else {
            return;
        };
        let ask = Ask {
            name: request.name,
            client: request.peer.address.ip(),
            server: request.peer.local,
            write: false,
            scheme: Scheme::Tftp,
        };
        let netascii = request.netascii;
        if self.engine.counts_machines() {
            self.machines.ask(ask.client);
        }
        if let Some(known) = self.tree.recall(&ask, netascii) {
            self.counters.recalled += 1;
            self.engine.opened(now, slot, known, &mut self.effects);
            return;
        }
        let inbox = Arc::clone(&self.inbox);
        let done = move |result| inbox.leave(Note::Opened(slot, result));
        self.tree.open(OwnedAsk::from(&ask), netascii, Box::new(done));
    }

    /// Sends at most so many of the windows that wait. Those of transfers that have ended are passed over.
    pub(super) fn send_later(&mut self, most: usize) {
        if self.later.is_empty() {
            return;
        }
        let now = now();
        for _ in 0..most {
            let Some(Later { slot, first, count }) = self.later.pop_front() else {
                return;
            };
            self.send_blocks(&now, slot, first, count);
        }
    }

    /// A window straight from the cache; what is not there is fetched first.
    fn send_blocks(&mut self, now: &Now, slot: Slot, first: u64, count: u16) {
        let (Some(file), Some(run)) = (self.engine.file(slot), self.engine.run(slot, first, count)) else {
            return;
        };
        self.pieces.clear();
        let end = run.offset + run.length;
        let mut at = run.offset;
        while at < end {
            let index = at / CHUNK as u64;
            let Some(chunk) = file.chunk(index) else {
                let file = Arc::clone(file);
                let inbox = Arc::clone(&self.inbox);
                let done = move |result| inbox.leave(Note::Available(slot, result));
                self.counters.stalls += 1;
                self.engine.stalled(now, slot);
                file.want(index, Box::new(done));
                return;
            };
            let base = index * CHUNK as u64;
            let from = (at - base) as usize;
            let to = ((end - base) as usize).min(chunk.len());
            if to <= from {
                // A chunk shorter than the file said: it shrank, and the library tells at the next look.
                return;
            }
            at = base + to as u64;
            self.pieces.push(Piece {
                content: chunk,
                range: from..to,
            });
        }
        self.gather(slot, &run);
    }

    fn gather(&mut self, slot: Slot, run: &Run) {
        let port = self.port_of(&run.to, Some(slot));
        self.turn_to(&port);
        let heads = (run.first..run.first + u64::from(run.count)).map(|number| run.head(number));
        self.outgoing.window(
            &port,
            &way(&run.to),
            usize::from(run.blksize),
            heads,
            &self.pieces,
        );
    }

    pub(super) fn reply(&mut self, to: &Peer, own: Option<Slot>, bytes: &[u8]) {
        let port = self.port_of(to, own);
        self.turn_to(&port);
        self.outgoing.datagram(&port, &way(to), bytes);
    }

    /// The transfer's own port, or the one that the request came to.
    fn port_of(&self, to: &Peer, own: Option<Slot>) -> Arc<BulkPort> {
        own.and_then(|slot| self.own_ports.of(slot))
            .unwrap_or_else(|| Arc::clone(&self.ports[usize::from(to.port)]))
    }

    /// Gathers for `port` from now on; what was gathered for another leaves first.
    fn turn_to(&mut self, port: &Arc<BulkPort>) {
        if self
            .gathering
            .as_ref()
            .is_some_and(|other| Arc::ptr_eq(other, port))
        {
            return;
        }
        self.flush();
        self.gathering = Some(Arc::clone(port));
    }

    pub(super) fn flush(&mut self) {
        if let Some(port) = &self.gathering {
            self.outgoing.flush(port);
        }
    }

    /// Gives a transfer a port of its own, where the settings want that.
    pub(super) fn own_port(&mut self, slot: Slot) {
        if !self.own_ports.wanted() {
            return;
        }
        let Some(request) = self.engine.request(slot) else {
            return;
        };
        let listening = self.ports[usize::from(request.peer.port)].local_address();
        let opened = self.own_ports.open(slot, &request.peer, listening.ip());
        let watched = opened.and_then(|port| {
            self.poller
                .add(&*port, OWN + u64::from(slot.index), Trigger::Level)
        });
        // The transfer goes on from the listening port.
        self.counters.own_port_failures += u64::from(watched.is_err());
    }

    fn forget(&mut self, slot: Slot) {
        self.uploads.forget(slot);
        if let Some(port) = self.own_ports.of(slot) {
            self.turn_to(&port);
            self.flush();
            self.gathering = None;
            self.own_ports.close(slot);
        }
    }
}

fn way(to: &Peer) -> Way {
    Way {
        to: to.address,
        from: to.local,
        interface: to.interface,
    }
}
