//! Packets on their way to the node that decides about them, and replies on their way to the segment they are for.
//!
//! A node that is not on the client's segment cannot answer there. The node that heard the client is then a relay for it:
//! the packet names the address of the segment as its giaddr, the reply comes back over the same line, and is delivered
//! as RFC 2131 (section 4.1) has a server deliver it. Nodes that are on that segment heard the client themselves.
//!
//! In a cluster whose relays know nothing of slots, most packets take this way: it is a hot path like any other. What a
//! batch of packets brings for other nodes leaves with it, several to a datagram and all in one call; what comes is decided
//! where it was received.

mod sealed;

use super::vacate::Wish;
use crate::handover::Link;
use purlin_dhcp_core::step::{Arrival, Destination, Reply};
use purlin_netio::{Outgoing, SendBatch, SendReport, UdpPort};
use ring::hmac;
use sealed::{Parcel, is_carried, seal_reply};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;
use std::sync::Arc;
use subtle::ConstantTimeEq;

pub(crate) use sealed::{Opened, Packet, open};

/// Of servers and relays.
const SERVER_PORT: u16 = 67;
/// Where giaddr is in a DHCP message (RFC 2131, section 2).
pub(crate) const GIADDR: Range<usize> = 24..28;
/// Octets of the tag at the end of everything that is sealed.
pub(super) const TAG: usize = 16;

/// The key under which nodes of a cluster speak for the relays they hear.
#[derive(Clone)]
pub struct ForwardKey(hmac::Key);

/// A secret too short to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForwardKeyError {
    pub octets: usize,
}

impl fmt::Display for ForwardKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a cluster's secret has 16 octets or more, not {}", self.octets)
    }
}

impl std::error::Error for ForwardKeyError {}

impl ForwardKey {
    /// # Errors
    /// When the secret has fewer than 16 octets.
    pub fn new(secret: &[u8]) -> Result<Self, ForwardKeyError> {
        if secret.len() < 16 {
            return Err(ForwardKeyError { octets: secret.len() });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    pub(super) fn tag(&self, signed: &[u8]) -> [u8; TAG] {
        let whole = hmac::sign(&self.0, signed);
        let mut tag = [0; TAG];
        tag.copy_from_slice(&whole.as_ref()[..TAG]);
        tag
    }

    /// What is before the tag, if the tag is right.
    pub(super) fn signed<'a>(&self, packet: &'a [u8]) -> Option<&'a [u8]> {
        let (signed, tag) = packet.split_at_checked(packet.len().checked_sub(TAG)?)?;
        let right: bool = self.tag(signed).as_slice().ct_eq(tag).into();
        right.then_some(signed)
    }
}

impl fmt::Debug for ForwardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardKey")
    }
}

/// Sends packets to other nodes, and hears theirs.
#[derive(Debug)]
pub(crate) struct Carrier {
    port: Arc<UdpPort>,
    key: ForwardKey,
    /// What waits until [`Self::leave`], by where it goes; the first `used` of them, the others are room for more.
    parcels: Vec<(SocketAddrV4, Parcel)>,
    used: usize,
    /// Wishes, one behind the other, and where each of them ends and goes.
    wishes: Vec<u8>,
    asked: Vec<(usize, SocketAddrV4)>,
}

/// What became of what has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Carried {
    pub(crate) sent: u64,
    pub(crate) lost: u64,
}

