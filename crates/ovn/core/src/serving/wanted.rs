//! The way from what is to what is wanted.

use super::found::{Found, clients, found};
use super::held::v4;
use super::{ADDRESS_KEY, BY, CHOSEN, OPTIONS, PORT, PORT_BY, SWITCH, Server};
use crate::address::{Element, Network, parse_addresses};
use crate::model::{Change, Child, State};
use crate::problem::Problem;
use purlin_ovsdb::{Datum, Row, Uuid};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

/// Seconds of a lease where nothing is said.
const LEASE: &str = "3600";

/// What is wanted for a switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Nobody,
    /// `cidr` defaults to the switch's `other_config:subnet`; `server_id` and `router` to the address of a router port
    /// there, `server_mac` to one made from the switch's UUID, `lease_time` to an hour.
    Ovn {
        cidr: Option<String>,
        options: BTreeMap<String, String>,
    },
    /// `addresses` of the port, as in its column: `02:00:00:00:00:fe 10.0.0.2`.
    Purlin {
        addresses: String,
    },
}

/// Names for rows that may have to be made.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    pub options: Uuid,
    pub port: Uuid,
}

/// The changes that make it so.
///
/// # Errors
/// When something is missing that nothing stands for.
pub fn changes(
    state: &State<'_>,
    switch: Uuid,
    wanted: &Wanted,
    names: Names,
) -> Result<Vec<Change>, Problem> {
    let now = found(state, switch);
    match wanted {
        Wanted::Nobody => Ok([
            mark(switch, Server::Nobody, &[]),
            without_options(state, switch, &now),
            without_port(&now),
        ]
        .concat()),
        Wanted::Ovn { cidr, options } => {
            let row = options_row(state, switch, cidr.as_deref(), options)?;
            let (uuid, first) = match now.options {
                Some(uuid) => (uuid, update(OPTIONS, uuid, row)),
                None => (names.options, insert(OPTIONS, names.options, row, None)),
            };
            let mut changes = vec![first];
            changes.extend(given(state, switch, uuid));
            changes.extend(without_port(&now));
            changes.extend(mark(switch, Server::Ovn, &[(BY, uuid.to_string())]));
            Ok(changes)
        }
        Wanted::Purlin { addresses } => {
            let from = answers_from(addresses)?;
            let mut row = Row::new().with("addresses", Datum::set([addresses.as_str()]));
            let mut changes = without_options(state, switch, &now);
            let uuid = match now.port {
                Some(uuid) => {
                    changes.push(update(PORT, uuid, row));
                    uuid
                }
                None => {
                    row.set(
                        "name",
                        format!("purlin-dhcp-{}", state.label(SWITCH, switch)).as_str(),
                    );
                    row.set("type", "localport");
                    let parent = Child {
                        table: SWITCH.to_owned(),
                        uuid: switch,
                        column: "ports".to_owned(),
                    };
                    changes.push(insert(PORT, names.port, row, Some(parent)));
                    names.port
                }
            };
            let by = [(PORT_BY, uuid.to_string()), (ADDRESS_KEY, from.to_string())];
            changes.extend(mark(switch, Server::Purlin, &by));
            Ok(changes)
        }
    }
}

fn insert(table: &str, uuid: Uuid, row: Row, parent: Option<Child>) -> Change {
    let table = table.to_owned();
    Change::Insert {
        table,
        uuid,
        row,
        parent,
    }
}

fn update(table: &str, uuid: Uuid, row: Row) -> Change {
    let table = table.to_owned();
    Change::Update { table, uuid, row }
}

/// The address that Purlin will answer from, of the text for its port.
fn answers_from(addresses: &str) -> Result<Ipv4Addr, Problem> {
    let (elements, problems) = parse_addresses("localport", [addresses]);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem);
    }
    let first = elements.into_iter().find_map(|element| match element {
        Element::Static(owned) => v4(owned.mac, owned.ips).next(),
        _ => None,
    });
    first.map(|(_, address)| address).ok_or_else(|| {
        let message = format!("`{addresses}` names no MAC with an IPv4 address to answer from");
        Problem::error("dhcp-address", "addresses", message).help("as in `02:00:00:00:00:fe 10.0.0.2`")
    })
}

