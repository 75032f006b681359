//! Copies beside what is there: under names that nobody has, and wired among themselves.
//!
//! Much of a network hangs together by names and not by references: a switch's port names the router port that it leads
//! to, a rule the groups that it is about. A copy that kept these names would be a second plug in the original's socket.

use super::Content;
use crate::expr::{Kind, parse};
use crate::model::{NAME_KEY, NAMING};
use purlin_ovsdb::{Atom, Datum, Row, TableSchema};
use std::collections::{BTreeMap, BTreeSet};

const PORT: &str = "Logical_Switch_Port";
const ROUTER_PORT: &str = "Logical_Router_Port";
const GROUP: &str = "Port_Group";
const SET: &str = "Address_Set";

/// Tables whose key is a router port and an address on it: rows of copied ports are copied with them.
pub(super) const ON_PORTS: [&str; 2] = ["BFD", "Static_MAC_Binding"];

/// Tables with match expressions, and where the ports in them are.
const MATCHES: &[(&str, &str)] = &[
    ("ACL", PORT),
    ("QoS", PORT),
    ("Logical_Router_Policy", ROUTER_PORT),
];

/// What a row is called: by its name, else by what Purlin calls rows of tables without one.
pub(super) fn name_of(row: &Row) -> Option<&str> {
    let name = row.get("name").and_then(|name| name.one()?.as_str());
    let own = || row.get("external_ids").and_then(|ids| ids.get_str(NAME_KEY));
    name.or_else(own).filter(|name| !name.is_empty())
}

/// Gives a row of a table its new name.
pub(super) fn set_name(row: &mut Row, table: &TableSchema, name: &str) {
    if table.column("name").is_some() {
        row.set("name", Datum::from(name));
    } else if let Some(ids) = row.get("external_ids") {
        let ids = texts(ids, |key, text| match key == NAME_KEY {
            true => name.to_owned(),
            false => text.to_owned(),
        });
        row.set("external_ids", ids);
    }
}

/// Names for copies.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// By table, those that the backup has and those that were given.
    taken: BTreeSet<(String, String)>,
}

impl Names {
    pub(super) fn of(content: &Content) -> Self {
        let rows = content.rows.iter();
        let named = rows.filter_map(|((table, _), row)| Some((table.clone(), name_of(row)?.to_owned())));
        Self {
            taken: named.collect(),
        }
    }

    /// A name that no row has, here or in the backup. What matches name behind `$` and `@` has no `-`.
    pub(super) fn free(&mut self, table: &str, name: &str, there: impl Fn(&str) -> bool) -> String {
        let dash = if [GROUP, SET].contains(&table) { '_' } else { '-' };
        let others = (2..).map(|number| format!("{name}{dash}restored{dash}{number}"));
        let mut names = std::iter::once(format!("{name}{dash}restored")).chain(others);
        let free = |new: &String| !there(new) && self.taken.insert((table.to_owned(), new.clone()));
        names.find(free).expect("there is no end of names")
    }
}

/// The new names of rows, for whoever names them.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    new: BTreeMap<(String, String), String>,
}

impl Wiring {
    pub(super) fn add(&mut self, table: &str, old: &str, new: &str) {
        self.new
            .insert((table.to_owned(), old.to_owned()), new.to_owned());
    }

    fn new_of(&self, table: &str, name: &str) -> Option<&str> {
        let key = (table.to_owned(), name.to_owned());
        self.new.get(&key).map(String::as_str)
    }

    /// The row with the new names of what it names.
    pub(super) fn wired(&self, table: &str, row: &Row) -> Row {
        let mut wired = row.clone();
        if self.new.is_empty() {
            return wired;
        }
        for naming in NAMING.iter().filter(|naming| naming.table == table) {
            let to = naming.to;
            let list = |text: &str| {
                let names: Vec<_> = text.split(',').map(|name| self.name(to, name)).collect();
                names.join(",")
            };
            self.put(&mut wired, naming.column, |key, text| match naming.key {
                None => self.name(to, text),
                Some(own) if own == key => list(text),
                Some(_) => text.to_owned(),
            });
        }
        if table == "Load_Balancer" {
            // `PORT:ADDRESS`
            self.put(&mut wired, "ip_port_mappings", |_, text| {
                match text.split_once(':') {
                    Some((port, address)) => format!("{}:{address}", self.name(PORT, port)),
                    None => text.to_owned(),
                }
            });
        }
        if let Some((_, ports)) = MATCHES.iter().find(|(of, _)| *of == table) {
            self.put(&mut wired, "match", |_, text| self.expression(text, ports));
        }
        wired
    }

    fn put(&self, row: &mut Row, column: &str, new: impl Fn(&str, &str) -> String) {
        if let Some(value) = row.get(column) {
            let value = texts(value, new);
            row.set(column, value);
        }
    }

    fn name(&self, table: &str, name: &str) -> String {
        self.new_of(table, name).unwrap_or(name).to_owned()
    }

    /// A match over the copies. One that cannot be read stays as it is: whoever judges the row will say so.
    fn expression(&self, text: &str, ports: &str) -> String {
        let Ok(parsed) = parse(text) else {
            return text.to_owned();
        };
        let mut text = text.to_owned();
        let mut uses = parsed.uses;
        uses.sort_by_key(|used| used.span.start);
        uses.dedup_by_key(|used| used.span.start);
        // From the end, so that the places before stay where they are.
        for used in uses.iter().rev() {
            let new = match used.kind {
                Kind::Port => self
                    .new_of(ports, &used.name)
                    .map(|new| serde_json::Value::from(new).to_string()),
                Kind::PortGroup => self.new_of(GROUP, &used.name).map(|new| format!("@{new}")),
                Kind::AddressSet => self.set(&used.name).map(|new| format!("${new}")),
            };
            if let Some(new) = new {
                text.replace_range(used.span.start..used.span.end, &new);
            }
        }
        text
    }

    /// An address set, or one of the two that OVN makes for each port group.
    fn set(&self, name: &str) -> Option<String> {
        if let Some(new) = self.new_of(SET, name) {
            return Some(new.to_owned());
        }
        ["_ip4", "_ip6"].iter().find_map(|end| {
            let new = self.new_of(GROUP, name.strip_suffix(end)?)?;
            Some(format!("{new}{end}"))
        })
    }
}

/// A value whose texts are others: of a map the values, by their keys.
fn texts(value: &Datum, new: impl Fn(&str, &str) -> String) -> Datum {
    let one = |key: &str, atom: &Atom| match atom.as_str() {
        Some(text) => Atom::from(new(key, text).as_str()),
        None => atom.clone(),
    };
    match value {
        Datum::Map(_) => {
            let pairs = value.pairs().iter();
            Datum::map(pairs.map(|(key, atom)| (key.clone(), one(key.as_str().unwrap_or_default(), atom))))
        }
        Datum::Set(_) => Datum::set(value.atoms().iter().map(|atom| one("", atom))),
        Datum::One(_) => value
            .one()
            .map_or_else(|| value.clone(), |atom| Datum::set([one("", atom)])),
    }
}
