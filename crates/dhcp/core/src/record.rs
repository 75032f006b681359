//! Journal records of the DHCP service: what must survive, byte by byte.
//!
//! A frame is a run of records, each a full state that may be replayed twice. Integers are little-endian.
//!
//! ```text
//!  kind u8 | length u16 of what follows | body
//!
//!  kind 1, a lease:
//!  address u32 | state u8 | flags u8 | version u32 | expires u32 | pot u32 | last_seen u32 | giaddr u32
//!  | htype u8 | hw_len u8 | id_len u16, 0xffff for none | hardware | client id | baggage to the end
//!
//!  kind 2, a window: the addresses first..end may have been given out without a record (rule R2)
//!  first u32 | end u32
//!
//!  kind 3, an unclean start: a lease last seen up to `seen` may be older than what was promised (rules R3, R4)
//!  at u32 | seen u32 (Unix seconds)
//!
//!  kind 4, a restore from a backup: addresses are in doubt until `until` unless bound after `at`
//!  restore u64 | taken u32 | began u32 | at u32 | until u32 | chosen by the operator u8
//! ```
//!
//! Baggage is a list of `tag u8 | length u8 | octets`.

use crate::hold::Hold;
use crate::lease::Identity;
use crate::unclean::Unclean;
use crate::view::LeaseState;

const LEASE: u8 = 1;
const WINDOW: u8 = 2;
const UNCLEAN: u8 = 3;
const HOLD: u8 = 4;
const FIXED: usize = 4 + 1 + 1 + 4 + 4 + 4 + 4 + 4 + 1 + 1 + 2;
const NO_ID: u16 = u16::MAX;

pub(crate) const EXTRA_HOSTNAME: u8 = 1;
pub(crate) const EXTRA_CIRCUIT: u8 = 2;
pub(crate) const EXTRA_REMOTE: u8 = 3;
pub(crate) const EXTRA_VENDOR: u8 = 4;

/// One record, borrowed from a frame or from the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record<'a> {
    Lease(LeaseRecord<'a>),
    Window { first: u32, end: u32 },
    UncleanStart(Unclean),
    Hold(Hold),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LeaseRecord<'a> {
    pub(crate) address: u32,
    pub(crate) state: LeaseState,
    pub(crate) flags: u8,
    pub(crate) version: u32,
    pub(crate) expires: u32,
    pub(crate) pot: u32,
    pub(crate) last_seen: u32,
    pub(crate) giaddr: u32,
    pub(crate) who: Identity<'a>,
    pub(crate) extra: &'a [u8],
}

impl Record<'_> {
    /// Appends the record to a frame.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Lease(lease) => lease.encode(out),
            Self::Window { first, end } => {
                out.push(WINDOW);
                out.extend_from_slice(&8u16.to_le_bytes());
                out.extend_from_slice(&first.to_le_bytes());
                out.extend_from_slice(&end.to_le_bytes());
            }
            Self::UncleanStart(unclean) => {
                out.push(UNCLEAN);
                out.extend_from_slice(&8u16.to_le_bytes());
                out.extend_from_slice(&unclean.at.to_le_bytes());
                out.extend_from_slice(&unclean.seen.to_le_bytes());
            }
            Self::Hold(hold) => encode_hold(hold, out),
        }
    }
}

fn encode_hold(hold: &Hold, out: &mut Vec<u8>) {
    out.push(HOLD);
    out.extend_from_slice(&25u16.to_le_bytes());
    out.extend_from_slice(&hold.id.to_le_bytes());
    for word in [hold.taken, hold.began, hold.at, hold.until] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.push(u8::from(hold.chosen));
}

fn decode_hold(body: &[u8]) -> Option<Hold> {
    let id = body.first_chunk::<8>()?;
    Some(Hold {
        id: u64::from_le_bytes(*id),
        taken: word(body, 8)?,
        began: word(body, 12)?,
        at: word(body, 16)?,
        until: word(body, 20)?,
        chosen: *body.get(24)? != 0,
    })
}

fn decode_unclean(body: &[u8]) -> Option<Unclean> {
    let at = word(body, 0)?;
    // Before the second field there was one for both.
    let seen = word(body, 4).unwrap_or(at);
    Some(Unclean { at, seen })
}

impl LeaseRecord<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let id = self.who.client_id.unwrap_or_default();
        let len = FIXED + self.who.chaddr.len() + id.len() + self.extra.len();
        let mut head = [0u8; 3 + FIXED];
        head[0] = LEASE;
        head[1..3].copy_from_slice(&(len as u16).to_le_bytes());
        head[3..7].copy_from_slice(&self.address.to_le_bytes());
        head[7] = self.state as u8;
        head[8] = self.flags;
        for (at, word) in [self.version, self.expires, self.pot, self.last_seen, self.giaddr]
            .into_iter()
            .enumerate()
        {
            head[9 + at * 4..13 + at * 4].copy_from_slice(&word.to_le_bytes());
        }
        head[29] = self.who.htype;
        head[30] = self.who.chaddr.len() as u8;
        let id_len = self.who.client_id.map_or(NO_ID, |id| id.len() as u16);
        head[31..33].copy_from_slice(&id_len.to_le_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(self.who.chaddr);
        out.extend_from_slice(id);
        out.extend_from_slice(self.extra);
    }
}

/// Reads the records of a frame, stopping at the first that is not whole (frames are checksummed by the journal,
/// so that is a newer version's record, not damage).
pub(crate) fn decode(frame: &[u8]) -> impl Iterator<Item = Record<'_>> {
    decode_each(frame).map(|(record, _)| record)
}

