//! ARP probes: does somebody on this link use an address? (RFC 5227, section 2.1.1)

use crate::{Interface, sys};
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const ETHERNET: usize = 14;
const PACKET: usize = 28;
const FRAME: usize = ETHERNET + PACKET;
const REQUEST: u16 = 1;

/// Who says on a link that an address is theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArpPacket {
    pub sender_mac: [u8; 6],
    pub sender: Ipv4Addr,
    pub target: Ipv4Addr,
    pub request: bool,
}

impl ArpPacket {
    /// Reads a frame with its Ethernet header; `None` when it is no ARP for IPv4 over Ethernet (RFC 826).
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let packet = frame.get(ETHERNET..FRAME)?;
        let kinds: [u8; 6] = [0, 1, 0x08, 0x00, 6, 4];
        if frame[12..14] != 0x0806u16.to_be_bytes() || packet[..6] != kinds {
            return None;
        }
        Some(Self {
            sender_mac: packet[8..14].try_into().ok()?,
            sender: Ipv4Addr::from(<[u8; 4]>::try_from(&packet[14..18]).ok()?),
            target: Ipv4Addr::from(<[u8; 4]>::try_from(&packet[24..28]).ok()?),
            request: u16::from_be_bytes([packet[6], packet[7]]) == REQUEST,
        })
    }

    fn compose_request(&self) -> [u8; FRAME] {
        let mut frame = [0; FRAME];
        frame[..6].fill(0xff);
        frame[6..12].copy_from_slice(&self.sender_mac);
        frame[12..14].copy_from_slice(&0x0806u16.to_be_bytes());
        let packet = &mut frame[ETHERNET..];
        packet[..8].copy_from_slice(&[0, 1, 0x08, 0x00, 6, 4, 0, REQUEST as u8]);
        packet[8..14].copy_from_slice(&self.sender_mac);
        packet[14..18].copy_from_slice(&self.sender.octets());
        packet[24..28].copy_from_slice(&self.target.octets());
        frame
    }
}

/// Sends ARP probes on one interface and hears the answers. Needs `CAP_NET_RAW`.
#[derive(Debug)]
pub struct ArpProber {
    fd: OwnedFd,
    interface: u32,
    mac: [u8; 6],
}

impl ArpProber {
    /// Opens the socket; it receives only ARP packets with a sender address, never our own.
    ///
    /// # Errors
    /// Without the capability, or when the interface has no hardware address.
    pub fn open(interface: &Interface) -> io::Result<Self> {
        let mac = interface.mac.ok_or(io::ErrorKind::Unsupported)?;
        // Protocol 0 until the filter is in place: nothing unfiltered is ever queued.
        let fd = sys::socket(libc::AF_PACKET, libc::SOCK_RAW, 0)?;
        crate::steer::attach_filter(fd.as_fd(), &SENDERS_ONLY)?;
        sys::bind(
            fd.as_fd(),
            &sys::link_address(interface.index, libc::ETH_P_ARP as u16, [0; 6]),
        )?;
        Ok(Self {
            fd,
            interface: interface.index,
            mac,
        })
    }

    /// Asks who has `address`, with the all-zero sender address of a probe.
    ///
    /// # Errors
    /// When the interface is gone or down.
    pub fn probe(&self, address: Ipv4Addr) -> io::Result<()> {
        let packet = ArpPacket {
            sender_mac: self.mac,
            sender: Ipv4Addr::UNSPECIFIED,
            target: address,
            request: true,
        };
        let to = sys::link_address(self.interface, libc::ETH_P_ARP as u16, [0xff; 6]);
        sys::send_to(self.fd.as_fd(), &packet.compose_request(), &to).map(|_| ())
    }

    /// The next packet by which another machine claims an address; `None` when nothing is waiting.
    ///
    /// # Errors
    /// When the interface went down.
    pub fn receive(&self) -> io::Result<Option<ArpPacket>> {
        let mut frame = [0; 128];
        while let Some(length) = sys::receive(self.fd.as_fd(), &mut frame)? {
            match ArpPacket::parse(&frame[..length]) {
                Some(packet) if packet.sender_mac != self.mac => return Ok(Some(packet)),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl AsFd for ArpProber {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Accepts ARP frames whose sender protocol address (frame offset 28) is not zero.
const SENDERS_ONLY: [libc::sock_filter; 6] = [
    libc::sock_filter {
        code: 0x28,
        jt: 0,
        jf: 0,
        k: 12,
    }, // ldh [12]
    libc::sock_filter {
        code: 0x15,
        jt: 0,
        jf: 3,
        k: 0x0806,
    }, // jeq ARP
    libc::sock_filter {
        code: 0x20,
        jt: 0,
        jf: 0,
        k: 28,
    }, // ld [28]
    libc::sock_filter {
        code: 0x15,
        jt: 1,
        jf: 0,
        k: 0,
    }, // jeq 0
    libc::sock_filter {
        code: 0x06,
        jt: 0,
        jf: 0,
        k: 128,
    }, // ret 128
    libc::sock_filter {
        code: 0x06,
        jt: 0,
        jf: 0,
        k: 0,
    }, // ret 0
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns::{Pair, readable};
    use std::time::Duration;

    #[test]
    fn a_composed_probe_reads_back() {
        let packet = ArpPacket {
            sender_mac: [2, 0, 0, 0, 0, 9],
            sender: Ipv4Addr::UNSPECIFIED,
            target: Ipv4Addr::new(10, 0, 0, 7),
            request: true,
        };
        assert_eq!(ArpPacket::parse(&packet.compose_request()), Some(packet));
        assert_eq!(ArpPacket::parse(&packet.compose_request()[..41]), None);
    }

    #[test]
    fn a_used_address_answers_and_a_free_one_does_not() {
        let Some(pair) = Pair::addressed("arp") else {
            return;
        };
        let client_mac = pair.in_client(|| crate::interface("c0").unwrap().unwrap().mac.unwrap());
        pair.in_server(move || {
            let own = crate::interface("s0").unwrap().unwrap();
            let prober = ArpProber::open(&own).unwrap();
            prober.probe(Ipv4Addr::new(10, 77, 0, 99)).unwrap();
            prober.probe(Ipv4Addr::new(10, 77, 0, 2)).unwrap();
            // Frames on one link keep their order: an answer for .99 would have come before.
            readable(&prober, Duration::from_secs(5));
            let answer = prober.receive().unwrap().unwrap();
            assert_eq!(
                (answer.sender, answer.sender_mac),
                (Ipv4Addr::new(10, 77, 0, 2), client_mac)
            );
        });
    }
}
