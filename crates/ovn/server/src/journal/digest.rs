//! One number for all rows: whether anything was changed while nobody watched.
//!
//! Each element of each column of each row has a number of its own; all of them together, exclusive or, are the digest.
//! A difference changes it by what came and what went, however many rows there are.

use purlin_ovn_core::model::{Diff, Kind, is_volatile};
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::{Atom, ColumnType, DatabaseSchema, Datum};
use std::io;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Digest(u128);

impl Digest {
    /// Of all rows that people write.
    pub(super) fn of(schema: &DatabaseSchema, database: &Database) -> Self {
        let mut digest = Self::default();
        for table in database.tables() {
            let name = table.layout().name();
            let Some(known) = schema.table(name) else {
                continue;
            };
            for row in table.rows() {
                let own = Number::of(name.as_bytes()).and(row.uuid().as_bytes());
                digest.0 ^= own.0;
                for (column, value) in row.columns().filter(|(column, _)| !is_volatile(name, column)) {
                    if let Some(known) = known.column(column) {
                        digest.column(own, (column, &known.kind), value);
                    }
                }
            }
        }
        digest
    }

    /// After this difference.
    pub(super) fn apply(&mut self, schema: &DatabaseSchema, diff: &Diff) {
        for row in &diff.rows {
            let Some(table) = schema.table(&row.table) else {
                continue;
            };
            let own = Number::of(row.table.as_bytes()).and(row.uuid.as_bytes());
            if row.kind != Kind::Changed {
                self.0 ^= own.0;
            }
            for column in &row.columns {
                let Some(known) = table.column(&column.column) else {
                    continue;
                };
                for value in [&column.before, &column.after].into_iter().flatten() {
                    self.column(own, (&column.column, &known.kind), value);
                }
            }
        }
    }

    fn column(&mut self, row: Number, (name, kind): (&str, &ColumnType), value: &Datum) {
        // A difference leaves out what is at its default where a row comes or goes.
        if *value == Datum::default_of(kind) {
            return;
        }
        let column = row.and(name.as_bytes());
        for atom in value.atoms() {
            let mut element = column;
            element.json(atom);
            self.0 ^= element.end().0;
        }
        for (key, value) in value.pairs() {
            let mut element = column;
            element.json(key);
            element.add(b"=");
            element.json(value);
            self.0 ^= element.end().0;
        }
    }

    pub(super) fn text(self) -> String {
        format!("{:032x}", self.0)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

/// FNV-1a over parts, each with an end: the same on every node and in every version.
#[derive(Debug, Clone, Copy)]
struct Number(u128);

impl Number {
    fn of(part: &[u8]) -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d).and(part)
    }

    /// With one more part.
    fn and(mut self, part: &[u8]) -> Self {
        self.add(part);
        self.end()
    }

    fn add(&mut self, octets: &[u8]) {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        for octet in octets {
            self.0 = (self.0 ^ u128::from(*octet)).wrapping_mul(PRIME);
        }
    }

    fn end(mut self) -> Self {
        self.add(&[0xff]);
        self
    }

    fn json(&mut self, atom: &Atom) {
        serde_json::to_writer(self, atom).expect("a number takes everything");
    }
}

impl io::Write for Number {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.add(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_ovn_core::model::{RowDiff, layout, nb_schema};
    use purlin_ovsdb::{Row, Uuid};
    use std::sync::Arc;

    const PORT: &str = "Logical_Switch_Port";
    const NAME: Uuid = Uuid::from_bytes([7; 16]);

    fn port() -> Row {
        Row::new()
            .with("name", "web-1")
            .with("addresses", Datum::set(["dynamic", "unknown"]))
            .with("options", Datum::map([("mtu", "1400")]))
            .with("dhcpv4_options", Uuid::from_bytes([9; 16]))
            .with("tag", 7)
    }

    #[test]
    fn a_difference_leads_to_the_digest_of_what_it_makes() {
        let mut states = vec![Database::empty(Arc::new(layout(nb_schema())))];
        let other = port()
            .with("addresses", Datum::set(["unknown", "02:00:00:00:00:01"]))
            .with("options", Datum::map([("mtu", "9000"), ("a", "b")]))
            .with("tag", Datum::EMPTY);
        for row in [Some(port()), Some(other), None] {
            let mut next = states[states.len() - 1].clone();
            next.set(PORT, NAME, row.as_ref());
            states.push(next);
        }
        let mut digest = Digest::default();
        for pair in states.windows(2) {
            let [before, after] = [&pair[0], &pair[1]].map(|state| state.table(PORT)?.get(NAME));
            let diff = RowDiff::between(nb_schema(), (PORT, NAME), String::new, (before, after));
            let rows = diff.into_iter().collect();
            digest.apply(nb_schema(), &Diff { rows });
            assert_eq!(digest, Digest::of(nb_schema(), &pair[1]));
        }
        assert_eq!(digest, Digest::default(), "nothing is left");
    }

    #[test]
    fn it_is_the_same_in_every_version() {
        let mut database = Database::empty(Arc::new(layout(nb_schema())));
        database.set(PORT, NAME, Some(&port()));
        let digest = Digest::of(nb_schema(), &database);
        assert_eq!(digest.text(), "d40e2f7f43791ff498d68a982ab779f1");
    }
}
