//! One transfer: who, what, how far, and when to look at it again.

mod receiver;
mod round_trip;
mod sender;

pub(crate) use receiver::{Receiver, Taken};
pub(crate) use round_trip::RoundTrip;
pub(crate) use sender::{Heard, Sender, Window};

use crate::admission::Ticket;
use crate::peer::{Peer, Slot};
use purlin_tftp_proto::{Terms, Wishes};
use purlin_types::{BootTime, Now, WallTime};

/// Where a transfer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The shell looks for the file, or creates it.
    Opening,
    /// The OACK of a read is on its way; ACK 0 answers it.
    Offered,
    Sending,
    /// Content is being read from the disk.
    Waiting,
    /// Blocks of an upload are expected.
    Receiving,
    /// The upload is whole and becomes durable.
    Storing,
    /// The upload is stored; repeated last blocks are answered for a while (RFC 1350, section 6).
    Dallying,
}

impl Stage {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Offered => "offered",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Receiving => "receiving",
            Self::Storing => "storing",
            Self::Dallying => "dallying",
        }
    }
}

/// Which way the blocks go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    Read(Sender),
    Write(Receiver),
}

/// When to look at a transfer again, and how patient it is. Nanoseconds where nothing else is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// When something is to be done.
    pub(crate) due: BootTime,
    /// When the wheel rings, `BootTime::MAX` for never. Never later than `due`.
    pub(crate) rings: BootTime,
    /// The last packet of the client.
    pub(crate) heard: BootTime,
    /// The last packet to the client.
    pub(crate) sent: BootTime,
    /// The transfer ends here whatever happens.
    pub(crate) ends: BootTime,
    /// The longest wait before a retransmission.
    pub(crate) longest: u64,
    /// Retransmissions since the last answer.
    pub(crate) tries: u8,
    /// Those of them that came after a wait long enough to say something about the client. Where round trips are
    /// short, the first few follow each other in milliseconds, and a client that stops to write to its flash is not gone.
    pub(crate) misses: u8,
    /// What is due is the probe for a lost tail, not yet a retransmission.
    pub(crate) probe: bool,
    /// The client has answered at least once.
    pub(crate) answered: bool,
}

impl Patience {
    /// The client has answered something new.
    pub(crate) fn renew(&mut self) {
        (self.answered, self.tries, self.misses) = (true, 0, 0);
    }
}

/// A transfer. Everything it owns is here, but for its name and its file.
#[derive(Debug)]
pub(crate) struct Transfer<F> {
    pub(crate) slot: Slot,
    pub(crate) peer: Peer,
    pub(crate) side: Side,
    pub(crate) round: RoundTrip,
    pub(crate) patience: Patience,
    pub(crate) stage: Stage,
    pub(crate) write: bool,
    pub(crate) netascii: bool,
    /// The shell has something of an upload that must be removed when the transfer fails.
    pub(crate) created: bool,
    /// Its record is written and its place in the limits given back.
    pub(crate) told: bool,
    /// The last blocks sent were sent again; how many there were.
    pub(crate) burst_again: bool,
    pub(crate) burst: u16,
    pub(crate) terms: Terms,
    pub(crate) file: Option<F>,
    pub(crate) name: Box<str>,
    /// As asked, to know a repeated request.
    pub(crate) asked_for: Wishes,
    /// As answered, to say it again.
    pub(crate) granted: Wishes,
    pub(crate) ticket: Ticket,
    /// When the request came.
    pub(crate) asked: BootTime,
    pub(crate) asked_wall: WallTime,
    pub(crate) opened_us: u32,
    pub(crate) first_us: u32,
    /// Octets of the file; what was announced of an upload.
    pub(crate) size: u64,
    /// Packets sent again.
    pub(crate) again: u32,
}

impl<F> Transfer<F> {
    /// Microseconds since the request, at least 1.
    pub(crate) fn age_us(&self, now: &Now) -> u32 {
        let micros = now.boot.0.saturating_sub(self.asked.0) / 1000;
        u32::try_from(micros).unwrap_or(u32::MAX).max(1)
    }

    /// Octets of the file that have arrived on the other side.
    pub(crate) fn octets(&self) -> u64 {
        match &self.side {
            Side::Read(sender) => (sender.acked * u64::from(self.terms.blksize)).min(self.size),
            Side::Write(receiver) => receiver.octets,
        }
    }
}
