//! What becomes of a port's DHCP: who answers it, with what, and what is in the way.

use purlin_ovn_core::address::Network;
use purlin_ovn_core::check;
use purlin_ovn_core::model::State;
use purlin_ovn_core::policy::{Dropped, Policy};
use purlin_ovn_core::serving::{Server, chosen};
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};

const PORT: &str = "Logical_Switch_Port";
const OPTIONS: &str = "DHCP_Options";

/// Without these OVN makes no answer at all (ovn-nb(5), "DHCP_Options").
const NEEDED: [&str; 3] = ["server_id", "server_mac", "lease_time"];

/// One port's DHCP, with a part of a sentence and what to look at.
pub(super) fn told(state: &State<'_>, switch: Uuid, port: Uuid, name: &str) -> Value {
    let options = state.targets(PORT, port, "dhcpv4_options").first().copied();
    let (macs, _) = state.port_addresses(port);
    let dropped = macs
        .first()
        .and_then(|mac| Policy::of_switch(state, switch).dhcp_dropped(name, *mac));
    let faults = options
        .map(|options| faults(state, port, options))
        .unwrap_or_default();
    let mut checks = Vec::new();
    let way = match &dropped {
        None => None,
        Some(Dropped::By(rule)) => {
            checks.push(format!(
                "ACL {} (priority {}) drops its DHCP where it leaves: /api/v1/ovn/nb/ACL/{}",
                rule.label, rule.priority, rule.acl
            ));
            Some(format!("ACL {} drops its DHCP", rule.label))
        }
        Some(Dropped::ByDefault) => {
            checks.push("no ACL allows its DHCP, and NB_Global.options:default_acl_drop is set".to_owned());
            Some("no ACL allows its DHCP".to_owned())
        }
    };
    let purlin = chosen(state, switch) == Some(Server::Purlin);
    let answers = match (options, faults.as_slice()) {
        (None, _) if purlin => "Purlin answers its DHCP".to_owned(),
        (None, _) => "OVN does not answer its DHCP".to_owned(),
        (Some(options), []) => format!("OVN answers its DHCP for {}", state.label(OPTIONS, options)),
        (Some(_), [first, ..]) => format!("OVN cannot answer its DHCP: {first}"),
    };
    checks.extend(faults.iter().cloned());
    json!({
        "options": options.map(|uuid| uuid.to_string()),
        "href": options.map(|uuid| format!("/api/v1/ovn/nb/{OPTIONS}/{uuid}")),
        "native": options.is_some(),
        "served_by": match (options, purlin) {
            (Some(_), _) => Server::Ovn,
            (None, true) => Server::Purlin,
            (None, false) => Server::Nobody,
        }.as_str(),
        "problems": faults,
        "dropped": dropped,
        "summary": way.unwrap_or(answers),
        "checks": checks,
    })
}

/// Why OVN would not answer with these options.
fn faults(state: &State<'_>, port: Uuid, options: Uuid) -> Vec<String> {
    let mut faults: Vec<String> = check::row(state, OPTIONS, options)
        .iter()
        .map(ToString::to_string)
        .collect();
    let map = state.map(OPTIONS, options, "options");
    for name in NEEDED.iter().filter(|name| !map.contains_key(**name)) {
        let known = faults.iter().any(|fault| fault.contains(name));
        if !known {
            faults.push(format!(
                "option {name} is missing, and without it OVN makes no answer"
            ));
        }
    }
    let cidr = state.text(OPTIONS, options, "cidr").unwrap_or_default();
    let (_, ips) = state.port_addresses(port);
    let within = Network::parse(cidr).is_ok_and(|network| ips.iter().any(|ip| network.contains(*ip)));
    if !within {
        faults.push(format!(
            "the port has no address in {cidr}, for which its DHCP options are"
        ));
    }
    faults
}
