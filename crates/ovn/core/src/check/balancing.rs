//! Load balancers: their virtual addresses, backends and health checks, and two of them in one place.

use crate::model::{ColumnDiff, Diff, Kind, RowDiff, State};
use crate::problem::Problem;
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// Where load balancers are attached.
const HOLDERS: [&str; 2] = ["Logical_Switch", "Logical_Router"];

/// Load balancers of one place that are compared with each other after a change; more only when a lint is asked for.
const LIST_MAX: usize = 300;

pub(super) fn load_balancer(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Load_Balancer";
    let options = state.map(table, uuid, "options");
    if options.get("template").is_some_and(|template| template == "true") {
        return Vec::new();
    }
    let vips = state.map(table, uuid, "vips");
    let wrong = vips
        .iter()
        .filter_map(|(vip, backends)| vip_problem(vip, backends));
    wrong.chain(health(state, uuid, &vips)).collect()
}

/// A check of a virtual address asks each backend through the port that `ip_port_mappings` names for it. A backend without
/// one is never asked, so it never counts as up, and nothing is sent to it.
///
/// Source: ovn-nb(5), table `Load_Balancer`, health checks.
fn health(state: &State<'_>, uuid: Uuid, vips: &BTreeMap<String, String>) -> Vec<Problem> {
    let mappings = state.map("Load_Balancer", uuid, "ip_port_mappings");
    let is_mapped = |backend: IpAddr| {
        let address = |key: &str| key.trim_matches(['[', ']']).parse() == Ok(backend);
        mappings.keys().any(|key| address(key))
    };
    let mut problems = Vec::new();
    for check in state.targets("Load_Balancer", uuid, "health_check") {
        let vip = state
            .text("Load_Balancer_Health_Check", check, "vip")
            .unwrap_or_default();
        let same = |(known, _): &(&String, &String)| {
            *known == vip || endpoint(known).is_some_and(|at| Some(at) == endpoint(vip))
        };
        let Some((_, backends)) = vips.iter().find(same) else {
            let message =
                format!("a health check is for `{vip}`, which is no virtual address of this load balancer");
            let problem = Problem::error("lb-health-vip", "health_check", message);
            problems.push(problem.nearest(vip, vips.keys().map(String::as_str)));
            continue;
        };
        let backends = backends.split(',').filter_map(|backend| endpoint(backend.trim()));
        let unmapped: Vec<String> = backends
            .filter(|(backend, _)| !is_mapped(*backend))
            .map(|(backend, _)| backend.to_string())
            .collect();
        if !unmapped.is_empty() {
            let message = format!(
                "OVN does not know where to ask {} of `{vip}` for their health: they count as down and get nothing",
                unmapped.join(", ")
            );
            let problem = Problem::warning("lb-health-unmapped", "ip_port_mappings", message);
            problems.push(problem.help(format!(
                "ip_port_mappings:{} = PORT:ADDRESS, the backend's port and the address to ask from",
                unmapped[0]
            )));
        }
    }
    problems
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

/// Places that the change touches: what it attached, or whose load balancers it changed.
pub(super) fn reviewed(after: &State<'_>, diff: &Diff) -> Vec<Problem> {
    let mut places: BTreeSet<(&str, Uuid)> = BTreeSet::new();
    let mut written: BTreeSet<Uuid> = BTreeSet::new();
    let mut touch = |balancer: Uuid| {
        for holder in HOLDERS {
            let direct = after.find(holder, "load_balancer", &balancer.into());
            let groups = after.find("Load_Balancer_Group", "load_balancer", &balancer.into());
            let through = groups
                .into_iter()
                .flat_map(|group| after.find(holder, "load_balancer_group", &group.into()));
            places.extend(direct.into_iter().chain(through).map(|place| (holder, place)));
        }
        written.insert(balancer);
    };
    for row in diff.rows.iter().filter(|row| row.kind != Kind::Removed) {
        match row.table.as_str() {
            "Load_Balancer" => touch(row.uuid),
            "Load_Balancer_Group" => came(row, "load_balancer").for_each(&mut touch),
            "Logical_Switch" | "Logical_Router" => {
                came(row, "load_balancer").for_each(&mut touch);
                for group in came(row, "load_balancer_group") {
                    let balancers = after.targets("Load_Balancer_Group", group, "load_balancer");
                    balancers.into_iter().for_each(&mut touch);
                }
            }
            _ => {}
        }
    }
    let near = places
        .into_iter()
        .map(|(holder, place)| (holder, place, balancers(after, holder, place)));
    near.filter(|(.., all)| all.len() <= LIST_MAX)
        .flat_map(|(holder, place, all)| twins(after, (holder, place), &all, Some(&written)))
        .collect()
}

/// What a column points to that it did not before.
fn came<'r>(row: &'r RowDiff, column: &str) -> impl Iterator<Item = Uuid> + use<'r> {
    let column = row.columns.iter().find(|changed| changed.column == column);
    let now = |column: &'r ColumnDiff| column.after.iter().flat_map(Datum::atoms);
    let held =
        |column: &ColumnDiff, atom: &Atom| column.before.as_ref().is_some_and(|before| before.contains(atom));
    column
        .into_iter()
        .flat_map(move |column| now(column).filter(move |atom| !held(column, atom)))
        .filter_map(Atom::as_uuid)
}

pub(super) fn review_all(state: &State<'_>) -> Vec<Problem> {
    let places = HOLDERS
        .iter()
        .flat_map(|holder| state.uuids(holder).into_iter().map(move |place| (*holder, place)));
    places
        .flat_map(|(holder, place)| twins(state, (holder, place), &balancers(state, holder, place), None))
        .collect()
}

/// What is attached to a place, itself or by groups.
fn balancers(state: &State<'_>, holder: &str, place: Uuid) -> BTreeSet<Uuid> {
    let groups = state.targets(holder, place, "load_balancer_group").into_iter();
    let through = groups.flat_map(|group| state.targets("Load_Balancer_Group", group, "load_balancer"));
    state
        .targets(holder, place, "load_balancer")
        .into_iter()
        .chain(through)
        .collect()
}

/// Where a load balancer answers: an address, and a port of a protocol where it has one.
type Front<'s> = (IpAddr, Option<(u16, &'s str)>);

/// One virtual address of two load balancers in one place: which of them answers is a matter of luck.
fn twins(
    state: &State<'_>,
    (holder, place): (&str, Uuid),
    all: &BTreeSet<Uuid>,
    written: Option<&BTreeSet<Uuid>>,
) -> Vec<Problem> {
    let mut first: BTreeMap<Front<'_>, Uuid> = BTreeMap::new();
    let mut problems = Vec::new();
    for balancer in all {
        let protocol = state
            .text("Load_Balancer", *balancer, "protocol")
            .unwrap_or("tcp");
        let vips = state.map("Load_Balancer", *balancer, "vips");
        for (vip, (address, port)) in vips.keys().filter_map(|vip| Some((vip, endpoint(vip)?))) {
            let key = (address, port.map(|port| (port, protocol)));
            let Some(other) = first.get(&key).copied().filter(|other| other != balancer) else {
                first.insert(key, *balancer);
                continue;
            };
            if written.is_none_or(|written| written.contains(balancer) || written.contains(&other)) {
                let name = |uuid| state.label("Load_Balancer", uuid);
                let message = format!(
                    "load balancers {} and {} both answer at `{vip}`: which of them does is not defined",
                    name(other),
                    name(*balancer)
                );
                let place = format!("{holder} {}", state.label(holder, place));
                problems.push(Problem::warning("lb-vip-twice", place, message));
            }
        }
    }
    problems
}
