//! Leases and utilisation for those who ask from outside the packet path, in bounded pieces.

use super::Engine;
use crate::network::Network;
use crate::pool::Pool;
use crate::reasons;
use crate::record::{self, EXTRA_CIRCUIT, EXTRA_HOSTNAME, EXTRA_REMOTE, EXTRA_VENDOR, LeaseRecord};
use crate::table::Slot;
use crate::view::stored::{self, Part, shown_state};
use crate::view::{BootFacts, LeasePage, LeaseQuery, LeaseState, LeaseView, PoolUse, SubnetUse};
use purlin_dhcp_proto::Arch;
use purlin_telemetry::{Decision, Outcome};
use purlin_types::{Ipv4Range, Mac, Now};
use std::net::Ipv4Addr;

impl Engine {
    /// A page of leases in address order, examining at most `budget` of them. A page may be short, even empty,
    /// and still have a `next`.
    #[must_use]
    pub fn leases(&self, now: &Now, query: &LeaseQuery, budget: usize) -> LeasePage {
        let Some(from) = query.after.map_or(Some(0), |a| u32::from(a).checked_add(1)) else {
            return LeasePage::default();
        };
        let wanted = Wanted::new(query);
        let limit = query.limit.max(1);
        let mut found: Vec<LeaseView> = Vec::new();
        // Below this address every network has been examined.
        let mut complete = u32::MAX;
        for network in self.networks.iter().flatten() {
            let (mut room, mut matches) = (budget.max(1), 0);
            for slot in network.table.occupied_from(from) {
                let address = network.table.address(slot);
                if address > complete {
                    break;
                }
                if room == 0 || matches == limit {
                    complete = complete.min(address - 1);
                    break;
                }
                room -= 1;
                if let Some(view) = self.wanted(network, slot, now, query, &wanted) {
                    matches += 1;
                    found.push(view);
                }
            }
        }
        found.retain(|view| u32::from(view.address) <= complete);
        found.sort_by_key(|view| view.address);
        let cut = found.len() > limit;
        found.truncate(limit);
        let next = match found.last() {
            Some(last) if cut => Some(last.address),
            _ => (complete != u32::MAX).then(|| complete.into()),
        };
        LeasePage { leases: found, next }
    }

    fn wanted(
        &self,
        network: &Network,
        slot: Slot,
        now: &Now,
        query: &LeaseQuery,
        wanted: &Wanted,
    ) -> Option<LeaseView> {
        let lease = network.table.lease(slot);
        if query
            .state
            .is_some_and(|state| state != shown_state(lease.state, lease.expires, now))
        {
            return None;
        }
        match wanted {
            Wanted::All => {}
            Wanted::Mac(mac) if network.table.identity(slot, &mut [0; 17]).chaddr == mac.0 => {}
            Wanted::Address(address) if network.table.address(slot) == *address => {}
            Wanted::Text(part) if self.has_text(network, slot, part) => {}
            _ => return None,
        }
        let view = self.view(network, slot, now);
        (query.subnet.is_empty() || query.subnet == view.subnet).then_some(view)
    }

    fn has_text(&self, network: &Network, slot: Slot, part: &Part) -> bool {
        let text = &part.text;
        let mut scratch = [0; 17];
        let who = network.table.identity(slot, &mut scratch);
        let extra = network.table.extra(slot);
        let tags = [EXTRA_HOSTNAME, EXTRA_CIRCUIT, EXTRA_REMOTE, EXTRA_VENDOR];
        let octets = |bytes: &[u8]| part.is_in(bytes);
        Ipv4Addr::from(network.table.address(slot))
            .to_string()
            .contains(text)
            || octets(who.chaddr)
            || who.client_id.is_some_and(octets)
            || tags
                .iter()
                .filter_map(|&tag| record::extra(extra, tag))
                .any(|value| {
                    String::from_utf8_lossy(value).to_ascii_lowercase().contains(text) || octets(value)
                })
    }

    /// Addresses that are bound now, ascending, from `from` on: of at most `budget` that were looked at, and where to
    /// go on when that was not all.
    #[must_use]
    pub fn bound_from(&self, now: &Now, from: u32, budget: usize) -> (Vec<Ipv4Addr>, Option<u32>) {
        let (mut bound, mut end) = (Vec::new(), None);
        for network in self.networks.iter().flatten() {
            let mut room = budget.max(1);
            for slot in network.table.occupied_from(from) {
                let address = network.table.address(slot);
                if end.is_some_and(|end| address >= end) {
                    break;
                }
                if room == 0 {
                    end = Some(address);
                    break;
                }
                room -= 1;
                let lease = network.table.lease(slot);
                if shown_state(lease.state, lease.expires, now) == LeaseState::Bound {
                    bound.push(address.into());
                }
            }
        }
        let complete = |address: &Ipv4Addr| end.is_none_or(|end| u32::from(*address) < end);
        bound.retain(complete);
        (bound, end)
    }

    /// The lease of an address.
    #[must_use]
    pub fn lease(&self, now: &Now, address: Ipv4Addr) -> Option<LeaseView> {
        self.networks.iter().flatten().find_map(|network| {
            let slot = network.table.slot(address.into())?;
            (network.table.lease(slot).state != LeaseState::Free).then(|| self.view(network, slot, now))
        })
    }

    fn view(&self, network: &Network, slot: Slot, now: &Now) -> LeaseView {
        let lease = network.table.lease(slot);
        let mut scratch = [0; 17];
        let record = LeaseRecord {
            address: network.table.address(slot),
            state: lease.state,
            flags: lease.flags,
            version: lease.version,
            expires: lease.expires,
            pot: lease.pot,
            last_seen: lease.last_seen,
            giaddr: lease.giaddr,
            who: network.table.identity(slot, &mut scratch),
            extra: network.table.extra(slot),
        };
        stored::view(&self.plan, now, &record)
    }

