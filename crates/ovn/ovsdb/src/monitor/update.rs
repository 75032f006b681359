//! Updates, read straight into rows of the tables that they are for.

use crate::cache::{Layout, RowData, TableLayout};
use crate::uuid::Uuid;
use crate::value::{Datum, DatumSeed, Interner};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What happened to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowUpdate {
    /// It is new to the monitor: the whole row.
    Insert(RowData),
    /// The differences of some columns, by their place in the layout.
    Modify(Vec<(usize, Datum)>),
    /// The whole row as it is now, new or not: what `update` of RFC 7047 tells.
    Replace(RowData),
    /// It is gone, or no condition holds any more.
    Delete,
}

/// One update: table by its place in the layout, row, what happened.
pub type TableUpdates = Vec<(usize, Uuid, RowUpdate)>;

/// Reads `<table-updates2>`, or `<table-updates>` of RFC 7047.
#[derive(Debug)]
pub struct UpdateSeed<'a> {
    /// The tables and columns that were asked for; others are skipped.
    pub layout: &'a Layout,
    /// Where texts are shared.
    pub interner: &'a mut Interner,
}

impl UpdateSeed<'_> {
    /// Reads the JSON of an update.
    ///
    /// # Errors
    ///
    /// Another form, or a value of another type than the column's.
    pub fn read(self, json: &[u8]) -> Result<TableUpdates, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let updates = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(updates)
    }
}

impl<'de> DeserializeSeed<'de> for UpdateSeed<'_> {
    type Value = TableUpdates;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<TableUpdates, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for UpdateSeed<'_> {
    type Value = TableUpdates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tables")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TableUpdates, A::Error> {
        let mut updates = Vec::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match self.layout.table_at(&name) {
                Some(at) => map.next_value_seed(Rows {
                    at,
                    table: &self.layout.tables()[at],
                    interner: self.interner,
                    updates: &mut updates,
                })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(updates)
    }
}

struct Rows<'a> {
    at: usize,
    table: &'a TableLayout,
    interner: &'a mut Interner,
    updates: &'a mut TableUpdates,
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(uuid) = map.next_key::<Uuid>()? {
            let (table, interner) = (self.table, &mut *self.interner);
            let update = map.next_value_seed(OneRow { table, interner })?;
            self.updates.push((self.at, uuid, update));
        }
        Ok(())
    }
}

struct OneRow<'a> {
    table: &'a TableLayout,
    interner: &'a mut Interner,
}

impl<'de> DeserializeSeed<'de> for OneRow<'_> {
    type Value = RowUpdate;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<RowUpdate, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_> {
    type Value = RowUpdate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what happened to a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RowUpdate, A::Error> {
        let Self { table, interner } = self;
        let (mut update, mut old) = (None, false);
        while let Some(kind) = map.next_key::<Cow<'de, str>>()? {
            let mut columns = || {
                map.next_value_seed(Columns {
                    table,
                    interner: &mut *interner,
                })
            };
            match &*kind {
                "initial" | "insert" => update = Some(RowUpdate::Insert(table.row(columns()?))),
                "modify" => update = Some(RowUpdate::Modify(columns()?)),
                "new" => update = Some(RowUpdate::Replace(table.row(columns()?))),
                "delete" => {
                    map.next_value::<IgnoredAny>()?;
                    update = Some(RowUpdate::Delete);
                }
                "old" => {
                    map.next_value::<IgnoredAny>()?;
                    old = true;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        // RFC 7047, section 4.1.6: a row that has only an old state is gone.
        update
            .or(old.then_some(RowUpdate::Delete))
            .ok_or_else(|| A::Error::custom("a row's update says neither what it was nor what it is"))
    }
}

struct Columns<'a> {
    table: &'a TableLayout,
    interner: &'a mut Interner,
}

impl<'de> DeserializeSeed<'de> for Columns<'_> {
    type Value = Vec<(usize, Datum)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Columns<'_> {
    type Value = Vec<(usize, Datum)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of columns")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self { table, interner } = self;
        let mut columns = Vec::with_capacity(8);
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            let Some(at) = table.column_at(&name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let kind = &table.columns()[at].kind;
            let seed = DatumSeed {
                kind,
                interner: &mut *interner,
            };
            let value = map
                .next_value_seed(seed)
                .map_err(|cause| A::Error::custom(format_args!("{}.{name}: {cause}", table.name())))?;
            columns.push((at, value));
        }
        Ok(columns)
    }
}
