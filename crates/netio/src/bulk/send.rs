//! Windows of blocks straight from shared content, and small datagrams between them, many per system call.
//!
//! ```text
//!   message   head|block head|block head|short     one way, one segment size: the kernel cuts it (UDP_SEGMENT)
//!   message   datagram                             OACK, ACK, ERROR
//!   flush ──► one sendmmsg for all of them
//! ```
//!
//! Content is never copied here: vectors point into the `Arc`s, which are kept until the messages are sent.

mod control;

use super::BulkPort;
use super::address::Address;
use crate::send::SendReport;
use control::Control;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

/// Octets before each block of a window.
pub const HEAD: usize = 4;

/// Messages per system call.
const MESSAGES: usize = 64;
/// Datagrams per message: the oldest limit of kernels that can segment (`UDP_MAX_SEGMENTS`).
const SEGMENTS: usize = 64;
/// Octets per message: what fits an IPv6 packet with room for its headers.
const OCTETS: usize = 65_400;
/// Vectors per system call; a window of 64 blocks over two pieces takes at most 129.
const VECTORS: usize = 4096;
/// Octets of heads and small datagrams per system call.
const OWN: usize = 64 << 10;
/// How long a full socket buffer is waited for before the rest of a batch is given up, in milliseconds. The device is
/// busy then and nothing else can be sent anyway; whoever lost something asks again.
const BLOCKED_WAIT_MS: i32 = 10;

/// Where a message goes and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub to: SocketAddr,
    /// Source address; heeded by ports opened with `packet_info`.
    pub from: Option<IpAddr>,
    /// Outgoing interface for link-local IPv6 targets, 0 leaves it to routing.
    pub interface: u32,
}

/// A stretch of shared content.
#[derive(Debug, Clone)]
pub struct Piece {
    pub content: Arc<[u8]>,
    pub range: Range<usize>,
}

/// One message in the making: some datagrams of one size (the last may be shorter) on one way.
#[derive(Debug, Clone, Copy)]
struct Message {
    way: Way,
    first: usize,
    count: usize,
    segment: usize,
    octets: usize,
}

/// Gathers messages for one port and sends them together.
pub struct BulkSend {
    /// Heads and small datagrams; never grows beyond its capacity, so that vectors stay good.
    own: Vec<u8>,
    kept: Vec<Arc<[u8]>>,
    vectors: Vec<libc::iovec>,
    /// First vector of each datagram, and how many it has.
    datagrams: Vec<(u32, u32)>,
    messages: Vec<Message>,
    names: Box<[Address]>,
    controls: Box<[Control]>,
    headers: Box<[libc::mmsghdr]>,
    /// Longest datagram that a message may be cut into; lowered when a way refuses (its MTU is smaller).
    segment_max: usize,
    report: SendReport,
    /// Octets of datagrams sent.
    octets: u64,
}

// SAFETY: the raw pointers lead into `own` and into the `Arc`s in `kept`, which move with the value without moving
// their contents and may be read from any thread.
unsafe impl Send for BulkSend {}

impl std::fmt::Debug for BulkSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkSend")
            .field("messages", &self.messages.len())
            .field("segment_max", &self.segment_max)
            .finish_non_exhaustive()
    }
}

impl Default for BulkSend {
    fn default() -> Self {
        Self::new()
    }
}

impl BulkSend {
    /// Allocates about 150 KiB.
    #[must_use]
    pub fn new() -> Self {
        Self {
            own: Vec::with_capacity(OWN),
            kept: Vec::new(),
            vectors: Vec::with_capacity(VECTORS),
            datagrams: Vec::with_capacity(MESSAGES),
            messages: Vec::with_capacity(MESSAGES),
            names: vec![Address::none(); MESSAGES].into(),
            controls: vec![Control::default(); MESSAGES].into(),
            // SAFETY: all-zero is a valid `mmsghdr`: null pointers with zero lengths.
            headers: vec![unsafe { std::mem::zeroed() }; MESSAGES].into(),
            segment_max: usize::MAX,
            report: SendReport::default(),
            octets: 0,
        }
    }

