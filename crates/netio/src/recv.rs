//! Many datagrams per system call, into buffers made once.
//!
//! Datagrams of one sender that came close together may be handed over by the kernel as one message, a train
//! ([`UdpPort::take_trains`](crate::UdpPort::take_trains)); they are taken apart here.
//!
//! ```text
//!   messages   [a a a a]  [b]  [c c]       one recvmmsg
//!   datagrams   0 1 2 3    4    5 6
//! ```

use crate::inbox::Inbox;
use crate::sys;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;

/// Datagrams per system call.
pub const BATCH: usize = 64;

/// Longest datagram kept whole, in octets. The odd line keeps slots from sharing cache sets.
pub const DATAGRAM_MAX: usize = 2048 + 64;

/// Octets of a message at most: the largest train, and odd lines as above.
const TRAIN_MAX: usize = 65_536 + 192;

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

/// Where one datagram lies.
#[derive(Debug, Clone, Copy)]
struct Span {
    message: u8,
    length: u16,
    /// Octets of its message before it.
    offset: u32,
}

/// Preallocated space for [`BATCH`] messages.
pub struct RecvBatch {
    inbox: Inbox<libc::sockaddr_in>,
    datagrams: Vec<Span>,
}

impl std::fmt::Debug for RecvBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecvBatch")
            .field("filled", &self.inbox.len())
            .finish_non_exhaustive()
    }
}

impl Default for RecvBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl RecvBatch {
    /// Room for single datagrams; allocates about 150 KiB. Of a train only the beginning would be kept.
    #[must_use]
    pub fn new() -> Self {
        Self::with_slots(DATAGRAM_MAX)
    }

    /// Room for trains: 4 MiB of addresses, of which only what is used becomes memory.
    #[must_use]
    pub fn for_trains() -> Self {
        Self::with_slots(TRAIN_MAX)
    }

    fn with_slots(slot: usize) -> Self {
        let nobody = sys::to_sockaddr(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        Self {
            inbox: Inbox::new(BATCH, slot, nobody),
            datagrams: Vec::with_capacity(BATCH),
        }
    }

    /// Takes what is waiting, without blocking; returns how many datagrams the batch now holds.
    ///
    /// # Errors
    /// Whatever the kernel says, except "nothing there", which is 0.
    pub fn receive(&mut self, socket: &impl AsFd) -> io::Result<usize> {
        self.receive_up_to(socket, BATCH)
    }

    /// The same, but takes `most` messages at most: 1 to [`BATCH`].
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub fn receive_up_to(&mut self, socket: &impl AsFd, most: usize) -> io::Result<usize> {
        self.datagrams.clear();
        self.inbox.receive(socket, most)?;
        self.take_apart();
        Ok(self.datagrams.len())
    }

    /// Notes where each datagram of the messages lies.
    fn take_apart(&mut self) {
        for message in 0..self.inbox.len() {
            let octets = self.inbox.payload(message).len();
            let each = match self.inbox.segment(message) {
                0 => octets,
                each => each,
            };
            let mut offset = 0;
            // An empty datagram is one too.
            loop {
                let length = each.min(octets - offset);
                self.datagrams.push(Span {
                    message: message as u8,
                    length: length.min(usize::from(u16::MAX)) as u16,
                    offset: offset as u32,
                });
                offset += length;
                if offset >= octets {
                    break;
                }
            }
        }
    }

    /// How many datagrams it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    /// In how many messages they came.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.inbox.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// The datagram at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    #[must_use]
    pub fn get(&self, index: usize) -> Datagram<'_> {
        let span = self.datagrams[index];
        let message = usize::from(span.message);
        let length = usize::from(span.length);
        let info = self.inbox.target_v4(message);
        Datagram {
            payload: &self.inbox.payload(message)[span.offset as usize..][..length.min(DATAGRAM_MAX)],
            source: sys::from_sockaddr(self.inbox.name(message)),
            target: info.map(|i| sys::from_in_addr(i.ipi_addr)),
            local: info.map(|i| sys::from_in_addr(i.ipi_spec_dst)),
            interface: info.map_or(0, |i| i.ipi_ifindex as u32),
            truncated: self.inbox.truncated(message) || length > DATAGRAM_MAX,
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

    /// Trains of `lengths` (each is one send of datagrams of that length), as they come out.
    fn trains(trains: &[(usize, usize)], most: usize) -> (usize, Vec<(usize, u8)>) {
        let server = port(Ipv4Addr::UNSPECIFIED, true);
        server.take_trains(true);
        let client = port(Ipv4Addr::LOCALHOST, false);
        let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, server.local_address().port());
        let mut sends = crate::SendBatch::new();
        for &(count, length) in trains {
            let payloads: Vec<Vec<u8>> = (0..count).map(|n| vec![n as u8; length]).collect();
            let messages = payloads.iter().map(|payload| crate::Outgoing {
                payload,
                to,
                from: Ipv4Addr::UNSPECIFIED,
            });
            assert_eq!(sends.send(&client, messages).sent, count as u64);
        }
        let mut batch = RecvBatch::for_trains();
        let count = batch.receive_up_to(&server, most).unwrap();
        assert_eq!(count, batch.len());
        let seen = (0..count).map(|at| batch.get(at)).map(|datagram| {
            assert!(!datagram.truncated && datagram.source == client.local_address());
            assert_eq!(datagram.local, Some(Ipv4Addr::LOCALHOST));
            (
                datagram.payload.len(),
                datagram.payload.first().copied().unwrap_or(0),
            )
        });
        let seen = seen.collect();
        (batch.messages(), seen)
    }

    #[test]
    fn a_train_comes_apart_into_its_datagrams() {
        let (messages, seen) = trains(&[(50, 300), (1, 240), (3, 576)], BATCH);
        let expected = (0..50)
            .map(|n| (300, n))
            .chain([(240, 0), (576, 0), (576, 1), (576, 2)]);
        assert_eq!(seen, expected.collect::<Vec<_>>());
        assert!(messages == 3 || messages == 54, "a kernel with or without trains");
    }

    #[test]
    fn a_call_takes_no_more_trains_than_it_is_told() {
        let (messages, seen) = trains(&[(4, 300), (4, 300)], 1);
        assert_eq!(messages, 1);
        assert!(matches!(seen.len(), 1 | 4));
    }

    #[test]
    fn datagrams_in_a_place_for_trains_are_cut_as_single_ones_are() {
        let server = port(Ipv4Addr::LOCALHOST, false);
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut batch = RecvBatch::for_trains();
        client
            .send_to(&[7; DATAGRAM_MAX + 1], server.local_address())
            .unwrap();
        client.send_to(&[], server.local_address()).unwrap();
        assert_eq!(batch.receive(&server).unwrap(), 2);
        assert!(batch.get(0).truncated && batch.get(0).payload.len() == DATAGRAM_MAX);
        assert!(!batch.get(1).truncated && batch.get(1).payload.is_empty());
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
