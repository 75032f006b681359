//! Rows of the smaller tables.

use crate::model::{METERED, State};
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use purlin_types::Mac;
use std::net::IpAddr;

fn address(state: &State<'_>, table: &str, uuid: Uuid, column: &str) -> Option<Problem> {
    let text = state.text(table, uuid, column).unwrap_or_default();
    let wrong = text.parse::<IpAddr>().is_err();
    wrong.then(|| Problem::error("address-value", column, format!("`{text}` is no IP address")))
}

fn mac(state: &State<'_>, table: &str, uuid: Uuid, column: &str) -> Option<Problem> {
    let text = state.text(table, uuid, column).unwrap_or_default();
    let wrong = text.parse::<Mac>().is_err();
    wrong.then(|| Problem::error("mac-value", column, format!("`{text}` is no MAC address")))
}

/// A port that is named by text; it may come later, so that its lack is a warning.
fn port(state: &State<'_>, tables: &[&str], name: &str, column: &str) -> Option<Problem> {
    let known = tables.iter().any(|table| state.by_name(table, name).is_some());
    (!known).then(|| Problem::warning("port-unknown", column, format!("there is no port `{name}`")))
}

pub(super) fn bfd(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let name = state.text("BFD", uuid, "logical_port").unwrap_or_default();
    let port = port(state, &["Logical_Router_Port"], name, "logical_port");
    address(state, "BFD", uuid, "dst_ip")
        .into_iter()
        .chain(port)
        .collect()
}

pub(super) fn static_mac_binding(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Static_MAC_Binding";
    let name = state.text(table, uuid, "logical_port").unwrap_or_default();
    let found = [
        address(state, table, uuid, "ip"),
        mac(state, table, uuid, "mac"),
        port(state, &["Logical_Router_Port"], name, "logical_port"),
    ];
    found.into_iter().flatten().collect()
}

pub(super) fn forwarding_group(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let table = "Forwarding_Group";
    let children = state.texts(table, uuid, "child_port");
    let ports = children
        .iter()
        .filter_map(|name| port(state, &["Logical_Switch_Port"], name, "child_port"));
    let values = [
        address(state, table, uuid, "vip"),
        mac(state, table, uuid, "vmac"),
    ];
    values.into_iter().flatten().chain(ports).collect()
}

/// Two chassis of one priority: which of them is active is a matter of luck.
pub(super) fn priorities(state: &State<'_>, table: &str, uuid: Uuid, column: &str, of: &str) -> Vec<Problem> {
    let rows = state.targets(table, uuid, column);
    let priority = |row: &Uuid| {
        state
            .value(of, *row, "priority")
            .and_then(|value| value.one()?.as_integer())
    };
    let mut problems = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if let Some(twin) = rows[..at].iter().find(|other| priority(other) == priority(row)) {
            let chassis = |row: Uuid| state.text(of, row, "chassis_name").unwrap_or_default();
            let message = format!(
                "chassis {} and {} have the same priority",
                chassis(*twin),
                chassis(*row)
            );
            problems.push(Problem::warning("chassis-priority", column, message));
        }
    }
    problems
}

/// A meter that is named by text.
fn meter(state: &State<'_>, name: &str, place: impl Into<String>) -> Option<Problem> {
    let known = || {
        state
            .uuids("Meter")
            .into_iter()
            .map(|meter| state.label("Meter", meter))
    };
    state.by_name("Meter", name).is_none().then(|| {
        let names: Vec<String> = known().collect();
        let problem = Problem::warning("meter-unknown", place, format!("there is no meter `{name}`"));
        problem.nearest(name, names.iter().map(String::as_str))
    })
}

pub(super) fn acl(state: &State<'_>, uuid: Uuid) -> Option<Problem> {
    let name = state.text("ACL", uuid, "meter").filter(|name| !name.is_empty())?;
    meter(state, name, "meter")
}

pub(super) fn copp(state: &State<'_>, uuid: Uuid) -> Vec<Problem> {
    let meters = state.map("Copp", uuid, "meters");
    let entry = |(protocol, name): (&String, &String)| {
        let place = format!("meters:{protocol}");
        if METERED.contains(&protocol.as_str()) {
            return meter(state, name, place);
        }
        let message = format!("OVN 23.03 meters no `{protocol}`");
        let problem = Problem::warning("copp-protocol", place, message);
        Some(problem.nearest(protocol, METERED.iter().copied()))
    };
    meters.iter().filter_map(entry).collect()
}

pub(super) fn mirror(state: &State<'_>, uuid: Uuid) -> Option<Problem> {
    let kind = state.text("Mirror", uuid, "type").unwrap_or_default();
    // Newer releases know sinks that are ports.
    let far = ["gre", "erspan"].contains(&kind);
    far.then(|| address(state, "Mirror", uuid, "sink")).flatten()
}

pub(super) fn qos(state: &State<'_>, uuid: Uuid) -> Option<Problem> {
    let empty = |column| {
        state
            .value("QoS", uuid, column)
            .is_none_or(purlin_ovsdb::Datum::is_empty)
    };
    (empty("action") && empty("bandwidth")).then(|| {
        let message = "a rule with neither a mark nor a rate does nothing";
        Problem::warning("qos-empty", "action", message).help("`action:dscp` or `bandwidth:rate`")
    })
}