    /// Adds a datagram of any length that UDP can carry; its octets are copied.
    ///
    /// # Panics
    /// When it is longer.
    pub fn datagram(&mut self, port: &BulkPort, way: &Way, octets: &[u8]) {
        assert!(octets.len() <= OWN, "longer than any datagram");
        self.make_room(port, octets.len(), 1);
        self.begin(*way, octets.len());
        self.put_own(octets);
    }

    /// Adds a window: one datagram per head, each followed by `block` octets of the pieces, the last by what is left.
    pub fn window(
        &mut self,
        port: &BulkPort,
        way: &Way,
        block: usize,
        heads: impl Iterator<Item = [u8; HEAD]>,
        pieces: &[Piece],
    ) {
        let datagram = HEAD + block;
        let cut = datagram <= self.segment_max;
        let most = if cut {
            (OCTETS / datagram).clamp(1, SEGMENTS)
        } else {
            1
        };
        let mut rest = Rest { pieces, used: 0 };
        let mut open = 0;
        for head in heads {
            if open == 0 {
                self.make_room(port, most * HEAD, most * (1 + pieces.len()));
                self.kept
                    .extend(pieces.iter().map(|piece| Arc::clone(&piece.content)));
                self.begin(*way, datagram);
            } else {
                self.next_datagram();
            }
            self.put_own(&head);
            rest.take(block, |octets| self.put_vector(octets));
            open = (open + 1) % most;
        }
    }

    /// Sends what was gathered.
    pub fn flush(&mut self, port: &BulkPort) {
        if self.messages.is_empty() {
            return;
        }
        for index in 0..self.messages.len() {
            let message = self.messages[index];
            self.put_header(index, &message, port.has_packet_info());
        }
        self.send_all(port);
        self.messages.clear();
        self.datagrams.clear();
        self.vectors.clear();
        self.own.clear();
        self.kept.clear();
    }

    /// What became of the datagrams since it was asked last.
    pub fn take_report(&mut self) -> SendReport {
        std::mem::take(&mut self.report)
    }

    /// Octets of the datagrams since it was asked last, without headers of IP and UDP.
    pub fn take_octets(&mut self) -> u64 {
        std::mem::take(&mut self.octets)
    }

    fn make_room(&mut self, port: &BulkPort, own: usize, vectors: usize) {
        let full = self.messages.len() == MESSAGES
            || self.own.len() + own > OWN
            || self.vectors.len() + vectors > VECTORS;
        if full {
            self.flush(port);
        }
    }

    fn begin(&mut self, way: Way, segment: usize) {
        self.messages.push(Message {
            way,
            first: self.datagrams.len(),
            count: 1,
            segment,
            octets: 0,
        });
        self.datagrams.push((self.vectors.len() as u32, 0));
    }

    fn next_datagram(&mut self) {
        self.messages.last_mut().expect("a message was begun").count += 1;
        self.datagrams.push((self.vectors.len() as u32, 0));
    }

    fn put_own(&mut self, octets: &[u8]) {
        let at = self.own.len();
        assert!(at + octets.len() <= OWN, "room was made");
        self.own.extend_from_slice(octets);
        // SAFETY: `at` lies inside the allocation, which is not left again before the flush: see the assertion.
        let base = unsafe { self.own.as_mut_ptr().add(at) };
        self.push(base, octets.len());
    }

    /// Octets that stay where they are until the flush.
    fn put_vector(&mut self, octets: &[u8]) {
        self.push(octets.as_ptr().cast_mut(), octets.len());
    }

    fn push(&mut self, base: *mut u8, length: usize) {
        self.vectors.push(libc::iovec {
            iov_base: base.cast(),
            iov_len: length,
        });
        self.datagrams.last_mut().expect("a datagram was begun").1 += 1;
        self.messages.last_mut().expect("a message was begun").octets += length;
    }

