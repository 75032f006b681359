//! Routes, routing policies, address translation.

use crate::address::Network;
use crate::model::State;
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use purlin_types::Mac;
use std::net::IpAddr;

/// An address, or a network where one is written.
fn network(text: &str) -> Option<Network> {
    match text.parse::<IpAddr>() {
        Ok(address) => Some(Network::host(address)),
        Err(_) => Network::parse(text).ok(),
    }
}

pub(super) fn route(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Logical_Router_Static_Route";
    let text = |column| state.text(table, uuid, column).unwrap_or_default();
    let (prefix, nexthop) = (text("ip_prefix"), text("nexthop"));
    let Some(network) = network(prefix) else {
        return vec![Problem::error(
            "route-prefix",
            "ip_prefix",
            format!("`{prefix}` is no network"),
        )];
    };
    if nexthop == "discard" {
        return Vec::new();
    }
    let Ok(hop) = nexthop.parse::<IpAddr>() else {
        let problem = Problem::error("route-nexthop", "nexthop", format!("`{nexthop}` is no address"));
        return vec![problem.help("an address of the next router, or `discard`")];
    };
    let mut problems = Vec::new();
    if hop.is_ipv4() != network.is_v4() {
        let message = format!("{prefix} and {hop} are of different IP versions");
        problems.push(Problem::error("route-family", "nexthop", message));
    }
    let Some((_, _, router)) = state.parent(table, uuid) else {
        return problems;
    };
    let ports = state.targets("Logical_Router", router, "ports");
    if let Some(port) = state
        .text(table, uuid, "output_port")
        .filter(|port| !port.is_empty())
    {
        let of_router = |port: &str| {
            let uuid = state.by_name("Logical_Router_Port", port);
            uuid.is_some_and(|uuid| ports.contains(&uuid))
        };
        if !of_router(port) {
            let names: Vec<String> = ports
                .iter()
                .map(|port| state.label("Logical_Router_Port", *port))
                .collect();
            let problem = Problem::error(
                "route-port",
                "output_port",
                format!("the router has no port `{port}`"),
            );
            problems.push(problem.nearest(port, names.iter().map(String::as_str)));
        }
        return problems;
    }
    if !is_near(state, &ports, hop) {
        let message = format!("no port of the router is in a network with {hop}: OVN leaves the route out");
        problems.push(Problem::warning("route-unreachable", "nexthop", message));
    }
    problems.extend(same_route(state, uuid, router));
    problems
}

/// The same route twice on one router. Other next hops for one prefix share its traffic.
fn same_route(state: &State<'_>, uuid: Uuid, router: Uuid) -> Option<Problem> {
    let key = |row: Uuid| {
        let columns = ["ip_prefix", "nexthop", "output_port", "policy", "route_table"];
        columns.map(|column| {
            state
                .text("Logical_Router_Static_Route", row, column)
                .unwrap_or_default()
        })
    };
    let own = key(uuid);
    let rows = state.targets("Logical_Router", router, "static_routes");
    let twin = rows.into_iter().find(|row| *row != uuid && key(*row) == own)?;
    let message = format!("route {twin} of the same router does the same");
    Some(Problem::error("route-twice", "ip_prefix", message))
}

/// Whether one of these router ports is in a network with it.
fn is_near(state: &State<'_>, ports: &[Uuid], hop: IpAddr) -> bool {
    let reaches = |port: &Uuid| {
        let networks = state.texts("Logical_Router_Port", *port, "networks");
        networks
            .iter()
            .any(|text| Network::parse(text).is_ok_and(|network| network.contains(hop)))
    };
    hop_is_link_local(hop) || ports.iter().any(reaches)
}

