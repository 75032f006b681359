//! One number for all rows: whether anything was changed while nobody watched.
//!
//! Each element of each column of each row has a number of its own; all of them together, exclusive or, are the digest.
//! A difference changes it by what came and what went, however many rows there are.

use purlin_ovn_core::model::{Diff, is_volatile};
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::{ColumnType, DatabaseSchema, Datum, Uuid};

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
                digest.0 ^= number(&[name.as_bytes(), row.uuid().as_bytes()]);
                for (column, value) in row.columns().filter(|(column, _)| !is_volatile(name, column)) {
                    if let Some(known) = known.column(column) {
                        digest.column(name, row.uuid(), (column, &known.kind), value);
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
            if row.kind != purlin_ovn_core::model::Kind::Changed {
                self.0 ^= number(&[row.table.as_bytes(), row.uuid.as_bytes()]);
            }
            for column in &row.columns {
                let Some(known) = table.column(&column.column) else {
                    continue;
                };
                for value in [&column.before, &column.after].into_iter().flatten() {
                    self.column(&row.table, row.uuid, (&column.column, &known.kind), value);
                }
            }
        }
    }

    fn column(&mut self, table: &str, uuid: Uuid, (name, kind): (&str, &ColumnType), value: &Datum) {
        // A difference leaves out what is at its default where a row comes or goes.
        if *value == Datum::default_of(kind) {
            return;
        }
        let mut add = |element: &str| {
            self.0 ^= number(&[
                table.as_bytes(),
                uuid.as_bytes(),
                name.as_bytes(),
                element.as_bytes(),
            ]);
        };
        for atom in value.atoms() {
            add(&atom.to_json().to_string());
        }
        for (key, value) in value.pairs() {
            add(&format!("{}={}", key.to_json(), value.to_json()));
        }
    }

    pub(super) fn text(self) -> String {
        format!("{:032x}", self.0)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

/// FNV-1a over the parts: the same on every node and in every version.
fn number(parts: &[&[u8]]) -> u128 {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let octets = parts.iter().flat_map(|part| part.iter().chain(&[0xff]));
    octets.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, |digest, octet| {
        (digest ^ u128::from(*octet)).wrapping_mul(PRIME)
    })
}
