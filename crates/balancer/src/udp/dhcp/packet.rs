//! What a front must know of a DHCP message, and nothing more.
//!
//! ```text
//!    0 op htype hlen hops    4 xid     8 secs flags    12 ciaddr   16 yiaddr   20 siaddr   24 giaddr
//!   28 chaddr (16)          44 sname (64)  108 file (128)        236 cookie   240 options
//! ```
//!
//! Source: RFC 2131, section 2; RFC 2132, sections 2 and 9.6.

use purlin_fabric::balance::key;
use std::net::Ipv4Addr;

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const OPTIONS: usize = 240;

/// Values of option 53 (RFC 2132, section 9.6).
pub(super) const DISCOVER: u8 = 1;
pub(super) const DECLINE: u8 = 4;
pub(super) const ACK: u8 = 5;
pub(super) const NAK: u8 = 6;
pub(super) const RELEASE: u8 = 7;

/// A message, borrowed from its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    /// A server's answer (op 2), not a client's question.
    pub(super) is_answer: bool,
    /// Option 53; 0 for BOOTP.
    pub(super) kind: u8,
    pub(super) ciaddr: Ipv4Addr,
    pub(super) giaddr: Ipv4Addr,
    /// Option 61.
    pub(super) client_id: Option<&'a [u8]>,
    whole: &'a [u8],
}

impl<'a> Packet<'a> {
    /// `None` when it is no DHCP message. Options in `file` and `sname` (RFC 2132, section 9.3) are not looked at:
    /// clients are told apart by chaddr then.
    pub(super) fn read(octets: &'a [u8]) -> Option<Self> {
        let options = octets.get(OPTIONS..)?;
        if octets[236..OPTIONS] != COOKIE || octets[2] > 16 {
            return None;
        }
        let is_answer = match octets[0] {
            1 => false,
            2 => true,
            _ => return None,
        };
        let kind = option(options, 53).and_then(|value| value.first().copied());
        Some(Self {
            is_answer,
            kind: kind.unwrap_or_default(),
            ciaddr: address(octets, 12),
            giaddr: address(octets, 24),
            client_id: option(options, 61).filter(|value| !value.is_empty()),
            whole: octets,
        })
    }

    /// Which client this is: its identifier, else its hardware type and address (RFC 2131, section 4.2).
    pub(super) fn client(&self) -> u64 {
        self.client_id.map_or_else(|| self.chaddr(), key)
    }

    pub(super) fn chaddr(&self) -> u64 {
        let mut octets = [0; 17];
        octets[0] = self.whole[1];
        let length = usize::from(self.whole[2]);
        octets[1..=length].copy_from_slice(&self.whole[28..28 + length]);
        key(&octets[..=length])
    }

    /// A client's conversation: xid and chaddr, which every answer repeats.
    pub(super) fn transaction(&self) -> u64 {
        let mut octets = [0; 20];
        octets[..4].copy_from_slice(&self.whole[4..8]);
        octets[4..].copy_from_slice(&self.whole[28..44]);
        key(&octets)
    }

    /// Whether a server that gets this from us could answer: at the relay, or at the address that the client has. One
    /// that is broadcast on our own segment can only be answered from a socket on that segment.
    pub(super) fn is_answerable(&self) -> bool {
        !(self.giaddr.is_unspecified() && self.ciaddr.is_unspecified())
    }

    /// Whether a server answers such a message (RFC 2131, section 4.3).
    pub(super) fn wants_answer(&self) -> bool {
        !matches!(self.kind, DECLINE | RELEASE)
    }
}

fn address(octets: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3])
}

/// The first option of that code.
fn option(mut options: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        match options {
            [0, rest @ ..] => options = rest,
            [255, ..] | [] | [_] => return None,
            [code, length, rest @ ..] => {
                let value = rest.get(..usize::from(*length))?;
                if *code == wanted {
                    return Some(value);
                }
                options = &rest[value.len()..];
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A client's message.
    pub(in crate::udp::dhcp) fn message(kind: u8, xid: u32, client: u8) -> Vec<u8> {
        let mut octets = vec![0; OPTIONS];
        octets[..3].copy_from_slice(&[1, 1, 6]);
        octets[4..8].copy_from_slice(&xid.to_be_bytes());
        octets[24..28].copy_from_slice(&[10, 0, 0, 5]);
        octets[28..34].copy_from_slice(&[2, 0, 0, 0, 0, client]);
        octets[236..].copy_from_slice(&COOKIE);
        octets.extend([53, 1, kind, 255]);
        octets
    }

    #[test]
    fn a_client_is_its_identifier_else_its_hardware() {
        let plain = message(DISCOVER, 7, 1);
        let mut named = message(DISCOVER, 7, 1);
        named.truncate(OPTIONS);
        named.extend([0, 61, 3, 9, 9, 9, 53, 1, 3, 255]);
        let (plain, named) = (Packet::read(&plain).unwrap(), Packet::read(&named).unwrap());
        assert_eq!((named.kind, named.client_id), (3, Some(&[9, 9, 9][..])));
        assert_eq!(plain.client(), plain.chaddr());
        assert_ne!(named.client(), plain.client());
        assert_eq!(named.chaddr(), plain.chaddr());
        assert_eq!(named.transaction(), plain.transaction());
    }

    #[test]
    fn who_has_no_address_and_no_relay_cannot_be_answered_from_here() {
        let mut octets = message(DISCOVER, 7, 1);
        assert!(Packet::read(&octets).unwrap().is_answerable());
        octets[24..28].fill(0);
        assert!(!Packet::read(&octets).unwrap().is_answerable());
        octets[12..16].copy_from_slice(&[10, 0, 1, 1]);
        assert!(Packet::read(&octets).unwrap().is_answerable());
    }

    #[test]
    fn what_is_no_dhcp_is_refused() {
        let good = message(DISCOVER, 7, 1);
        assert!(Packet::read(&good).is_some());
        let spoiled = |at: usize, octet: u8| {
            let mut octets = good.clone();
            octets[at] = octet;
            Packet::read(&octets).is_none()
        };
        assert!(spoiled(0, 3) && spoiled(2, 17) && spoiled(236, 0));
        assert!(Packet::read(&good[..239]).is_none());
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(mut octets in proptest::collection::vec(any::<u8>(), 0..400), whole in any::<bool>()) {
            if whole && octets.len() >= OPTIONS {
                octets[0] = 1;
                octets[2] %= 17;
                octets[236..OPTIONS].copy_from_slice(&COOKIE);
            }
            if let Some(packet) = Packet::read(&octets) {
                let _ = (packet.client(), packet.transaction(), packet.is_answerable());
            }
        }
    }
}
