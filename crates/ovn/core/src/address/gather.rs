//! The book of a state: who holds which address, by the rows of the northbound database.

use super::{Book, Holder, Network, Pool, Role};
use crate::model::State;
use purlin_ovsdb::{Atom, Uuid};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// The book of all rows. Costs a look at each.
pub fn book(state: &State<'_>) -> Book {
    let mut book = Book::default();
    for table in [
        "Logical_Switch",
        "Logical_Router",
        "Logical_Switch_Port",
        "Logical_Router_Port",
        "NAT",
        "Load_Balancer",
    ] {
        for uuid in state.uuids(table) {
            note(&mut book, state, table, uuid);
        }
    }
    book
}

/// Takes one row over as it is in the state: new, changed or gone. For whoever keeps a book beside a cache; a port's
/// switch, or a rule's router, that changes with it must be noted too.
pub fn note(book: &mut Book, state: &State<'_>, table: &str, uuid: Uuid) {
    match table {
        "Logical_Switch" => {
            let (pool, _) = Pool::parse(&state.map(table, uuid, "other_config"));
            book.place(uuid, &state.label(table, uuid), pool.subnet);
            for port in state.targets(table, uuid, "ports") {
                note(book, state, "Logical_Switch_Port", port);
            }
        }
        "Logical_Router" => {
            book.place(uuid, &state.label(table, uuid), None);
            for (column, of) in [("ports", "Logical_Router_Port"), ("nat", "NAT")] {
                for row in state.targets(table, uuid, column) {
                    note(book, state, of, row);
                }
            }
        }
        _ => match holder(state, table, uuid) {
            Some(holder) => {
                if holder.role == Role::RouterPort {
                    join(book, state, &holder);
                }
                book.put(holder);
            }
            None => drop(book.remove(uuid)),
        },
    }
}

fn join(book: &mut Book, state: &State<'_>, port: &Holder) {
    let (switches, routers): (Vec<Uuid>, Vec<Uuid>) = port
        .places
        .iter()
        .partition(|place| state.contains("Logical_Switch", **place));
    for switch in switches {
        for router in &routers {
            book.join(switch, *router);
        }
    }
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
    if matches!(state.text(table, uuid, "type")?, "router" | "virtual") {
        return None;
    }
    let (macs, ips) = state.port_addresses(uuid);
    let places = rows_with(state, "Logical_Switch", "ports", uuid);
    (!macs.is_empty() || !ips.is_empty()).then(|| Holder {
        row: uuid,
        role: Role::Port,
        name: state.label(table, uuid),
        places,
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
