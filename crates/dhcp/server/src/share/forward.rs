//! Packets on their way to the node that decides about them, and replies on their way to the segment they are for.
//!
//! A node that is not on the client's segment cannot answer there. The node that heard the client is then a relay for it:
//! the packet names the address of the segment as its giaddr, the reply comes back over the same line, and is delivered
//! as RFC 2131 (section 4.1) has a server deliver it. Nodes that are on that segment heard the client themselves.

mod sealed;

use super::vacate::Wish;
use crate::handover::{Handed, Inbox, Link, Via};
use purlin_dhcp_core::step::{Arrival, Destination, Reply};
use ring::hmac;
use sealed::{BUFFER, Opened, open, seal, seal_reply};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Of servers and relays.
const SERVER_PORT: u16 = 67;
/// Where giaddr is in a DHCP message (RFC 2131, section 2).
pub(crate) const GIADDR: Range<usize> = 24..28;
/// Octets of the tag at the end of everything that is sealed.
pub(super) const TAG: usize = 16;
/// Wishes of other nodes that wait for the packet thread at most; what is above comes again.
const WISHES_MAX: usize = 1024;
/// How often the listener looks whether it should end.
const GLANCE: Duration = Duration::from_millis(500);

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
        // Equal in time independent of where they differ.
        let differ = self
            .tag(signed)
            .iter()
            .zip(tag)
            .fold(0, |all, (a, b)| all | (a ^ b));
        (differ == 0).then_some(signed)
    }
}

impl fmt::Debug for ForwardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForwardKey")
    }
}

/// Sends packets to other nodes.
#[derive(Debug, Clone)]
pub(crate) struct Carrier {
    socket: Arc<UdpSocket>,
    key: ForwardKey,
}

impl Carrier {
    pub(crate) fn new(socket: Arc<UdpSocket>, key: ForwardKey) -> Self {
        Self { socket, key }
    }

    /// Gives the packet to the node at `home`; false when it could not be sent. A lost one is the client's to repeat.
    pub(crate) fn carry(
        &self,
        home: SocketAddrV4,
        attempt: u8,
        arrival: &Arrival<'_>,
        link: Option<Link>,
    ) -> bool {
        let sealed = seal(&self.key, attempt, arrival, link);
        sealed.is_some_and(|packet| self.socket.send_to(&packet, home).is_ok())
    }

    /// Asks the node at `home` to end a lease.
    pub(crate) fn ask(&self, home: SocketAddrV4, wish: &Wish) {
        if let Some(packet) = wish.seal(&self.key) {
            // A lost one comes again with the client's next attempt.
            let _ = self.socket.send_to(&packet, home);
        }
    }

    /// Makes of a reply to a relay one that the node at `link.back` delivers on its segment; false when it is too long.
    pub(crate) fn wrap(&self, link: Link, reply: &mut Reply) -> bool {
        let wrapped = seal_reply(&self.key, link.segment, reply);
        reply.to = Destination::Udp(link.back);
        wrapped
    }

    /// Sends what [`Self::wrap`] made.
    pub(crate) fn send(&self, wrapped: &[u8], to: SocketAddrV4) -> bool {
        self.socket.send_to(wrapped, to).is_ok()
    }
}

/// What came by the peers' socket since the start.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) taken: AtomicU64,
    /// Without a tag that fits: another cluster's, or nobody's.
    pub(crate) foreign: AtomicU64,
    /// Dropped because the packet thread is behind.
    pub(crate) dropped: AtomicU64,
    wishes: Mutex<Vec<Wish>>,
    pub(crate) stop: AtomicBool,
}

impl Heard {
    /// What other nodes have asked for since this was last called.
    pub(crate) fn take_wishes(&self) -> Vec<Wish> {
        std::mem::take(&mut *self.wishes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// False when too many wait.
    fn wish(&self, wish: Wish) -> bool {
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = wishes.len() < WISHES_MAX;
        if fits {
            wishes.push(wish);
        }
        fits
    }

    /// Gives what came from `from` to the packet thread; the count that it belongs to.
    fn sort(&self, key: &ForwardKey, from: SocketAddrV4, packet: &[u8], inbox: &Inbox) -> &AtomicU64 {
        let taken = match (open(key, from, packet), Wish::open(key, packet)) {
            (Some(opened), _) => inbox.put(handed(opened)),
            (None, Some(wish)) => {
                let fits = self.wish(wish);
                inbox.wake();
                fits
            }
            (None, None) => return &self.foreign,
        };
        if taken { &self.taken } else { &self.dropped }
    }
}

/// Takes forwarded packets in a thread of its own until `heard.stop`.
pub(crate) fn listen(
    socket: Arc<UdpSocket>,
    key: ForwardKey,
    inboxes: Arc<[Inbox]>,
    heard: Arc<Heard>,
) -> std::io::Result<()> {
    socket.set_read_timeout(Some(GLANCE))?;
    let run = move || {
        let mut buffer = [0; BUFFER];
        while !heard.stop.load(Ordering::Relaxed) {
            let Ok((length, SocketAddr::V4(from))) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let count = heard.sort(&key, from, &buffer[..length], &inboxes[0]);
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::Builder::new()
        .name("dhcp-peers".to_owned())
        .spawn(run)
        .map(drop)
}

/// What was opened, as the packet thread takes it.
fn handed(opened: Opened<'_>) -> Handed {
    let nobody = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
    let (payload, source, attempt, via): (Box<[u8]>, _, _, _) = match opened {
        Opened::Packet {
            attempt,
            source,
            link: None,
            payload,
        } => (payload.into(), source, attempt, Via::Direct),
        Opened::Packet {
            attempt,
            link: Some(link),
            payload,
            ..
        } => {
            let relay = SocketAddrV4::new(link.segment, SERVER_PORT);
            (relayed(payload, link.segment), relay, attempt, Via::Segment(link))
        }
        Opened::Reply { segment, payload } => (payload.into(), nobody, 1, Via::Reply(segment)),
    };
    Handed {
        port: None,
        payload,
        source,
        local: Ipv4Addr::UNSPECIFIED,
        broadcast: false,
        attempt,
        via,
    }
}

/// A client's message as a relay on its segment passes it on.
fn relayed(payload: &[u8], segment: Ipv4Addr) -> Box<[u8]> {
    let mut message: Box<[u8]> = payload.into();
    if let Some(giaddr) = message.get_mut(GIADDR) {
        giaddr.copy_from_slice(&segment.octets());
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_on_a_segment_comes_as_from_a_relay_there() {
        let link = Link {
            segment: Ipv4Addr::new(10, 9, 0, 2),
            back: "10.0.0.1:6700".parse().expect("an address"),
        };
        let opened = Opened::Packet {
            attempt: 1,
            source: "0.0.0.0:68".parse().expect("an address"),
            link: Some(link),
            payload: &[1; 300],
        };
        let packet = handed(opened);
        assert_eq!(packet.source, "10.9.0.2:67".parse().expect("an address"));
        assert_eq!(
            (packet.payload.len(), &packet.payload[GIADDR]),
            (300, &[10, 9, 0, 2][..])
        );
        assert_eq!(packet.via, Via::Segment(link));
    }

    #[test]
    fn a_secret_has_sixteen_octets() {
        assert_eq!(
            ForwardKey::new(b"short").err(),
            Some(ForwardKeyError { octets: 5 })
        );
    }
}
