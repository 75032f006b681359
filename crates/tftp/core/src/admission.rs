//! How many transfers may be open: in all, per address, per machine. Shared by all packet threads, asked once per
//! request and told once per end.
//!
//! In a cluster the limits per address and per machine count what other nodes said last, too: about a second late, so
//! somebody who asks all nodes at once may get a little more than the limit. The limit over all is each node's own.

mod who;

pub use who::{UnknownWho, Who};

use crate::reasons;
use crate::settings::Limits;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use purlin_telemetry::ReasonCode;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks that the counts are spread over.
const SHARDS: usize = 64;
/// Machines remembered per shard at most; what is over is forgotten, and counts by address again.
const MACHINES_MAX: usize = 4096;

#[derive(Debug, Default)]
struct Shard {
    open: HashMap<Who, u32, FixedState>,
    /// What other nodes have open, as they said last.
    elsewhere: HashMap<Who, u32, FixedState>,
    /// The machine behind an address.
    machines: HashMap<IpAddr, u64, FixedState>,
}

/// The counts.
#[derive(Debug)]
pub struct Admission {
    per_client: AtomicU32,
    per_ip: AtomicU32,
    total: AtomicU32,
    open: AtomicU32,
    shards: Vec<Mutex<Shard>>,
    hasher: FixedState,
}

/// What [`Admission::take`] counted, and must be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    client: Option<Who>,
    address: Option<Who>,
}

/// Why a request is refused, with the limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full {
    pub(crate) reason: ReasonCode,
    pub(crate) limit: u32,
}

