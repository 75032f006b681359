//! Many datagrams per system call, into buffers made once.

use crate::sys;
use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd};

/// Datagrams per system call.
pub const BATCH: usize = 64;

/// Longest datagram kept whole, in octets. The odd line keeps slots from sharing cache sets.
pub const DATAGRAM_MAX: usize = 2048 + 64;

/// Room for one `IP_PKTINFO` control message (16 octets of header, 12 of data, aligned).
const CONTROL: usize = 32;

/// One received datagram; borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    pub payload: &'a [u8],
    pub source: SocketAddrV4,
    /// Where it was sent to; `None` when the socket was opened without `packet_info`.
    pub target: Option<Ipv4Addr>,
    /// The receiver's own address: the target, or for a broadcast the address a reply would come from.
    pub local: Option<Ipv4Addr>,
    /// Kernel index of the receiving interface, 0 when unknown.
    pub interface: u32,
    /// It was longer than [`DATAGRAM_MAX`]; the rest is lost.
    pub truncated: bool,
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Preallocated space for [`BATCH`] datagrams.
pub struct RecvBatch {
    arena: Box<[u8]>,
    names: Box<[libc::sockaddr_in]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    filled: usize,
}

// SAFETY: the raw pointers in `vectors` and `headers` lead only into the boxes beside them, which move with
// the value as heap blocks and are reachable through it alone.
unsafe impl Send for RecvBatch {}

