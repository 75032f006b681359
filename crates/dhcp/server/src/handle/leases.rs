//! Leases of all threads in one order, gathered in pieces that no packet waits for.

use super::{Door, Handle};
use crate::worker::Worker;
use futures_util::future::join_all;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_core::view::{BootFacts, LeasePage, LeaseQuery, LeaseView};
use purlin_dhcp_core::{Outside, Served};
use purlin_netio::now;
use std::net::Ipv4Addr;
use tokio::sync::oneshot;

/// Leases examined per turn of a packet thread: less than a millisecond of work.
const EXAMINED_PER_TURN: usize = 8192;
/// Most leases per page, whatever is asked for.
const PAGE_MAX: usize = 10_000;
/// Most leases that a search by text returns.
const FOUND_MAX: usize = 100;

impl Handle {
    /// One page in address order. `next` of the page is the cursor of the following one.
    pub async fn leases(&self, query: LeaseQuery) -> LeasePage {
        let query = LeaseQuery {
            limit: query.limit.clamp(1, PAGE_MAX),
            ..query
        };
        // All threads at once: the slowest tells how long it takes, not their sum.
        let pages = join_all(self.0.doors.iter().map(|door| page(door, query.clone()))).await;
        merge(pages, query.limit)
    }

    /// The lease of an address, in whatever state; `None` when it was never given out.
    pub async fn lease(&self, address: Ipv4Addr) -> Option<LeaseView> {
        let asked = self
            .ask_all(move |worker| worker.engine.lease(&now(), address))
            .await;
        asked.into_iter().flatten().next()
    }

    /// What is known of the machine at an address that boots: its lease, and what it said of itself when it booted last.
    /// `None` when it has no lease here and did not ask what to boot either.
    pub async fn facts(&self, address: Ipv4Addr) -> Option<BootFacts> {
        let mut found = None;
        for asked in self.ask_for_facts(address) {
            found = found.or(asked.await.ok().flatten());
        }
        found
    }

    /// The same for threads that may wait; it takes as long as the packet thread needs for the batch at hand.
    ///
    /// # Panics
    /// When called on a thread of an asynchronous runtime.
    #[must_use]
    pub fn wait_for_facts(&self, address: Ipv4Addr) -> Option<BootFacts> {
        let asked = self.ask_for_facts(address);
        let answers = asked.into_iter().map(oneshot::Receiver::blocking_recv);
        answers.flatten().flatten().next()
    }

    /// The thread that serves the address is asked alone; who would, when it lies in no subnet, nobody knows.
    fn ask_for_facts(&self, address: Ipv4Addr) -> Vec<oneshot::Receiver<Option<BootFacts>>> {
        let doors = &self.0.doors;
        let owner = self.plan().shard_of(address, doors.len() as u16);
        let asked = match owner {
            Some(shard) => &doors[usize::from(shard)..=usize::from(shard)],
            None => &doors[..],
        };
        let facts = move |worker: &mut Worker| worker.engine.boot_facts(&now(), address);
        asked.iter().map(|door| door.send(facts)).collect()
    }

    /// This node's leases that other settings would leave without a subnet or a pool, though they have one now.
    pub async fn outside(&self, after: &Settings) -> Outside {
        let plan = self.plan();
        let before = Served::new(plan.settings(), plan.pins());
        let after = Served::new(after, plan.pins());
        let mut all = Outside::default();
        for door in &self.0.doors {
            let outside = count_outside(door, &before, &after).await;
            all.subnets += outside.subnets;
            all.pools += outside.pools;
        }
        all
    }

    /// Leases that have `text` in their address, MAC, identifier, host name, circuit or remote id.
    pub async fn find(&self, text: &str) -> Vec<LeaseView> {
        let query = LeaseQuery {
            text: text.to_owned(),
            limit: FOUND_MAX,
            ..LeaseQuery::default()
        };
        self.leases(query).await.leases
    }
}

/// Counts one thread's bound leases piece by piece.
async fn count_outside(door: &Door, before: &Served, after: &Served) -> Outside {
    let (mut outside, mut next) = (Outside::default(), Some(0));
    while let Some(from) = next {
        let asked = door.ask(move |worker| worker.engine.bound_from(&now(), from, EXAMINED_PER_TURN));
        let Some((bound, end)) = asked.await else { break };
        for address in bound {
            outside.count(address, before, after);
        }
        next = end;
    }
    outside
}

/// One thread's page, asked for piece by piece.
async fn page(door: &Door, mut query: LeaseQuery) -> LeasePage {
    let limit = query.limit;
    let mut page = LeasePage::default();
    loop {
        let piece = query.clone();
        let asked = door
            .ask(move |worker| worker.engine.leases(&now(), &piece, EXAMINED_PER_TURN))
            .await;
        let Some(found) = asked else { return page };
        page.leases.extend(found.leases);
        page.next = found.next;
        if page.next.is_none() || page.leases.len() >= limit {
            return page;
        }
        query.after = page.next;
        query.limit = limit - page.leases.len();
    }
}

/// Every page is complete up to its own end, so the merged one is up to the earliest of these. What stands in several
/// is taken from the first.
pub(crate) fn merge(pages: Vec<LeasePage>, limit: usize) -> LeasePage {
    let end = pages.iter().filter_map(|page| page.next).min();
    let mut leases: Vec<LeaseView> = pages.into_iter().flat_map(|page| page.leases).collect();
    leases.sort_by_key(|lease| lease.address);
    leases.dedup_by_key(|lease| lease.address);
    if let Some(end) = end {
        leases.retain(|lease| lease.address <= end);
    }
    let cut = leases.len() > limit;
    leases.truncate(limit);
    let next = if cut {
        leases.last().map(|lease| lease.address)
    } else {
        end
    };
    LeasePage { leases, next }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_dhcp_core::view::LeaseState;
    use purlin_types::Mac;

    fn lease(last: u8) -> LeaseView {
        LeaseView {
            address: Ipv4Addr::new(10, 0, 0, last),
            state: LeaseState::Bound,
            mac: Mac([0; 6]),
            hardware: None,
            client_id: None,
            hostname: None,
            circuit_id: None,
            remote_id: None,
            vendor_class: None,
            giaddr: None,
            last_seen: 0,
            expires: 0,
            reserved: false,
            network: String::new(),
            subnet: String::new(),
        }
    }

    fn check(pages: &[(&[u8], Option<u8>)], limit: usize, want: &[u8], next: Option<u8>) {
        let address = |last: u8| Ipv4Addr::new(10, 0, 0, last);
        let pages = pages.iter().map(|(leases, next)| LeasePage {
            leases: leases.iter().copied().map(lease).collect(),
            next: next.map(address),
        });
        let merged = merge(pages.collect(), limit);
        assert_eq!(
            merged
                .leases
                .iter()
                .map(|l| l.address.octets()[3])
                .collect::<Vec<_>>(),
            want
        );
        assert_eq!(merged.next, next.map(address));
    }

    #[test]
    fn pages_of_threads_merge_without_gaps() {
        check(&[(&[1, 5], None), (&[2, 3], None)], 10, &[1, 2, 3, 5], None);
        check(&[(&[1, 5], Some(5)), (&[2, 9], Some(9))], 2, &[1, 2], Some(2));
        check(
            &[(&[1, 2, 3], Some(3)), (&[40, 50], None)],
            3,
            &[1, 2, 3],
            Some(3),
        );
        check(&[(&[8, 9], None), (&[], Some(4))], 2, &[], Some(4));
        check(&[(&[2], None), (&[2, 3], None)], 3, &[2, 3], None);
        check(&[], 2, &[], None);
    }
}
