//! What nodes send each other, under their common key.
//!
//! ```text
//!  "PLNF" | version 3 u8 | 0 u8 | packet ... | tag, 16 octets
//!      packet: attempt u8 | kind u8 | source port u16 | source u32 | length u16 | payload
//!      kind 1: between source and length also  segment u32 | back port u16 | back u32
//!  "PLNR" | version 2 u8 | 0 u8 | segment u32 | length u16 | payload | tag, 16 octets
//! ```
//!
//! Integers are big-endian. The first are packets for the node that decides about them, as many as fit into one Ethernet frame.
//! One of kind 1 was heard on a segment: `segment` is the address of the node that heard it there, and `back` where that node
//! takes replies (0: where the packets come from). The second is such a reply. The tag is the beginning of HMAC-SHA-256 over
//! everything before it, under a key that all nodes of the cluster have: a stranger cannot speak for a relay that it is not.
//! Repeating a packet does what a client's own repetition does. A forwarded packet is never forwarded back: its attempt only
//! rises.

use super::{ForwardKey, TAG};
use crate::handover::Link;
use purlin_dhcp_core::step::{Arrival, REPLY_MAX, Reply};
use std::net::{Ipv4Addr, SocketAddrV4};

const PACKET: [u8; 4] = *b"PLNF";
const REPLY: [u8; 4] = *b"PLNR";
const PACKET_VERSION: u8 = 3;
const REPLY_VERSION: u8 = 2;
const PARCEL_HEAD: usize = 6;
const PACKET_HEAD: usize = 10;
const LINK: usize = 10;
const ON_SEGMENT: u8 = 1;
const REPLY_HEAD: usize = 12;
/// Payload carried at most: what a client may send in an Ethernet frame, and some.
const PAYLOAD_MAX: usize = 2000;
/// A parcel takes packets up to here: an Ethernet frame less the headers of IP, UDP and a tunnel. A longer packet goes alone.
const PARCEL_MAX: usize = 1400;

/// What is received is kept whole.
const _: () = assert!(PARCEL_HEAD + PACKET_HEAD + LINK + PAYLOAD_MAX + TAG <= purlin_netio::DATAGRAM_MAX);

/// What was inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened<'a> {
    Packets(Packets<'a>),
    /// For whoever is asked for on the segment where this node has this address.
    Reply {
        segment: Ipv4Addr,
        payload: &'a [u8],
    },
}

/// A packet that another node has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packet<'a> {
    pub(crate) attempt: u8,
    pub(crate) source: SocketAddrV4,
    pub(crate) link: Option<Link>,
    pub(crate) payload: &'a [u8],
}

/// The packets of a parcel, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packets<'a> {
    /// Where the parcel comes from.
    from: SocketAddrV4,
    left: &'a [u8],
}

impl<'a> Iterator for Packets<'a> {
    type Item = Packet<'a>;

    fn next(&mut self) -> Option<Packet<'a>> {
        let (packet, left) = open_packet(self.from, self.left)?;
        self.left = left;
        Some(packet)
    }
}

/// Packets for one node on their way into one datagram.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    octets: Vec<u8>,
    pub(super) packets: u64,
}

impl Parcel {
    /// Empties it.
    pub(super) fn begin(&mut self) {
        self.octets.clear();
        self.octets.extend_from_slice(&PACKET);
        self.octets.extend_from_slice(&[PACKET_VERSION, 0]);
        self.packets = 0;
    }

    /// Whether a packet of that many octets still fits in: the first one always does.
    pub(super) fn takes(&self, payload: usize) -> bool {
        self.packets == 0 || self.octets.len() + PACKET_HEAD + LINK + payload + TAG <= PARCEL_MAX
    }

    pub(super) fn put(&mut self, attempt: u8, arrival: &Arrival<'_>, link: Option<Link>) {
        let out = &mut self.octets;
        out.extend_from_slice(&[attempt, if link.is_some() { ON_SEGMENT } else { 0 }]);
        out.extend_from_slice(&arrival.source.port().to_be_bytes());
        out.extend_from_slice(&arrival.source.ip().octets());
        if let Some(Link { segment, back }) = link {
            out.extend_from_slice(&segment.octets());
            out.extend_from_slice(&back.port().to_be_bytes());
            out.extend_from_slice(&back.ip().octets());
        }
        let length = u16::try_from(arrival.payload.len()).expect("shorter than PAYLOAD_MAX");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(arrival.payload);
        self.packets += 1;
    }

