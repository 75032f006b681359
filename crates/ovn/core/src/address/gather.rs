//! The book of a state: who holds which address, by the rows of the northbound database.

use super::{Book, Holder, Network, Pool, Role};
use crate::model::{State, addresses_of, label_of};
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// The tables whose rows have addresses.
const HOLDERS: [&str; 4] = [
    "Logical_Switch_Port",
    "Logical_Router_Port",
    "NAT",
    "Load_Balancer",
];

/// Columns by which a place has holders, and their table.
const PLACES: &[(&str, &str, &str)] = &[
    ("Logical_Switch", "ports", "Logical_Switch_Port"),
    ("Logical_Switch", "load_balancer", "Load_Balancer"),
    ("Logical_Router", "ports", "Logical_Router_Port"),
    ("Logical_Router", "nat", "NAT"),
    ("Logical_Router", "load_balancer", "Load_Balancer"),
];

/// The book of all rows. Costs a look at each.
pub fn book(state: &State<'_>) -> Book {
    let mut book = Book::default();
    for switch in state.uuids("Logical_Switch") {
        book.network(switch, network(state, switch));
    }
    for table in HOLDERS {
        let holders = state.uuids(table).into_iter();
        holders
            .filter_map(|row| holder(state, table, row))
            .for_each(|holder| book.put(holder));
    }
    book
}

/// Makes the book of one state that of another. `changed` are the rows that may differ; more do no harm. Costs what
/// differs, whatever the size of the database; returns the rows that had to be looked at.
pub fn follow<'r>(
    book: &mut Book,
    before: &State<'_>,
    after: &State<'_>,
    changed: impl IntoIterator<Item = (&'r str, Uuid)>,
) -> BTreeSet<Uuid> {
    let mut holders: BTreeSet<(&'static str, Uuid)> = BTreeSet::new();
    for (table, uuid) in changed {
        if table == "Logical_Switch" {
            book.network(uuid, network(after, uuid));
        }
        for (_, column, of) in PLACES.iter().filter(|(place, _, _)| *place == table) {
            for row in moved(before, after, table, uuid, column) {
                if holders.insert((of, row)) {
                    gates(before, after, of, row, &mut holders);
                }
            }
        }
        if let Some(table) = HOLDERS.iter().find(|holding| **holding == table)
            && holders.insert((table, uuid))
        {
            gates(before, after, table, uuid, &mut holders);
        }
    }
    for (table, uuid) in &holders {
        match holder(after, table, *uuid) {
            Some(holder) => book.put(holder),
            None => drop(book.remove(*uuid)),
        }
    }
    holders.into_iter().map(|(_, uuid)| uuid).collect()
}

/// Rows that a place has gained or lost.
fn moved(before: &State<'_>, after: &State<'_>, table: &str, place: Uuid, column: &str) -> Vec<Uuid> {
    let held = |state: &State<'_>| {
        let held = state.value(table, place, column);
        held.cloned().unwrap_or(Datum::EMPTY)
    };
    let known = after
        .moved(table, place, column)
        .filter(|_| before.is_base_of(after));
    let differing = match known.cloned() {
        Some((gone, came)) => [gone, came],
        None => {
            let (old, new) = (held(before), held(after));
            [old.without(&new), new.without(&old)]
        }
    };
    let atoms = differing.iter().flat_map(Datum::atoms);
    atoms.filter_map(Atom::as_uuid).collect()
}

