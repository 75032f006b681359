//! One client of a front whose answers come back through it.

use purlin_fabric::balance::BackendId;
use purlin_netio::{BulkOptions, BulkPort};
use purlin_types::BootTime;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use super::Seen;
use super::transfer::Transfer;

/// A client at a backend, with a socket of its own, which is how answers find their client.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) asked: Seen,
    pub(super) backend: BackendId,
    /// Where the client's next datagram goes: a TFTP server goes on from another port (RFC 1350, section 4).
    pub(super) peer: SocketAddr,
    pub(super) port: BulkPort,
    /// Last datagram of the client.
    pub(super) heard: BootTime,
    /// First datagram of the client that no answer has followed, and how many there are by now.
    unanswered: Option<(BootTime, u32)>,
    pub(super) answered: bool,
    /// How far the file is, where one is sent.
    transfer: Option<Transfer>,
    /// The kernel said that nobody listens there.
    pub(super) refused: bool,
}

impl Flow {
    /// With `follow` answers may come from any port of the backend; else only from the one that was asked, and the kernel
    /// tells when it is closed.
    pub(super) fn new(
        asked: Seen,
        backend: BackendId,
        to: SocketAddr,
        follow: bool,
        now: BootTime,
    ) -> io::Result<Self> {
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let port = BulkPort::bind(any, &BulkOptions::default())?;
        if !follow {
            port.connect(to)?;
        }
        Ok(Self {
            asked,
            backend,
            peer: to,
            port,
            heard: now,
            unanswered: None,
            answered: false,
            transfer: follow.then(Transfer::new),
            refused: false,
        })
    }

    /// The client said something.
    pub(super) fn ask(&mut self, asked: Seen, now: BootTime) {
        (self.asked, self.heard) = (asked, now);
        let (first, count) = self.unanswered.unwrap_or((now, 0));
        self.unanswered = Some((first, count.saturating_add(1)));
    }

    /// Either side said this. Whether the transfer has ended with it, which it does once.
    pub(super) fn ends_with(&mut self, octets: &[u8]) -> bool {
        let Some(transfer) = self.transfer.as_mut().filter(|transfer| !transfer.is_over()) else {
            return false;
        };
        transfer.heard(octets);
        transfer.is_over()
    }

    /// The transfer has ended: kept for words that are repeated, no longer open work.
    pub(super) fn is_over(&self) -> bool {
        self.transfer.as_ref().is_some_and(Transfer::is_over)
    }

    /// Whether a datagram is the backend's; the client's next ones go where it came from.
    pub(super) fn answer(&mut self, from: SocketAddr) -> bool {
        let is_ours = from.ip() == self.peer.ip();
        if is_ours {
            (self.peer, self.answered, self.unanswered) = (from, true, None);
        }
        is_ours
    }

    /// Whether a client that asks once more has been left without an answer for `patience`. The last word of a
    /// conversation needs none: where there were answers before, one open question is not held against the backend.
    pub(super) fn is_unanswered(&self, patience: Duration, now: BootTime) -> bool {
        let enough = if self.answered { 2 } else { 1 };
        !self.is_over()
            && self.unanswered.is_some_and(|(first, count)| {
                count >= enough && now.millis_since(first) >= patience.as_millis() as u64
            })
    }
}