    /// How full each of this thread's subnets is.
    #[must_use]
    pub fn usage(&self, _now: &Now) -> Vec<SubnetUse> {
        self.networks
            .iter()
            .flatten()
            .flat_map(|network| self.usage_of(network))
            .collect()
    }

    fn usage_of<'a>(&'a self, network: &'a Network) -> impl Iterator<Item = SubnetUse> + 'a {
        let plan = &self.plan.networks[usize::from(network.index)];
        plan.subnets.iter().map(move |&index| {
            let subnet = &self.plan.subnets[usize::from(index)];
            let counts = network.counts(index);
            let of = |state: LeaseState| counts[state as usize];
            let pools: Vec<PoolUse> = network.pools_of(index).map(use_of).collect();
            SubnetUse {
                network: plan.name.clone(),
                subnet: subnet.name.clone(),
                size: pools.iter().map(|pool| pool.range.count()).sum(),
                bound: of(LeaseState::Bound),
                offered: of(LeaseState::Offered),
                declined: of(LeaseState::Declined),
                reusable: of(LeaseState::Expired) + of(LeaseState::Released),
                reserved: subnet.reserved + self.plan.pins.count(index),
                pools,
            }
        })
    }

    /// An operator ends a lease: its record is appended to `records` (rule R5). `false` when nothing is leased.
    pub fn release(&mut self, now: &Now, address: Ipv4Addr, records: &mut Vec<u8>) -> bool {
        let plan = std::sync::Arc::clone(&self.plan);
        let secs = now.wall.secs();
        for network in self.networks.iter_mut().flatten() {
            let Some(slot) = network.table.slot(address.into()) else {
                continue;
            };
            if !matches!(
                network.table.lease(slot).state,
                LeaseState::Bound | LeaseState::Declined
            ) {
                continue;
            }
            let seen = network.stamp_ended(slot, secs);
            network.table.update(slot, |l| {
                l.version += 1;
                l.last_seen = seen;
                l.pot = secs;
                l.flags &= !crate::lease::FLAG_BOOTP;
            });
            let mac = network.table.identity(slot, &mut [0; 17]).mac();
            network.finish(&plan, slot, LeaseState::Released, secs);
            super::replay::encode(network, slot, records);
            self.counters.records += 1;
            let mut note = Decision {
                at: now.wall,
                mac,
                outcome: Outcome::Noted,
                ..Decision::default()
            };
            note.reason = reasons::OPERATOR_RELEASED;
            note.with.address = address.into();
            self.counters.count(note.reason);
            self.ring.push(note);
            return true;
        }
        false
    }

    /// What is known of the machine that has an address: its lease here, and what it said when it booted last. Beside
    /// another DHCP server there is no lease, and only the latter.
    #[must_use]
    pub fn boot_facts(&self, now: &Now, address: Ipv4Addr) -> Option<BootFacts> {
        let lease = self.lease(now, address);
        let lease = lease.filter(|lease| lease.state == LeaseState::Bound);
        let noted = self.boots.at(address.into());
        let noted = noted.filter(|noted| lease.as_ref().is_none_or(|lease| lease.mac == noted.mac));
        let mac = lease.as_ref().map(|l| l.mac).or_else(|| noted.map(|n| n.mac))?;
        let around = || {
            let subnet = self.plan.routes.subnet_of(address.into())?;
            self.plan.subnet_name(subnet).map(str::to_owned)
        };
        let (hostname, subnet) = match lease {
            Some(lease) => {
                let given = lease.reserved.then(|| self.reserved_name(address)).flatten();
                (given.or(lease.hostname), Some(lease.subnet))
            }
            None => (None, around()),
        };
        Some(BootFacts {
            mac,
            hostname,
            subnet,
            architecture: noted
                .and_then(|n| n.architecture)
                .map(|code| Arch(code).to_string()),
            user_class: noted.and_then(|n| n.user_class.as_deref()).map(str::to_owned),
            uuid: noted.and_then(|n| n.uuid),
        })
    }

    /// The host name that the reservation of an address gives its machine, whatever that calls itself.
    fn reserved_name(&self, address: Ipv4Addr) -> Option<String> {
        self.plan.networks.iter().find_map(|network| {
            let at = network.reservations.at(address.into())?;
            network.reservations.get(at).hostname.clone()
        })
    }
}

fn use_of(pool: &Pool) -> PoolUse {
    let of = |state: LeaseState| pool.counts[state as usize];
    PoolUse {
        range: Ipv4Range::try_new(pool.first.into(), pool.last.into())
            .expect("a pool ends behind its beginning"),
        bound: of(LeaseState::Bound),
        offered: of(LeaseState::Offered),
        declined: of(LeaseState::Declined),
        reusable: of(LeaseState::Expired) + of(LeaseState::Released),
    }
}

/// What a query's text is, so that the exact ones cost no formatting.
enum Wanted {
    All,
    Mac(Mac),
    Address(u32),
    Text(Part),
}

impl Wanted {
    fn new(query: &LeaseQuery) -> Self {
        let text = query.text.trim();
        if text.is_empty() {
            return Self::All;
        }
        if let Ok(mac) = text.parse() {
            return Self::Mac(mac);
        }
        match text.parse::<Ipv4Addr>() {
            Ok(address) => Self::Address(address.into()),
            Err(_) => Self::Text(Part::new(text)),
        }
    }
}
