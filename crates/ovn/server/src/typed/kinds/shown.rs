//! Members that are worked out from other rows.

use crate::typed::place;
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::State;
use purlin_ovsdb::{Atom, Datum, Uuid};
use serde_json::{Value, json};

pub(super) fn count() -> Schema {
    schema::count("How many.")
}

pub(super) fn word() -> Schema {
    schema::nullable(schema::string("A name."))
}

pub(super) fn words() -> Schema {
    schema::array(schema::string("A name."))
}

fn len(state: &State<'_>, table: &str, uuid: Uuid, column: &str) -> Value {
    json!(state.value(table, uuid, column).map_or(0, Datum::len))
}

pub(super) fn switch_ports(state: &State<'_>, uuid: Uuid) -> Value {
    len(state, "Logical_Switch", uuid, "ports")
}

pub(super) fn switch_acls(state: &State<'_>, uuid: Uuid) -> Value {
    len(state, "Logical_Switch", uuid, "acls")
}

pub(super) fn group_acls(state: &State<'_>, uuid: Uuid) -> Value {
    len(state, "Port_Group", uuid, "acls")
}

pub(super) fn router_ports(state: &State<'_>, uuid: Uuid) -> Value {
    names(
        state,
        "Logical_Router_Port",
        &state.targets("Logical_Router", uuid, "ports"),
    )
}

pub(super) fn router_switches(state: &State<'_>, uuid: Uuid) -> Value {
    let ports = state.targets("Logical_Router", uuid, "ports").into_iter();
    let mut switches: Vec<Uuid> = ports
        .filter_map(|port| beyond(state, port))
        .map(|(_, switch)| switch)
        .collect();
    switches.sort_unstable();
    switches.dedup();
    names(state, "Logical_Switch", &switches)
}

/// The switch port that a router port is plugged into, and its switch.
fn beyond(state: &State<'_>, port: Uuid) -> Option<(Uuid, Uuid)> {
    let table = "Logical_Switch_Port";
    let name = state.text("Logical_Router_Port", port, "name")?;
    let plug = state
        .find_key(table, "options", "router-port", name)
        .into_iter()
        .next()?;
    let switch = state
        .find("Logical_Switch", "ports", &Atom::Uuid(plug))
        .into_iter()
        .next()?;
    Some((plug, switch))
}

pub(super) fn router_port_switch(state: &State<'_>, uuid: Uuid) -> Value {
    json!(beyond(state, uuid).map(|(_, switch)| place::word(state, "Logical_Switch", switch)))
}

pub(super) fn router_port_plug(state: &State<'_>, uuid: Uuid) -> Value {
    json!(beyond(state, uuid).map(|(plug, _)| place::word(state, "Logical_Switch_Port", plug)))
}

/// The address sets that OVN makes of a group.
pub(super) fn group_sets(state: &State<'_>, uuid: Uuid) -> Value {
    let name = state.text("Port_Group", uuid, "name").unwrap_or_default();
    json!([format!("{name}_ip4"), format!("{name}_ip6")])
}

pub(super) fn dhcp_ports(state: &State<'_>, uuid: Uuid) -> Value {
    let columns = ["dhcpv4_options", "dhcpv6_options"];
    let served = columns.map(|column| state.find("Logical_Switch_Port", column, &Atom::Uuid(uuid)).len());
    json!(served.iter().sum::<usize>())
}

pub(super) fn dhcp_family() -> Schema {
    schema::one_of(&["ipv4", "ipv6"], "By the network.")
}

pub(super) fn dhcp_version(state: &State<'_>, uuid: Uuid) -> Value {
    let cidr = state.text("DHCP_Options", uuid, "cidr").unwrap_or_default();
    json!(if cidr.contains(':') { "ipv6" } else { "ipv4" })
}

pub(super) fn bfd_routes(state: &State<'_>, uuid: Uuid) -> Value {
    let table = "Logical_Router_Static_Route";
    json!(state.find(table, "bfd", &Atom::Uuid(uuid)).len())
}

fn names(state: &State<'_>, table: &str, uuids: &[Uuid]) -> Value {
    let mut names: Vec<String> = uuids
        .iter()
        .map(|uuid| place::word(state, table, *uuid))
        .collect();
    names.sort_unstable();
    json!(names)
}
