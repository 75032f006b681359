//! What nodes send each other, under their common key.
//!
//! ```text
//!  "PLNF" | version 2 u8 | attempt u8 | source port u16 | source u32 | segment u32 | back port u16 | back u32 |
//!           length u16 | payload | tag, 16 octets
//!  "PLNR" | version 2 u8 | 0 u8 | segment u32 | length u16 | payload | tag, 16 octets
//! ```
//!
//! Integers are big-endian. The first is a packet for the node that decides about it. Where it was heard on a segment,
//! `segment` is the address of the node that heard it there, and `back` where that node takes replies (0: where the packet
//! comes from). The second is such a reply. The tag is the beginning of HMAC-SHA-256 over everything before it, under a
//! key that all nodes of the cluster have: a stranger cannot speak for a relay that it is not. Repeating a packet does what
//! a client's own repetition does. A forwarded packet is never forwarded back: its attempt only rises.

use super::{ForwardKey, TAG};
use crate::handover::Link;
use purlin_dhcp_core::step::{Arrival, REPLY_MAX, Reply};
use std::net::{Ipv4Addr, SocketAddrV4};

const PACKET: [u8; 4] = *b"PLNF";
const REPLY: [u8; 4] = *b"PLNR";
const VERSION: u8 = 2;
const PACKET_HEAD: usize = 24;
const REPLY_HEAD: usize = 12;
/// Payload carried at most: what a client may send in an Ethernet frame, and some.
const PAYLOAD_MAX: usize = 2048;

/// What is received is kept whole.
const _: () = assert!(PACKET_HEAD + PAYLOAD_MAX + TAG <= purlin_netio::DATAGRAM_MAX);

/// What was inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened<'a> {
    Packet {
        attempt: u8,
        source: SocketAddrV4,
        link: Option<Link>,
        payload: &'a [u8],
    },
    /// For whoever is asked for on the segment where this node has this address.
    Reply { segment: Ipv4Addr, payload: &'a [u8] },
}

/// Appends a packet for another node to `out`; false, and nothing appended, when it is too long to carry.
pub(super) fn seal(
    key: &ForwardKey,
    attempt: u8,
    arrival: &Arrival<'_>,
    link: Option<Link>,
    out: &mut Vec<u8>,
) -> bool {
    let payload = arrival.payload;
    let Some(length) = u16::try_from(payload.len())
        .ok()
        .filter(|_| payload.len() <= PAYLOAD_MAX)
    else {
        return false;
    };
    let nowhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
    let (segment, back) = link.map_or((Ipv4Addr::UNSPECIFIED, nowhere), |link| (link.segment, link.back));
    let start = out.len();
    out.extend_from_slice(&PACKET);
    out.extend_from_slice(&[VERSION, attempt]);
    out.extend_from_slice(&arrival.source.port().to_be_bytes());
    out.extend_from_slice(&arrival.source.ip().octets());
    out.extend_from_slice(&segment.octets());
    out.extend_from_slice(&back.port().to_be_bytes());
    out.extend_from_slice(&back.ip().octets());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(payload);
    let tag = key.tag(&out[start..]);
    out.extend_from_slice(&tag);
    true
}

/// Seals a reply in its place; false when there is no room.
pub(super) fn seal_reply(key: &ForwardKey, segment: Ipv4Addr, reply: &mut Reply) -> bool {
    let signed = REPLY_HEAD + reply.len;
    if signed + TAG > REPLY_MAX {
        return false;
    }
    let length = u16::try_from(reply.len).expect("shorter than REPLY_MAX");
    reply.bytes.copy_within(..reply.len, REPLY_HEAD);
    reply.bytes[..4].copy_from_slice(&REPLY);
    reply.bytes[4..6].copy_from_slice(&[VERSION, 0]);
    reply.bytes[6..10].copy_from_slice(&segment.octets());
    reply.bytes[10..12].copy_from_slice(&length.to_be_bytes());
    let tag = key.tag(&reply.bytes[..signed]);
    reply.bytes[signed..signed + TAG].copy_from_slice(&tag);
    reply.len = signed + TAG;
    true
}

/// What is inside a datagram that came from `from` and whose tag is right.
pub(crate) fn open(from: SocketAddrV4, signed: &[u8]) -> Option<Opened<'_>> {
    if signed.get(4) != Some(&VERSION) {
        return None;
    }
    if signed.starts_with(&REPLY) {
        open_reply(signed)
    } else {
        open_packet(from, signed)
    }
}

