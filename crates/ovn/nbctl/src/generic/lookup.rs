//! Tables, columns and rows by what people type: abbreviated names, UUIDs and their beginnings, names of rows.

use crate::context::{Context, Row, fail};
use purlin_ovn_core::model::nb_schema;
use purlin_ovsdb::{Atom, TableSchema, Uuid};

/// A way to name a row of a table besides its UUID.
#[derive(Debug, Clone, Copy)]
pub struct RowId {
    /// The table.
    pub table: &'static str,
    /// Where the name stands: table and column.
    pub name: (&'static str, &'static str),
    /// Under this key of the column's map.
    pub key: Option<&'static str>,
    /// The row is the one that this column of the name's row points to.
    pub through: Option<&'static str>,
}

const fn by(table: &'static str, column: &'static str) -> RowId {
    RowId {
        table,
        name: (table, column),
        key: None,
        through: None,
    }
}

const fn by_key(table: &'static str, key: &'static str) -> RowId {
    RowId {
        name: (table, "external_ids"),
        key: Some(key),
        ..by(table, "")
    }
}

const fn through(column: &'static str, id: RowId) -> RowId {
    RowId {
        table: "DHCP_Options",
        through: Some(column),
        ..id
    }
}

const PORT: &str = "Logical_Switch_Port";
const PORT_KEY: &str = "neutron:port_name";

/// How rows can be named, in the order in which the ways are tried.
pub static ROW_IDS: &[RowId] = &[
    through("dhcpv4_options", by(PORT, "name")),
    through("dhcpv4_options", by_key(PORT, PORT_KEY)),
    through("dhcpv6_options", by(PORT, "name")),
    through("dhcpv6_options", by_key(PORT, PORT_KEY)),
    by("Logical_Switch", "name"),
    by_key("Logical_Switch", "neutron:network_name"),
    by(PORT, "name"),
    by_key(PORT, PORT_KEY),
    by("Logical_Router", "name"),
    by_key("Logical_Router", "neutron:router_name"),
    by("Logical_Router_Port", "name"),
    by("Address_Set", "name"),
    by("Port_Group", "name"),
    by("ACL", "name"),
    by("HA_Chassis", "chassis_name"),
    by("HA_Chassis_Group", "name"),
    by("Load_Balancer", "name"),
    by("Load_Balancer_Group", "name"),
    by("Load_Balancer_Health_Check", "vip"),
    by("Forwarding_Group", "name"),
    by("Meter", "name"),
    by("NAT", "external_ip"),
    by("Chassis_Template_Var", "chassis"),
    by("Connection", "target"),
];

/// Least digits of a UUID that may stand for it.
const PART_MIN: usize = 4;

/// How well what was typed fits a name: more is better, `None` not at all. Case and `-` for `_` do not matter.
fn score(name: &str, typed: &str) -> Option<usize> {
    if name == typed {
        return Some(usize::MAX);
    }
    let even = |c: u8| if c == b'-' { b'_' } else { c.to_ascii_lowercase() };
    let fits = typed.len() <= name.len() && name.bytes().zip(typed.bytes()).all(|(a, b)| even(a) == even(b));
    match (fits, typed.len()) {
        (false, _) | (_, 0) => None,
        (true, length) if length == name.len() => Some(usize::MAX - 1),
        (true, length) => Some(length),
    }
}

/// The names that fit best.
fn best<'n>(names: impl Iterator<Item = &'n str>, typed: &str) -> Vec<&'n str> {
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|name| Some((score(name, typed)?, name)))
        .collect();
    let top = found.iter().map(|(score, _)| *score).max();
    found.retain(|(score, _)| Some(*score) == top);
    found.into_iter().map(|(_, name)| name).collect()
}

/// A table by its name or the beginning of one.
pub(super) fn table(typed: &str) -> Result<(&'static str, &'static TableSchema), String> {
    let names = nb_schema().tables.keys().map(String::as_str);
    match best(names, typed).as_slice() {
        [] => fail(format!("unknown table \"{typed}\"")),
        [name] => Ok((name, nb_schema().table(name).expect("a name of the schema"))),
        several => fail(format!(
            "\"{typed}\" matches multiple table names: {}",
            several.join(", ")
        )),
    }
}

