//! What the engine asks its shell to do.

use crate::peer::{Peer, Slot};
use purlin_telemetry::{Outcome, ReasonCode};
use purlin_tftp_proto::{HEADER, Rollover, compose};
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// Something to do, in this order.
#[derive(Debug, Clone, Copy)]
pub enum Effect {
    /// Find the file of a read request ([`Engine::request`](crate::Engine::request)), then call `opened`. In netascii
    /// mode the file to open is the converted one.
    Open { slot: Slot },
    /// Begin an upload, then call `created`. `size` is what the client announced.
    Create { slot: Slot, size: Option<u64> },
    /// Send these octets. `own` names the transfer that they belong to: when it has a port of its own, from there.
    Reply {
        to: Peer,
        own: Option<Slot>,
        bytes: Small,
    },
    /// Send `count` blocks from number `first` on; [`Engine::run`](crate::Engine::run) says which octets these are.
    Blocks { slot: Slot, first: u64, count: u16 },
    /// Append to the upload, then call `stored`: the octets `skip..skip + len` of the datagram just received, or what
    /// [`Engine::decoded`](crate::Engine::decoded) gives. Must be done before the next datagram is received.
    Store { slot: Slot, skip: u16, len: u16 },
    /// Everything is stored: make the upload durable and visible, then call `committed`.
    Commit { slot: Slot },
    /// Forget the upload; nothing of it may stay.
    Discard { slot: Slot },
    /// The transfer is over and its slot free.
    Ended { slot: Slot, ended: Ended },
}

/// How a transfer went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub peer: Peer,
    /// Octets of the file that arrived on the other side.
    pub octets: u64,
    /// Blocks sent again (for an upload: acknowledgements sent again).
    pub again: u32,
    /// From the request to the end.
    pub took: Duration,
    pub reason: ReasonCode,
    pub outcome: Outcome,
}

/// Effects in their order. Reused for every datagram, so that it allocates nothing after the first few.
#[derive(Debug, Default)]
pub struct Effects {
    queue: Vec<Effect>,
    next: usize,
}

impl Effects {
    pub(crate) fn push(&mut self, effect: Effect) {
        self.queue.push(effect);
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.next == self.queue.len()
    }
}

/// Takes out the oldest effect; more may be added between two calls.
impl Iterator for Effects {
    type Item = Effect;

    fn next(&mut self) -> Option<Effect> {
        let Some(effect) = self.queue.get(self.next) else {
            self.queue.clear();
            self.next = 0;
            return None;
        };
        self.next += 1;
        Some(*effect)
    }
}

/// A short packet: OACK, ACK or ERROR.
#[derive(Clone, Copy)]
pub struct Small {
    len: u8,
    octets: [u8; Self::MAX],
}

impl Small {
    /// An OACK with every option this server knows has 119 octets at most; error texts are shorter than this.
    pub const MAX: usize = 159;

    /// What `write` leaves in the buffer: it returns how many octets.
    pub(crate) fn filled(write: impl FnOnce(&mut [u8]) -> usize) -> Self {
        let mut small = Self {
            len: 0,
            octets: [0; Self::MAX],
        };
        small.len = write(&mut small.octets).min(Self::MAX) as u8;
        small
    }

    pub(crate) fn of(packet: &[u8]) -> Self {
        Self::filled(|buffer| {
            buffer[..packet.len()].copy_from_slice(packet);
            packet.len()
        })
    }
}

impl Deref for Small {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl fmt::Debug for Small {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

/// Blocks of one file that follow each other: where they go and which octets they carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub to: Peer,
    /// Octets per block; only the last block of the file is shorter, and may be empty.
    pub blksize: u16,
    /// The first octet of the file that is sent.
    pub offset: u64,
    /// How many octets all blocks carry together.
    pub length: u64,
    /// Number of the first block, from 1.
    pub first: u64,
    pub count: u16,
    pub rollover: Rollover,
}

impl Run {
    /// The number of block `absolute` on the wire.
    #[must_use]
    pub fn wire(&self, absolute: u64) -> u16 {
        self.rollover.wire(absolute)
    }

    /// The header of block `absolute`.
    #[must_use]
    pub fn head(&self, absolute: u64) -> [u8; HEADER] {
        compose::data_header(self.wire(absolute))
    }
}
