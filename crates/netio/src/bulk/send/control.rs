//! Control messages: where a datagram comes from, and into what a message is cut.

use super::Way;
use crate::bulk::address::{named, to_in6_addr};
use crate::sys;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const HEADER: usize = size_of::<libc::cmsghdr>();
/// Room for an `IPV6_PKTINFO` (40 octets) and a `UDP_SEGMENT` (24) message.
const ROOM: usize = 64;

#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct Control([u8; ROOM]);

impl Default for Control {
    fn default() -> Self {
        Self([0; ROOM])
    }
}

impl Control {
    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr()
    }

    /// Writes what is needed; returns the octets used.
    pub(super) fn write(&mut self, way: Option<&Way>, segment: Option<usize>) -> usize {
        let mut used = 0;
        if let Some(way) = way {
            used = self.write_source(way);
        }
        if let Some(segment) = segment {
            used = self.put(used, libc::SOL_UDP, libc::UDP_SEGMENT, segment as u16);
        }
        used
    }

    fn write_source(&mut self, way: &Way) -> usize {
        match (way.to, named(way.from)) {
            (SocketAddr::V4(_), Some(IpAddr::V4(from))) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: sys::to_in_addr(from),
                    ipi_addr: sys::to_in_addr(Ipv4Addr::UNSPECIFIED),
                };
                self.put(0, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
            }
            (SocketAddr::V6(to), Some(IpAddr::V6(from))) => {
                // Only link-local targets need an interface; for others routing may know better.
                let local = to.ip().is_unicast_link_local();
                let info = libc::in6_pktinfo {
                    ipi6_addr: to_in6_addr(from),
                    ipi6_ifindex: if local { way.interface } else { 0 } as _,
                };
                self.put(0, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
            }
            _ => 0,
        }
    }

    /// Appends one message; returns where the next would start.
    fn put<T: Copy>(&mut self, at: usize, level: i32, kind: i32, value: T) -> usize {
        let end = at + HEADER + size_of::<T>();
        assert!(at.is_multiple_of(8) && end <= ROOM, "the control block has room");
        // SAFETY: checked above: the header starts aligned, and header and value end inside the block.
        unsafe {
            let base = self.0.as_mut_ptr().add(at);
            let header = base.cast::<libc::cmsghdr>();
            (*header).cmsg_len = (HEADER + size_of::<T>()) as _;
            (*header).cmsg_level = level;
            (*header).cmsg_type = kind;
            base.add(HEADER).cast::<T>().write_unaligned(value);
        }
        end.next_multiple_of(8)
    }
}
