//! One lease in 56 bytes: who has an address, since when, until when.
//!
//! A million of these are the memory bill of the service, so the client's identity is packed inline whenever it
//! fits (a MAC and a client identifier of up to 23 octets do) and everything rare lives beside the table.

use crate::view::LeaseState;

/// Octets of identity kept inside a lease.
pub(crate) const INLINE: usize = 29;

/// A client's identity as a packet or a record states it, borrowed.
///
/// The *key* of a client is its client identifier when it sent one, else hardware type and address
/// (RFC 2131, section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity<'a> {
    pub(crate) htype: u8,
    pub(crate) chaddr: &'a [u8],
    pub(crate) client_id: Option<&'a [u8]>,
}

impl Identity<'_> {
    /// The first six octets of the hardware address, zero-filled: what decisions carry.
    pub(crate) fn mac(&self) -> [u8; 6] {
        let mut mac = [0; 6];
        let n = self.chaddr.len().min(6);
        mac[..n].copy_from_slice(&self.chaddr[..n]);
        mac
    }
}

/// A packed identity. `id_len` is the client identifier's length, [`NO_ID`] for none or [`DERIVED_ID`] when it is
/// the hardware type followed by the hardware address, the form most clients send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed {
    htype: u8,
    hw_len: u8,
    id_len: u8,
    bytes: [u8; INLINE],
}

const NO_ID: u8 = 255;
const DERIVED_ID: u8 = 254;
const SPILLED: u8 = 253;

impl Packed {
    pub(crate) const EMPTY: Self = Self {
        htype: 0,
        hw_len: 0,
        id_len: NO_ID,
        bytes: [0; INLINE],
    };

    /// Packs `who`; what does not fit goes to `spill` (hardware length, then hardware address, then identifier).
    pub(crate) fn pack(who: &Identity<'_>, spill: &mut Spill) -> Self {
        let hw = &who.chaddr[..who.chaddr.len().min(16)];
        let mut packed = Self {
            htype: who.htype,
            hw_len: hw.len() as u8,
            id_len: NO_ID,
            bytes: [0; INLINE],
        };
        packed.bytes[..hw.len()].copy_from_slice(hw);
        let Some(id) = who.client_id else { return packed };
        if id.len() == hw.len() + 1 && id[0] == who.htype && &id[1..] == hw {
            packed.id_len = DERIVED_ID;
        } else if hw.len() + id.len() <= INLINE {
            packed.id_len = id.len() as u8;
            packed.bytes[hw.len()..hw.len() + id.len()].copy_from_slice(id);
        } else {
            packed.id_len = SPILLED;
            let at = spill.put(id);
            packed.bytes[hw.len()..hw.len() + 4].copy_from_slice(&at.to_le_bytes());
        }
        packed
    }

    pub(crate) fn hardware(&self) -> &[u8] {
        &self.bytes[..usize::from(self.hw_len)]
    }

    /// Whether nobody was ever packed here.
    pub(crate) fn is_empty(&self) -> bool {
        self.htype == 0 && self.hw_len == 0 && self.id_len == NO_ID
    }

    fn spill_index(&self) -> Option<u32> {
        let at = usize::from(self.hw_len);
        (self.id_len == SPILLED)
            .then(|| u32::from_le_bytes(self.bytes[at..at + 4].try_into().expect("four bytes were cut")))
    }

    /// Gives back what `pack` put into `spill`.
    pub(crate) fn free(&self, spill: &mut Spill) {
        if let Some(at) = self.spill_index() {
            spill.remove(at);
        }
    }

    /// The identity, with `scratch` holding a derived client identifier.
    pub(crate) fn unpack<'a>(&'a self, spill: &'a Spill, scratch: &'a mut [u8; 17]) -> Identity<'a> {
        let chaddr = self.hardware();
        let client_id = match self.id_len {
            NO_ID => None,
            DERIVED_ID => {
                scratch[0] = self.htype;
                scratch[1..=chaddr.len()].copy_from_slice(chaddr);
                Some(&scratch[..=chaddr.len()])
            }
            SPILLED => self.spill_index().map(|at| spill.get(at)),
            n => Some(&self.bytes[chaddr.len()..chaddr.len() + usize::from(n)]),
        };
        Identity {
            htype: self.htype,
            chaddr,
            client_id,
        }
    }

    /// Whether this is the client `who`, without unpacking.
    pub(crate) fn is(&self, who: &Identity<'_>, spill: &Spill) -> bool {
        match (self.id_len, who.client_id) {
            (NO_ID, None) => self.htype == who.htype && self.hardware() == who.chaddr,
            (NO_ID, Some(_)) | (_, None) => false,
            (_, Some(id)) => {
                let mut scratch = [0; 17];
                self.unpack(spill, &mut scratch).client_id == Some(id)
            }
        }
    }
}

/// Identifiers too long to sit inside a lease, and other rare baggage, by index.
#[derive(Debug, Default)]
pub(crate) struct Spill {
    items: Vec<Box<[u8]>>,
    free: Vec<u32>,
}

impl Spill {
    pub(crate) fn put(&mut self, bytes: &[u8]) -> u32 {
        if let Some(at) = self.free.pop() {
            self.items[at as usize] = bytes.into();
            return at;
        }
        self.items.push(bytes.into());
        (self.items.len() - 1) as u32
    }