fn open_packet(from: SocketAddrV4, signed: &[u8]) -> Option<Opened<'_>> {
    let (head, payload) = signed.split_first_chunk::<PACKET_HEAD>()?;
    if !head.starts_with(&PACKET) || !fits([head[22], head[23]], payload) {
        return None;
    }
    let segment = address(head, 12);
    let back = match SocketAddrV4::new(address(head, 18), port(head, 16)) {
        unsaid if unsaid.port() == 0 => from,
        said => said,
    };
    Some(Opened::Packet {
        // One that claims to be the first would be forwarded on.
        attempt: head[5].max(1),
        source: SocketAddrV4::new(address(head, 8), port(head, 6)),
        link: (!segment.is_unspecified()).then_some(Link { segment, back }),
        payload,
    })
}

fn open_reply(signed: &[u8]) -> Option<Opened<'_>> {
    let (head, payload) = signed.split_first_chunk::<REPLY_HEAD>()?;
    fits([head[10], head[11]], payload).then(|| Opened::Reply {
        segment: address(head, 6),
        payload,
    })
}

fn fits(length: [u8; 2], payload: &[u8]) -> bool {
    usize::from(u16::from_be_bytes(length)) == payload.len()
}

fn port(head: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([head[at], head[at + 1]])
}

fn address(head: &[u8], at: usize) -> Ipv4Addr {
    Ipv4Addr::new(head[at], head[at + 1], head[at + 2], head[at + 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &[u8]) -> ForwardKey {
        ForwardKey::new(secret).expect("long enough")
    }

    fn sealed(key: &ForwardKey, attempt: u8, payload: &[u8], link: Option<Link>) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(seal(key, attempt, &arrival(payload), link, &mut out));
        out
    }

    fn opened<'a>(key: &ForwardKey, datagram: &'a [u8]) -> Option<Opened<'a>> {
        open(from(), key.signed(datagram)?)
    }

    fn from() -> SocketAddrV4 {
        "192.0.2.1:6700".parse().expect("an address")
    }

    fn arrival(payload: &[u8]) -> Arrival<'_> {
        Arrival {
            payload,
            source: "10.9.0.1:67".parse().expect("an address"),
            local: Ipv4Addr::LOCALHOST,
            port: 67,
            interface: None,
            broadcast: false,
            attempt: 0,
        }
    }

    #[test]
    fn what_is_sealed_is_opened_as_it_was() {
        let key = key(b"sixteen octets!!");
        let payload = b"a request";
        let there = Link {
            segment: Ipv4Addr::new(10, 9, 0, 2),
            back: "192.0.2.7:6701".parse().expect("an address"),
        };
        for link in [None, Some(there)] {
            let packet = sealed(&key, 3, payload, link);
            let source = arrival(payload).source;
            let same = Opened::Packet {
                attempt: 3,
                source,
                link,
                payload,
            };
            assert_eq!(opened(&key, &packet), Some(same));
        }
    }

    #[test]
    fn who_does_not_know_its_own_address_is_answered_where_it_sent_from() {
        let key = key(b"sixteen octets!!");
        let link = Link {
            segment: Ipv4Addr::new(10, 9, 0, 2),
            back: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
        };
        let packet = sealed(&key, 1, b"x", Some(link));
        let Some(Opened::Packet { link: Some(link), .. }) = opened(&key, &packet) else {
            panic!("ours, with a link");
        };
        assert_eq!(link.back, from());
    }

    #[test]
    fn a_reply_is_sealed_in_its_place() {
        let key = key(b"sixteen octets!!");
        let segment = Ipv4Addr::new(10, 9, 0, 2);
        let mut reply = Reply::default();
        reply.bytes[..8].copy_from_slice(b"an offer");
        reply.len = 8;
        assert!(seal_reply(&key, segment, &mut reply));
        let payload = b"an offer";
        let same = Opened::Reply { segment, payload };
        assert_eq!(opened(&key, reply.as_bytes()), Some(same));

        reply.len = REPLY_MAX - REPLY_HEAD - TAG + 1;
        assert!(!seal_reply(&key, segment, &mut reply), "it is not cut");
    }

    #[test]
    fn no_octet_can_be_changed() {
        let key = key(b"sixteen octets!!");
        let packet = sealed(&key, 1, b"x", None);
        for at in 0..packet.len() {
            let mut forged = packet.clone();
            forged[at] ^= 1;
            assert!(opened(&key, &forged).is_none(), "octet {at}");
            assert!(opened(&key, &packet[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn another_clusters_key_opens_nothing() {
        let packet = sealed(&key(b"sixteen octets!!"), 1, b"x", None);
        assert!(opened(&key(b"seventeen octets!"), &packet).is_none());
    }

    #[test]
    fn a_packet_too_long_to_carry_is_not_cut() {
        let (long, mut out) = ([0; PAYLOAD_MAX + 1], Vec::new());
        assert!(!seal(
            &key(b"sixteen octets!!"),
            1,
            &arrival(&long),
            None,
            &mut out
        ));
        assert!(out.is_empty());
    }
}
