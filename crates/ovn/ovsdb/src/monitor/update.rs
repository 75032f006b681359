//! Updates, read straight into rows of the tables that they are for.

use crate::cache::{Layout, RowData, TableLayout};
use crate::uuid::Uuid;
use crate::value::{Datum, DatumSeed, Interner};
use crate::word::Word;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// What happened to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum RowUpdate {
    /// It is new to the monitor: the whole row.
    Insert(RowData),
    /// The differences of some columns, by their place in the layout.
    Modify(Box<[(u32, Datum)]>),
    /// The whole row as it is now, new or not: what `update` of RFC 7047 tells.
    Replace(RowData),
    /// It is gone, or no condition holds any more.
    Delete,
}

/// One update: for each table, by its place in the layout, rows and what happened to them.
pub type TableUpdates = Vec<(usize, Vec<(Uuid, RowUpdate)>)>;

/// What `monitor_cond_since` answers.
#[derive(Debug, PartialEq)]
pub struct Since {
    /// Whether the server knew the transaction that we had: then only what was missed comes.
    pub found: bool,
    /// The last transaction in the rows; zero where the server keeps no history.
    pub txn: Uuid,
    /// All rows, or what was missed.
    pub updates: TableUpdates,
}

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

    /// Reads the `result` of a `monitor_cond_since`.
    ///
    /// Source: ovsdb-server(7), section 4.1.15.
    ///
    /// # Errors
    ///
    /// As [`UpdateSeed::read`].
    pub fn read_since(self, json: &[u8]) -> Result<Since, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let since = Deserializer::deserialize_seq(&mut deserializer, SinceSeed(self))?;
        deserializer.end()?;
        Ok(since)
    }
}

struct SinceSeed<'a>(UpdateSeed<'a>);

impl<'de> Visitor<'de> for SinceSeed<'_> {
    type Value = Since;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whether the transaction was found, the last one, and the rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Since, A::Error> {
        let short = |at| A::Error::invalid_length(at, &"three elements");
        let found = seq.next_element()?.ok_or_else(|| short(0))?;
        let txn = seq.next_element()?.ok_or_else(|| short(1))?;
        let updates = seq.next_element_seed(self.0)?.ok_or_else(|| short(2))?;
        match seq.next_element::<IgnoredAny>()? {
            None => Ok(Since { found, txn, updates }),
            Some(_) => Err(short(4)),
        }
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
        let mut updates = TableUpdates::new();
        let layout = self.layout;
        while let Some(found) = map.next_key_seed(Word(|name: &str| layout.table_at(name)))? {
            let Some(at) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let rows = updates.iter_mut().find(|(table, _)| *table == at);
            let rows = match rows {
                Some((_, rows)) => rows,
                None => {
                    updates.push((at, Vec::new()));
                    &mut updates.last_mut().expect("it was pushed just now").1
                }
            };
            map.next_value_seed(Rows {
                table: &layout.tables()[at],
                interner: self.interner,
                rows,
            })?;
        }
        Ok(updates)
    }
}

struct Rows<'a> {
    table: &'a TableLayout,
    interner: &'a mut Interner,
    rows: &'a mut Vec<(Uuid, RowUpdate)>,
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
        let Self {
            table,
            interner,
            rows,
        } = self;
        let mut order = Vec::new();
        while let Some(uuid) = map.next_key()? {
            let update = map.next_value_seed(OneRow {
                table,
                interner,
                order: &mut order,
            })?;
            rows.push((uuid, update));
        }
        Ok(())
    }
}

struct OneRow<'a> {
    table: &'a TableLayout,
    interner: &'a mut Interner,
    order: &'a mut Vec<u32>,
}

/// What may have happened to a row.
enum Happening {
    Came,
    Changed,
    Whole,
    Went,
    Was,
    Other,
}

impl Happening {
    fn by_name(name: &str) -> Self {
        match name {
            "initial" | "insert" => Self::Came,
            "modify" => Self::Changed,
            "new" => Self::Whole,
            "delete" => Self::Went,
            "old" => Self::Was,
            _ => Self::Other,
        }
    }

    const fn has_columns(&self) -> bool {
        matches!(self, Self::Came | Self::Changed | Self::Whole)
    }
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
        let Self {
            table,
            interner,
            order,
        } = self;
        let (mut update, mut old) = (None, false);
        while let Some(happening) = map.next_key_seed(Word(Happening::by_name))? {
            if !happening.has_columns() {
                map.next_value::<IgnoredAny>()?;
                old |= matches!(happening, Happening::Was);
                update = if matches!(happening, Happening::Went) {
                    Some(RowUpdate::Delete)
                } else {
                    update
                };
                continue;
            }
            let mut columns = map.next_value_seed(Columns {
                table,
                interner,
                order,
            })?;
            update = Some(match happening {
                Happening::Came => RowUpdate::Insert(RowData::new(table, &mut columns)),
                Happening::Whole => RowUpdate::Replace(RowData::new(table, &mut columns)),
                _ => RowUpdate::Modify(columns.drain(..).collect()),
            });
            interner.columns.put(columns);
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
    order: &'a mut Vec<u32>,
}

impl<'de> DeserializeSeed<'de> for Columns<'_> {
    type Value = Vec<(u32, Datum)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Columns<'_> {
    type Value = Vec<(u32, Datum)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of columns")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self {
            table,
            interner,
            order,
        } = self;
        let mut columns = interner.columns.take();
        loop {
            // Rows of one table mostly bring the same columns in the same order.
            let guess = order.get(columns.len()).copied();
            let place = |name: &str| {
                guess
                    .filter(|at| table.is_at(*at, name))
                    .or_else(|| table.place_of(name))
            };
            let Some(found) = map.next_key_seed(Word(place))? else {
                return Ok(columns);
            };
            let Some(at) = found else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let column = &table.columns()[at as usize];
            let seed = DatumSeed {
                kind: &column.kind,
                interner: &mut *interner,
            };
            let value = map.next_value_seed(seed).map_err(|cause| {
                A::Error::custom(format_args!("{}.{}: {cause}", table.name(), column.name))
            })?;
            match order.get_mut(columns.len()) {
                Some(guess) => *guess = at,
                None => order.push(at),
            }
            columns.push((at, value));
        }
    }
}