impl std::fmt::Debug for RecvBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecvBatch")
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl RecvBatch {
    /// Allocates about 150 KiB.
    #[must_use]
    pub fn new() -> Self {
        let mut batch = Self {
            arena: vec![0; BATCH * DATAGRAM_MAX].into(),
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
            filled: BATCH,
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
            // SAFETY: `i < BATCH`, so every pointer stays inside its box.
            unsafe {
                *vectors.add(i) = libc::iovec {
                    iov_base: arena.add(i * DATAGRAM_MAX).cast(),
                    iov_len: DATAGRAM_MAX,
                };
                entry.msg_hdr.msg_name = names.add(i).cast();
                entry.msg_hdr.msg_control = controls.add(i).cast();
                entry.msg_hdr.msg_iov = vectors.add(i);
            }
            entry.msg_hdr.msg_iovlen = 1;
            entry.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            entry.msg_hdr.msg_controllen = CONTROL;
            entry.msg_hdr.msg_flags = 0;
        }
    }

    /// Takes what is waiting, without blocking; returns how many datagrams the batch now holds.
    ///
    /// # Errors
    /// Whatever the kernel says, except "nothing there", which is 0.
    pub fn receive(&mut self, socket: &impl AsFd) -> io::Result<usize> {
        self.receive_up_to(socket, BATCH)
    }

    /// The same, but takes `most` datagrams at most: 1 to [`BATCH`].
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub fn receive_up_to(&mut self, socket: &impl AsFd, most: usize) -> io::Result<usize> {
        self.rearm();
        self.filled = 0;
        loop {
            // SAFETY: every header points to live buffers of the lengths it states (see `rearm`).
            let got = unsafe {
                libc::recvmmsg(
                    socket.as_fd().as_raw_fd(),
                    self.headers.as_mut_ptr(),
                    most.clamp(1, BATCH) as u32,
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

    /// How many datagrams it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.filled
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// The datagram at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    #[must_use]
    pub fn get(&self, index: usize) -> Datagram<'_> {
        let entry = &self.headers[..self.filled][index];
        let start = index * DATAGRAM_MAX;
        let length = (entry.msg_len as usize).min(DATAGRAM_MAX);
        let info = self.packet_info(entry, index);
        Datagram {
            payload: &self.arena[start..start + length],
            source: sys::from_sockaddr(&self.names[index]),
            target: info.map(|i| sys::from_in_addr(i.ipi_addr)),
            local: info.map(|i| sys::from_in_addr(i.ipi_spec_dst)),
            interface: info.map_or(0, |i| i.ipi_ifindex as u32),
            truncated: entry.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        }
    }

    /// The one control message that can be there, as the only one that is asked for.
    fn packet_info(&self, entry: &libc::mmsghdr, index: usize) -> Option<libc::in_pktinfo> {
        const HEADER: usize = size_of::<libc::cmsghdr>();
        if entry.msg_hdr.msg_controllen < HEADER + size_of::<libc::in_pktinfo>() {
            return None;
        }
        let control = std::ptr::from_ref(&self.controls[index]).cast::<u8>();
        // SAFETY: the control block is 8-aligned and was filled with at least a header and an `in_pktinfo`.
        unsafe {
            let header = control.cast::<libc::cmsghdr>().read();
            let ours = header.cmsg_level == libc::IPPROTO_IP && header.cmsg_type == libc::IP_PKTINFO;
            ours.then(|| control.add(HEADER).cast::<libc::in_pktinfo>().read_unaligned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{UdpOptions, UdpPort};
    use std::net::UdpSocket;

    fn port(address: Ipv4Addr, packet_info: bool) -> UdpPort {
        let options = UdpOptions {
            packet_info,
            ..UdpOptions::default()
        };
        UdpPort::bind(SocketAddrV4::new(address, 0), &options).unwrap()
    }

    #[test]
    fn a_burst_comes_in_batches_in_order() {
        let server = port(Ipv4Addr::LOCALHOST, false);
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for i in 0..100u8 {
            client.send_to(&[i; 300], server.local_address()).unwrap();
        }
        let mut batch = RecvBatch::new();
        assert_eq!(batch.receive(&server).unwrap(), BATCH);
        assert_eq!(batch.get(63).payload, [63; 300]);
        assert_eq!(batch.receive(&server).unwrap(), 36);
        let last = batch.get(35);
        assert_eq!(
            (last.payload, last.truncated, last.local),
            (&[99; 300][..], false, None)
        );
        assert_eq!(
            std::net::SocketAddr::V4(last.source),
            client.local_addr().unwrap()
        );
        assert_eq!(batch.receive(&server).unwrap(), 0);
    }

    #[test]
    fn a_call_takes_no_more_than_it_is_told() {
        let server = port(Ipv4Addr::LOCALHOST, false);
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for i in 0..5u8 {
            client.send_to(&[i], server.local_address()).unwrap();
        }
        let mut batch = RecvBatch::new();
        for (most, taken, first) in [(1, 1, 0), (0, 1, 1), (2, 2, 2), (BATCH + 1, 1, 4)] {
            assert_eq!(batch.receive_up_to(&server, most).unwrap(), taken);
            assert_eq!((batch.len(), batch.get(0).payload), (taken, &[first][..]));
        }
    }

    #[test]
    fn an_oversized_datagram_is_cut_and_marked_and_its_slot_is_good_again() {
        let server = port(Ipv4Addr::LOCALHOST, false);
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = RecvBatch::new();
        client
            .send_to(&[7; DATAGRAM_MAX + 1], server.local_address())
            .unwrap();
        batch.receive(&server).unwrap();
        assert!(batch.get(0).truncated);
        assert_eq!(batch.get(0).payload.len(), DATAGRAM_MAX);
        client.send_to(&[8; 10], server.local_address()).unwrap();
        batch.receive(&server).unwrap();
        assert_eq!(
            (batch.get(0).truncated, batch.get(0).payload),
            (false, &[8; 10][..])
        );
    }

    #[test]
    fn a_wildcard_socket_learns_where_each_datagram_went() {
        let server = port(Ipv4Addr::UNSPECIFIED, true);
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = RecvBatch::new();
        for last in [9, 77] {
            let target = Ipv4Addr::new(127, 0, 0, last);
            client
                .send_to(b"x", (target, server.local_address().port()))
                .unwrap();
            batch.receive(&server).unwrap();
            assert_eq!(batch.get(0).target, Some(target));
            assert_eq!(batch.get(0).local, Some(target));
            assert_eq!(
                batch.get(0).interface,
                crate::interface("lo").unwrap().unwrap().index
            );
        }
    }
}
