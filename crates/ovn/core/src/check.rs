//! What rows must be before they are written: the rules of OVN that its database does not keep by itself.

mod addresses;
mod balancing;
mod gateways;
mod lost;
mod matches;
mod others;
mod ports;
mod resolving;
mod routing;
mod rows;
mod sets;

use crate::address::Book;
use crate::model::{Diff, Kind, RowDiff, State, Why};
use crate::problem::Problem;
use purlin_ovsdb::Uuid;

/// Tables whose names the database lets repeat, and we do not: everybody addresses these by name.
pub const UNIQUE_NAMES: &[&str] = &["Logical_Switch", "Logical_Router", "Load_Balancer"];

/// Checks all rows that come or change, and what others lose by those that go.
pub fn check(after: &State<'_>, diff: &Diff, book: Option<&Book>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for row in written(diff) {
        let found = rows::check(after, row)
            .into_iter()
            .chain(by_table(after, &row.table, row.uuid));
        let place = || format!("{} {}", row.table, row.label);
        problems.extend(found.map(|problem| problem.within(&place())));
    }
    problems.extend(matches::lost_names(after, diff));
    problems.extend(lost::names(after, diff));
    problems.extend(matches::reviewed(after, diff));
    problems.extend(balancing::reviewed(after, diff));
    problems.extend(gateways::reviewed(after, diff));
    problems.extend(resolving::reviewed(after, diff));
    problems.extend(addresses::check(after, diff, book));
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    problems
}

/// Looks at every row of the state, as it is.
pub fn lint(state: &State<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for table in state.schema().tables.keys() {
        for uuid in state.uuids(table) {
            let place = format!("{table} {}", state.label(table, uuid));
            problems.extend(
                by_table(state, table, uuid)
                    .into_iter()
                    .map(|problem| problem.within(&place)),
            );
        }
    }
    problems.extend(matches::review_all(state));
    problems.extend(balancing::review_all(state));
    problems.extend(gateways::review_all(state));
    problems.extend(resolving::review_all(state));
    problems.extend(addresses::all(state));
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    problems
}

/// What is wrong with one row by itself.
pub fn row(state: &State<'_>, table: &str, uuid: Uuid) -> Vec<Problem> {
    by_table(state, table, uuid)
}

/// Rows that somebody writes; not those from which the database only takes a reference.
fn written(diff: &Diff) -> impl Iterator<Item = &RowDiff> {
    diff.rows
        .iter()
        .filter(|row| row.kind != Kind::Removed && row.why != Why::Unlinked)
}

fn by_table(state: &State<'_>, table: &str, uuid: Uuid) -> Vec<Problem> {
    match table {
        "ACL" => and(matches::check(state, table, uuid), others::acl(state, uuid)),
        "QoS" => and(matches::check(state, table, uuid), others::qos(state, uuid)),
        "Logical_Router_Policy" => and(matches::check(state, table, uuid), routing::policy(state, uuid)),
        "Logical_Switch" => ports::switch(state, uuid),
        "Logical_Switch_Port" => ports::switch_port(state, uuid),
        "Logical_Router_Port" => {
            let gateways = others::priorities(state, table, uuid, "gateway_chassis", "Gateway_Chassis");
            and(ports::router_port(state, uuid), gateways)
        }
        "HA_Chassis_Group" => others::priorities(state, table, uuid, "ha_chassis", "HA_Chassis"),
        "BFD" => others::bfd(state, uuid),
        "Static_MAC_Binding" => others::static_mac_binding(state, uuid),
        "Forwarding_Group" => others::forwarding_group(state, uuid),
        "Logical_Router_Static_Route" => routing::route(state, uuid),
        "NAT" => routing::nat(state, uuid),
        "Load_Balancer" => balancing::load_balancer(state, uuid),
        "Copp" => others::copp(state, uuid),
        "Mirror" => others::mirror(state, uuid).into_iter().collect(),
        "Address_Set" => sets::address_set(state, uuid),
        "Port_Group" => sets::port_group(state, uuid),
        "DHCP_Options" => sets::dhcp_options(state, uuid),
        "DNS" => sets::dns(state, uuid),
        _ => Vec::new(),
    }
}

fn and(mut found: Vec<Problem>, more: impl IntoIterator<Item = Problem>) -> Vec<Problem> {
    found.extend(more);
    found
}
