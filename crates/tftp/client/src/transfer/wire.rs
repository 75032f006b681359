//! The client's socket: a port of its own is what identifies a transfer (RFC 1350, section 4).

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use purlin_netio::{BulkDatagram, BulkOptions, BulkPort, BulkRecv};
use purlin_tftp_proto::{Composer, ErrorCode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::SendFlags;

/// Holds several windows of usual sizes; a wish.
const RECEIVE_BUFFER: u32 = 4 << 20;
/// Trains of blocks arrive as one message of at most 64 KiB.
const SLOT: usize = 1 << 16;
const SLOTS: usize = 16;

/// Sending half: where things go, once somebody answered.
#[derive(Debug)]
pub(super) struct Outbox {
    port: BulkPort,
    pub(super) peer: SocketAddr,
    /// When the first datagram was sent that no answer has come to yet.
    spoke: Cell<Option<Instant>>,
}

impl Outbox {
    pub(super) fn open(server: SocketAddr, local: Option<IpAddr>) -> io::Result<Self> {
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let options = BulkOptions {
            trains: true,
            receive_buffer: Some(RECEIVE_BUFFER),
            ..BulkOptions::default()
        };
        let port = BulkPort::bind(SocketAddr::new(local.unwrap_or(any), 0), &options)?;
        Ok(Self {
            port,
            peer: server,
            spoke: Cell::new(None),
        })
    }

    pub(super) fn send(&self, octets: &[u8]) -> io::Result<()> {
        self.spoke
            .set(Some(self.spoke.get().unwrap_or_else(Instant::now)));
        self.send_to(octets, self.peer)
    }

    /// Since when an answer is awaited; asked once per answer.
    pub(super) fn take_spoke(&self) -> Option<Instant> {
        self.spoke.take()
    }

    /// It was not the answer: the wait goes on.
    pub(super) fn keep_spoke(&self, since: Option<Instant>) {
        self.spoke.set(since.or(self.spoke.get()));
    }

    /// A full buffer or an ICMP answer to an earlier datagram is a loss, which the timers deal with.
    pub(super) fn send_to(&self, octets: &[u8], to: SocketAddr) -> io::Result<()> {
        use rustix::io::Errno;
        match rustix::net::sendto(&self.port, octets, SendFlags::empty(), &to) {
            Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS | Errno::CONNREFUSED | Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Says that the transfer is over; whether it arrives makes no difference to us.
    pub(super) fn error(&self, code: ErrorCode, text: &str, to: SocketAddr) {
        let mut buffer = [0; 256];
        if let Some(length) = Composer::error(&mut buffer, code, text).finish() {
            let _ = self.send_to(&buffer[..length], to);
        }
    }
}

/// Receiving half.
#[derive(Debug)]
pub(super) struct Inbox(BulkRecv);

impl Inbox {
    pub(super) fn new() -> Self {
        Self(BulkRecv::new(SLOTS, SLOT))
    }

    /// Waits until something is there or `until` has come; returns how many messages `get` will give.
    pub(super) fn wait(&mut self, outbox: &Outbox, until: Instant) -> io::Result<usize> {
        loop {
            match self.0.receive(&outbox.port) {
                Ok(0) => {}
                // ICMP says that nobody listens (yet): the timers decide.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                other => return other,
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(0);
            }
            readable(&outbox.port, left)?;
        }
    }

    pub(super) fn get(&self, index: usize) -> BulkDatagram<'_> {
        self.0.get(index)
    }
}

fn readable(port: &BulkPort, at_most: Duration) -> io::Result<()> {
    let timeout = Timespec {
        tv_sec: at_most.as_secs() as i64,
        tv_nsec: i64::from(at_most.subsec_nanos()),
    };
    match poll(&mut [PollFd::new(port, PollFlags::IN)], Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
