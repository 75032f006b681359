//! Whose traffic a difference may change: switch ports, found from every row by the way it is used.

use crate::expr::{Kind as NameKind, parse};
use crate::model::{Diff, Kind, RowDiff, State, target};
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::BTreeSet;

/// Names of the ports, sorted. Never too few; too many where a rule's match is not looked into.
pub fn affected_ports(after: &State<'_>, diff: &Diff) -> Vec<String> {
    let before = after.base();
    let mut names = BTreeSet::new();
    for row in &diff.rows {
        // Many ports come at a time, and each speaks for itself.
        if row.table == "Logical_Switch_Port" && row.kind != Kind::Changed {
            let state = if row.kind == Kind::Added { after } else { &before };
            names.extend(state.text(&row.table, row.uuid, "name").map(str::to_owned));
            continue;
        }
        let moved = moved(after, row);
        for state in [&before, after] {
            let mut ports = BTreeSet::new();
            let mut seen = BTreeSet::new();
            match &moved {
                Some(moved) => ports.extend(moved),
                None => reach(state, &row.table, row.uuid, &mut ports, &mut seen),
            }
            names.extend(ports.iter().filter_map(|port| {
                state
                    .text("Logical_Switch_Port", *port, "name")
                    .map(str::to_owned)
            }));
        }
    }
    names.into_iter().collect()
}

/// Of a row whose children only have changed, nothing: they speak for themselves. Of a group with other ports, these.
fn moved(after: &State<'_>, row: &RowDiff) -> Option<BTreeSet<Uuid>> {
    let schema = after.schema().table(&row.table)?;
    let mut moved = BTreeSet::new();
    for column in &row.columns {
        let (_, strong) = target(&schema.column(&column.column)?.kind)?;
        if strong {
            continue;
        }
        if (row.table.as_str(), column.column.as_str()) != ("Port_Group", "ports") {
            return None;
        }
        let ports = |value: &Option<Datum>| -> BTreeSet<Uuid> {
            value
                .iter()
                .flat_map(Datum::atoms)
                .filter_map(Atom::as_uuid)
                .collect()
        };
        moved.extend(ports(&column.before).symmetric_difference(&ports(&column.after)));
    }
    (row.kind == Kind::Changed).then_some(moved)
}

fn reach(state: &State<'_>, table: &str, uuid: Uuid, ports: &mut BTreeSet<Uuid>, seen: &mut BTreeSet<Uuid>) {
    if !state.contains(table, uuid) || !seen.insert(uuid) {
        return;
    }
    match table {
        "Logical_Switch_Port" => {
            ports.insert(uuid);
        }
        "Logical_Switch" => ports.extend(state.targets(table, uuid, "ports")),
        "Port_Group" => {
            ports.extend(state.targets(table, uuid, "ports"));
            users(state, NameKind::PortGroup, &state.label(table, uuid), ports, seen);
        }
        "Address_Set" => users(
            state,
            NameKind::AddressSet,
            &state.label(table, uuid),
            ports,
            seen,
        ),
        "Logical_Router" => {
            for port in state.targets(table, uuid, "ports") {
                switch_of(state, port, ports);
            }
        }
        "Logical_Router_Port" => {
            switch_of(state, uuid, ports);
            holders(state, table, uuid, ports, seen);
        }
        _ => holders(state, table, uuid, ports, seen),
    }
}

/// Of all other rows: whoever points to them.
fn holders(
    state: &State<'_>,
    table: &str,
    uuid: Uuid,
    ports: &mut BTreeSet<Uuid>,
    seen: &mut BTreeSet<Uuid>,
) {
    for (from, _, row, _) in state.referrers(table, uuid) {
        reach(state, from, row, ports, seen);
    }
}

/// The ports beside a router's port.
fn switch_of(state: &State<'_>, router_port: Uuid, ports: &mut BTreeSet<Uuid>) {
    let Some(name) = state.text("Logical_Router_Port", router_port, "name") else {
        return;
    };
    for peer in state.find_key("Logical_Switch_Port", "options", "router-port", name) {
        for switch in state.find("Logical_Switch", "ports", &Atom::Uuid(peer)) {
            ports.extend(state.targets("Logical_Switch", switch, "ports"));
        }
    }
}

/// Rules that name a set or a group.
fn users(
    state: &State<'_>,
    kind: NameKind,
    name: &str,
    ports: &mut BTreeSet<Uuid>,
    seen: &mut BTreeSet<Uuid>,
) {
    for table in ["ACL", "QoS", "Logical_Router_Policy"] {
        for rule in state.uuids(table) {
            let text = state.text(table, rule, "match").unwrap_or_default();
            // Reading a text costs more than looking for a word in it.
            let used = text.contains(name)
                && parse(text).is_ok_and(|parsed| {
                    parsed
                        .uses
                        .iter()
                        .any(|used| used.kind == kind && used.name == name)
                });
            if used {
                reach(state, table, rule, ports, seen);
            }
        }
    }
}