/// Says on the switch what is chosen, and by what.
fn mark(switch: Uuid, server: Server, by: &[(&str, String)]) -> Vec<Change> {
    let (table, column) = (SWITCH.to_owned(), "external_ids".to_owned());
    let gone = [CHOSEN, BY, PORT_BY, ADDRESS_KEY].into_iter();
    let gone = gone.filter(|key| {
        let named = by.iter().any(|(named, _)| named == key);
        !named && (server == Server::Nobody || *key != CHOSEN)
    });
    let mut changes = vec![Change::Remove {
        table: table.clone(),
        uuid: switch,
        column: column.clone(),
        values: Datum::set(gone),
    }];
    if server != Server::Nobody {
        let chosen = (CHOSEN, server.as_str());
        let by = by.iter().map(|(key, value)| (*key, value.as_str()));
        changes.push(Change::Add {
            table,
            uuid: switch,
            column,
            values: Datum::map(by.chain([chosen])),
        });
    }
    changes
}

/// Every port that has none gets the options.
fn given(state: &State<'_>, switch: Uuid, options: Uuid) -> Vec<Change> {
    let without =
        clients(state, switch).filter(|port| state.targets(PORT, *port, "dhcpv4_options").is_empty());
    without
        .map(|port| {
            update(
                PORT,
                port,
                Row::new().with("dhcpv4_options", Datum::set([options])),
            )
        })
        .collect()
}

/// The options go, and with them what points to them.
fn without_options(state: &State<'_>, switch: Uuid, now: &Found) -> Vec<Change> {
    let Some(options) = now.options else {
        return Vec::new();
    };
    let pointing =
        clients(state, switch).filter(|port| state.targets(PORT, *port, "dhcpv4_options") == [options]);
    let mut changes: Vec<Change> = pointing
        .map(|port| update(PORT, port, Row::new().with("dhcpv4_options", Datum::EMPTY)))
        .collect();
    changes.push(Change::Delete {
        table: OPTIONS.to_owned(),
        uuid: options,
    });
    changes
}

fn without_port(now: &Found) -> Vec<Change> {
    let gone = now.port.map(|uuid| Change::Delete {
        table: PORT.to_owned(),
        uuid,
    });
    gone.into_iter().collect()
}

/// The row of the options, what is not said filled in.
fn options_row(
    state: &State<'_>,
    switch: Uuid,
    cidr: Option<&str>,
    options: &BTreeMap<String, String>,
) -> Result<Row, Problem> {
    let config = state.map(SWITCH, switch, "other_config");
    let Some(cidr) = cidr.or(config.get("subnet").map(String::as_str)) else {
        let problem = Problem::error("dhcp-cidr", "cidr", "the switch says no network of its own");
        return Err(problem.help("say cidr, or set other_config:subnet of the switch"));
    };
    let network = Network::parse(cidr).map_err(|why| Problem::error("dhcp-cidr", "cidr", why))?;
    if !network.is_v4() {
        let message = format!("`{cidr}` is no IPv4 network");
        return Err(Problem::error("dhcp-cidr", "cidr", message).help("as in `10.0.0.0/24`"));
    }
    let mut values = options.clone();
    if let Some(router) = router(state, switch, &network) {
        for name in ["server_id", "router"] {
            values
                .entry(name.to_owned())
                .or_insert_with(|| router.to_string());
        }
    }
    if !values.contains_key("server_id") {
        let message = format!("no router port of the switch has an address in {network}");
        let problem = Problem::error("dhcp-option-missing", "options:server_id", message);
        return Err(
            problem.help("say options.server_id: the address under which OVN answers, and options.router")
        );
    }
    let mac = || made_from(switch);
    values.entry("server_mac".to_owned()).or_insert_with(mac);
    values
        .entry("lease_time".to_owned())
        .or_insert_with(|| LEASE.to_owned());
    let pairs = values.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(Row::new().with("cidr", cidr).with("options", Datum::map(pairs)))
}

/// A locally administered MAC that is the same each time.
fn made_from(switch: Uuid) -> String {
    let digits = switch.to_string().replace('-', "");
    let pairs: Vec<&str> = (0..5).map(|pair| &digits[pair * 2..pair * 2 + 2]).collect();
    format!("02:{}", pairs.join(":"))
}

/// The address of a router on the switch within the network.
fn router(state: &State<'_>, switch: Uuid, network: &Network) -> Option<IpAddr> {
    let ports = state.targets(SWITCH, switch, "ports").into_iter();
    ports
        .filter_map(|port| {
            let peer = state
                .value(PORT, port, "options")?
                .get_str("router-port")?
                .to_owned();
            let peer = state.by_name("Logical_Router_Port", &peer)?;
            let networks = state.texts("Logical_Router_Port", peer, "networks");
            let addresses = networks.iter().filter_map(|text| Network::parse(text).ok());
            addresses
                .map(|own| own.address())
                .find(|address| network.contains(*address))
        })
        .next()
}
