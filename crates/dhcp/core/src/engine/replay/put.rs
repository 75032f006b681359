//! One record into the table, and one lease out of it.

use crate::lease::{FLAG_BOOTP, FLAG_INHERITED, FLAG_RECORDED, FLAG_RESERVED, Lease};
use crate::network::Network;
use crate::record::{LeaseRecord, Record};
use crate::table::{Slot, Table};
use crate::view::LeaseState;

/// Flags that are written down; the others are memory only.
const KEPT_FLAGS: u8 = FLAG_RESERVED | FLAG_BOOTP;

/// Among nodes, what was inherited stays so over an orderly handover: the next holder cannot know it otherwise.
fn kept_flags(network: &Network) -> u8 {
    KEPT_FLAGS | if network.shared { FLAG_INHERITED } else { 0 }
}

/// Takes one record unless something newer is known.
pub(in crate::engine) fn put(network: &mut Network, record: &Record<'_>) {
    match record {
        Record::Window { first, end } => {
            let pools = network.pools.iter_mut();
            pools.for_each(|pool| pool.restore_window(*first, *end));
        }
        Record::UncleanStart(_) | Record::Hold(_) => {}
        Record::Lease(lease) => put_lease(network, lease),
    }
}

fn put_lease(network: &mut Network, record: &LeaseRecord<'_>) {
    let kept = kept_flags(network);
    let table = &mut network.table;
    let slot = table.slot_or_new(record.address);
    if table.lease(slot).has(FLAG_RECORDED) && !supersedes(record, table.lease(slot).version) {
        return;
    }
    if record.state == LeaseState::Free {
        table.forget(slot);
    } else {
        point(table, slot, record);
    }
    table.update(slot, |l| {
        l.state = record.state;
        l.flags = record.flags & kept | FLAG_RECORDED;
        l.version = record.version;
        l.expires = record.expires;
        l.pot = record.pot;
        l.last_seen = record.last_seen;
        l.giaddr = record.giaddr;
        l.first = true;
        l.another = true;
    });
}

/// Whether a record tells more than the state of version `known`. Of one version the later counts, but a free
/// address says nothing that the lease before it does not say more carefully.
pub(super) fn supersedes(record: &LeaseRecord<'_>, known: u32) -> bool {
    record.version > known || (record.version == known && record.state != LeaseState::Free)
}

/// Makes the slot the recorded client's. The client is found there unless it is bound elsewhere since.
fn point(table: &mut Table, slot: Slot, record: &LeaseRecord<'_>) {
    let key = table.key_of(&record.who);
    let rival = table.find(key, &record.who).filter(|&other| other != slot);
    let newer = |l: &Lease| l.state == LeaseState::Bound && l.last_seen > record.last_seen;
    let keep_rival = rival.filter(|&other| newer(table.lease(other)));
    table.assign(slot, key, &record.who);
    if let Some(other) = keep_rival {
        table.assign(other, key, &record.who);
    }
    table.set_extra(slot, record.extra);
}

/// Appends the lease's record. What was only offered, or free and never written down, has none.
pub(crate) fn encode(network: &Network, slot: Slot, out: &mut Vec<u8>) {
    encode_with(network, slot, kept_flags(network), out);
}

/// The same for a store that nodes share, by a node that is alone still: whoever reads it must know what was inherited.
pub(crate) fn encode_as_row(network: &Network, slot: Slot, out: &mut Vec<u8>) {
    encode_with(network, slot, KEPT_FLAGS | FLAG_INHERITED, out);
}

fn encode_with(network: &Network, slot: Slot, kept: u8, out: &mut Vec<u8>) {
    let lease = network.table.lease(slot);
    if matches!(lease.state, LeaseState::Offered | LeaseState::Free) && !lease.has(FLAG_RECORDED) {
        return;
    }
    let mut scratch = [0; 17];
    Record::Lease(LeaseRecord {
        address: network.table.address(slot),
        state: if lease.state == LeaseState::Offered {
            LeaseState::Expired
        } else {
            lease.state
        },
        flags: lease.flags & kept,
        version: lease.version,
        expires: lease.expires,
        pot: lease.pot,
        last_seen: lease.last_seen,
        giaddr: if lease.state == LeaseState::Offered {
            0
        } else {
            lease.giaddr
        },
        who: network.table.identity(slot, &mut scratch),
        extra: network.table.extra(slot),
    })
    .encode(out);
}