    /// Ends it with its tag.
    pub(super) fn seal(&mut self, key: &ForwardKey) {
        let tag = key.tag(&self.octets);
        self.octets.extend_from_slice(&tag);
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// Whether a packet is short enough to be carried at all.
pub(super) fn is_carried(arrival: &Arrival<'_>) -> bool {
    arrival.payload.len() <= PAYLOAD_MAX
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
    reply.bytes[4..6].copy_from_slice(&[REPLY_VERSION, 0]);
    reply.bytes[6..10].copy_from_slice(&segment.octets());
    reply.bytes[10..12].copy_from_slice(&length.to_be_bytes());
    let tag = key.tag(&reply.bytes[..signed]);
    reply.bytes[signed..signed + TAG].copy_from_slice(&tag);
    reply.len = signed + TAG;
    true
}

/// What is inside a datagram that came from `from` and whose tag is right.
pub(crate) fn open(from: SocketAddrV4, signed: &[u8]) -> Option<Opened<'_>> {
    match (signed.first_chunk::<4>()?, signed.get(4)?) {
        (&PACKET, &PACKET_VERSION) => {
            let left = signed.get(PARCEL_HEAD..)?;
            Some(Opened::Packets(Packets { from, left }))
        }
        (&REPLY, &REPLY_VERSION) => open_reply(signed),
        _ => None,
    }
}

/// The first packet of what is left of a parcel, and the rest.
fn open_packet(from: SocketAddrV4, left: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let (head, left) = left.split_first_chunk::<{ PACKET_HEAD - 2 }>()?;
    let (link, left) = match head[1] {
        ON_SEGMENT => {
            let (link, left) = left.split_first_chunk::<LINK>()?;
            let back = match SocketAddrV4::new(address(link, 6), port(link, 4)) {
                unsaid if unsaid.port() == 0 => from,
                said => said,
            };
            let segment = address(link, 0);
            (Some(Link { segment, back }), left)
        }
        _ => (None, left),
    };
    let (length, left) = left.split_first_chunk::<2>()?;
    let (payload, left) = left.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let packet = Packet {
        // One that claims to be the first would be forwarded on.
        attempt: head[0].max(1),
        source: SocketAddrV4::new(address(head, 4), port(head, 2)),
        link,
        payload,
    };
    Some((packet, left))
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
        let mut parcel = Parcel::default();
        parcel.begin();
        parcel.put(attempt, &arrival(payload), link);
        parcel.seal(key);
        parcel.octets().to_vec()
    }

    fn opened<'a>(key: &ForwardKey, datagram: &'a [u8]) -> Option<Opened<'a>> {
        open(from(), key.signed(datagram)?)
    }

    fn packets<'a>(key: &ForwardKey, datagram: &'a [u8]) -> Vec<Packet<'a>> {
        match opened(key, datagram) {
            Some(Opened::Packets(packets)) => packets.collect(),
            other => panic!("packets: {other:?}"),
        }
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
            let parcel = sealed(&key, 3, payload, link);
            let source = arrival(payload).source;
            let same = Packet {
                attempt: 3,
                source,
                link,
                payload,
            };
            assert_eq!(packets(&key, &parcel), [same]);
        }
    }

    #[test]
    fn a_parcel_takes_packets_until_a_frame_is_full_and_keeps_their_order() {
        let key = key(b"sixteen octets!!");
        let mut parcel = Parcel::default();
        for round in 0..2 {
            parcel.begin();
            let mut put = 0;
            while parcel.takes(300) {
                parcel.put(1, &arrival(&[put; 300]), None);
                put += 1;
            }
            parcel.seal(&key);
            assert!(parcel.octets().len() <= PARCEL_MAX);
            let marks: Vec<u8> = packets(&key, parcel.octets())
                .iter()
                .map(|packet| packet.payload[0])
                .collect();
            assert_eq!((put, marks), (4, vec![0, 1, 2, 3]), "round {round}");
        }
        parcel.begin();
        assert!(parcel.takes(PAYLOAD_MAX), "one that is longer goes alone");
    }

    #[test]
    fn who_does_not_know_its_own_address_is_answered_where_it_sent_from() {
        let key = key(b"sixteen octets!!");
        let link = Link {
            segment: Ipv4Addr::new(10, 9, 0, 2),
            back: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
        };
        let parcel = sealed(&key, 1, b"x", Some(link));
        let [Packet { link: Some(link), .. }] = packets(&key, &parcel)[..] else {
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
        assert!(is_carried(&arrival(&[0; PAYLOAD_MAX])));
        assert!(!is_carried(&arrival(&[0; PAYLOAD_MAX + 1])));
    }
}
