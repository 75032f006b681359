//! Routes, address translation, load balancers.

use crate::address::Network;
use crate::model::State;
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use purlin_types::Mac;
use std::net::{IpAddr, SocketAddr};

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
    let reaches = |port: &Uuid| {
        let networks = state.texts("Logical_Router_Port", *port, "networks");
        networks
            .iter()
            .any(|text| Network::parse(text).is_ok_and(|network| network.contains(hop)))
    };
    if !hop_is_link_local(hop) && !ports.iter().any(reaches) {
        let message = format!("no port of the router is in a network with {hop}: OVN leaves the route out");
        problems.push(Problem::warning("route-unreachable", "nexthop", message));
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

pub(super) fn load_balancer(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Load_Balancer";
    let options = state.map(table, uuid, "options");
    if options.get("template").is_some_and(|template| template == "true") {
        return Vec::new();
    }
    let vips = state.map(table, uuid, "vips");
    vips.iter()
        .filter_map(|(vip, backends)| vip_problem(vip, backends))
        .collect()
}

fn vip_problem(vip: &str, backends: &str) -> Option<Problem> {
    let place = format!("vips:{vip}");
    let Some((address, port)) = endpoint(vip) else {
        let problem = Problem::error("lb-vip", place, format!("`{vip}` is no virtual address"));
        return Some(problem.help("as in `10.0.0.10:80`, `[2001:db8::10]:80` or `10.0.0.10`"));
    };
    let backends = backends
        .split(',')
        .map(str::trim)
        .filter(|backend| !backend.is_empty());
    for backend in backends {
        let message = match endpoint(backend) {
            None => format!("`{backend}` is no backend"),
            Some((of, _)) if of.is_ipv4() != address.is_ipv4() => {
                format!("`{backend}` is of the other IP version")
            }
            Some((_, with)) if with.is_some() != port.is_some() => {
                format!("`{backend}` and `{vip}` must both have a port, or neither")
            }
            Some(_) => continue,
        };
        return Some(Problem::error("lb-backend", place, message));
    }
    None
}

fn endpoint(text: &str) -> Option<(IpAddr, Option<u16>)> {
    match text.parse::<SocketAddr>() {
        Ok(endpoint) if endpoint.port() > 0 => Some((endpoint.ip(), Some(endpoint.port()))),
        Ok(_) => None,
        Err(_) => Some((text.parse().ok()?, None)),
    }
}