impl Admission {
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            per_client: AtomicU32::new(limits.per_client),
            per_ip: AtomicU32::new(limits.per_ip),
            total: AtomicU32::new(limits.total),
            open: AtomicU32::new(0),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: FixedState::default(),
        }
    }

    /// Puts other limits into effect; open transfers stay.
    pub fn apply(&self, limits: Limits) {
        self.per_client.store(limits.per_client, Relaxed);
        self.per_ip.store(limits.per_ip, Relaxed);
        self.total.store(limits.total, Relaxed);
    }

    /// Transfers open on all threads.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.open.load(Relaxed)
    }

    /// Tells which machine an address belongs to (a number that stands for its hardware address): from now on its
    /// transfers count for the machine, whatever addresses it has.
    pub fn identify(&self, address: IpAddr, machine: u64) {
        let address = address.to_canonical();
        let mut shard = self.shard(&address);
        if shard.machines.len() >= MACHINES_MAX {
            shard.machines.clear();
        }
        shard.machines.insert(address, machine);
    }

    /// Counts one more transfer.
    pub(crate) fn take(&self, address: IpAddr) -> Result<Ticket, Full> {
        let address = address.to_canonical();
        let total = self.total.load(Relaxed);
        let open = self.open.fetch_add(1, Relaxed);
        let mut ticket = Ticket {
            client: None,
            address: None,
        };
        let full = |reason, limit| Full { reason, limit };
        if total != 0 && open >= total {
            self.give(ticket);
            return Err(full(reasons::LIMIT_TOTAL, total));
        }
        let per_ip = self.per_ip.load(Relaxed);
        if per_ip != 0 {
            if !self.count(Who::Address(address), per_ip) {
                self.give(ticket);
                return Err(full(reasons::LIMIT_IP, per_ip));
            }
            ticket.address = Some(Who::Address(address));
        }
        let per_client = self.per_client.load(Relaxed);
        if per_client != 0 {
            let machine = self.shard(&address).machines.get(&address).copied();
            let key = machine.map_or(Who::Client(address), Who::Machine);
            if !self.count(key, per_client) {
                self.give(ticket);
                return Err(full(reasons::LIMIT_CLIENT, per_client));
            }
            ticket.client = Some(key);
        }
        Ok(ticket)
    }

    /// The transfer has ended.
    pub(crate) fn give(&self, ticket: Ticket) {
        self.open.fetch_sub(1, Relaxed);
        for key in [ticket.client, ticket.address].into_iter().flatten() {
            let mut shard = self.shard(&key);
            if let Some(count) = shard.open.get_mut(&key) {
                *count -= 1;
                if *count == 0 {
                    shard.open.remove(&key);
                }
            }
        }
    }

    /// Who has transfers open here, those with most first, at most `most` of them: what other nodes are told.
    #[must_use]
    pub fn tally(&self, most: usize) -> Vec<(Who, u32)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            all.extend(shard.open.iter().map(|(who, open)| (*who, *open)));
        }
        if all.len() > most {
            all.select_nth_unstable_by_key(most, |(_, open)| std::cmp::Reverse(*open));
            all.truncate(most);
        }
        all
    }

    /// Takes what other nodes have open in place of what was heard before.
    pub fn hear(&self, elsewhere: impl IntoIterator<Item = (Who, u32)>) {
        for shard in &self.shards {
            shard
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .elsewhere
                .clear();
        }
        for (who, open) in elsewhere {
            let mut shard = self.shard(&who);
            let sum = shard.elsewhere.entry(who).or_insert(0);
            *sum = sum.saturating_add(open);
        }
    }

    /// One more for `who`, unless `limit` are open.
    fn count(&self, who: Who, limit: u32) -> bool {
        let mut shard = self.shard(&who);
        let here = shard.open.get(&who).copied().unwrap_or(0);
        let elsewhere = shard.elsewhere.get(&who).copied().unwrap_or(0);
        if here.saturating_add(elsewhere) >= limit {
            return false;
        }
        shard.open.insert(who, here + 1);
        true
    }

    fn shard(&self, key: &impl std::hash::Hash) -> MutexGuard<'_, Shard> {
        let at = self.hasher.hash_one(key) as usize >> 3;
        self.shards[at % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const A: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    fn admission(per_client: u32, per_ip: u32, total: u32) -> Admission {
        Admission::new(Limits {
            per_client,
            per_ip,
            total,
            ..Limits::default()
        })
    }

    fn refusal(admission: &Admission, address: IpAddr) -> ReasonCode {
        admission.take(address).expect_err("the limit is reached").reason
    }

    #[test]
    fn every_limit_has_its_own_reason() {
        let limits = admission(3, 2, 4);
        let first = limits.take(A).unwrap();
        limits.take(A).unwrap();
        assert_eq!(refusal(&limits, A), reasons::LIMIT_IP);
        limits.take(B).unwrap();
        limits.take(B).unwrap();
        assert_eq!(refusal(&limits, B), reasons::LIMIT_TOTAL);
        limits.give(first);
        assert!(limits.take(A).is_ok());
        assert_eq!(limits.open(), 4);
    }

    #[test]
    fn addresses_of_one_machine_count_together() {
        let limits = admission(1, 0, 0);
        limits.identify(A, 7);
        limits.identify(B, 7);
        let first = limits.take(A).unwrap();
        assert_eq!(refusal(&limits, B), reasons::LIMIT_CLIENT);
        limits.give(first);
        assert!(limits.take(B).is_ok());
    }

    #[test]
    fn what_is_open_elsewhere_counts_for_addresses_and_machines_and_not_for_the_total() {
        let limits = admission(0, 3, 4);
        limits.hear([(Who::Address(A), 1), (Who::Address(A), 1), (Who::Address(B), 9)]);
        limits.take(A).unwrap();
        assert_eq!(refusal(&limits, A), reasons::LIMIT_IP);
        assert_eq!(refusal(&limits, B), reasons::LIMIT_IP);
        limits.hear([]);
        for _ in 0..2 {
            limits.take(A).unwrap();
        }
        limits.take(B).unwrap();
        assert_eq!(refusal(&limits, B), reasons::LIMIT_TOTAL);
    }

    #[test]
    fn others_are_told_of_those_with_most() {
        let limits = admission(0, 10, 0);
        for _ in 0..3 {
            limits.take(B).unwrap();
        }
        let one = limits.take(A).unwrap();
        assert_eq!(limits.tally(1), [(Who::Address(B), 3)]);
        limits.give(one);
        assert_eq!(limits.tally(9), [(Who::Address(B), 3)]);
    }

    #[test]
    fn a_refused_request_leaves_no_trace() {
        let limits = admission(1, 1, 1);
        let one = limits.take(A).unwrap();
        for _ in 0..100 {
            assert!(limits.take(A).is_err() && limits.take(B).is_err());
        }
        limits.give(one);
        assert_eq!(limits.open(), 0);
        limits.hear([(Who::Address(A), 1)]);
        assert!(limits.take(A).is_err() && limits.tally(9).is_empty());
        assert!(limits.take(B).is_ok());
    }

    #[test]
    fn a_ticket_is_given_back_as_it_was_taken() {
        let limits = admission(0, 0, 0);
        let uncounted = limits.take(A).unwrap();
        limits.apply(Limits {
            per_client: 1,
            per_ip: 1,
            total: 0,
            ..Limits::default()
        });
        let counted = limits.take(A).unwrap();
        limits.give(uncounted);
        assert!(limits.take(A).is_err());
        limits.give(counted);
        assert!(limits.take(A).is_ok());
    }
}
