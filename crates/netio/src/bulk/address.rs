//! Socket addresses of both families as the kernel reads and writes them.

use crate::sys;
use std::mem::size_of;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Room for an address of either family; the first two octets of both say which it is.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) union Address {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl Address {
    pub(super) const ROOM: libc::socklen_t = size_of::<Self>() as libc::socklen_t;

    /// All zero: no family.
    pub(super) fn none() -> Self {
        // SAFETY: both members are plain numbers, for which all-zero is valid; zeroing fills the longer one.
        unsafe { std::mem::zeroed() }
    }

    pub(super) fn of(address: SocketAddr) -> Self {
        let mut room = Self::none();
        match address {
            SocketAddr::V4(v4) => room.v4 = sys::to_sockaddr(v4),
            SocketAddr::V6(v6) => {
                room.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo(),
                    sin6_addr: to_in6_addr(*v6.ip()),
                    sin6_scope_id: v6.scope_id(),
                }
            }
        }
        room
    }

    /// Octets the kernel must be told for an address of this family.
    pub(super) fn length(address: SocketAddr) -> libc::socklen_t {
        match address {
            SocketAddr::V4(_) => size_of::<libc::sockaddr_in>() as libc::socklen_t,
            SocketAddr::V6(_) => size_of::<libc::sockaddr_in6>() as libc::socklen_t,
        }
    }

    /// The address; an unknown family reads as IPv4.
    pub(super) fn read(&self) -> SocketAddr {
        // SAFETY: every octet was set by `none` or by the kernel, and all bit patterns are valid numbers; the
        // family stands at the same place in both members.
        unsafe {
            if i32::from(self.v4.sin_family) == libc::AF_INET6 {
                let v6 = &self.v6;
                SocketAddr::V6(SocketAddrV6::new(
                    from_in6_addr(v6.sin6_addr),
                    u16::from_be(v6.sin6_port),
                    0,
                    v6.sin6_scope_id,
                ))
            } else {
                SocketAddr::V4(sys::from_sockaddr(&self.v4))
            }
        }
    }
}

pub(super) fn to_in6_addr(address: Ipv6Addr) -> libc::in6_addr {
    libc::in6_addr {
        s6_addr: address.octets(),
    }
}

pub(super) fn from_in6_addr(address: libc::in6_addr) -> Ipv6Addr {
    Ipv6Addr::from(address.s6_addr)
}

/// Whether a source address says anything.
pub(super) fn named(address: Option<IpAddr>) -> Option<IpAddr> {
    address.filter(|address| !address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_come_back() {
        for text in ["10.1.2.3:69", "[2001:db8::5]:6969", "[fe80::1%3]:1"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(Address::of(address).read(), address, "{text}");
        }
    }
}
