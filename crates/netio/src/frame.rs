//! Ethernet frames with an IPv4 and UDP header, for clients that have no address yet.
//!
//! ```text
//!   0        6        12    14            34          42
//!   | target | source | 0x0800 | IPv4, 20 | UDP, 8    | payload
//! ```

use std::net::{Ipv4Addr, SocketAddrV4};

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const UDP: usize = 8;
/// Headers before the payload, in octets.
pub const FRAME_OVERHEAD: usize = ETHERNET + IPV4 + UDP;
const TTL: u8 = 64;
const PROTOCOL_UDP: u8 = 17;

/// One datagram as a whole frame.
#[derive(Debug, Clone, Copy)]
pub struct UdpFrame<'a> {
    pub source_mac: [u8; 6],
    pub target_mac: [u8; 6],
    pub source: SocketAddrV4,
    pub target: SocketAddrV4,
    pub payload: &'a [u8],
}

impl UdpFrame<'_> {
    /// Writes the frame to the front of `out`; `None` when it does not fit or is longer than IPv4 can say.
    #[must_use]
    pub fn compose<'o>(&self, out: &'o mut [u8]) -> Option<&'o [u8]> {
        let length = FRAME_OVERHEAD + self.payload.len();
        let ip_length = u16::try_from(length - ETHERNET).ok()?;
        let frame = out.get_mut(..length)?;
        frame[..6].copy_from_slice(&self.target_mac);
        frame[6..12].copy_from_slice(&self.source_mac);
        frame[12..14].copy_from_slice(&0x0800u16.to_be_bytes());
        frame[FRAME_OVERHEAD..].copy_from_slice(self.payload);
        self.compose_ip(&mut frame[ETHERNET..], ip_length);
        self.compose_udp(&mut frame[ETHERNET + IPV4..], ip_length - IPV4 as u16);
        Some(frame)
    }

    /// RFC 791, section 3.1; identification 0 with "don't fragment", as RFC 6864 allows for atomic datagrams.
    fn compose_ip(&self, packet: &mut [u8], length: u16) {
        let header = &mut packet[..IPV4];
        header.fill(0);
        header[0] = 0x45;
        header[2..4].copy_from_slice(&length.to_be_bytes());
        header[6] = 0x40;
        header[8] = TTL;
        header[9] = PROTOCOL_UDP;
        header[12..16].copy_from_slice(&self.source.ip().octets());
        header[16..20].copy_from_slice(&self.target.ip().octets());
        let sum = internet_checksum(&[header]);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
    }

    /// RFC 768; a checksum of zero is sent as all ones.
    fn compose_udp(&self, datagram: &mut [u8], length: u16) {
        datagram[..2].copy_from_slice(&self.source.port().to_be_bytes());
        datagram[2..4].copy_from_slice(&self.target.port().to_be_bytes());
        datagram[4..6].copy_from_slice(&length.to_be_bytes());
        datagram[6..8].fill(0);
        let pseudo = pseudo_header(*self.source.ip(), *self.target.ip(), length);
        let sum = match internet_checksum(&[&pseudo, datagram]) {
            0 => u16::MAX,
            sum => sum,
        };
        datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    }
}

fn pseudo_header(source: Ipv4Addr, target: Ipv4Addr, length: u16) -> [u8; 12] {
    let mut header = [0; 12];
    header[..4].copy_from_slice(&source.octets());
    header[4..8].copy_from_slice(&target.octets());
    header[9] = PROTOCOL_UDP;
    header[10..].copy_from_slice(&length.to_be_bytes());
    header
}

/// The Internet checksum (RFC 1071) over `parts`; all but the last must have even length.
#[must_use]
pub fn internet_checksum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        let pairs = part.chunks_exact(2);
        if let [odd] = pairs.remainder() {
            sum += u64::from(*odd) << 8;
        }
        sum += pairs
            .map(|pair| u64::from(u16::from_be_bytes([pair[0], pair[1]])))
            .sum::<u64>();
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_rfc_1071_section_3_is_right() {
        let bytes = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(internet_checksum(&[&bytes]), !0xddf2);
    }

    #[test]
    fn a_frame_verifies_with_odd_and_even_payloads() {
        for payload in [&b"even"[..], b"odd"] {
            let mut out = [0xee; 1514];
            let frame = UdpFrame {
                source_mac: [2, 0, 0, 0, 0, 1],
                target_mac: [0xff; 6],
                source: "10.0.0.1:67".parse().unwrap(),
                target: "255.255.255.255:68".parse().unwrap(),
                payload,
            };
            let bytes = frame.compose(&mut out).unwrap();
            assert_eq!(bytes.len(), FRAME_OVERHEAD + payload.len());
            assert_eq!(internet_checksum(&[&bytes[14..34]]), 0);
            let length = (8 + payload.len()) as u16;
            let pseudo = pseudo_header(Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::BROADCAST, length);
            assert_eq!(internet_checksum(&[&pseudo, &bytes[34..]]), 0);
            assert_eq!(&bytes[42..], payload);
        }
    }

    #[test]
    fn a_frame_that_does_not_fit_is_not_written() {
        let at = "0.0.0.0:0".parse().unwrap();
        let frame = UdpFrame {
            source_mac: [0; 6],
            target_mac: [0; 6],
            source: at,
            target: at,
            payload: &[0; 10],
        };
        assert!(frame.compose(&mut [0; 50]).is_none());
    }
}
