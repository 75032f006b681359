//! Octets, addresses and times as JSON says them.

use crate::Leases;
use purlin_api::clock::{rfc3339_millis, rfc3339_secs};
use purlin_dhcp_core::reasons;
use purlin_dhcp_core::view::{LeaseView, Told};
use purlin_types::{ClientId, Mac};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Octets as hex pairs with colons.
pub(super) fn octets(octets: &[u8]) -> String {
    ClientId(octets.to_vec()).to_string()
}

/// Octets as text, when every one of them is a printable ASCII character.
fn printable(octets: &[u8]) -> Option<&str> {
    let all = !octets.is_empty() && octets.iter().all(|c| (0x20..0x7f).contains(c));
    std::str::from_utf8(octets).ok().filter(|_| all)
}

/// A lease as the API shows it, with the node that holds it when there are several.
pub(super) fn held_lease(leases: &Leases, lease: &LeaseView) -> Value {
    let holder = leases.holder(lease.address);
    let mut shown = self::lease(lease);
    shown["holder"] = holder.map(|holder| holder.node.to_string()).into();
    shown
}

fn lease(lease: &LeaseView) -> Value {
    let hex = |value: &Option<Vec<u8>>| value.as_deref().map(octets);
    let text = |value: &Option<Vec<u8>>| value.as_deref().and_then(printable).map(str::to_owned);
    json!({
        "address": lease.address,
        "state": lease.state.as_str(),
        "mac": lease.mac.to_string(),
        "hardware": lease.hardware.as_ref().map(|(kind, address)| json!({"type": kind, "address": octets(address)})),
        "client_id": hex(&lease.client_id),
        "hostname": lease.hostname,
        "circuit_id": hex(&lease.circuit_id),
        "circuit_id_text": text(&lease.circuit_id),
        "remote_id": hex(&lease.remote_id),
        "remote_id_text": text(&lease.remote_id),
        "vendor_class": lease.vendor_class,
        "giaddr": lease.giaddr,
        "last_seen": rfc3339_secs(lease.last_seen),
        "expires": expires(lease.expires),
        "reserved": lease.reserved,
        "network": lease.network,
        "subnet": lease.subnet,
    })
}

/// The end of a lease; `None` for one that never ends.
fn expires(secs: u32) -> Option<String> {
    (secs != u32::MAX).then(|| rfc3339_secs(secs))
}

/// A decision as the API shows it.
pub(super) fn decision(told: &Told) -> Value {
    let decision = &told.decision;
    let address = |bits: u32| (bits != 0).then(|| Ipv4Addr::from(bits));
    json!({
        "at": rfc3339_millis(decision.at.0),
        "seq": decision.seq,
        "mac": Mac(decision.mac).to_string(),
        "event": told.event,
        "answer": told.answer,
        "outcome": decision.outcome.as_str(),
        "code": decision.reason.to_string(),
        "slug": told.slug,
        "text": told.text,
        "subnet": told.subnet,
        "address": address(decision.with.address),
        "via": address(decision.with.via),
        "xid": format!("{:08x}", decision.xid),
        "nanos": (decision.nanos > 0).then_some(decision.nanos),
    })
}

/// What to do about a decision; empty when nothing is wrong.
pub(super) fn fix(told: &Told) -> &'static str {
    reasons::reason(told.decision.reason).map_or("", |reason| reason.fix)
}
