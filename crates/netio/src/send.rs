//! Many datagrams per system call, each from the address it should come from.
//!
//! Answers to one relay are often alike: same way, same length. Such datagrams are given to the kernel as one
//! message that it cuts by itself (`UDP_SEGMENT`), which spares it most of the per-datagram work.
//!
//! ```text
//!   messages  A B A C A B        (same letter: same source, target and length)
//!   headers   [A A A] [B B] [C]  one sendmmsg, three messages, six datagrams
//! ```

mod group;
mod neighbours;

use crate::UdpPort;
use crate::recv::BATCH;
use crate::sys;
use group::Groups;
use neighbours::{Neighbours, Pressure};
use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

const HEADER: usize = size_of::<libc::cmsghdr>();
/// Room for an `IP_PKTINFO` (32 octets) and a `UDP_SEGMENT` (24) control message.
const CONTROL: usize = 56;
const CONTROL_INFO: usize = 32;
const CONTROL_SEGMENT: usize = 24;

/// How long a full socket buffer is waited for before the rest of a batch is given up, in milliseconds.
const BLOCKED_WAIT_MS: i32 = 1;

/// One datagram to send.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    pub payload: &'a [u8],
    pub to: SocketAddrV4,
    /// Source address; heeded by sockets opened with `packet_info`, 0.0.0.0 leaves it to routing.
    pub from: Ipv4Addr,
}

/// What became of the datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendReport {
    pub sent: u64,
    /// The kernel refused them one by one: no route, not permitted, too long.
    pub failed: u64,
    /// Given up because the socket buffer stayed full.
    pub blocked: u64,
    /// Passed over: a host on an attached link that has answered no ARP, while the buffer runs short.
    pub unresolved: u64,
    pub calls: u64,
}

impl std::ops::AddAssign for SendReport {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.unresolved += other.unresolved;
        self.calls += other.calls;
    }
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Preallocated headers for [`BATCH`] datagrams.
pub struct SendBatch {
    names: Box<[libc::sockaddr_in]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    /// Whether the kernel and the ways that were used take messages to cut.
    segmenting: bool,
    /// One datagram per call.
    singly: bool,
    neighbours: Neighbours,
}

// SAFETY: the raw pointers are written and used within one call of `send`; between calls they mean nothing.
unsafe impl Send for SendBatch {}

impl std::fmt::Debug for SendBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendBatch")
            .field("segmenting", &self.segmenting)
            .finish_non_exhaustive()
    }
}

