//! UDP sockets of both families for moving files.

use super::address::Address;
use crate::sys;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// How a [`BulkPort`] is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct BulkOptions {
    /// Several sockets on one address, one per thread: the kernel keeps each client at one of them.
    pub reuse_port: bool,
    /// Learn which of our addresses a datagram came to, so that the answer comes from there.
    pub packet_info: bool,
    /// Take trains of datagrams of one sender whole (`UDP_GRO`), where the kernel can.
    pub trains: bool,
    /// Wanted buffers in octets; without `CAP_NET_ADMIN` limited by `net.core.rmem_max` and `wmem_max`.
    pub receive_buffer: Option<u32>,
    pub send_buffer: Option<u32>,
}

/// A non-blocking UDP socket, IPv4 or IPv6. An IPv6 socket takes no IPv4 traffic.
#[derive(Debug)]
pub struct BulkPort {
    fd: OwnedFd,
    local: SocketAddr,
    receive_buffer: u32,
    send_buffer: u32,
    packet_info: bool,
}

impl BulkPort {
    /// Opens and binds; port 0 takes a free one.
    ///
    /// # Errors
    /// Whatever the kernel says: address in use or not here, permission.
    pub fn bind(address: SocketAddr, options: &BulkOptions) -> io::Result<Self> {
        let (domain, level, info) = match address {
            SocketAddr::V4(_) => (libc::AF_INET, libc::IPPROTO_IP, libc::IP_PKTINFO),
            SocketAddr::V6(_) => (libc::AF_INET6, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
        };
        let fd = sys::socket(domain, libc::SOCK_DGRAM, libc::IPPROTO_UDP)?;
        let socket = fd.as_fd();
        if address.is_ipv6() {
            sys::set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &1i32)?;
        }
        if options.reuse_port {
            sys::set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, &1i32)?;
        }
        if options.packet_info {
            sys::set_option(socket, level, info, &1i32)?;
        }
        if options.trains {
            // A wish: an older kernel hands datagrams over singly.
            let _ = sys::set_option(socket, libc::SOL_UDP, libc::UDP_GRO, &1i32);
        }
        if let Some(octets) = options.receive_buffer {
            crate::socket::grow(socket, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, octets)?;
        }
        if let Some(octets) = options.send_buffer {
            crate::socket::grow(socket, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, octets)?;
        }
        bind(socket, address)?;
        let local = local_address(socket)?;
        // The kernel doubles what is asked for, to account for its own overhead.
        let granted = |option| sys::int_option(socket, libc::SOL_SOCKET, option).map(|n| n as u32 / 2);
        let (receive_buffer, send_buffer) = (granted(libc::SO_RCVBUF)?, granted(libc::SO_SNDBUF)?);
        Ok(Self {
            local,
            receive_buffer,
            send_buffer,
            packet_info: options.packet_info,
            fd,
        })
    }

    /// Hears `peer` alone from now on, and is told when nobody listens there: the next call fails with
    /// `ConnectionRefused` then.
    ///
    /// # Errors
    /// Whatever the kernel says: no route, another family.
    pub fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        let name = Address::of(peer);
        // SAFETY: `name` is live and at least as long as the length of its family.
        sys::check(unsafe {
            libc::connect(
                self.fd.as_raw_fd(),
                (&raw const name).cast(),
                Address::length(peer),
            )
        })
    }

    /// The address it is really bound to.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// Whether datagrams carry and take local addresses.
    #[must_use]
    pub fn has_packet_info(&self) -> bool {
        self.packet_info
    }

    /// Octets of receive buffer as granted.
    #[must_use]
    pub fn receive_buffer(&self) -> u32 {
        self.receive_buffer
    }

    /// Octets of send buffer as granted.
    #[must_use]
    pub fn send_buffer(&self) -> u32 {
        self.send_buffer
    }
}

impl AsFd for BulkPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn bind(socket: BorrowedFd<'_>, address: SocketAddr) -> io::Result<()> {
    let name = Address::of(address);
    // SAFETY: `name` is live and at least as long as the length of its family.
    sys::check(unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const name).cast(),
            Address::length(address),
        )
    })
}

fn local_address(socket: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    let mut name = Address::none();
    let mut length = Address::ROOM;
    // SAFETY: the kernel writes at most `length` octets into `name`, which has as many.
    sys::check(unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut name).cast(), &raw mut length) })?;
    Ok(name.read())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_share_a_port_number() {
        let shared = BulkOptions {
            reuse_port: true,
            ..BulkOptions::default()
        };
        let first = BulkPort::bind("0.0.0.0:0".parse().unwrap(), &shared).unwrap();
        let port = first.local_address().port();
        assert_ne!(port, 0);
        let six = BulkPort::bind(SocketAddr::new("::".parse().unwrap(), port), &shared).unwrap();
        assert_eq!(six.local_address().port(), port);
        BulkPort::bind(first.local_address(), &shared).unwrap();
        let alone = BulkPort::bind(first.local_address(), &BulkOptions::default()).unwrap_err();
        assert_eq!(alone.kind(), io::ErrorKind::AddrInUse);
    }
}