    /// The header of `message` at place `index`.
    fn put_header(&mut self, index: usize, message: &Message, packet_info: bool) {
        let last = self.datagrams[message.first + message.count - 1];
        let start = self.datagrams[message.first].0 as usize;
        let vectors = (last.0 + last.1) as usize - start;
        self.names[index] = Address::of(message.way.to);
        let control = &mut self.controls[index];
        let segment = (message.count > 1).then_some(message.segment);
        let used = control.write(packet_info.then_some(&message.way), segment);
        let header = &mut self.headers[index].msg_hdr;
        header.msg_name = (&raw mut self.names[index]).cast();
        header.msg_namelen = Address::length(message.way.to);
        header.msg_iov = &raw mut self.vectors[start];
        header.msg_iovlen = vectors as _;
        header.msg_control = if used > 0 {
            control.as_mut_ptr().cast()
        } else {
            std::ptr::null_mut()
        };
        header.msg_controllen = used as _;
    }

    fn send_all(&mut self, port: &BulkPort) {
        let (mut next, mut waited) = (0, false);
        while next < self.messages.len() {
            match self.send_some(port, next, self.messages.len() - next) {
                Ok(sent) => {
                    let done = &self.messages[next..next + sent];
                    self.report.sent += done.iter().map(|message| message.count as u64).sum::<u64>();
                    self.octets += done.iter().map(|message| message.octets as u64).sum::<u64>();
                    next += sent;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && !waited => {
                    waited = true;
                    crate::send::wait_writable(port.as_fd(), BLOCKED_WAIT_MS);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                    let left = &self.messages[next..];
                    self.report.blocked += left.iter().map(|message| message.count as u64).sum::<u64>();
                    return;
                }
                Err(_) => {
                    self.send_singly(port, next);
                    next += 1;
                }
            }
        }
    }

    fn send_some(&mut self, port: &BulkPort, from: usize, count: usize) -> io::Result<usize> {
        self.report.calls += 1;
        // SAFETY: headers `from..from + count` were set by `put_header` and lead to live boxes and, through the
        // vectors, into `own` and the content in `kept`; the kernel only writes `msg_len`.
        let sent = unsafe {
            libc::sendmmsg(
                port.as_fd().as_raw_fd(),
                self.headers.as_mut_ptr().add(from),
                count as u32,
                (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
            )
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    /// A message was refused: either its way cannot take one to cut (an old kernel, an MTU below the segment), or it
    /// cannot be sent at all. Sending its datagrams one by one tells which.
    fn send_singly(&mut self, port: &BulkPort, index: usize) {
        let message = self.messages[index];
        if message.count == 1 {
            self.report.failed += 1;
            return;
        }
        let mut all_sent = true;
        for datagram in message.first..message.first + message.count {
            let single = Message {
                first: datagram,
                count: 1,
                ..message
            };
            self.put_header(index, &single, port.has_packet_info());
            match self.send_some(port, index, 1) {
                Ok(_) => self.report.sent += 1,
                Err(_) => {
                    self.report.failed += 1;
                    all_sent = false;
                }
            }
        }
        if all_sent {
            self.octets += message.octets as u64;
            self.segment_max = self.segment_max.min(message.segment - 1);
        }
    }
}

/// What is left of some pieces.
struct Rest<'a> {
    pieces: &'a [Piece],
    /// Octets of the first piece that were taken.
    used: usize,
}

impl<'a> Rest<'a> {
    fn take(&mut self, mut wanted: usize, mut put: impl FnMut(&'a [u8])) {
        while let (1.., [piece, others @ ..]) = (wanted, self.pieces) {
            let left = &piece.content[piece.range.clone()][self.used..];
            let taken = &left[..left.len().min(wanted)];
            if !taken.is_empty() {
                put(taken);
            }
            wanted -= taken.len();
            self.used += taken.len();
            if taken.len() == left.len() {
                (self.pieces, self.used) = (others, 0);
            }
        }
    }
}

#[cfg(test)]
mod tests;