impl Carrier {
    pub(crate) fn new(port: Arc<UdpPort>, key: ForwardKey) -> Self {
        Self {
            port,
            key,
            parcels: Vec::new(),
            used: 0,
            wishes: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// The socket that other nodes send to.
    pub(crate) fn socket(&self) -> &UdpPort {
        &self.port
    }

    /// Prepares a packet for the node at `home`; false when it is too long to carry.
    pub(crate) fn carry(
        &mut self,
        home: SocketAddrV4,
        attempt: u8,
        arrival: &Arrival<'_>,
        link: Option<Link>,
    ) -> bool {
        let carried = is_carried(arrival);
        if carried {
            self.parcel(home, arrival.payload.len())
                .put(attempt, arrival, link);
        }
        carried
    }

    /// The newest parcel for a node, or another one when a packet of that length is too much for it.
    fn parcel(&mut self, home: SocketAddrV4, payload: usize) -> &mut Parcel {
        let newest = self.parcels[..self.used].iter().rposition(|(to, _)| *to == home);
        let at = match newest.filter(|&at| self.parcels[at].1.takes(payload)) {
            Some(at) => at,
            None => {
                if self.used == self.parcels.len() {
                    self.parcels.push((home, Parcel::default()));
                }
                let (to, parcel) = &mut self.parcels[self.used];
                *to = home;
                parcel.begin();
                self.used += 1;
                self.used - 1
            }
        };
        &mut self.parcels[at].1
    }

    /// Asks the node at `home` to end a lease. A wish that is lost comes again with the client's next attempt.
    pub(crate) fn ask(&mut self, home: SocketAddrV4, wish: &Wish) {
        if wish.seal(&self.key, &mut self.wishes) {
            self.asked.push((self.wishes.len(), home));
        }
    }

    /// Sends all that was prepared. What is lost on the way is the client's to repeat.
    pub(crate) fn leave(&mut self, batch: &mut SendBatch) -> Carried {
        if self.used == 0 && self.asked.is_empty() {
            return Carried::default();
        }
        let parcels = &mut self.parcels[..std::mem::take(&mut self.used)];
        let mut packets = self.asked.len() as u64;
        for (_, parcel) in parcels.iter_mut() {
            parcel.seal(&self.key);
            packets += parcel.packets;
        }
        let from = Ipv4Addr::UNSPECIFIED;
        let full = parcels.iter().map(|(to, parcel)| Outgoing {
            payload: parcel.octets(),
            to: *to,
            from,
        });
        let mut start = 0;
        let wishes = self.asked.iter().map(|&(end, to)| Outgoing {
            payload: &self.wishes[std::mem::replace(&mut start, end)..end],
            to,
            from,
        });
        let SendReport {
            sent,
            failed,
            blocked,
            unresolved,
            ..
        } = batch.send(&self.port, full.chain(wishes));
        self.wishes.clear();
        self.asked.clear();
        // Which ones are lost is not told: in the mean it is this many.
        let lost = failed + blocked + unresolved;
        let lost = (packets * lost).div_ceil((sent + lost).max(1));
        Carried {
            sent: packets - lost,
            lost,
        }
    }

    /// Makes of a reply to a relay one that the node at `link.back` delivers on its segment; false when it is too long.
    pub(crate) fn wrap(&self, link: Link, reply: &mut Reply) -> bool {
        let wrapped = seal_reply(&self.key, link.segment, reply);
        reply.to = Destination::Udp(link.back);
        wrapped
    }

    /// What a datagram says that came from `from`; `None` for another cluster's, or nobody's.
    pub(crate) fn open<'a>(&self, from: SocketAddrV4, datagram: &'a [u8]) -> Option<Said<'a>> {
        let signed = self.key.signed(datagram)?;
        open(from, signed)
            .map(Said::Carried)
            .or_else(|| Wish::open(signed).map(Said::Wish))
    }
}

/// What another node says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    Carried(Opened<'a>),
    Wish(Wish),
}

/// A client's message as the relay at `segment` passes it on, and that relay.
pub(crate) fn relayed<'a>(
    payload: &[u8],
    segment: Ipv4Addr,
    room: &'a mut Vec<u8>,
) -> (&'a [u8], SocketAddrV4) {
    room.clear();
    room.extend_from_slice(payload);
    if let Some(giaddr) = room.get_mut(GIADDR) {
        giaddr.copy_from_slice(&segment.octets());
    }
    (room, SocketAddrV4::new(segment, SERVER_PORT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_on_a_segment_comes_as_from_a_relay_there() {
        let mut room = Vec::new();
        let (payload, relay) = relayed(&[1; 300], Ipv4Addr::new(10, 9, 0, 2), &mut room);
        assert_eq!(relay, "10.9.0.2:67".parse().expect("an address"));
        assert_eq!((payload.len(), &payload[GIADDR]), (300, &[10, 9, 0, 2][..]));
    }

    #[test]
    fn what_is_prepared_leaves_in_one_go_and_in_order() {
        let options = purlin_netio::UdpOptions::default();
        let bind =
            || Arc::new(UdpPort::bind("127.0.0.1:0".parse().expect("an address"), &options).expect("a port"));
        let (here, there) = (bind(), bind());
        let key = ForwardKey::new(b"sixteen octets!!").expect("long enough");
        let mut carrier = Carrier::new(here, key.clone());
        let wish = Wish {
            address: Ipv4Addr::new(10, 1, 2, 3),
            unique: b"client".to_vec(),
            since: 7,
        };
        let arrival = |payload| Arrival {
            payload,
            source: "10.9.0.1:67".parse().expect("an address"),
            local: Ipv4Addr::LOCALHOST,
            port: 67,
            interface: None,
            broadcast: false,
            attempt: 0,
        };
        let home = there.local_address();
        assert!(carrier.carry(home, 1, &arrival(b"one"), None));
        assert!(carrier.carry(home, 1, &arrival(b"two"), None));
        carrier.ask(home, &wish);
        let left = carrier.leave(&mut SendBatch::new());
        assert_eq!((left.sent, left.lost), (3, 0));
        assert_eq!(carrier.leave(&mut SendBatch::new()), Carried::default());

        let mut heard = purlin_netio::RecvBatch::new();
        assert_eq!(
            heard.receive(&*there).expect("they are there"),
            2,
            "packets share one"
        );
        let hearer = Carrier::new(there, key);
        let said: Vec<_> = (0..2)
            .filter_map(|at| hearer.open(heard.get(at).source, heard.get(at).payload))
            .collect();
        let Said::Carried(Opened::Packets(packets)) = &said[0] else {
            panic!("packets");
        };
        let payloads: Vec<_> = packets.map(|packet| packet.payload).collect();
        assert_eq!(payloads, [b"one", b"two"]);
        assert_eq!(said[1], Said::Wish(wish));
    }

    #[test]
    fn a_secret_has_sixteen_octets() {
        assert_eq!(
            ForwardKey::new(b"short").err(),
            Some(ForwardKeyError { octets: 5 })
        );
    }
}
