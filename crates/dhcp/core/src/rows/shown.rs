//! What stored rows tell those who ask about the whole cluster: where to look for whom, and how full subnets are.

use super::unique_of;
use crate::lease::Identity;
use crate::plan::{Plan, PoolPlan};
use crate::view::{LeaseState, SubnetUse};
use purlin_types::{Ipv4Range, Mac};
use std::ops::RangeInclusive;

/// Where in the body of a lease's row its state stands: after kind, length and address.
pub const STATE_OCTET: usize = 7;

/// The lowest and the highest key of a subnet's rows; `None` when there is no subnet of that name.
#[must_use]
pub fn bounds(plan: &Plan, subnet: &str) -> Option<(u64, u64)> {
    let key = |address| u64::from(u32::from(address));
    let named = |(_, index): &(_, u16)| plan.subnet_name(*index) == Some(subnet);
    let ours = plan.routes.ranges().filter(named);
    ours.map(|(range, _)| (key(range.first()), key(range.last())))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Where the rows of leases are counted: every address of every subnet, cut where its pools begin and end.
#[derive(Debug)]
pub struct Parts {
    /// Ranges of keys, none of which overlaps another.
    pub keys: Vec<RangeInclusive<u64>>,
    /// Of each range: the subnet, and the pool within it.
    of: Vec<(u16, Option<Ipv4Range>)>,
}

impl Parts {
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let (mut keys, mut of) = (Vec::new(), Vec::new());
        for (range, subnet) in plan.routes.ranges() {
            for (first, last, pool) in cut(range, plan.subnets[usize::from(subnet)].pools.iter()) {
                keys.push(u64::from(first)..=u64::from(last));
                of.push((subnet, pool));
            }
        }
        Self { keys, of }
    }

    /// Adds `rows` leases of a range of [`Self::keys`] whose [`STATE_OCTET`] is `state`. States that this version does
    /// not know are not counted.
    pub fn add(&self, plan: &Plan, usage: &mut [SubnetUse], range: usize, state: u8, rows: u64) {
        let Some(&(subnet, pool)) = self.of.get(range) else {
            return;
        };
        let name = plan.subnet_name(subnet);
        let Some(used) = usage.iter_mut().find(|used| Some(used.subnet.as_str()) == name) else {
            return;
        };
        let pool = used.pools.iter_mut().find(|used| Some(used.range) == pool);
        let is = |known: LeaseState| state == known as u8;
        if is(LeaseState::Bound) {
            used.bound += rows;
            pool.into_iter().for_each(|pool| pool.bound += rows);
        } else if is(LeaseState::Declined) {
            used.declined += rows;
            pool.into_iter().for_each(|pool| pool.declined += rows);
        } else if is(LeaseState::Expired) || is(LeaseState::Released) {
            used.reusable += rows;
            pool.into_iter().for_each(|pool| pool.reusable += rows);
        }
    }
}

/// A range of addresses cut where pools begin and end, which do not overlap; each piece with its pool.
fn cut<'a>(
    range: Ipv4Range,
    pools: impl Iterator<Item = &'a PoolPlan>,
) -> Vec<(u32, u32, Option<Ipv4Range>)> {
    let (first, last) = (u32::from(range.first()), u32::from(range.last()));
    let mut within: Vec<(u32, u32)> = pools
        .filter(|pool| pool.first <= last && pool.last >= first)
        .map(|pool| (pool.first, pool.last))
        .collect();
    within.sort_unstable();
    let (mut pieces, mut from) = (Vec::new(), Some(first));
    for (begin, end) in within {
        let Some(start) = from else { break };
        if start < begin {
            pieces.push((start, begin - 1, None));
        }
        let whole = Ipv4Range::try_new(begin.into(), end.into()).ok();
        pieces.push((begin.max(first), end.min(last), whole));
        from = end.checked_add(1).filter(|&next| next <= last);
    }
    pieces.extend(from.map(|start| (start, last, None)));
    pieces
}

/// What the rows of a machine's bound leases claim, in every network, when it names itself by its hardware address:
/// without a client identifier, or with the one that is made of the address (RFC 2132, section 9.14).
#[must_use]
pub fn claims_of(plan: &Plan, mac: Mac) -> Vec<Vec<u8>> {
    let mut id = vec![1];
    id.extend_from_slice(&mac.0);
    let plain = Identity {
        htype: 1,
        chaddr: &mac.0,
        client_id: None,
    };
    let named = Identity {
        client_id: Some(&id),
        ..plain
    };
    let networks = plan.networks.iter();
    networks
        .flat_map(|network| [&plain, &named].map(|who| unique_of(&network.name, who)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{LeaseRecord, Record};

    fn pools(ranges: &[(u32, u32)]) -> Vec<PoolPlan> {
        let made = |&(first, last): &(u32, u32)| PoolPlan {
            first,
            last,
            guard: 0,
            scope: crate::settings::Scope::default(),
        };
        ranges.iter().map(made).collect()
    }

    #[test]
    fn every_address_of_a_range_is_in_one_piece_of_it() {
        let range: Ipv4Range = "0.0.0.16-0.0.0.31".parse().expect("a range");
        type Case = (&'static [(u32, u32)], &'static [(u32, u32, bool)]);
        let cases: [Case; 5] = [
            (&[], &[(16, 31, false)]),
            (&[(16, 31)], &[(16, 31, true)]),
            (
                &[(24, 31), (18, 20)],
                &[(16, 17, false), (18, 20, true), (21, 23, false), (24, 31, true)],
            ),
            (
                &[(16, 19), (20, 20)],
                &[(16, 19, true), (20, 20, true), (21, 31, false)],
            ),
            // Where another subnet cuts a hole into this one.
            (
                &[(8, 17), (30, 40), (50, 60)],
                &[(16, 17, true), (18, 29, false), (30, 31, true)],
            ),
        ];
        for (ranges, wanted) in cases {
            let pools = pools(ranges);
            let pieces = cut(range, pools.iter());
            let seen: Vec<_> = pieces
                .iter()
                .map(|(a, b, pool)| (*a, *b, pool.is_some()))
                .collect();
            assert_eq!(seen, wanted, "{ranges:?}");
        }
        let all: Ipv4Range = "0.0.0.0/0".parse().expect("all");
        assert_eq!(cut(all, pools(&[(9, u32::MAX)]).iter()).len(), 2);
    }

    #[test]
    fn the_state_stands_where_counting_looks_for_it() {
        for state in [LeaseState::Bound, LeaseState::Released, LeaseState::Declined] {
            let record = Record::Lease(LeaseRecord {
                address: 1,
                state,
                flags: 255,
                version: u32::MAX,
                expires: 0,
                pot: 0,
                last_seen: 0,
                giaddr: 0,
                who: Identity {
                    htype: 1,
                    chaddr: &[7; 6],
                    client_id: None,
                },
                extra: &[],
            });
            let mut body = Vec::new();
            record.encode(&mut body);
            assert_eq!(body[STATE_OCTET], state as u8);
        }
    }
}
