//! Load balancers on routers with several distributed gateway ports, which ovn-northd knows from some version on only.

use crate::model::{Diff, Kind, State};
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use std::collections::BTreeSet;

const ROUTER: &str = "Logical_Router";

/// Columns with which either side comes to a router.
const OF_ROUTER: [&str; 4] = ["load_balancer", "load_balancer_group", "ports", "options"];
/// Columns that make a port a gateway.
const OF_PORT: [&str; 2] = ["gateway_chassis", "ha_chassis_group"];

/// Routers to which the change brought the one or the other.
pub(super) fn reviewed(after: &State<'_>, diff: &Diff) -> Vec<Problem> {
    let mut routers = BTreeSet::new();
    for row in diff.rows.iter().filter(|row| row.kind != Kind::Removed) {
        let changed = |names: &[&str]| {
            row.columns
                .iter()
                .any(|changed| names.contains(&changed.column.as_str()))
        };
        match row.table.as_str() {
            ROUTER if changed(&OF_ROUTER) => routers.extend([row.uuid]),
            "Logical_Router_Port" if changed(&OF_PORT) => {
                routers.extend(
                    after
                        .parent("Logical_Router_Port", row.uuid)
                        .map(|(.., router)| router),
                );
            }
            "Load_Balancer_Group" if changed(&["load_balancer"]) => {
                routers.extend(after.find(ROUTER, "load_balancer_group", &row.uuid.into()));
            }
            _ => {}
        }
    }
    routers
        .into_iter()
        .filter_map(|router| check(after, router))
        .collect()
}

pub(super) fn review_all(state: &State<'_>) -> Vec<Problem> {
    let routers = state.uuids(ROUTER).into_iter();
    routers.filter_map(|router| check(state, router)).collect()
}

/// ovn-northd of 23.03 warns in its log alone: "Load-balancer is not supported yet when there is more than one distributed
/// gateway port on the router."
fn check(state: &State<'_>, router: Uuid) -> Option<Problem> {
    let balanced = !state.targets(ROUTER, router, "load_balancer").is_empty()
        || state
            .targets(ROUTER, router, "load_balancer_group")
            .into_iter()
            .any(|group| {
                !state
                    .targets("Load_Balancer_Group", group, "load_balancer")
                    .is_empty()
            });
    // A router that is at one chassis as a whole has no distributed ports.
    if !balanced || state.map(ROUTER, router, "options").contains_key("chassis") {
        return None;
    }
    let is_gateway = |port: &Uuid| {
        OF_PORT
            .iter()
            .any(|column| !state.targets("Logical_Router_Port", *port, column).is_empty())
    };
    let ports = state.targets(ROUTER, router, "ports");
    let gateways: Vec<String> = ports
        .into_iter()
        .filter(is_gateway)
        .map(|port| format!("`{}`", state.label("Logical_Router_Port", port)))
        .collect();
    if gateways.len() < 2 {
        return None;
    }
    let message = format!(
        "it has load balancers and {} distributed gateway ports ({}): ovn-northd of 23.03 leaves its load balancers out, and says so in its log alone",
        gateways.len(),
        gateways.join(", ")
    );
    let place = format!("{ROUTER} {}", state.label(ROUTER, router));
    Some(
        Problem::warning("lb-gateways", place, message)
            .help("attach the load balancers to a router with one gateway port, or to the switches"),
    )
}
