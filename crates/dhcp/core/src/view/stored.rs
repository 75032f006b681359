//! From a record to what people see.

use super::{LeaseState, LeaseView};
use crate::lease::FLAG_RESERVED;
use crate::plan::Plan;
use crate::record::{self, EXTRA_CIRCUIT, EXTRA_HOSTNAME, EXTRA_REMOTE, EXTRA_VENDOR, LeaseRecord};
use purlin_types::{Mac, Now};
use std::net::Ipv4Addr;

/// The lease that a record tells of.
pub(crate) fn view(plan: &Plan, now: &Now, lease: &LeaseRecord<'_>) -> LeaseView {
    let text = |tag| record::extra(lease.extra, tag).map(|b| String::from_utf8_lossy(b).into_owned());
    let octets = |tag| record::extra(lease.extra, tag).map(<[u8]>::to_vec);
    let who = &lease.who;
    let ethernet = who.htype == 1 && who.chaddr.len() == 6;
    let subnet = plan.routes.subnet_of(lease.address);
    LeaseView {
        address: lease.address.into(),
        state: shown_state(lease.state, lease.expires, now),
        mac: Mac(who.mac()),
        hardware: (!ethernet).then(|| (who.htype, who.chaddr.to_vec())),
        client_id: who.client_id.map(<[u8]>::to_vec),
        hostname: text(EXTRA_HOSTNAME),
        circuit_id: octets(EXTRA_CIRCUIT),
        remote_id: octets(EXTRA_REMOTE),
        vendor_class: text(EXTRA_VENDOR),
        giaddr: Some(lease.giaddr.into())
            .filter(|g| lease.state != LeaseState::Offered && *g != Ipv4Addr::UNSPECIFIED),
        last_seen: lease.last_seen,
        expires: lease.expires,
        reserved: lease.flags & FLAG_RESERVED != 0,
        network: plan.network_of(lease.address).to_owned(),
        subnet: subnet
            .and_then(|s| plan.subnet_name(s))
            .unwrap_or_default()
            .to_owned(),
    }
}

/// A lease that has ended but was not swept yet is shown as ended.
pub(crate) fn shown_state(state: LeaseState, expires: u32, now: &Now) -> LeaseState {
    if state == LeaseState::Bound && expires <= now.wall.secs() {
        LeaseState::Expired
    } else {
        state
    }
}
