//! Many datagrams per system call, of either family and any size.

use super::address::{Address, from_in6_addr};
use crate::inbox::Inbox;
use crate::sys;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;

/// One received message; borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct BulkDatagram<'a> {
    /// One datagram, or with `segment` a train of them.
    pub payload: &'a [u8],
    pub source: SocketAddr,
    /// Which of our addresses answers should come from; `None` when the socket was opened without `packet_info`. For a
    /// datagram to one host it is the address that was written to.
    pub local: Option<IpAddr>,
    /// The address that was written to, of one host or of many.
    pub target: Option<IpAddr>,
    /// Kernel index of the receiving interface, 0 when unknown.
    pub interface: u32,
    /// Octets of each datagram in a train (the last may be shorter); 0 for a single datagram.
    pub segment: usize,
    /// It was longer than its slot; the rest is lost.
    pub truncated: bool,
}

impl<'a> BulkDatagram<'a> {
    /// Whether it was written to more than this host: to a multicast group, or a broadcast address. That of a subnet
    /// looks like any other; but to what is written there, the kernel names another address to answer from.
    #[must_use]
    pub fn to_many(&self) -> bool {
        match self.target {
            Some(IpAddr::V4(target)) => {
                target.is_broadcast() || target.is_multicast() || self.local != Some(target.into())
            }
            Some(IpAddr::V6(target)) => target.is_multicast(),
            None => false,
        }
    }

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

/// Preallocated space for a number of messages.
pub struct BulkRecv(Inbox<Address>);

impl std::fmt::Debug for BulkRecv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BulkRecv")
            .field("filled", &self.0.len())
            .finish_non_exhaustive()
    }
}

impl BulkRecv {
    /// Room for `messages` (1 to 1024) of up to `slot` octets each.
    #[must_use]
    pub fn new(messages: usize, slot: usize) -> Self {
        Self(Inbox::new(messages.clamp(1, 1024), slot, Address::none()))
    }

    /// Takes what is waiting, without blocking; returns how many messages the batch now holds.
    ///
    /// # Errors
    /// Whatever the kernel says, except "nothing there", which is 0.
    pub fn receive(&mut self, socket: &impl AsFd) -> io::Result<usize> {
        self.0.receive(socket, self.0.capacity())
    }

    /// How many messages it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }

    /// How many messages it could hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    /// The message at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`].
    #[must_use]
    pub fn get(&self, index: usize) -> BulkDatagram<'_> {
        let (local, target, interface) = self.target(index);
        BulkDatagram {
            payload: self.0.payload(index),
            source: self.0.name(index).read(),
            local,
            target,
            interface,
            segment: self.0.segment(index),
            truncated: self.0.truncated(index),
        }
    }

    /// Which of our addresses to answer from, the address it was sent to, and the index of the interface it came by.
    fn target(&self, index: usize) -> (Option<IpAddr>, Option<IpAddr>, u32) {
        if let Some(info) = self.0.target_v4(index) {
            let [local, target] =
                [info.ipi_spec_dst, info.ipi_addr].map(|it| Some(sys::from_in_addr(it).into()));
            (local, target, info.ipi_ifindex as u32)
        } else if let Some(info) = self.0.target_v6(index) {
            let local = Some(from_in6_addr(info.ipi6_addr).into());
            (local, local, info.ipi6_ifindex)
        } else {
            (None, None, 0)
        }
    }
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
        assert_eq!((first.target, first.to_many()), (Some(to.ip()), false));
        assert_ne!(first.interface, 0);
        assert_eq!(batch.get(1).datagrams().collect::<Vec<_>>(), [b""]);
        assert!(batch.get(2).truncated && batch.get(2).payload.len() == 32);
        assert_eq!(batch.receive(&server).unwrap(), 0);
    }

    /// The whole of 127.0.0.0/8 is one subnet, with a broadcast address of its own.
    #[test]
    fn what_is_written_to_a_subnet_is_told_from_what_is_written_to_us() {
        let options = BulkOptions {
            packet_info: true,
            ..BulkOptions::default()
        };
        let server = BulkPort::bind("0.0.0.0:0".parse().unwrap(), &options).unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_broadcast(true).unwrap();
        let to = ("127.255.255.255", server.local_address().port());
        client.send_to(b"anybody?", to).unwrap();
        let mut batch = BulkRecv::new(8, 32);
        assert_eq!(batch.receive(&server).unwrap(), 1);
        let datagram = batch.get(0);
        assert_eq!(datagram.target, Some("127.255.255.255".parse().unwrap()));
        assert_ne!(datagram.local, datagram.target);
        assert!(datagram.to_many());
    }

    #[test]
    fn datagrams_say_where_they_came_from_and_to() {
        told("0.0.0.0:0", "127.0.0.1:0");
        told("[::]:0", "[::1]:0");
    }
}