/// Router ports that stand on the switch of this switch port, by either state.
fn gates(
    before: &State<'_>,
    after: &State<'_>,
    table: &str,
    port: Uuid,
    holders: &mut BTreeSet<(&'static str, Uuid)>,
) {
    if table != "Logical_Switch_Port" {
        return;
    }
    for state in [before, after] {
        let peer = state
            .value(table, port, "options")
            .and_then(|options| options.get_str("router-port"));
        if let Some(peer) = peer {
            let named = state.find("Logical_Router_Port", "name", &Atom::from(peer));
            holders.extend(named.into_iter().map(|row| ("Logical_Router_Port", row)));
        }
    }
}

fn network(state: &State<'_>, switch: Uuid) -> Option<Network> {
    let config = state.value("Logical_Switch", switch, "other_config")?;
    if config.is_empty() {
        return None;
    }
    Pool::parse(&state.map("Logical_Switch", switch, "other_config"))
        .0
        .subnet
}

/// What a row holds; `None` for rows without addresses of their own.
pub fn holder(state: &State<'_>, table: &str, uuid: Uuid) -> Option<Holder> {
    match table {
        "Logical_Switch_Port" => switch_port(state, uuid),
        "Logical_Router_Port" => router_port(state, uuid),
        "NAT" => nat(state, uuid),
        "Load_Balancer" => load_balancer(state, uuid),
        _ => None,
    }
}

fn rows_with(state: &State<'_>, table: &str, column: &str, uuid: Uuid) -> BTreeSet<Uuid> {
    state.find(table, column, &Atom::Uuid(uuid)).into_iter().collect()
}

/// A port of a router has the router port's addresses, a virtual one has them together with its parents.
fn switch_port(state: &State<'_>, uuid: Uuid) -> Option<Holder> {
    let table = "Logical_Switch_Port";
    let row = state.seen(table, uuid)?;
    if matches!(row.get("type")?.one()?.as_str()?, "router" | "virtual") {
        return None;
    }
    let (macs, ips) = addresses_of(&row);
    if macs.is_empty() && ips.is_empty() {
        return None;
    }
    Some(Holder {
        row: uuid,
        role: Role::Port,
        name: label_of(table, &row),
        places: rows_with(state, "Logical_Switch", "ports", uuid),
        macs,
        ips,
    })
}

fn router_port(state: &State<'_>, uuid: Uuid) -> Option<Holder> {
    let table = "Logical_Router_Port";
    let name = state.text(table, uuid, "name")?;
    let mut places = rows_with(state, "Logical_Router", "ports", uuid);
    for port in state.find_key("Logical_Switch_Port", "options", "router-port", name) {
        places.extend(rows_with(state, "Logical_Switch", "ports", port));
    }
    let networks = state.texts(table, uuid, "networks").into_iter();
    Some(Holder {
        row: uuid,
        role: Role::RouterPort,
        name: name.to_owned(),
        places,
        macs: state
            .text(table, uuid, "mac")
            .and_then(|mac| mac.parse().ok())
            .into_iter()
            .collect(),
        ips: networks
            .filter_map(|text| Some(Network::parse(&text).ok()?.address()))
            .collect(),
    })
}

fn nat(state: &State<'_>, uuid: Uuid) -> Option<Holder> {
    let role = match state.text("NAT", uuid, "type")? {
        "snat" => Role::Snat,
        _ => Role::Dnat,
    };
    let external = state.text("NAT", uuid, "external_ip")?;
    Some(Holder {
        row: uuid,
        role,
        name: format!(
            "{external} ({})",
            state.text("NAT", uuid, "logical_ip").unwrap_or_default()
        ),
        places: rows_with(state, "Logical_Router", "nat", uuid),
        macs: Vec::new(),
        ips: external.parse().into_iter().collect(),
    })
}

fn load_balancer(state: &State<'_>, uuid: Uuid) -> Option<Holder> {
    let table = "Load_Balancer";
    let vips = state.map(table, uuid, "vips");
    let mut places = rows_with(state, "Logical_Switch", "load_balancer", uuid);
    places.extend(rows_with(state, "Logical_Router", "load_balancer", uuid));
    let ips: BTreeSet<IpAddr> = vips.keys().filter_map(|vip| vip_address(vip)).collect();
    (!ips.is_empty()).then(|| Holder {
        row: uuid,
        role: Role::Vip,
        name: state.label(table, uuid),
        places,
        macs: Vec::new(),
        ips: ips.into_iter().collect(),
    })
}

/// The address of `10.0.0.1`, `10.0.0.1:80`, `[::1]:80`.
pub(crate) fn vip_address(text: &str) -> Option<IpAddr> {
    let with_port = text.parse::<SocketAddr>().map(|vip| vip.ip());
    with_port.or_else(|_| text.parse()).ok()
}
