//! What stored rows tell those who ask about the whole cluster: where to look for whom, and how full subnets are.

use super::unique_of;
use crate::lease::Identity;
use crate::plan::Plan;
use crate::view::{LeaseState, SubnetUse};
use purlin_types::Mac;
use std::ops::RangeInclusive;

/// Where in the body of a lease's row its state stands: after kind, length and address.
pub const STATE_OCTET: usize = 7;

/// The addresses of every subnet, as keys of rows. A subnet within another leaves a hole there, so it can have several.
#[must_use]
pub fn ranges(plan: &Plan) -> Vec<RangeInclusive<u64>> {
    let keys = |address| u64::from(u32::from(address));
    let all = plan.routes.ranges();
    all.map(|(range, _)| keys(range.first())..=keys(range.last()))
        .collect()
}

/// The lowest and the highest key of a subnet's rows; `None` when there is no subnet of that name.
#[must_use]
pub fn bounds(plan: &Plan, subnet: &str) -> Option<(u64, u64)> {
    let named = |(_, index): &(_, u16)| plan.subnet_name(*index) == Some(subnet);
    let keys = ranges(plan).into_iter().zip(plan.routes.ranges());
    let ours = keys.filter(|(_, found)| named(found)).map(|(keys, _)| keys);
    ours.map(|keys| (*keys.start(), *keys.end()))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Adds `rows` leases whose [`STATE_OCTET`] is `state` to the subnet that [`ranges`] numbers so. States that this
/// version does not know are not counted.
pub fn add(plan: &Plan, usage: &mut [SubnetUse], range: usize, state: u8, rows: u64) {
    let Some((_, index)) = plan.routes.ranges().nth(range) else {
        return;
    };
    let name = plan.subnet_name(index);
    let Some(used) = usage.iter_mut().find(|used| Some(used.subnet.as_str()) == name) else {
        return;
    };
    let is = |known: LeaseState| state == known as u8;
    if is(LeaseState::Bound) {
        used.bound += rows;
    } else if is(LeaseState::Declined) {
        used.declined += rows;
    } else if is(LeaseState::Expired) || is(LeaseState::Released) {
        used.reusable += rows;
    }
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
