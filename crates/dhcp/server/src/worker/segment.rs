//! Segments that not every node is on: replies for them go to a node that is, and those of other nodes are delivered here.

use super::Worker;
use crate::handover::Link;
use crate::ports::Assignment;
use crate::share::GIADDR;
use purlin_dhcp_core::step::{Arrival, Destination, Reply};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

/// The port of replies that another node delivers.
pub(super) const PEERS: u32 = u32::MAX;
/// Segments that are remembered; what is beyond is learned anew with the next packet from there.
const LINKS_MAX: usize = 1024;

/// Places in a DHCP message (RFC 2131, section 2).
const CIADDR: Range<usize> = 12..16;
const YIADDR: Range<usize> = 16..20;
const HTYPE: usize = 1;
const HLEN: usize = 2;
const FLAGS: usize = 10;
const MAC: Range<usize> = 28..34;
const ETHERNET: u8 = 1;
const BROADCAST: u8 = 0x80;

/// Who delivers on which segment.
#[derive(Debug, Default)]
pub(crate) struct Links(Vec<Link>);

impl Links {
    pub(super) fn learn(&mut self, link: Link) {
        match self.0.iter_mut().find(|known| known.segment == link.segment) {
            Some(known) => *known = link,
            None => {
                if self.0.len() == LINKS_MAX {
                    self.0.clear();
                }
                self.0.push(link);
            }
        }
    }

    fn to(&self, relay: SocketAddrV4) -> Option<Link> {
        self.0.iter().find(|link| link.segment == *relay.ip()).copied()
    }
}

/// How the holder answers what was heard on a segment here; `None` where it answers the sender or its relay.
pub(super) fn link(assigned: &Assignment, arrival: &Arrival<'_>) -> Option<Link> {
    let segment = assigned.port.segment.as_ref()?;
    let unrelayed = arrival.payload.get(GIADDR)? == [0; 4];
    unrelayed.then_some(Link {
        segment: segment.address,
        back: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
    })
}

impl Worker {
    /// Whether this node hears by itself what is sent on the segment of `address`.
    pub(super) fn is_on(&self, address: Ipv4Addr) -> bool {
        let here = self.slots.iter().flatten().filter(|slot| !slot.closing);
        let segments = here.filter_map(|slot| slot.assigned.port.segment.as_ref());
        segments
            .map(|segment| segment.address)
            .any(|own| own == address || self.plan.in_one_subnet(own, address))
    }

    /// The port by which a reply leaves: that of `port`, or the line to the node that delivers it. `None` when it cannot
    /// be carried there.
    pub(super) fn port_of_reply(&mut self, port: u32) -> Option<u32> {
        let Some(own) = &self.own else {
            return Some(port);
        };
        let reply = self.batch.reply_at_hand();
        let link = match reply.to {
            Destination::Udp(relay) => own.links.to(relay),
            _ => None,
        };
        match link {
            Some(link) => own.carrier.wrap(link, reply).then_some(PEERS),
            None => Some(port),
        }
    }

    /// Delivers another node's reply on the segment where this node is `segment`.
    pub(super) fn deliver(&mut self, segment: Ipv4Addr, message: &[u8]) {
        let is_it = |id: &u32| {
            let slot = self.slots.get(*id as usize).and_then(Option::as_ref);
            let there = slot.and_then(|slot| slot.assigned.port.segment.as_ref());
            there.is_some_and(|there| there.address == segment)
        };
        let Some(position) = self.segments.iter().position(is_it) else {
            self.counters.forwarded_lost += 1;
            return;
        };
        let mut reply = Reply::default();
        let Some(room) = reply
            .bytes
            .get_mut(..message.len())
            .filter(|room| room.len() >= MAC.end)
        else {
            return;
        };
        room.copy_from_slice(message);
        room[GIADDR].fill(0);
        let to = client_of(room, position as u16);
        let sent = self.send_frame(to, segment, &reply.bytes[..message.len()]);
        self.counters.sent.sent += u64::from(sent);
        self.counters.sent.failed += u64::from(!sent);
    }
}

/// RFC 2131, section 4.1, as a relay does it: the address that the client has, then its hardware address or broadcast.
fn client_of(message: &[u8], interface: u16) -> Destination {
    let address = |place: Range<usize>| {
        let octets: [u8; 4] = message[place].try_into().expect("four octets");
        Some(Ipv4Addr::from(octets)).filter(|address| !address.is_unspecified())
    };
    let mac: [u8; 6] = message[MAC].try_into().expect("six octets");
    let (ciaddr, yiaddr) = (address(CIADDR), address(YIADDR));
    let broadcast = message[FLAGS] & BROADCAST != 0 && ciaddr.is_none();
    match ciaddr.or(yiaddr) {
        Some(address) if (message[HTYPE], message[HLEN]) == (ETHERNET, 6) && !broadcast => Destination::Raw {
            interface,
            mac,
            address,
        },
        _ => Destination::Broadcast { interface },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(ciaddr: [u8; 4], yiaddr: [u8; 4], flags: u8) -> Vec<u8> {
        let mut message = vec![0; 240];
        (message[HTYPE], message[HLEN], message[FLAGS]) = (ETHERNET, 6, flags);
        message[CIADDR].copy_from_slice(&ciaddr);
        message[YIADDR].copy_from_slice(&yiaddr);
        message[MAC].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        message
    }

    fn raw(address: [u8; 4]) -> Destination {
        Destination::Raw {
            interface: 1,
            mac: [2, 0, 0, 0, 0, 9],
            address: address.into(),
        }
    }

    #[test]
    fn a_reply_finds_its_client_as_the_rfc_says() {
        let (old, new, none) = ([10, 9, 0, 7], [10, 9, 0, 8], [0; 4]);
        let everybody = Destination::Broadcast { interface: 1 };
        assert_eq!(client_of(&reply(none, new, 0), 1), raw(new));
        assert_eq!(client_of(&reply(none, new, BROADCAST), 1), everybody);
        assert_eq!(client_of(&reply(old, old, BROADCAST), 1), raw(old));
        assert_eq!(client_of(&reply(none, none, 0), 1), everybody, "a refusal");
        let mut token_ring = reply(none, new, 0);
        token_ring[HTYPE] = 6;
        assert_eq!(client_of(&token_ring, 1), everybody);
    }

    #[test]
    fn the_last_node_that_spoke_for_a_segment_delivers_there() {
        let mut links = Links::default();
        let segment = Ipv4Addr::new(10, 9, 0, 2);
        let [first, second] = ["192.0.2.1:67", "192.0.2.2:67"].map(|back| Link {
            segment,
            back: back.parse().expect("an address"),
        });
        links.learn(first);
        links.learn(second);
        assert_eq!(links.to(SocketAddrV4::new(segment, 67)), Some(second));
        assert_eq!(links.to("10.9.0.3:67".parse().expect("an address")), None);
        for number in 0..LINKS_MAX as u32 {
            let segment = Ipv4Addr::from(number);
            links.learn(Link { segment, ..first });
        }
        assert!(links.0.len() <= LINKS_MAX);
    }
}
