//! Address sets, port groups, DHCP options, names in DNS.

use crate::expr::{Format, Number};
use crate::model::State;
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A name that can stand behind `$` or `@`.
///
/// Source: ovn-nb(5), tables `Address_Set` and `Port_Group`, column `name`.
fn name(state: &State<'_>, table: &str, uuid: Uuid) -> Option<Problem> {
    let name = state.text(table, uuid, "name").unwrap_or_default();
    let first = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '.';
    let good = name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit());
    (!good).then(|| {
        let problem = Problem::error("set-name", "name", format!("`{name}` cannot be named in a match"));
        problem.help("letters, digits, `_` and `.`, no digit in front")
    })
}

pub(super) fn address_set(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let mut problems: Vec<Problem> = name(state, "Address_Set", uuid).into_iter().collect();
    let mut kinds = BTreeSet::new();
    for member in state.texts("Address_Set", uuid, "addresses") {
        match Number::parse(&member) {
            Ok(number) => {
                kinds.insert(number.format);
            }
            Err(why) => {
                let problem = Problem::error("set-member", "addresses", why);
                problems.push(problem.help("OVN would leave it out and say nothing"));
            }
        }
    }
    let words: Vec<&str> = kinds.iter().map(|kind| word(*kind)).collect();
    if words.len() > 1 {
        let message = format!(
            "{} stand in one set: no field goes with all of them",
            words.join(" and ")
        );
        problems.push(Problem::warning("set-mixed", "addresses", message));
    }
    problems
}

fn word(format: Format) -> &'static str {
    match format {
        Format::Ipv4 => "IPv4 addresses",
        Format::Ipv6 => "IPv6 addresses",
        Format::Ethernet => "MAC addresses",
        Format::Decimal | Format::Hexadecimal => "numbers",
    }
}

pub(super) fn port_group(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let mut problems: Vec<Problem> = name(state, "Port_Group", uuid).into_iter().collect();
    let group = state.text("Port_Group", uuid, "name").unwrap_or_default();
    for generated in ["_ip4", "_ip6"].map(|end| format!("{group}{end}")) {
        if state.by_name("Address_Set", &generated).is_some() {
            let message = format!("OVN makes an address set `{generated}` for it, and there is one already");
            problems.push(Problem::error("set-name", "name", message));
        }
    }
    problems
}

pub(super) fn dhcp_options(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let cidr = state.text("DHCP_Options", uuid, "cidr").unwrap_or_default();
    let options = state.map("DHCP_Options", uuid, "options");
    let catalog = state.dhcp().of(cidr);
    let (written, mut problems) = catalog.check(cidr, &options);
    for (name, value) in &written {
        if options.get(name) != Some(value) {
            let message = format!("OVN cannot read `{}`", options[name]);
            let problem = Problem::error("dhcp-option-unquoted", format!("options:{name}"), message);
            problems.push(problem.help(format!("it must be `{value}`")));
        }
    }
    problems
}

pub(super) fn dns(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let records = state.map("DNS", uuid, "records");
    let record = |(host, values): (&String, &String)| {
        let place = format!("records:{host}");
        if host.chars().any(|c| c.is_ascii_uppercase()) {
            let problem = Problem::error("dns-name", place, "OVN finds names in lower case only");
            return Some(problem.help(format!("write `{}`", host.to_lowercase())));
        }
        // A reverse record names a host.
        if host.ends_with(".arpa") {
            return None;
        }
        let wrong = values
            .split([',', ' '])
            .filter(|value| !value.is_empty())
            .find(|value| value.parse::<IpAddr>().is_err());
        let wrong = wrong.or(values.trim().is_empty().then_some(values.as_str()))?;
        Some(Problem::error(
            "dns-address",
            place,
            format!("`{wrong}` is no address"),
        ))
    };
    records.iter().filter_map(record).collect()
}