/// Where a policy sends what it matches.
pub(super) fn policy(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Logical_Router_Policy";
    let action = state.text(table, uuid, "action").unwrap_or_default();
    let one = state.texts(table, uuid, "nexthop").into_iter();
    let hops: Vec<_> = one
        .map(|hop| ("nexthop", hop))
        .chain(
            state
                .texts(table, uuid, "nexthops")
                .into_iter()
                .map(|hop| ("nexthops", hop)),
        )
        .filter(|(_, hop)| !hop.is_empty())
        .collect();
    match (action, hops.first()) {
        ("reroute", None) => {
            let problem = Problem::error(
                "policy-nexthop",
                "nexthops",
                "`reroute` goes nowhere without a next hop",
            );
            return vec![problem.help("the addresses of the next routers, or the action `allow` or `drop`")];
        }
        ("reroute", Some(_)) => {}
        (_, Some((column, _))) => {
            let message = format!("`{action}` sends nothing on: next hops count for `reroute` only");
            return vec![Problem::warning("policy-nexthop-unused", *column, message)];
        }
        (_, None) => return Vec::new(),
    }
    let parent = state.parent(table, uuid);
    let ports = parent.map(|(_, _, router)| state.targets("Logical_Router", router, "ports"));
    let mut problems = Vec::new();
    let mut versions = Vec::new();
    for (column, text) in &hops {
        let Ok(hop) = text.parse::<IpAddr>() else {
            problems.push(Problem::error(
                "policy-nexthop",
                *column,
                format!("`{text}` is no address"),
            ));
            continue;
        };
        versions.push(hop.is_ipv4());
        if ports.as_ref().is_some_and(|ports| !is_near(state, ports, hop)) {
            let message =
                format!("no port of the router is in a network with {hop}: OVN leaves the policy out");
            problems.push(Problem::warning("policy-unreachable", *column, message));
        }
    }
    versions.dedup();
    if versions.len() > 1 {
        let message = "next hops of both IP versions: one policy goes with one";
        problems.push(Problem::error("policy-family", "nexthops", message));
    }
    problems
}

fn hop_is_link_local(hop: IpAddr) -> bool {
    match hop {
        IpAddr::V4(hop) => hop.is_link_local(),
        IpAddr::V6(hop) => hop.segments()[0] & 0xffc0 == 0xfe80,
    }
}

pub(super) fn nat(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let text = |column| state.text("NAT", uuid, column).unwrap_or_default();
    let (kind, external, logical) = (text("type"), text("external_ip"), text("logical_ip"));
    let mut problems = Vec::new();
    let outer = external.parse::<IpAddr>().ok();
    if outer.is_none() {
        problems.push(Problem::error(
            "nat-external",
            "external_ip",
            format!("`{external}` is no address"),
        ));
    }
    let inner = match kind {
        "snat" => network(logical),
        _ => logical.parse().ok().map(Network::host),
    };
    match (inner, outer) {
        (None, _) => {
            let what = if kind == "snat" {
                "neither an address nor a network"
            } else {
                "no address"
            };
            problems.push(Problem::error(
                "nat-logical",
                "logical_ip",
                format!("`{logical}` is {what}"),
            ));
        }
        (Some(inner), Some(outer)) if inner.is_v4() != outer.is_ipv4() => {
            let message = format!("{external} and {logical} are of different IP versions");
            problems.push(Problem::error("nat-family", "logical_ip", message));
        }
        _ => {}
    }
    problems.extend(distributed(state, uuid, kind));
    problems.extend(twins(state, uuid));
    problems
}

/// Translation at the port's own chassis wants both the MAC and the port.
fn distributed(state: &State<'_>, uuid: Uuid, kind: &str) -> Vec<Problem> {
    let mac = state.text("NAT", uuid, "external_mac");
    let port = state.text("NAT", uuid, "logical_port");
    let mut problems = Vec::new();
    if mac.is_some() != port.is_some() {
        let message = "`external_mac` and `logical_port` go together";
        problems.push(Problem::error("nat-distributed", "external_mac", message));
    }
    if mac.is_some() && kind != "dnat_and_snat" {
        let message = format!("`external_mac` is for `dnat_and_snat` only, not for `{kind}`");
        problems.push(Problem::error("nat-distributed", "external_mac", message));
    }
    if let Some(mac) = mac.filter(|mac| mac.parse::<Mac>().is_err()) {
        problems.push(Problem::error(
            "nat-mac",
            "external_mac",
            format!("`{mac}` is no MAC address"),
        ));
    }
    if let Some(port) = port.filter(|port| state.by_name("Logical_Switch_Port", port).is_none()) {
        problems.push(Problem::warning(
            "nat-port",
            "logical_port",
            format!("there is no port `{port}`"),
        ));
    }
    problems
}

/// The same translation twice on one router.
fn twins(state: &State<'_>, uuid: Uuid) -> Option<Problem> {
    let (_, _, router) = state.parent("NAT", uuid)?;
    let key = |row: Uuid| {
        let columns = ["type", "external_ip", "logical_ip", "external_port_range"];
        columns.map(|column| state.text("NAT", row, column).unwrap_or_default().to_owned())
    };
    let own = key(uuid);
    let rows = state.targets("Logical_Router", router, "nat");
    let twin = rows.into_iter().find(|row| *row != uuid && key(*row) == own)?;
    let message = format!("NAT {twin} of the same router does the same");
    Some(Problem::error("nat-twice", "external_ip", message))
}
