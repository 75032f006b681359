//! One packet thread's transfers: datagrams, completions and time go in, effects come out.
//!
//! ```text
//!   receive ─► request ─► Open / Create ─► opened / created ─┬─► OACK or first window
//!      │                                                     │
//!      ├─ ACK ──► read ──► Blocks, or the end                │   tick: what was not answered goes again
//!      └─ DATA ─► write ─► Store ─► stored ─► Commit ─► committed ─► last ACK
//! ```
//!
//! The engine holds no socket, file or clock and allocates nothing on the path of an ACK: one look-up by client, a
//! few additions, and a timer that is only touched when it would ring too late.

mod end;
mod negotiate;
mod query;
mod read;
mod remarks;
mod request;
mod room;
mod shared;
mod strays;
mod table;
mod timers;
mod write;

use crate::admission::Admission;
use crate::counters::Counters;
use crate::effect::{Effect, Effects, Run, Small};
use crate::peer::{Peer, Slot};
use crate::plan::Plan;
use crate::reasons;
use crate::record::Stray;
use crate::transfer::{Side, Transfer};
use crate::view::{Readable, RequestView};
use purlin_telemetry::Outcome;
use purlin_tftp_proto::{Composer, ErrorCode, Packet, ParseError};
use purlin_types::{BootTime, Now};
use shared::Shared;
use std::collections::VecDeque;
use std::sync::Arc;
use table::Table;

/// The transfers of one thread. `F` is an open file.
#[derive(Debug)]
pub struct Engine<F> {
    plan: Arc<Plan>,
    admission: Arc<Admission>,
    table: Table<F>,
    shared: Shared,
    /// Transfers in the order they began, as far as their clients may not have answered yet.
    unanswered: VecDeque<Slot>,
    draining: bool,
}

impl<F: Readable> Engine<F> {
    /// An engine without transfers. `seed` should be random: it keeps strangers from filling one hash bucket.
    #[must_use]
    pub fn new(plan: Arc<Plan>, admission: Arc<Admission>, seed: u64) -> Self {
        let settings = plan.settings();
        Self {
            shared: Shared::new(settings),
            table: Table::new(seed),
            admission,
            unanswered: VecDeque::new(),
            draining: false,
            plan,
        }
    }

    /// Takes and touches the memory of so many transfers (`limits.prepared`, this thread's share), so that the first
    /// storm allocates little more than names.
    pub fn prepare(&mut self, transfers: usize) {
        self.table.prepare(transfers);
        self.shared.wheel.reserve(transfers);
        self.unanswered.reserve(transfers);
    }

    /// Puts a new plan into effect. Open transfers keep what they negotiated; limits count from now on.
    pub fn apply(&mut self, plan: Arc<Plan>) {
        self.shared.apply(plan.settings());
        self.admission.apply(plan.settings().limits);
        self.plan = plan;
    }

    /// Takes no new requests from now on; open transfers go on to their end.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// A datagram came. Its octets are needed again only by [`Effect::Store`].
    pub fn receive(&mut self, now: &Now, peer: &Peer, datagram: &[u8], effects: &mut Effects) {
        // Nobody hears answers to port 0, and no kernel sends them: a transfer would only wait for its end.
        if peer.address.port() == 0 {
            return self.malformed(now, peer, datagram, false, effects);
        }
        let packet = Packet::parse(datagram);
        if let Ok(Packet::Read(_) | Packet::Write(_)) = packet {
            self.shared.counters.requests += 1;
        }
        if peer.wrote_to_many() {
            return self.shared.counters.count(reasons::MULTICAST);
        }
        match packet {
            Ok(Packet::Ack { block }) => self.hear_ack(now, peer, block, effects),
            Ok(Packet::Data { block, payload }) => self.take_block(now, peer, block, payload, effects),
            Ok(Packet::Read(request)) => self.ask(now, peer, request, false, effects),
            Ok(Packet::Write(request)) => self.ask(now, peer, request, true, effects),
            Ok(Packet::Error { code, .. }) => self.hear_error(now, peer, code, effects),
            Ok(Packet::OptionAck(_)) => {
                self.remark(
                    now,
                    peer,
                    Stray::OptionAck,
                    reasons::NOT_FOR_SERVERS,
                    Outcome::Dropped,
                );
            }
            Err(fault) => self.malformed(now, peer, datagram, fault == ParseError::Request, effects),
        }
    }

    /// When [`Self::tick`] is due, if nothing else happens.
    #[must_use]
    pub fn deadline(&self) -> Option<BootTime> {
        self.shared.wheel.next_due()
    }

    /// The open file of a read.
    #[must_use]
    pub fn file(&self, slot: Slot) -> Option<&F> {
        self.table.get(slot)?.file.as_ref()
    }

    /// What the client of an open transfer asked for.
    #[must_use]
    pub fn request(&self, slot: Slot) -> Option<RequestView<'_>> {
        let transfer = self.table.get(slot)?;
        Some(RequestView {
            name: &transfer.name,
            peer: transfer.peer,
            write: transfer.write,
            netascii: transfer.netascii,
            blksize: transfer.terms.blksize,
            windowsize: transfer.terms.windowsize,
        })
    }

    /// Where blocks go and which octets they carry; `None` when the transfer is over.
    #[must_use]
    pub fn run(&self, slot: Slot, first: u64, count: u16) -> Option<Run> {
        let transfer = self.table.get(slot)?;
        let blksize = u64::from(transfer.terms.blksize);
        let offset = (first.checked_sub(1)? * blksize).min(transfer.size);
        Some(Run {
            to: transfer.peer,
            blksize: transfer.terms.blksize,
            offset,
            length: (u64::from(count) * blksize).min(transfer.size - offset),
            first,
            count,
            rollover: transfer.terms.rollover,
        })
    }

    /// The octets to store for the [`Effect::Store`] of this transfer, when they are not those of the datagram: the text
    /// of a netascii upload.
    #[must_use]
    pub fn decoded(&self, slot: Slot) -> Option<&[u8]> {
        (self.shared.decoded_for == Some(slot)).then_some(&*self.shared.decoded)
    }

    /// Whether transfers are limited per machine, so that [`Admission::identify`] matters.
    #[must_use]
    pub fn counts_machines(&self) -> bool {
        self.plan.settings().limits.per_client != 0
    }

    /// Open transfers.
    #[must_use]
    pub fn transfers(&self) -> usize {
        self.table.len()
    }

    /// What this thread did since its start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.shared.counters
    }
}

/// An ERROR to the client of a transfer, or to nobody's.
fn error(to: Peer, own: Option<Slot>, code: ErrorCode, text: &str, effects: &mut Effects) {
    let bytes = Small::filled(|buffer| {
        Composer::error(buffer, code, text)
            .finish()
            .expect("error texts are short")
    });
    effects.push(Effect::Reply { to, own, bytes });
}

/// An OACK or ACK to the client of a transfer.
fn reply<F>(now: &Now, transfer: &mut Transfer<F>, bytes: Small, effects: &mut Effects) {
    transfer.patience.sent = now.boot;
    effects.push(Effect::Reply {
        to: transfer.peer,
        own: Some(transfer.slot),
        bytes,
    });
}

/// The sending side, of a transfer that is known to be a read.
fn sender<F>(transfer: &mut Transfer<F>) -> &mut crate::transfer::Sender {
    match &mut transfer.side {
        Side::Read(sender) => sender,
        Side::Write(_) => unreachable!("the stage belongs to reads"),
    }
}
