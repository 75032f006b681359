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
                false => line(snapshot, name, &row, ""),
            });
        }
    }
    lines
}

/// One row; `happened` says what became of it.
pub(super) fn line(snapshot: &Snapshot, name: &str, row: &RowRef<'_>, happened: &str) -> String {
    let contents = contents(snapshot, name, row);
    format!("table {name}: {happened}{contents} uuid={}", row.uuid())
}

/// A row of `simple2`: its maps.
pub(super) fn maps(row: &RowRef<'_>) -> String {
    let map = |column| {
        let pairs = row.get(column).map_or(&[][..], Datum::pairs).iter();
        let pairs: Vec<_> = pairs
            .map(|(key, value)| format!("[{} : {}]", shown(key), shown(value)))
            .collect();
        pairs.join(",")
    };
    let name = list(row.get("name"), " ");
    format!("name={name} smap=[{}] imap=[{}]", map("smap"), map("imap"))
}

fn contents(snapshot: &Snapshot, table: &str, row: &RowRef<'_>) -> String {
    let one = |column| list(row.get(column), " ");
    let set = |column| format!("{column}=[{}]", one(column));
    let number = |to: Uuid, in_table: &str| {
        let row = snapshot.table(in_table)?.get(to)?;
        row.get("i")?.one()?.as_integer()
    };
    // What points to rows that are not here is not shown.
    let there = |column: Option<&Datum>, in_table: &str| -> Vec<String> {
        let table = snapshot.table(in_table);
        let is_there = |atom: &&Atom| {
            let uuid = atom.as_uuid();
            uuid.is_some_and(|uuid| table.is_some_and(|table| table.get(uuid).is_some()))
        };
        let atoms = column.map_or(&[][..], Datum::atoms).iter();
        atoms.filter(is_there).map(shown).collect()
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
            let (uset, uref) = (
                list(row.get("uset"), ","),
                there(row.get("uref"), "simple4").join(","),
            );
            format!("name={} uset=[{uset}] uref=[{uref}]", one("name"))
        }
        "simple6" => {
            let targets = there(row.get("weak_ref"), "simple").join(" ");
            format!("name={} weak_ref=[{targets}]", one("name"))
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
