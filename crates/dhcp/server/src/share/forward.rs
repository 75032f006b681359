//! Packets on their way to the node that decides about them.
//!
//! ```text
//!  "PLNF" | version 1 u8 | attempt u8 | source port u16 | source u32 | length u16 | payload | tag, 16 octets
//! ```
//!
//! Integers are big-endian. The tag is the beginning of HMAC-SHA-256 over everything before it, under a key that all
//! nodes of the cluster have: a stranger cannot speak for a relay that it is not. Repeating a packet does what a
//! client's own repetition does. A forwarded packet is never forwarded back: its attempt only rises.

use crate::handover::{Handed, Inbox};
use purlin_dhcp_core::step::Arrival;
use ring::hmac;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const MAGIC: [u8; 4] = *b"PLNF";
const VERSION: u8 = 1;
const HEAD: usize = 14;
const TAG: usize = 16;
/// Payload carried at most: what a client may send in an Ethernet frame, and some.
const PAYLOAD_MAX: usize = 2048;
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
    pub(crate) fn carry(&self, home: SocketAddrV4, attempt: u8, arrival: &Arrival<'_>) -> bool {
        let sealed = seal(&self.key, attempt, arrival.source, arrival.payload);
        sealed.is_some_and(|packet| self.socket.send_to(&packet, home).is_ok())
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
    pub(crate) stop: AtomicBool,
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
        let mut buffer = [0; HEAD + PAYLOAD_MAX + TAG];
        while !heard.stop.load(Ordering::Relaxed) {
            let Ok(length) = socket.recv(&mut buffer) else {
                continue;
            };
            let Some(packet) = open(&key, &buffer[..length]) else {
                heard.foreign.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let count = if inboxes[0].put(packet) {
                &heard.taken
            } else {
                &heard.dropped
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    };
    std::thread::Builder::new()
        .name("dhcp-peers".to_owned())
        .spawn(run)
        .map(drop)
}

fn seal(key: &ForwardKey, attempt: u8, source: SocketAddrV4, payload: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(payload.len())
        .ok()
        .filter(|_| payload.len() <= PAYLOAD_MAX)?;
    let mut packet = Vec::with_capacity(HEAD + payload.len() + TAG);
    packet.extend_from_slice(&MAGIC);
    packet.extend_from_slice(&[VERSION, attempt]);
    packet.extend_from_slice(&source.port().to_be_bytes());
    packet.extend_from_slice(&source.ip().octets());
    packet.extend_from_slice(&length.to_be_bytes());
    packet.extend_from_slice(payload);
    let tag = hmac::sign(&key.0, &packet);
    packet.extend_from_slice(&tag.as_ref()[..TAG]);
    Some(packet)
}

/// The packet inside, if it was sealed under this key.
fn open(key: &ForwardKey, packet: &[u8]) -> Option<Handed> {
    let (signed, tag) = packet.split_at_checked(packet.len().checked_sub(TAG)?)?;
    let (head, payload) = signed.split_first_chunk::<HEAD>()?;
    let whole = hmac::sign(&key.0, signed);
    // Equal in time independent of where they differ.
    let same = whole.as_ref()[..TAG]
        .iter()
        .zip(tag)
        .fold(0, |all, (a, b)| all | (a ^ b))
        == 0;
    let fits = usize::from(u16::from_be_bytes([head[12], head[13]])) == payload.len();
    if !same || head[..4] != MAGIC || head[4] != VERSION || !fits {
        return None;
    }
    let port = u16::from_be_bytes([head[6], head[7]]);
    Some(Handed {
        port: None,
        payload: payload.into(),
        source: SocketAddrV4::new(Ipv4Addr::new(head[8], head[9], head[10], head[11]), port),
        local: Ipv4Addr::UNSPECIFIED,
        broadcast: false,
        // One that claims to be the first would be forwarded on.
        attempt: head[5].max(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &[u8]) -> ForwardKey {
        ForwardKey::new(secret).expect("long enough")
    }

    #[test]
    fn what_is_sealed_is_opened_as_it_was() {
        let key = key(b"sixteen octets!!");
        let source = SocketAddrV4::new(Ipv4Addr::new(10, 9, 0, 1), 67);
        let packet = seal(&key, 3, source, b"a request").expect("short enough");
        let handed = open(&key, &packet).expect("ours");
        assert_eq!(
            (&*handed.payload, handed.source, handed.attempt),
            (&b"a request"[..], source, 3)
        );
    }

    #[test]
    fn no_octet_can_be_changed() {
        let key = key(b"sixteen octets!!");
        let source = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 67);
        let packet = seal(&key, 1, source, b"x").expect("short enough");
        for at in 0..packet.len() {
            let mut forged = packet.clone();
            forged[at] ^= 1;
            assert!(open(&key, &forged).is_none(), "octet {at}");
            assert!(open(&key, &packet[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn another_clusters_key_opens_nothing() {
        let source = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 67);
        let packet = seal(&key(b"sixteen octets!!"), 1, source, b"x").expect("short enough");
        assert!(open(&key(b"seventeen octets!"), &packet).is_none());
        assert_eq!(
            ForwardKey::new(b"short").err(),
            Some(ForwardKeyError { octets: 5 })
        );
    }

    #[test]
    fn a_packet_too_long_to_carry_is_not_cut() {
        let source = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 67);
        assert!(seal(&key(b"sixteen octets!!"), 1, source, &[0; PAYLOAD_MAX + 1]).is_none());
    }
}