/// A column by its name or the beginning of one.
pub(super) fn column(table: &'static str, typed: &str) -> Result<&'static str, String> {
    let schema = nb_schema().table(table).expect("a table of the schema");
    let names = schema.columns.keys().map(String::as_str);
    match best(names, typed).as_slice() {
        [] => fail(format!(
            "{table} does not contain a column whose name matches \"{typed}\""
        )),
        [name] => Ok(name),
        several => fail(format!(
            "{table} contains more than one column whose name matches \"{typed}\": {}",
            several.join(", ")
        )),
    }
}

/// The ways to name a row of this table.
pub(super) fn ways(table: &str) -> impl Iterator<Item = &'static RowId> {
    ROW_IDS.iter().filter(move |id| id.table == table)
}

impl Context<'_, '_> {
    /// A row by what was typed, if there is one.
    pub(super) fn row(&self, table: &'static str, typed: &str) -> Result<Option<Row>, String> {
        if let Some(uuid) = Uuid::parse(typed).filter(|uuid| self.work.has(table, *uuid)) {
            return Ok(Some(Row { table, uuid }));
        }
        if typed == "."
            && let [only] = self.rows(table).as_slice()
        {
            return Ok(Some(*only));
        }
        for way in ways(table) {
            if let Some(row) = self.row_by(way, typed)? {
                return Ok(Some(row));
            }
        }
        self.row_by_part(table, typed)
    }

    /// A row by what was typed.
    pub(super) fn must_row(&self, table: &'static str, typed: &str) -> Result<Row, String> {
        let missing = || format!("no row \"{typed}\" in table {table}");
        self.row(table, typed)?.ok_or_else(missing)
    }

    fn row_by(&self, way: &RowId, typed: &str) -> Result<Option<Row>, String> {
        let (table, column) = way.name;
        let fits = |row: &Row| {
            let value = self.value(*row, column);
            let name = match way.key {
                Some(key) => value.get_str(key).map(str::to_owned),
                None => value.one().and_then(Atom::as_str).map(str::to_owned),
            };
            name.is_some_and(|name| is_name(&name, typed))
        };
        // A name that is typed whole is found by the index, if there is one.
        let mut named: Vec<Row> = match way.key {
            None if Uuid::parse(typed).is_none() && !looks_like_part(typed) => {
                self.named(table, column, typed)
            }
            _ => self.rows(table),
        };
        named.retain(fits);
        let found = match named.as_slice() {
            [] => return Ok(None),
            [one] => *one,
            _ => return fail(format!("multiple rows in {table} match \"{typed}\"")),
        };
        let Some(through) = way.through else {
            return Ok(Some(found));
        };
        Ok(self.refs(found, through, way.table).first().copied())
    }

    fn row_by_part(&self, table: &'static str, typed: &str) -> Result<Option<Row>, String> {
        if !looks_like_part(typed) {
            return Ok(None);
        }
        let part = typed.to_ascii_lowercase();
        let mut rows = self.rows(table);
        rows.retain(|row| row.uuid.to_string().starts_with(&part));
        match rows.as_slice() {
            [first, second, ..] => fail(format!(
                "{table} contains 2 or more rows whose UUIDs begin with {typed}: at least {} and {}",
                first.uuid, second.uuid
            )),
            rows => Ok(rows.first().copied()),
        }
    }
}

/// Whether this is the name, or at least its beginning where names are UUIDs.
fn is_name(name: &str, typed: &str) -> bool {
    name == typed || (typed.len() >= PART_MIN && Uuid::parse(name).is_some() && name.starts_with(typed))
}

/// Whether it may be the beginning of a UUID.
fn looks_like_part(typed: &str) -> bool {
    let fits = |(at, c): (usize, u8)| match at {
        8 | 13 | 18 | 23 => c == b'-',
        0..36 => c.is_ascii_hexdigit(),
        _ => false,
    };
    typed.len() >= PART_MIN && typed.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_abbreviated_as_long_as_they_mean_one_thing() {
        assert_eq!(table("logical-switch-p").unwrap().0, "Logical_Switch_Port");
        assert_eq!(table("Logical_Switch").unwrap().0, "Logical_Switch");
        assert_eq!(table("nb").unwrap().0, "NB_Global");
        assert_eq!(table("nope").unwrap_err(), "unknown table \"nope\"");
        let several = table("meter_").unwrap().0;
        assert_eq!(several, "Meter_Band");
        assert!(
            table("logical")
                .unwrap_err()
                .starts_with("\"logical\" matches multiple table names: Logical_Router,")
        );
        assert_eq!(column("Logical_Switch", "other").unwrap(), "other_config");
        assert_eq!(
            column("Logical_Switch", "load").unwrap_err(),
            "Logical_Switch contains more than one column whose name matches \"load\": load_balancer, \
             load_balancer_group"
        );
    }
}
