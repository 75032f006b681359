//! Questions from outside the packet path.

use super::Engine;
use crate::record::{BootRecord, RecordQuery, Told};
use crate::view::{Readable, TransferView};
use purlin_telemetry::DecisionRing;
use std::net::SocketAddr;
use std::time::Duration;

impl<F: Readable> Engine<F> {
    /// Open transfers, `limit` at most.
    #[must_use]
    pub fn list(&self, limit: usize) -> Vec<TransferView> {
        let views = self.table.iter().map(|transfer| TransferView {
            slot: transfer.slot,
            client: canonical(transfer.peer.address),
            name: transfer.name.as_ref().to_owned(),
            write: transfer.write,
            netascii: transfer.netascii,
            stage: transfer.stage.as_str(),
            asked: transfer.asked_wall,
            octets: transfer.octets(),
            size: transfer.size,
            blksize: transfer.terms.blksize,
            windowsize: transfer.terms.windowsize,
            again: transfer.again,
            round_trip: Duration::from_nanos(transfer.round.smoothed()),
        });
        views.take(limit).collect()
    }

    /// The records themselves.
    #[must_use]
    pub fn records(&self) -> &DecisionRing<BootRecord> {
        &self.shared.ring
    }

    /// The newest records that fit, oldest first, in words.
    #[must_use]
    pub fn find_records(&self, query: &RecordQuery) -> Vec<Told> {
        let found = self.shared.ring.newest(query.limit, |record| query.fits(record));
        found.into_iter().map(Told::of).collect()
    }

    /// Records from number `from` on (`None`: from now on), at most `limit`; the number to go on with; and how many had
    /// been overwritten before they were asked for.
    #[must_use]
    pub fn records_since(&self, from: Option<u64>, limit: usize) -> (Vec<Told>, u64, u64) {
        let ring = &self.shared.ring;
        let from = from.unwrap_or(ring.next_seq()).min(ring.next_seq());
        let found: Vec<Told> = ring.since(from, limit).map(|record| Told::of(*record)).collect();
        let missed = ring.oldest_seq().saturating_sub(from);
        let next = from + missed + found.len() as u64;
        (found, next, missed)
    }
}

/// The address without the IPv6 clothes that a socket for both families gives to IPv4 clients.
fn canonical(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().to_ipv4_mapped().is_some() => {
            SocketAddr::new(address.ip().to_canonical(), address.port())
        }
        other => other,
    }
}
