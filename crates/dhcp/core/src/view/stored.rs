//! From a record to what people see.

use super::{LeaseQuery, LeaseState, LeaseView};
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

impl LeaseQuery {
    /// Whether a lease is wanted; the cursor and the limit are the caller's to heed.
    #[must_use]
    pub fn wants(&self, lease: &LeaseView) -> bool {
        let text = self.text.trim();
        self.state.is_none_or(|state| state == lease.state)
            && (self.subnet.is_empty() || self.subnet == lease.subnet)
            && (text.is_empty() || has_text(lease, text))
    }
}

/// An address or a MAC means itself, anything else a part of something.
fn has_text(lease: &LeaseView, text: &str) -> bool {
    if let Ok(mac) = text.parse::<Mac>() {
        return lease.hardware.is_none() && lease.mac == mac;
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return lease.address == address;
    }
    let text = text.to_ascii_lowercase();
    let octets = |bytes: &[u8]| hex(bytes).contains(&text);
    let either = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .to_ascii_lowercase()
            .contains(&text)
            || octets(bytes)
    };
    let hardware = lease.hardware.as_ref().map_or(&lease.mac.0[..], |(_, full)| full);
    let named = [&lease.hostname, &lease.vendor_class];
    let relayed = [&lease.circuit_id, &lease.remote_id];
    lease.address.to_string().contains(&text)
        || octets(hardware)
        || lease.client_id.as_deref().is_some_and(octets)
        || named.into_iter().flatten().any(|name| either(name.as_bytes()))
        || relayed.into_iter().flatten().any(|id| either(id))
}

/// Octets as `02:00:0a`.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 3);
    for (i, byte) in bytes.iter().enumerate() {
        let _ = write!(text, "{}{byte:02x}", if i > 0 { ":" } else { "" });
    }
    text
}
