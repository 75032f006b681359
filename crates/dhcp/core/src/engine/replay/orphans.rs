//! Leases whose subnet is not configured now.

use super::Content;
use super::put::supersedes;
use crate::record::{self, LeaseRecord, Record};
use crate::view::LeaseState;
use std::collections::HashMap;

/// Encoded records of leases whose address no network has, by address.
#[derive(Debug, Default)]
pub(in crate::engine) struct Orphans(HashMap<u32, Vec<u8>>);

impl Orphans {
    /// Keeps a record unless a newer one of the address is known.
    pub(in crate::engine) fn keep(&mut self, record: &Record<'_>) {
        let Record::Lease(lease) = record else { return };
        let known = self
            .0
            .get(&lease.address)
            .and_then(|bytes| record::decode(bytes).next());
        if matches!(known, Some(Record::Lease(known)) if !supersedes(lease, known.version)) {
            return;
        }
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        self.0.insert(lease.address, bytes);
    }

    pub(super) fn encode(&self, content: Content, out: &mut Vec<u8>) {
        for bytes in self.0.values() {
            let free = |record| matches!(record, Record::Lease(lease) if lease.state == LeaseState::Free);
            if content != Content::Leases || !record::decode(bytes).any(free) {
                out.extend_from_slice(bytes);
            }
        }
    }

    /// Appends those whose address is meant.
    pub(in crate::engine) fn encode_in(&self, meant: impl Fn(u32) -> bool, out: &mut Vec<u8>) {
        for (_, bytes) in self.0.iter().filter(|(address, _)| meant(**address)) {
            out.extend_from_slice(bytes);
        }
    }

    /// Changes every lease.
    pub(in crate::engine) fn change(&mut self, change: impl Fn(&mut LeaseRecord<'_>)) {
        for bytes in self.0.values_mut() {
            let mut changed = Vec::new();
            for mut record in record::decode(bytes) {
                if let Record::Lease(lease) = &mut record {
                    change(lease);
                }
                record.encode(&mut changed);
            }
            *bytes = changed;
        }
    }

    /// Takes all of them out.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Vec<u8>> + use<> {
        std::mem::take(&mut self.0).into_values()
    }

    /// Forgets those whose address is not wanted.
    pub(in crate::engine) fn retain(&mut self, wanted: impl Fn(u32) -> bool) {
        self.0.retain(|&address, _| wanted(address));
    }
}
