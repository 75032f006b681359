//! A wish among nodes: the lease of an address that stands in the way of its client's next one shall end.
//!
//! ```text
//!  "PLNV" | version 1 u8 | 0 u8 | length u16 | address u32 | since u32 | what the rows have in common | tag, 16 octets
//! ```
//!
//! Integers are big-endian; the tag is as in `forward/sealed.rs`. A wish that is lost comes again with the client's next attempt.
//! One that is repeated by somebody changes nothing: it names the time of the client's choice, and a later choice wins.

use super::forward::ForwardKey;
use std::net::Ipv4Addr;

const MAGIC: [u8; 4] = *b"PLNV";
const VERSION: u8 = 1;
const HEAD: usize = 16;
/// A network's name and the longest client identifier, and some.
const UNIQUE_MAX: usize = 1024;

/// What a node asks of the one that holds the slot of `address`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) address: Ipv4Addr,
    /// Network and client, as the two rows have them.
    pub(crate) unique: Vec<u8>,
    /// When the client chose the other address, in Unix seconds.
    pub(crate) since: u32,
}

impl Wish {
    /// Appends it to `packet`; false, and nothing appended, when it is too long to be one.
    pub(super) fn seal(&self, key: &ForwardKey, packet: &mut Vec<u8>) -> bool {
        let Some(length) = u16::try_from(self.unique.len())
            .ok()
            .filter(|_| self.unique.len() <= UNIQUE_MAX)
        else {
            return false;
        };
        let start = packet.len();
        packet.extend_from_slice(&MAGIC);
        packet.extend_from_slice(&[VERSION, 0]);
        packet.extend_from_slice(&length.to_be_bytes());
        packet.extend_from_slice(&self.address.octets());
        packet.extend_from_slice(&self.since.to_be_bytes());
        packet.extend_from_slice(&self.unique);
        let tag = key.tag(&packet[start..]);
        packet.extend_from_slice(&tag);
        true
    }

    /// The wish inside a datagram whose tag is right.
    pub(super) fn open(signed: &[u8]) -> Option<Self> {
        let (head, unique) = signed.split_first_chunk::<HEAD>()?;
        let fits = usize::from(u16::from_be_bytes([head[6], head[7]])) == unique.len();
        if head[..4] != MAGIC || head[4] != VERSION || !fits {
            return None;
        }
        Some(Self {
            address: Ipv4Addr::new(head[8], head[9], head[10], head[11]),
            unique: unique.to_vec(),
            since: u32::from_be_bytes([head[12], head[13], head[14], head[15]]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Wish {
        Wish {
            address: Ipv4Addr::new(10, 1, 2, 3),
            unique: b"net-1\0\x01client".to_vec(),
            since: 1_800_000_000,
        }
    }

    #[test]
    fn a_wish_is_opened_as_it_was_and_under_its_own_key_only() {
        let key = ForwardKey::new(b"sixteen octets!!").expect("long enough");
        let other = ForwardKey::new(b"seventeen octets!").expect("long enough");
        let open = |key: &ForwardKey, packet: &[u8]| key.signed(packet).and_then(Wish::open);
        let mut packet = Vec::new();
        assert!(wish().seal(&key, &mut packet));
        assert_eq!(open(&key, &packet), Some(wish()));
        assert_eq!(open(&other, &packet), None);
        for at in 0..packet.len() {
            let mut forged = packet.clone();
            forged[at] ^= 1;
            assert_eq!(open(&key, &forged), None, "octet {at}");
        }
    }
}
