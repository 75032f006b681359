//! From a journal frame to the rows of a store that many nodes share, and back to what people see.
//!
//! ```text
//!   frame: lease | lease | window ...   ──rows_of──►  table "lease"   key = address          body = the record
//!                                                     table "window"  key = first of a block  body = the record
//! ```
//!
//! A body is the record itself, so whoever takes a slot over reads rows as it would read a journal.

pub mod shown;

use crate::lease::{FLAG_INHERITED, Identity};
use crate::plan::Plan;
use crate::record::{self, LeaseRecord, Record};
use crate::share::{BLOCK, block_of};
use crate::view::{LeaseState, LeaseView, stored};
use purlin_types::{BLOCK_BITS, Now, Slot};
use std::borrow::Cow;

/// The table of leases: one row per address that was ever bound.
pub const LEASES: &str = "lease";
/// The table of windows: one row per block of which addresses may be given out ahead of their records (rule R2).
pub const WINDOWS: &str = "window";

/// One row as a frame states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowRef<'a> {
    /// [`LEASES`] or [`WINDOWS`].
    pub table: &'static str,
    /// The address as a number; of a window, its block's first address.
    pub key: u64,
    pub slot: Slot,
    /// Rises with every statement about an address.
    pub version: u32,
    /// Network and client of a bound lease: no client has two of them in one network. `None` for all else.
    pub unique: Option<Vec<u8>>,
    pub body: Cow<'a, [u8]>,
}

/// The rows of a frame, in its order: of two with one key the later counts. What concerns no slot (starts, restores)
/// gives none. `plan` names the networks of the leases.
pub fn rows_of<'a>(plan: &'a Plan, frame: &'a [u8]) -> impl Iterator<Item = RowRef<'a>> {
    record::decode_each(frame).flat_map(move |(record, body)| {
        let lease = match &record {
            Record::Lease(lease) => Some(row_of_lease(plan, lease, body)),
            _ => None,
        };
        let blocks = match record {
            Record::Window { first, end } if first < end => block_of(first)..=block_of(end - 1),
            #[expect(clippy::reversed_empty_ranges, reason = "no blocks")]
            _ => 1..=0,
        };
        let windows = blocks.map(|block| -> RowRef<'a> { row_of_window(block) });
        lease.into_iter().chain(windows)
    })
}

fn row_of_lease<'a>(plan: &Plan, lease: &LeaseRecord<'_>, body: &'a [u8]) -> RowRef<'a> {
    let network = plan.network_of(lease.address);
    let unique = (lease.state == LeaseState::Bound).then(|| unique_of(network, &lease.who));
    RowRef {
        table: LEASES,
        key: lease.address.into(),
        slot: Slot::of_block(block_of(lease.address)),
        version: lease.version,
        unique,
        body: body.into(),
    }
}

fn row_of_window(block: u32) -> RowRef<'static> {
    let first = block << BLOCK_BITS;
    let mut body = Vec::new();
    let end = first.saturating_add(BLOCK);
    Record::Window { first, end }.encode(&mut body);
    RowRef {
        table: WINDOWS,
        key: first.into(),
        slot: Slot::of_block(block),
        version: 1,
        unique: None,
        body: body.into(),
    }
}

/// What no two bound leases may have in common: the network's name and the client's key.
pub(crate) fn unique_of(network: &str, who: &Identity<'_>) -> Vec<u8> {
    let own = who.client_id.unwrap_or(who.chaddr).len();
    let mut unique = Vec::with_capacity(network.len() + 3 + own);
    unique.extend_from_slice(network.as_bytes());
    unique.push(0);
    match who.client_id {
        Some(id) => {
            unique.push(1);
            unique.extend_from_slice(id);
        }
        None => {
            unique.extend_from_slice(&[0, who.htype]);
            unique.extend_from_slice(who.chaddr);
        }
    }
    unique
}

/// When the client of a lease was last seen, in Unix seconds; 0 when the body is no lease.
#[must_use]
pub fn last_seen(body: &[u8]) -> u32 {
    let seen = |record| match record {
        Record::Lease(lease) => lease.last_seen,
        _ => 0,
    };
    record::decode(body).map(seen).max().unwrap_or(0)
}

/// The body of a lease that has ended for its client and whose address rests as long as was promised.
#[must_use]
pub fn ended(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for mut record in record::decode(body) {
        if let Record::Lease(lease) = &mut record {
            lease.state = LeaseState::Expired;
            lease.flags |= FLAG_INHERITED;
            lease.pot = lease.pot.max(lease.expires);
        }
        record.encode(&mut out);
    }
    out
}

/// The body of an address that is nobody's.
#[must_use]
pub fn freed(address: u32, version: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let lease = LeaseRecord {
        address,
        state: LeaseState::Free,
        flags: 0,
        version,
        expires: 0,
        pot: 0,
        last_seen: 0,
        giaddr: 0,
        who: Identity {
            htype: 0,
            chaddr: &[],
            client_id: None,
        },
        extra: &[],
    };
    Record::Lease(lease).encode(&mut out);
    out
}

/// A stored lease as people see it, whoever holds its slot; `None` when the body is no lease, or a free address.
#[must_use]
pub fn stored_lease(plan: &Plan, now: &Now, body: &[u8]) -> Option<LeaseView> {
    record::decode(body).find_map(|record| match record {
        Record::Lease(lease) if lease.state != LeaseState::Free => Some(stored::view(plan, now, &lease)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_with_and_without_identifier_are_two() {
        let plain = Identity {
            htype: 1,
            chaddr: &[7; 6],
            client_id: None,
        };
        let named = Identity {
            client_id: Some(&[1, 7, 7, 7, 7, 7, 7]),
            ..plain
        };
        assert_ne!(unique_of("a", &plain), unique_of("a", &named));
        assert_ne!(unique_of("a", &plain), unique_of("b", &plain));
    }

    #[test]
    fn a_lease_that_has_ended_keeps_its_client_and_its_bound() {
        let mut body = Vec::new();
        let lease = LeaseRecord {
            address: 7,
            state: LeaseState::Bound,
            flags: 0,
            version: 3,
            expires: 900,
            pot: 500,
            last_seen: 80,
            giaddr: 0,
            who: Identity {
                htype: 1,
                chaddr: &[7; 6],
                client_id: None,
            },
            extra: &[],
        };
        Record::Lease(lease).encode(&mut body);
        assert_eq!(last_seen(&body), 80);
        let body = ended(&body);
        let Some(Record::Lease(found)) = record::decode(&body).next() else {
            panic!("a lease")
        };
        assert_eq!(
            (found.state, found.pot, found.version),
            (LeaseState::Expired, 900, 3)
        );
        assert_eq!((found.flags, found.who), (FLAG_INHERITED, lease.who));
    }

    #[test]
    fn a_freed_address_is_a_row_without_a_client() {
        let body = freed(9, 4);
        assert_eq!((body[shown::STATE_OCTET], last_seen(&body)), (0, 0));
        assert_eq!(last_seen(b""), 0);
    }
}
