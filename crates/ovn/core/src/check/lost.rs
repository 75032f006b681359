//! Ports and meters that go while other rows name them by text: the database keeps no reference, so nothing else notices.

use crate::model::{Diff, Kind, State};
use crate::problem::Problem;
use purlin_ovsdb::Atom;
use std::collections::BTreeSet;

/// Columns that name rows of another table: as one text, as elements of a set, or under a key of a map.
///
/// Source: ovn-nb(5).
const NAMING: &[(&str, &str, Option<&str>, &str)] = &[
    ("ACL", "meter", None, "Meter"),
    ("BFD", "logical_port", None, "Logical_Router_Port"),
    ("Forwarding_Group", "child_port", None, "Logical_Switch_Port"),
    ("Logical_Router_Port", "peer", None, "Logical_Router_Port"),
    (
        "Logical_Router_Static_Route",
        "output_port",
        None,
        "Logical_Router_Port",
    ),
    (
        "Logical_Switch_Port",
        "options",
        Some("router-port"),
        "Logical_Router_Port",
    ),
    ("Logical_Switch_Port", "parent_name", None, "Logical_Switch_Port"),
    ("NAT", "logical_port", None, "Logical_Switch_Port"),
    ("Static_MAC_Binding", "logical_port", None, "Logical_Router_Port"),
];

/// Rows that name what goes, and stay.
pub(super) fn names(after: &State<'_>, diff: &Diff) -> Vec<Problem> {
    let mut lost: BTreeSet<(&str, &str)> = BTreeSet::new();
    for row in &diff.rows {
        let name = row.columns.iter().find(|column| column.column == "name");
        let before = name.and_then(|name| name.before.as_ref()?.one()?.as_str());
        let before = before.filter(|name| !name.is_empty() && after.by_name(&row.table, name).is_none());
        if let (Kind::Removed | Kind::Changed, Some(name)) = (row.kind, before) {
            lost.insert((&row.table, name));
        }
    }
    let mut problems = Vec::new();
    for (of, name) in lost {
        for (table, column, key, _) in NAMING.iter().filter(|(.., to)| *to == of) {
            let rows = match key {
                Some(key) => after.find_key(table, column, key, name),
                None => after.find(table, column, &Atom::from(name)),
            };
            let column = key.map_or_else(|| (*column).to_owned(), |key| format!("{column}:{key}"));
            for row in rows {
                let place = format!("{table} {}: {column}", after.label(table, row));
                problems.push(Problem::warning(
                    "name-lost",
                    place,
                    format!("names `{name}`, which goes"),
                ));
            }
        }
        if of == "Meter" {
            problems.extend(metered(after, name));
        }
    }
    problems
}

/// Control plane protection names meters in the values of a map.
fn metered(after: &State<'_>, name: &str) -> Vec<Problem> {
    let rows = after.uuids("Copp").into_iter();
    let named = rows.flat_map(|row| {
        let meters = after.map("Copp", row, "meters").into_iter();
        let own = meters.filter(|(_, meter)| meter == name);
        own.map(move |(protocol, _)| (row, protocol)).collect::<Vec<_>>()
    });
    named
        .map(|(row, protocol)| {
            let place = format!("Copp {}: meters:{protocol}", after.label("Copp", row));
            Problem::warning("name-lost", place, format!("names `{name}`, which goes"))
        })
        .collect()
}
