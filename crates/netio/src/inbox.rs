//! Room for many messages of one `recvmmsg`, made once and used again and again.
//!
//! ```text
//!   headers[i] ─┬─► names[i]      who sent it
//!               ├─► vectors[i] ─► arena, slot i: its octets
//!               └─► controls[i]   where it was sent to, how it comes apart
//! ```
//!
//! What a sender's address looks like is the business of the batches that stand on this.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd};

/// Room for an `IPV6_PKTINFO` (40 octets) and a `UDP_GRO` (24) control message.
const CONTROL: usize = 64;
const HEADER: usize = size_of::<libc::cmsghdr>();

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Preallocated space for a number of messages, with names as the kernel writes them.
pub(crate) struct Inbox<N> {
    /// Octets for each message.
    slot: usize,
    arena: Box<[u8]>,
    names: Box<[N]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    /// Messages received.
    filled: usize,
}

// SAFETY: the raw pointers in `vectors` and `headers` lead only into the boxes beside them, which move with
// the value as heap blocks and are reachable through it alone.
unsafe impl<N: Send> Send for Inbox<N> {}

impl<N: Copy> Inbox<N> {
    /// Room for `messages` of up to `slot` octets each; `nobody` is a name that says nothing.
    pub(crate) fn new(messages: usize, slot: usize, nobody: N) -> Self {
        let nothing = libc::iovec {
            iov_base: std::ptr::null_mut(),
            iov_len: 0,
        };
        let mut inbox = Self {
            slot,
            arena: vec![0; messages * slot].into(),
            names: vec![nobody; messages].into(),
            controls: vec![Control([0; CONTROL]); messages].into(),
            vectors: vec![nothing; messages].into(),
            // SAFETY: all-zero is a valid `mmsghdr`: null pointers with zero lengths.
            headers: vec![unsafe { std::mem::zeroed() }; messages].into(),
            filled: messages,
        };
        inbox.rearm();
        inbox
    }

    /// Resets what the kernel overwrote in the headers used last.
    fn rearm(&mut self) {
        let arena = self.arena.as_mut_ptr();
        let names = self.names.as_mut_ptr();
        let controls = self.controls.as_mut_ptr();
        let vectors = self.vectors.as_mut_ptr();
        for (i, entry) in self.headers[..self.filled].iter_mut().enumerate() {
            // SAFETY: `i` is below the number of messages, so every pointer stays inside its box.
            unsafe {
                *vectors.add(i) = libc::iovec {
                    iov_base: arena.add(i * self.slot).cast(),
                    iov_len: self.slot,
                };
                entry.msg_hdr.msg_name = names.add(i).cast();
                entry.msg_hdr.msg_control = controls.add(i).cast();
                entry.msg_hdr.msg_iov = vectors.add(i);
            }
            entry.msg_hdr.msg_iovlen = 1;
            entry.msg_hdr.msg_namelen = size_of::<N>() as libc::socklen_t;
            entry.msg_hdr.msg_controllen = CONTROL;
            entry.msg_hdr.msg_flags = 0;
        }
    }

    /// Takes what is waiting, without blocking: `most` messages at most (1 to [`Self::capacity`]). What it held before
    /// is gone.
    ///
    /// # Errors
    /// Whatever the kernel says, except "nothing there", which is 0.
    pub(crate) fn receive(&mut self, socket: &impl AsFd, most: usize) -> io::Result<usize> {
        self.rearm();
        self.filled = 0;
        loop {
            // SAFETY: every header points to live buffers of the lengths it states (see `rearm`).
            let got = unsafe {
                libc::recvmmsg(
                    socket.as_fd().as_raw_fd(),
                    self.headers.as_mut_ptr(),
                    most.clamp(1, self.headers.len()) as u32,
                    libc::MSG_DONTWAIT as _,
                    std::ptr::null_mut(),
                )
            };
            if let Ok(count) = usize::try_from(got) {
                self.filled = count;
                return Ok(count);
            }
            match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::Interrupted => {}
                e if e.kind() == io::ErrorKind::WouldBlock => return Ok(0),
                e => return Err(e),
            }
        }
    }

    /// How many messages it could hold.
    pub(crate) fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// How many messages it holds.
    pub(crate) fn len(&self) -> usize {
        self.filled
    }

    /// A message's octets, as far as its slot had room.
    ///
    /// # Panics
    /// When `message` is not below [`Self::len`]; so do the others below.
    pub(crate) fn payload(&self, message: usize) -> &[u8] {
        let length = (self.headers[..self.filled][message].msg_len as usize).min(self.slot);
        &self.arena[message * self.slot..][..length]
    }

    /// Whether it was longer than its slot.
    pub(crate) fn truncated(&self, message: usize) -> bool {
        self.headers[..self.filled][message].msg_hdr.msg_flags & libc::MSG_TRUNC != 0
    }

    /// Who sent it.
    pub(crate) fn name(&self, message: usize) -> &N {
        &self.names[..self.filled][message]
    }

    /// Where it was sent to, when the socket was asked to tell (IPv4).
    pub(crate) fn target_v4(&self, message: usize) -> Option<libc::in_pktinfo> {
        self.control(message, libc::IPPROTO_IP, libc::IP_PKTINFO)
    }

    /// The same for IPv6.
    pub(crate) fn target_v6(&self, message: usize) -> Option<libc::in6_pktinfo> {
        self.control(message, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO)
    }

    /// Octets of each datagram of a train (the last may be shorter); 0 for a single datagram.
    pub(crate) fn segment(&self, message: usize) -> usize {
        let size: Option<libc::c_int> = self.control(message, libc::SOL_UDP, libc::UDP_GRO);
        size.map_or(0, |size| usize::try_from(size).unwrap_or(0))
    }

    /// The value of a control message of a message; those that nobody asked for do not come.
    fn control<T: Plain>(&self, message: usize, level: i32, kind: i32) -> Option<T> {
        let length = self.headers[..self.filled][message].msg_hdr.msg_controllen;
        let block = &self.controls[message].0[..length.min(CONTROL)];
        let mut at = 0;
        while at + HEADER <= block.len() {
            // SAFETY: a whole header lies in the block from `at` on; it is copied out unaligned.
            let header: libc::cmsghdr =
                unsafe { block.as_ptr().add(at).cast::<libc::cmsghdr>().read_unaligned() };
            let size = header.cmsg_len;
            let value = block.get(at + HEADER..at + size)?;
            if (header.cmsg_level, header.cmsg_type) == (level, kind) {
                // SAFETY: the length is checked, and `T` is `Plain`.
                return (value.len() >= size_of::<T>())
                    .then(|| unsafe { value.as_ptr().cast::<T>().read_unaligned() });
            }
            at += size.max(HEADER).next_multiple_of(8);
        }
        None
    }
}

/// Structures of plain numbers only, for which every bit pattern is valid.
trait Plain: Copy {}
impl Plain for libc::in_pktinfo {}
impl Plain for libc::in6_pktinfo {}
impl Plain for libc::c_int {}