impl Default for SendBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl SendBatch {
    /// Allocates about 10 KiB.
    #[must_use]
    pub fn new() -> Self {
        Self {
            names: vec![sys::to_sockaddr(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)); BATCH].into(),
            controls: vec![Control([0; CONTROL]); BATCH].into(),
            vectors: vec![
                libc::iovec {
                    iov_base: std::ptr::null_mut(),
                    iov_len: 0
                };
                BATCH
            ]
            .into(),
            // SAFETY: all-zero is a valid `mmsghdr`: null pointers with zero lengths.
            headers: vec![unsafe { std::mem::zeroed() }; BATCH].into(),
            segmenting: true,
            singly: false,
            neighbours: Neighbours::default(),
        }
    }

    /// Whether each datagram has a call of its own from now on. For comparing: it only costs.
    pub fn set_singly(&mut self, singly: bool) {
        self.singly = singly;
    }

    /// Sends all of `messages`; a datagram that cannot be sent is counted and passed over. Datagrams to one
    /// target keep their order if they are equally long; others may overtake each other within a batch.
    pub fn send<'a>(
        &mut self,
        port: &UdpPort,
        messages: impl IntoIterator<Item = Outgoing<'a>>,
    ) -> SendReport {
        let mut report = SendReport::default();
        let mut messages = messages.into_iter();
        let nothing = Outgoing {
            payload: &[],
            to: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            from: Ipv4Addr::UNSPECIFIED,
        };
        let mut batch = [nothing; BATCH];
        loop {
            let mut filled = 0;
            for (slot, message) in batch.iter_mut().zip(messages.by_ref()) {
                *slot = message;
                filled += 1;
                // `zip` would take one message more than there are slots.
                if filled == BATCH {
                    break;
                }
            }
            if filled == 0 {
                return report;
            }
            let pressure = Pressure::on(port);
            let kept = self.neighbours.sift(port, &mut batch[..filled], pressure);
            report.unresolved += (filled - kept) as u64;
            self.send_batch(port, &batch[..kept], &mut report);
        }
    }

    fn send_batch(&mut self, port: &UdpPort, batch: &[Outgoing<'_>], report: &mut SendReport) {
        let groups = if self.segmenting && !self.singly {
            Groups::of(batch)
        } else {
            Groups::single(batch.len())
        };
        for (at, message) in groups.order().enumerate() {
            let payload = batch[message].payload;
            self.vectors[at] = libc::iovec {
                iov_base: payload.as_ptr().cast_mut().cast(),
                iov_len: payload.len(),
            };
        }
        for (index, (first, start, count)) in groups.iter().enumerate() {
            self.put(index, &batch[first], start, count, port.has_packet_info());
        }
        self.flush(port, batch, &groups, report);
    }

    /// Sets the header of one message: `count` datagrams of equal length from vector `start` on.
    fn put(&mut self, index: usize, like: &Outgoing<'_>, start: usize, count: usize, packet_info: bool) {
        self.names[index] = sys::to_sockaddr(like.to);
        let control = &mut self.controls[index];
        let mut used = 0;
        if packet_info && !like.from.is_unspecified() {
            control.put_source(like.from);
            used += CONTROL_INFO;
        }
        if count > 1 {
            control.put_segment(used, like.payload.len() as u16);
            used += CONTROL_SEGMENT;
        }
        let header = &mut self.headers[index].msg_hdr;
        header.msg_name = (&raw mut self.names[index]).cast();
        header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        header.msg_iov = &raw mut self.vectors[start];
        header.msg_iovlen = count as _;
        header.msg_control = if used > 0 {
            control.0.as_mut_ptr().cast()
        } else {
            std::ptr::null_mut()
        };
        header.msg_controllen = used as _;
    }

    fn flush(&mut self, port: &UdpPort, batch: &[Outgoing<'_>], groups: &Groups, report: &mut SendReport) {
        let mut next = 0;
        let mut waited = false;
        let most = if self.singly { 1 } else { BATCH };
        while next < groups.len() {
            report.calls += 1;
            // SAFETY: headers `next..len` were set by `put` and point to live boxes and, through the vectors, to
            // payloads that `batch` borrows; the kernel does not write through them except `msg_len`.
            let sent = unsafe {
                libc::sendmmsg(
                    port.as_fd().as_raw_fd(),
                    self.headers.as_mut_ptr().add(next),
                    (groups.len() - next).min(most) as u32,
                    (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
                )
            };
            if let Ok(sent) = usize::try_from(sent) {
                report.sent += groups.datagrams(next..next + sent);
                next += sent;
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock if !waited => {
                    waited = true;
                    wait_writable(port.as_fd(), BLOCKED_WAIT_MS);
                }
                io::ErrorKind::WouldBlock => {
                    report.blocked += groups.datagrams(next..groups.len());
                    return;
                }
                _ if groups.datagrams(next..next + 1) > 1 => {
                    return self.send_singly(port, batch, groups, next, report);
                }
                _ => {
                    report.failed += 1;
                    next += 1;
                }
            }
        }
    }

    /// A message to cut was refused: either its way cannot take such (an old kernel, a small MTU, a device
    /// without checksums), or its datagrams cannot be sent at all. Sending them singly tells which.
    fn send_singly(
        &mut self,
        port: &UdpPort,
        batch: &[Outgoing<'_>],
        groups: &Groups,
        from: usize,
        report: &mut SendReport,
    ) {
        let mut rest = [batch[0]; BATCH];
        let mut count = 0;
        for message in groups.order().skip(groups.start(from)) {
            rest[count] = batch[message];
            count += 1;
        }
        let before = report.sent;
        let could = std::mem::replace(&mut self.segmenting, false);
        self.send_batch(port, &rest[..count], report);
        self.segmenting = could && report.sent == before;
    }
}

impl Control {
    fn put_source(&mut self, from: Ipv4Addr) {
        let info = libc::in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: sys::to_in_addr(from),
            ipi_addr: libc::in_addr { s_addr: 0 },
        };
        self.put(0, libc::IPPROTO_IP, libc::IP_PKTINFO, info);
    }

    fn put_segment(&mut self, at: usize, length: u16) {
        self.put(at, libc::SOL_UDP, libc::UDP_SEGMENT, length);
    }

    fn put<T: Copy>(&mut self, at: usize, level: i32, kind: i32, value: T) {
        assert!(
            at.is_multiple_of(8) && at + HEADER + size_of::<T>() <= CONTROL,
            "the control block has room"
        );
        // SAFETY: checked above: the header starts aligned, and header and value end inside the block.
        unsafe {
            let base = self.0.as_mut_ptr().add(at);
            let header = base.cast::<libc::cmsghdr>();
            (*header).cmsg_len = (HEADER + size_of::<T>()) as _;
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            base.add(HEADER).cast::<T>().write_unaligned(value);
        }
    }
}

/// Waits until a socket takes more, for `millis` at most.
pub(crate) fn wait_writable(socket: BorrowedFd<'_>, millis: i32) {
    let mut poll = libc::pollfd {
        fd: socket.as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one live `pollfd`. The result does not matter: the next send tells.
    unsafe { libc::poll(&raw mut poll, 1, millis) };
}

#[cfg(test)]
mod tests;
