//! UDP sockets for servers: shared ports, devices, receive buffers.

use crate::sys;
use std::io;
use std::net::SocketAddrV4;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How a [`UdpPort`] is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct UdpOptions<'a> {
    /// Several sockets on one address, one per thread; see [`crate::steer`].
    pub reuse_port: bool,
    /// Learn and set local address and interface per datagram; needed when bound to 0.0.0.0.
    pub packet_info: bool,
    /// Only this interface's traffic. Needs `CAP_NET_RAW` on old kernels.
    pub device: Option<&'a str>,
    /// This process has sockets on devices at the port already: those are joined, nobody else's.
    pub joins_devices: bool,
    /// Broadcasts may be sent.
    pub broadcast: bool,
    /// Wanted receive buffer in bytes; without `CAP_NET_ADMIN` limited by `net.core.rmem_max`.
    pub receive_buffer: Option<u32>,
    /// Wanted send buffer in bytes; without `CAP_NET_ADMIN` limited by `net.core.wmem_max`.
    pub send_buffer: Option<u32>,
}

/// A non-blocking IPv4 UDP socket.
#[derive(Debug)]
pub struct UdpPort {
    fd: OwnedFd,
    local: SocketAddrV4,
    packet_info: bool,
    receive_buffer: u32,
    send_buffer: u32,
}

impl UdpPort {
    /// Opens and binds; port 0 takes a free one.
    ///
    /// # Errors
    /// Whatever the kernel says: address in use or not here, permission, no such device.
    pub fn bind(address: SocketAddrV4, options: &UdpOptions<'_>) -> io::Result<Self> {
        let fd = sys::socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_UDP)?;
        let socket = fd.as_fd();
        if options.reuse_port {
            sys::set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, &1i32)?;
        }
        if let Some(device) = options.device {
            // A wildcard socket on a device lives beside sockets on its addresses only with this.
            sys::set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, &1i32)?;
            sys::set_option_text(socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, device)?;
        }
        if options.broadcast {
            sys::set_option(socket, libc::SOL_SOCKET, libc::SO_BROADCAST, &1i32)?;
        }
        if options.packet_info {
            sys::set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, &1i32)?;
        }
        if let Some(bytes) = options.receive_buffer {
            grow(socket, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, bytes)?;
        }
        if let Some(bytes) = options.send_buffer {
            grow(socket, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, bytes)?;
        }
        bind(socket, address, options)?;
        // Set after binding: nobody else could have this address, and now a socket on a device may join it.
        sys::set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, &1i32)?;
        let local = sys::local_address(socket)?;
        // The kernel doubles what is asked for, to account for its own overhead.
        let receive_buffer = sys::int_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUF)? as u32 / 2;
        let send_buffer = sys::int_option(socket, libc::SOL_SOCKET, libc::SO_SNDBUF)? as u32;
        Ok(Self {
            fd,
            local,
            packet_info: options.packet_info,
            receive_buffer,
            send_buffer,
        })
    }

    /// From now on, datagrams of one sender that came close together may be handed over whole (`UDP_GRO`): what reads
    /// them needs a [`RecvBatch::for_trains`](crate::RecvBatch::for_trains). It spares the kernel to cut what came as
    /// one message, and the reader most of the cost of each datagram. A wish: an older kernel goes on singly.
    pub fn take_trains(&self, take: bool) {
        let _ = sys::set_option(self.fd.as_fd(), libc::SOL_UDP, libc::UDP_GRO, &i32::from(take));
    }

    /// The address it is really bound to.
    #[must_use]
    pub fn local_address(&self) -> SocketAddrV4 {
        self.local
    }

    /// Whether datagrams carry and take local addresses.
    #[must_use]
    pub fn has_packet_info(&self) -> bool {
        self.packet_info
    }

    /// Receive buffer in bytes as the kernel granted it.
    #[must_use]
    pub fn receive_buffer(&self) -> u32 {
        self.receive_buffer
    }

    /// Send buffer in bytes of the kernel's own accounting: about 1280 for a DHCP reply.
    pub(crate) fn send_buffer(&self) -> u32 {
        self.send_buffer
    }
}

impl AsFd for UdpPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Binds for itself alone, or beside sockets on devices where those are all that stands in the way.
///
/// Which socket a datagram goes to does not depend on the order they were bound in: to one of our addresses, the
/// kernel looks for a socket at that address first and for a wildcard then; a broadcast never goes to the former.
fn bind(socket: BorrowedFd<'_>, address: SocketAddrV4, options: &UdpOptions<'_>) -> io::Result<()> {
    let at = sys::to_sockaddr(address);
    match sys::bind(socket, &at) {
        Err(fault) if fault.kind() == io::ErrorKind::AddrInUse && options.joins_devices => {
            // With `SO_REUSEADDR` the address of any other process that has set it could be joined as well. A
            // socket on the loopback collides with all of those, and not with ours, which are on other devices.
            let probe = sys::socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_UDP)?;
            if options.reuse_port {
                sys::set_option(probe.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEPORT, &1i32)?;
            }
            sys::set_option_text(probe.as_fd(), libc::SOL_SOCKET, libc::SO_BINDTODEVICE, "lo")?;
            sys::bind(probe.as_fd(), &at)?;
            drop(probe);
            sys::set_option(socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, &1i32)?;
            sys::bind(socket, &at)
        }
        bound => bound,
    }
}

/// Tries the privileged way first, which passes over `net.core.rmem_max` or `wmem_max`.
pub(crate) fn grow(socket: BorrowedFd<'_>, force: i32, ask: i32, bytes: u32) -> io::Result<()> {
    // The kernel doubles it.
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
    sys::set_option(socket, libc::SOL_SOCKET, force, &bytes)
        .or_else(|_| sys::set_option(socket, libc::SOL_SOCKET, ask, &bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn loopback() -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)
    }

    #[test]
    fn the_bound_port_and_the_granted_buffer_are_read_back() {
        let options = UdpOptions {
            receive_buffer: Some(65_536),
            ..UdpOptions::default()
        };
        let port = UdpPort::bind(loopback(), &options).unwrap();
        assert_ne!(port.local_address().port(), 0);
        assert_eq!(port.receive_buffer(), 65_536);
    }

    #[test]
    fn a_port_is_shared_only_on_request() {
        let first = UdpPort::bind(
            loopback(),
            &UdpOptions {
                reuse_port: true,
                ..UdpOptions::default()
            },
        )
        .unwrap();
        let shared = UdpOptions {
            reuse_port: true,
            ..UdpOptions::default()
        };
        assert!(UdpPort::bind(first.local_address(), &shared).is_ok());
        let fault = UdpPort::bind(first.local_address(), &UdpOptions::default()).unwrap_err();
        assert_eq!(fault.kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn a_segment_is_served_beside_an_address_on_it() {
        let address = UdpPort::bind(loopback(), &UdpOptions::default()).unwrap();
        let segment = UdpOptions {
            device: Some("lo"),
            ..UdpOptions::default()
        };
        let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, address.local_address().port());
        UdpPort::bind(everywhere, &segment).unwrap();
        let second = UdpPort::bind(address.local_address(), &UdpOptions::default());
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn an_unknown_device_is_an_error() {
        let options = UdpOptions {
            device: Some("no-such-device"),
            ..UdpOptions::default()
        };
        assert!(UdpPort::bind(loopback(), &options).is_err());
    }
}
