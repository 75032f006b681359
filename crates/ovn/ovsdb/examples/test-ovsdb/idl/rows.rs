//! Rows as the suite expects them.

use super::TABLES;
use crate::print::general;
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, Datum, Uuid};

pub(super) fn all(snapshot: &Snapshot, terse: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for name in TABLES {
        for row in snapshot.table(name).into_iter().flat_map(|table| table.rows()) {
            lines.push(match terse {
                true => format!("table {name}"),
                false => format!(
                    "table {name}: {} uuid={}",
                    contents(snapshot, name, &row),
                    row.uuid()
                ),
            });
        }
    }
    lines
}

fn contents(snapshot: &Snapshot, table: &str, row: &RowRef<'_>) -> String {
    let one = |column| list(row.get(column), " ");
    let set = |column| format!("{column}=[{}]", one(column));
    let number = |to: Uuid, in_table: &str| {
        let row = snapshot.table(in_table)?.get(to)?;
        row.get("i")?.one()?.as_integer()
    };
    let target = |column, in_table: &str| {
        let to = row.get(column).and_then(Datum::one).and_then(Atom::as_uuid);
        to.and_then(|to| number(to, in_table))
            .map(|n| n.to_string())
            .unwrap_or_default()
    };
    match table {
        "simple" => {
            let scalars = format!(
                "i={} r={} b={} s={} u={}",
                one("i"),
                one("r"),
                one("b"),
                one("s"),
                one("u")
            );
            format!(
                "{scalars} {} {} {} {} {}",
                set("ia"),
                set("ra"),
                set("ba"),
                set("sa"),
                set("ua")
            )
        }
        "link1" => {
            let mut all: Vec<i64> = row
                .get("ka")
                .map_or(&[][..], Datum::atoms)
                .iter()
                .filter_map(|atom| number(atom.as_uuid()?, "link1"))
                .collect();
            all.sort_unstable();
            let all: Vec<_> = all.iter().map(i64::to_string).collect();
            format!(
                "i={} k={} ka=[{}] l2={}",
                one("i"),
                target("k", "link1"),
                all.join(" "),
                target("l2", "link2")
            )
        }
        "link2" => format!("i={} l1={}", one("i"), target("l1", "link1")),
        "simple3" => {
            let there = |atom: &&Atom| {
                let target = snapshot.table("simple4").zip(atom.as_uuid());
                target.is_some_and(|(table, uuid)| table.get(uuid).is_some())
            };
            let references = row.get("uref").map_or(&[][..], Datum::atoms).iter();
            let uref: Vec<_> = references.filter(there).map(shown).collect();
            let (uset, uref) = (list(row.get("uset"), ","), uref.join(","));
            format!("name={} uset=[{uset}] uref=[{uref}]", one("name"))
        }
        "simple6" => {
            // A map by weak reference: the rows that it points to.
            let keys: Vec<_> = row
                .get("weak_ref")
                .map_or(&[][..], Datum::atoms)
                .iter()
                .map(shown)
                .collect();
            format!("name={} weak_ref=[{}]", one("name"), keys.join(" "))
        }
        _ => format!("name={}", one("name")),
    }
}

fn list(datum: Option<&Datum>, between: &str) -> String {
    let atoms: Vec<_> = datum.map_or(&[][..], Datum::atoms).iter().map(shown).collect();
    atoms.join(between)
}

fn shown(atom: &Atom) -> String {
    match atom {
        Atom::Integer(integer) => integer.to_string(),
        Atom::Real(real) => general(*real, 6),
        Atom::Boolean(boolean) => boolean.to_string(),
        Atom::Text(text) | Atom::Named(text) => text.to_string(),
        Atom::Uuid(uuid) => uuid.to_string(),
    }
}