/// As [`decode`], each record with the octets that it was read from.
pub(crate) fn decode_each(mut frame: &[u8]) -> impl Iterator<Item = (Record<'_>, &[u8])> {
    std::iter::from_fn(move || {
        loop {
            let (&[kind, a, b], rest) = frame.split_first_chunk::<3>()?;
            let len = usize::from(u16::from_le_bytes([a, b]));
            let body = rest.get(..len)?;
            let whole = &frame[..3 + len];
            frame = &rest[len..];
            let record = match kind {
                LEASE => decode_lease(body),
                WINDOW => Some(Record::Window {
                    first: word(body, 0)?,
                    end: word(body, 4)?,
                }),
                UNCLEAN => Some(Record::UncleanStart(decode_unclean(body)?)),
                HOLD => Some(Record::Hold(decode_hold(body)?)),
                _ => None,
            };
            // A kind that this version does not know is passed over.
            if let Some(record) = record {
                return Some((record, whole));
            }
        }
    })
}

fn word(body: &[u8], at: usize) -> Option<u32> {
    body.get(at..at + 4)
        .map(|b| u32::from_le_bytes(b.try_into().expect("four bytes were cut")))
}

fn decode_lease(body: &[u8]) -> Option<Record<'_>> {
    let (fixed, rest) = body.split_at_checked(FIXED)?;
    let hw_len = usize::from(fixed[27]);
    let id_len = u16::from_le_bytes([fixed[28], fixed[29]]);
    let (chaddr, rest) = rest.split_at_checked(hw_len)?;
    let (client_id, extra) = match id_len {
        NO_ID => (None, rest),
        n => rest
            .split_at_checked(usize::from(n))
            .map(|(id, rest)| (Some(id), rest))?,
    };
    Some(Record::Lease(LeaseRecord {
        address: word(fixed, 0)?,
        state: state_of(fixed[4])?,
        flags: fixed[5],
        version: word(fixed, 6)?,
        expires: word(fixed, 10)?,
        pot: word(fixed, 14)?,
        last_seen: word(fixed, 18)?,
        giaddr: word(fixed, 22)?,
        who: Identity {
            htype: fixed[26],
            chaddr,
            client_id,
        },
        extra,
    }))
}

fn state_of(byte: u8) -> Option<LeaseState> {
    use LeaseState::{Bound, Declined, Expired, Free, Offered, Released};
    [Free, Offered, Bound, Expired, Released, Declined]
        .into_iter()
        .find(|&s| s as u8 == byte)
}

/// Appends one piece of baggage; what is longer than 255 octets is cut.
pub(crate) fn put_extra(out: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let bytes = &bytes[..bytes.len().min(255)];
    out.extend_from_slice(&[tag, bytes.len() as u8]);
    out.extend_from_slice(bytes);
}

/// Finds a piece of baggage.
pub(crate) fn extra(mut bytes: &[u8], tag: u8) -> Option<&[u8]> {
    while let Some((&[found, len], rest)) = bytes.split_first_chunk::<2>() {
        let (value, rest) = rest.split_at_checked(usize::from(len))?;
        if found == tag {
            return Some(value);
        }
        bytes = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lease<'a>(chaddr: &'a [u8], client_id: Option<&'a [u8]>, extra: &'a [u8]) -> LeaseRecord<'a> {
        LeaseRecord {
            address: 0x0a00_0001,
            state: LeaseState::Bound,
            flags: 2,
            version: 9,
            expires: 1000,
            pot: 1500,
            last_seen: 10,
            giaddr: 7,
            who: Identity {
                htype: 1,
                chaddr,
                client_id,
            },
            extra,
        }
    }

    #[test]
    fn an_ordinary_lease_takes_39_bytes() {
        let mut out = Vec::new();
        Record::Lease(lease(&[2; 6], None, &[])).encode(&mut out);
        assert_eq!(out.len(), 39);
    }

    #[test]
    fn an_unclean_start_without_the_newest_stamp_counts_up_to_its_own_time() {
        let frame = [UNCLEAN, 4, 0, 7, 0, 0, 0];
        assert_eq!(
            decode(&frame).collect::<Vec<_>>(),
            [Record::UncleanStart(Unclean { at: 7, seen: 7 })]
        );
    }

    #[test]
    fn an_unknown_kind_is_passed_over() {
        let mut frame = vec![99, 2, 0, 1, 2];
        Record::Window { first: 1, end: 65 }.encode(&mut frame);
        assert_eq!(
            decode(&frame).collect::<Vec<_>>(),
            [Record::Window { first: 1, end: 65 }]
        );
    }

    proptest! {
        #[test]
        fn records_round_trip(
            hw in proptest::collection::vec(any::<u8>(), 0..=16),
            id in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..=255)),
            extra in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let hold = Record::Hold(Hold { id: 1 << 40, taken: 2, began: 4, at: 5, until: 6, chosen: true });
            let records = [Record::Lease(lease(&hw, id.as_deref(), &extra)), Record::Window { first: 5, end: 6 }, Record::UncleanStart(Unclean { at: 3, seen: 9 }), hold];
            let mut frame = Vec::new();
            records.iter().for_each(|r| r.encode(&mut frame));
            prop_assert_eq!(decode(&frame).collect::<Vec<_>>(), records);
        }

        #[test]
        fn no_bytes_make_the_decoder_fall(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes).count();
            let _ = extra(&bytes, 1);
        }
    }
}
