//! Many datagrams per system call, of either family and any size.

use super::address::{Address, from_in6_addr};
use crate::sys;
use std::io;
use std::mem::size_of;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};

/// Room for an `IPV6_PKTINFO` (40 octets) and a `UDP_GRO` (24) control message.
const CONTROL: usize = 64;
const HEADER: usize = size_of::<libc::cmsghdr>();

/// One received message; borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct BulkDatagram<'a> {
    /// One datagram, or with `segment` a train of them.
    pub payload: &'a [u8],
    pub source: SocketAddr,
    /// Which of our addresses it was sent to; `None` when the socket was opened without `packet_info`.
    pub local: Option<IpAddr>,
    /// Kernel index of the receiving interface, 0 when unknown.
    pub interface: u32,
    /// Octets of each datagram in a train (the last may be shorter); 0 for a single datagram.
    pub segment: usize,
    /// It was longer than its slot; the rest is lost.
    pub truncated: bool,
}

impl<'a> BulkDatagram<'a> {
    /// The datagrams one by one.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> {
        // An empty datagram is one too, which `chunks` would leave out.
        let whole = self.segment == 0 || self.payload.is_empty();
        let size = if whole {
            self.payload.len().max(1)
        } else {
            self.segment
        };
        let empty = self.payload.is_empty().then_some(self.payload);
        empty.into_iter().chain(self.payload.chunks(size))
    }
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Preallocated space for a number of messages.
pub struct BulkRecv {
    slot: usize,
    arena: Box<[u8]>,
    names: Box<[Address]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    filled: usize,
}

// SAFETY: the raw pointers in `vectors` and `headers` lead only into the boxes beside them, which move with
// the value as heap blocks and are reachable through it alone.
unsafe impl Send for BulkRecv {}

impl std::fmt::Debug for BulkRecv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkRecv")
            .field("slot", &self.slot)
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

impl BulkRecv {
    /// Room for `messages` (1 to 1024) of up to `slot` octets each.
    #[must_use]
    pub fn new(messages: usize, slot: usize) -> Self {
        let messages = messages.clamp(1, 1024);
        let nothing = libc::iovec {
            iov_base: std::ptr::null_mut(),
            iov_len: 0,
        };
        let mut batch = Self {
            slot,
            arena: vec![0; messages * slot].into(),
            names: vec![Address::none(); messages].into(),
            controls: vec![Control([0; CONTROL]); messages].into(),
            vectors: vec![nothing; messages].into(),
            // SAFETY: all-zero is a valid `mmsghdr`: null pointers with zero lengths.
            headers: vec![unsafe { std::mem::zeroed() }; messages].into(),
            filled: messages,
        };
        batch.rearm();
        batch
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
            entry.msg_hdr.msg_namelen = Address::ROOM;
            entry.msg_hdr.msg_controllen = CONTROL;
            entry.msg_hdr.msg_flags = 0;
        }
    }

    /// Takes what is waiting, without blocking; returns how many messages the batch now holds.
    ///
    /// # Errors
    /// Whatever the kernel says, except "nothing there", which is 0.
    pub fn receive(&mut self, socket: &impl AsFd) -> io::Result<usize> {
        self.rearm();
        self.filled = 0;
        loop {
            // SAFETY: every header points to live buffers of the lengths it states (see `rearm`).
            let got = unsafe {
                libc::recvmmsg(
                    socket.as_fd().as_raw_fd(),
                    self.headers.as_mut_ptr(),
                    self.headers.len() as u32,
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

    /// How many messages it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filled
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// How many messages it could hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.headers.len()
    }

    /// The message at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    #[must_use]
    pub fn get(&self, index: usize) -> BulkDatagram<'_> {
        let entry = &self.headers[..self.filled][index];
        let start = index * self.slot;
        let length = (entry.msg_len as usize).min(self.slot);
        let mut datagram = BulkDatagram {
            payload: &self.arena[start..start + length],
            source: self.names[index].read(),
            local: None,
            interface: 0,
            segment: 0,
            truncated: entry.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        };
        self.read_control(index, entry.msg_hdr.msg_controllen, &mut datagram);
        datagram
    }

    /// Walks the control messages; those that nobody asked for do not come.
    fn read_control(&self, index: usize, length: usize, datagram: &mut BulkDatagram<'_>) {
        let block = &self.controls[index].0[..length.min(CONTROL)];
        let mut at = 0;
        while at + HEADER <= block.len() {
            // SAFETY: a whole header lies in the block from `at` on; it is copied out unaligned.
            let header: libc::cmsghdr =
                unsafe { block.as_ptr().add(at).cast::<libc::cmsghdr>().read_unaligned() };
            let size = header.cmsg_len;
            let Some(value) = block.get(at + HEADER..at + size) else {
                return;
            };
            match (header.cmsg_level, header.cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    if let Some(info) = plain::<libc::in_pktinfo>(value) {
                        datagram.local = Some(sys::from_in_addr(info.ipi_spec_dst).into());
                        datagram.interface = info.ipi_ifindex as u32;
                    }
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    if let Some(info) = plain::<libc::in6_pktinfo>(value) {
                        datagram.local = Some(from_in6_addr(info.ipi6_addr).into());
                        datagram.interface = info.ipi6_ifindex;
                    }
                }
                (libc::SOL_UDP, libc::UDP_GRO) => {
                    let size = plain::<libc::c_int>(value).unwrap_or(0);
                    datagram.segment = usize::try_from(size).unwrap_or(0);
                }
                _ => {}
            }
            at += size.max(HEADER).next_multiple_of(8);
        }
    }
}

/// Structures of plain numbers only, for which every bit pattern is valid.
trait Plain: Copy {}
impl Plain for libc::in_pktinfo {}
impl Plain for libc::in6_pktinfo {}
impl Plain for libc::c_int {}

fn plain<T: Plain>(value: &[u8]) -> Option<T> {
    // SAFETY: the length is checked, and `T` is `Plain`.
    (value.len() >= size_of::<T>()).then(|| unsafe { value.as_ptr().cast::<T>().read_unaligned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::{BulkOptions, BulkPort};
    use std::net::UdpSocket;

    fn told(address: &str, client: &str) {
        let options = BulkOptions {
            packet_info: true,
            ..BulkOptions::default()
        };
        let server = BulkPort::bind(address.parse().unwrap(), &options).unwrap();
        let client = UdpSocket::bind(client).unwrap();
        let mut to = server.local_address();
        to.set_ip(client.local_addr().unwrap().ip());
        client.send_to(b"hello", to).unwrap();
        client.send_to(b"", to).unwrap();
        client.send_to(&[7; 40], to).unwrap();
        let mut batch = BulkRecv::new(8, 32);
        assert_eq!(batch.receive(&server).unwrap(), 3);
        let first = batch.get(0);
        assert_eq!(
            (first.payload, first.truncated, first.segment),
            (&b"hello"[..], false, 0)
        );
        assert_eq!(first.source, client.local_addr().unwrap());
        assert_eq!(first.local, Some(to.ip()));
        assert_ne!(first.interface, 0);
        assert_eq!(batch.get(1).datagrams().collect::<Vec<_>>(), [b""]);
        assert!(batch.get(2).truncated && batch.get(2).payload.len() == 32);
        assert_eq!(batch.receive(&server).unwrap(), 0);
    }

    #[test]
    fn datagrams_say_where_they_came_from_and_to() {
        told("0.0.0.0:0", "127.0.0.1:0");
        told("[::]:0", "[::1]:0");
    }
}