    pub(crate) fn get(&self, at: u32) -> &[u8] {
        &self.items[at as usize]
    }

    pub(crate) fn remove(&mut self, at: u32) {
        self.items[at as usize] = Box::default();
        self.free.push(at);
    }
}

/// No baggage.
pub(crate) const NO_EXTRA: u32 = u32::MAX;

/// Set once a record of the address has ever been written: rule R3 applies to its next client.
pub(crate) const FLAG_RECORDED: u8 = 1;
/// The address is reserved for this client.
pub(crate) const FLAG_RESERVED: u8 = 2;
/// A BOOTP binding: it never ends by itself.
pub(crate) const FLAG_BOOTP: u8 = 4;
/// Waiting in its pool's queue of reusable addresses.
pub(crate) const FLAG_QUEUED: u8 = 8;
/// Offered to the client that held it last: when the offer lapses, it is that client's ended lease again.
pub(crate) const FLAG_OWN_OFFER: u8 = 32;
/// Restored after a start that cannot tell what was lost: its promise ends at `pot` + MCLT (rule R3).
pub(crate) const FLAG_INHERITED: u8 = 16;

/// Waiting in its pool's list of lapsed offers.
pub(crate) const FLAG_LAPSED: u8 = 64;
/// Offered to a second client before the first one's offer lapsed, because nothing else was left: the first of
/// them to request it gets it.
pub(crate) const FLAG_CONTESTED: u8 = 128;

/// The state of one address. All times are seconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) who: Packed,
    /// End of the promise, of the offer, or of the quarantine, by state.
    pub(crate) expires: u32,
    /// Potential expiry: the bound on promises that the last record states (fabric rule R1).
    pub(crate) pot: u32,
    /// When it was last written.
    pub(crate) last_seen: u32,
    /// Rises with every record of this address, so that replay keeps the newest.
    pub(crate) version: u32,
    /// Index of the baggage (host name, option 82, vendor class) or [`NO_EXTRA`].
    pub(crate) extra: u32,
    /// The relay it was last bound through; of an offer, the address that its client still holds elsewhere, or 0.
    pub(crate) giaddr: u32,
    pub(crate) state: LeaseState,
    pub(crate) flags: u8,
    /// When its last record is not durable, none of this client's is: what came before was another's, or nothing.
    pub(crate) first: bool,
    /// What came before was another's.
    pub(crate) another: bool,
}

impl Lease {
    pub(crate) const FREE: Self = Self {
        who: Packed::EMPTY,
        expires: 0,
        pot: 0,
        last_seen: 0,
        version: 0,
        extra: NO_EXTRA,
        giaddr: 0,
        state: LeaseState::Free,
        flags: 0,
        first: false,
        another: false,
    };

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether somebody may still rely on a promise that this lease only bounds (rule R3): then the address is nobody
    /// else's, whatever its state, be it on offer to that very client.
    pub(crate) fn rests(&self, now: u32, mclt: u32) -> bool {
        self.has(FLAG_INHERITED) && now <= self.pot.saturating_add(mclt)
    }

    /// Whether another client may be given the address at `now`.
    pub(crate) fn reusable(&self, now: u32, mclt: u32) -> bool {
        match self.state {
            LeaseState::Free => true,
            LeaseState::Expired => !self.rests(now, mclt),
            LeaseState::Released => true,
            LeaseState::Offered | LeaseState::Bound | LeaseState::Declined => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(who: Identity<'_>) {
        let mut spill = Spill::default();
        let packed = Packed::pack(&who, &mut spill);
        let mut scratch = [0; 17];
        assert_eq!(packed.unpack(&spill, &mut scratch), who);
        assert!(packed.is(&who, &spill));
    }

    #[test]
    fn identities_survive_packing() {
        let mac = [2, 0, 0, 0, 0, 1];
        round_trip(Identity {
            htype: 1,
            chaddr: &mac,
            client_id: None,
        });
        round_trip(Identity {
            htype: 1,
            chaddr: &mac,
            client_id: Some(&[1, 2, 0, 0, 0, 0, 1]),
        });
        round_trip(Identity {
            htype: 1,
            chaddr: &mac,
            client_id: Some(&[0xff; 23]),
        });
        round_trip(Identity {
            htype: 1,
            chaddr: &mac,
            client_id: Some(&[7; 255]),
        });
        round_trip(Identity {
            htype: 32,
            chaddr: &[9; 16],
            client_id: Some(&[7; 20]),
        });
        round_trip(Identity {
            htype: 6,
            chaddr: &[],
            client_id: Some(b"x"),
        });
    }

    #[test]
    fn a_client_with_and_without_identifier_are_two_clients() {
        let mac = [2, 0, 0, 0, 0, 1];
        let plain = Identity {
            htype: 1,
            chaddr: &mac,
            client_id: None,
        };
        let with_id = Identity {
            client_id: Some(&[1, 2, 0, 0, 0, 0, 1]),
            ..plain
        };
        let mut spill = Spill::default();
        assert!(!Packed::pack(&plain, &mut spill).is(&with_id, &spill));
        assert!(!Packed::pack(&with_id, &mut spill).is(&plain, &spill));
    }

    #[test]
    fn a_lease_is_small() {
        assert!(size_of::<Lease>() <= 60, "{}", size_of::<Lease>());
    }
}
