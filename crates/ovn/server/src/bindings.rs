//! Of the southbound what a tenant may see: where its own ports stand, and nothing of the installation around them.

use crate::platform::Side;
use crate::within::Within;
use purlin_ovn_core::model::State;
use purlin_ovn_core::tenant::tenant_of;
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, DatabaseSchema};

/// The table that has something of a tenant's.
pub(crate) const TABLE: &str = "Port_Binding";
const COLUMNS: [&str; 8] = [
    "logical_port",
    "type",
    "mac",
    "up",
    "parent_port",
    "tag",
    "virtual_parent",
    "external_ids",
];
const PORTS: [&str; 2] = ["Logical_Switch_Port", "Logical_Router_Port"];

/// The bindings of a tenant's ports, with the columns that say nothing of hypervisors, keys and neighbours.
pub(crate) fn part(
    within: &Within,
    north: &Side,
    (schema, southbound): (&DatabaseSchema, &Snapshot),
) -> Database {
    let none: [(&str, purlin_ovsdb::Uuid); 0] = [];
    let mut part = southbound.database.only(none);
    let Some(known) = north.known_schema() else {
        return part;
    };
    let whole = north.rows.snapshot();
    let seen = within.part(&known, &whole);
    let (north, south) = (
        State::new(&known, &seen),
        State::new(schema, &southbound.database),
    );
    for table in PORTS {
        for port in north.uuids(table) {
            if tenant_of(&north, table, port).as_ref() != Some(&within.confine.tenant) {
                continue;
            }
            let name = Atom::from(north.text(table, port, "name").unwrap_or_default());
            for binding in south.find(TABLE, "logical_port", &name) {
                let row = south.columns(TABLE, binding).into_iter().flatten();
                let row = row.filter(|(column, _)| COLUMNS.contains(column));
                let row = row.map(|(column, value)| (column.to_owned(), value.clone()));
                part.set(TABLE, binding, Some(&row.collect()));
            }
        }
    }
    part
}
