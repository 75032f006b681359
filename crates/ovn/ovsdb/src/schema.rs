//! Database schemas: which tables, which columns, of which types.

mod negotiate;

pub use negotiate::{Mismatch, Wanted};

use crate::error::Error;
use crate::types::Members;
use crate::types::{ColumnType, is_id};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A database's schema, as `get_schema` answers it.
///
/// Source: RFC 7047, section 3.2, `<database-schema>`.
#[derive(Debug, Clone, PartialEq)]
pub struct DatabaseSchema {
    /// The database's name.
    pub name: String,
    /// `x.y.z`; empty where a server leaves it out.
    pub version: String,
    /// What its makers sign it with (ovsdb-tool(1), "schema-cksum"); may be empty. OVN's tools compare it.
    pub cksum: String,
    /// The tables by name.
    pub tables: BTreeMap<String, TableSchema>,
    /// By the table that is pointed at.
    pointing: BTreeMap<String, Vec<Pointing>>,
}

/// A column that points to rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointing {
    /// The table of the column.
    pub table: String,
    /// The column.
    pub column: String,
    /// Whether it keeps alive what it points to.
    pub strong: bool,
}

/// One table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableSchema {
    /// The columns by name, without `_uuid` and `_version`.
    pub columns: BTreeMap<String, ColumnSchema>,
    /// Most rows that it may have; `None` for no limit.
    pub rows_max: Option<u32>,
    /// Whether rows may change; where not, they only come and go.
    pub mutable: bool,
    /// Whether rows stay that nobody points to. Rows of other tables go with the last strong reference to them.
    pub root: bool,
    /// Columns whose values, taken together, differ from row to row.
    pub indexes: Vec<Vec<String>>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSchema {
    /// What it may hold.
    pub kind: ColumnType,
    /// Whether it is lost when the server stops.
    pub ephemeral: bool,
    /// Whether it may change after the row was inserted.
    pub mutable: bool,
}

impl DatabaseSchema {
    /// Reads a schema.
    ///
    /// # Errors
    ///
    /// The first member that is missing, unknown or of another form.
    pub fn parse(json: &Value) -> Result<Self, Error> {
        let mut members = Members::open(json, "database schema")?;
        let name = members.required("name")?;
        let name = name.as_str().filter(|name| is_id(name));
        let name = name.ok_or_else(|| members.mismatch("name"))?.to_owned();
        let version = members.string("version")?.unwrap_or_default().to_owned();
        let cksum = members.string("cksum")?.unwrap_or_default().to_owned();
        if !version.is_empty() && !is_version(&version) {
            return Err(Error::syntax(
                json,
                format!("schema version \"{version}\" not in format x.y.z"),
            ));
        }
        members.string("cksum")?;
        let tables = members.required("tables")?;
        let tables = members.named("tables", tables)?;
        members.close()?;
        // Where no table says so, every row stays (schemas older than the word).
        let all_root = !tables.values().any(|table| table.get("isRoot").is_some());
        let parse = |(name, table): (&String, &Value)| {
            check_id(name, "table", json)?;
            Ok((name.clone(), TableSchema::parse(name, table, all_root)?))
        };
        let tables = tables
            .iter()
            .map(parse)
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let mut schema = Self {
            name,
            version,
            cksum,
            tables,
            pointing: BTreeMap::new(),
        };
        schema.check_references()?;
        schema.keep_references();
        schema.pointing = schema.find_pointing();
        Ok(schema)
    }

    /// The columns that point to rows of a table.
    #[must_use]
    pub fn pointing_at(&self, table: &str) -> &[Pointing] {
        self.pointing.get(table).map_or(&[], Vec::as_slice)
    }

    fn find_pointing(&self) -> BTreeMap<String, Vec<Pointing>> {
        let mut pointing: BTreeMap<String, Vec<Pointing>> = BTreeMap::new();
        for (table, column, kind) in self.columns() {
            let bases = [Some(&kind.key), kind.value.as_ref()].into_iter().flatten();
            if let Some(reference) = bases.filter_map(|base| base.reference.as_ref()).next() {
                pointing
                    .entry(reference.table.clone())
                    .or_default()
                    .push(Pointing {
                        table: table.to_owned(),
                        column: column.to_owned(),
                        strong: reference.strong,
                    });
            }
        }
        pointing
    }

    fn check_references(&self) -> Result<(), Error> {
        for (table, column, kind) in self.columns() {
            for (base, part) in [(Some(&kind.key), "key"), (kind.value.as_ref(), "value")] {
                if let Some(reference) = base.and_then(|base| base.reference.as_ref())
                    && !self.tables.contains_key(&reference.table)
                {
                    let to = &reference.table;
                    let text =
                        format!("column {column} {part} refers to undefined table {to} (in table {table})");
                    return Err(Error::new(crate::Fault::Syntax, text));
                }
            }
        }
        Ok(())
    }

    /// A strong reference that would be lost with a restart would take its row along.
    fn keep_references(&mut self) {
        let roots: Vec<String> = self
            .tables
            .iter()
            .filter(|(_, table)| table.root)
            .map(|(name, _)| name.clone())
            .collect();
        for column in self
            .tables
            .values_mut()
            .flat_map(|table| table.columns.values_mut())
        {
            let bases = [Some(&column.kind.key), column.kind.value.as_ref()];
            let holds = |base: &crate::BaseType| {
                base.reference
                    .as_ref()
                    .is_some_and(|to| to.strong && !roots.contains(&to.table))
            };
            column.ephemeral &= !bases.into_iter().flatten().any(holds);
        }
    }

    fn columns(&self) -> impl Iterator<Item = (&str, &str, &ColumnType)> {
        self.tables.iter().flat_map(|(name, table)| {
            let columns = table.columns.iter();
            columns.map(move |(column, schema)| (name.as_str(), column.as_str(), &schema.kind))
        })
    }

    /// As `get_schema` answers it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let all_root = self.tables.values().all(|table| table.root);
        let tables: Map<_, _> = self
            .tables
            .iter()
            .map(|(name, table)| (name.clone(), table.to_json(all_root)))
            .collect();
        let mut object = Map::new();
        object.insert("name".to_owned(), json!(self.name));
        if !self.version.is_empty() {
            object.insert("version".to_owned(), json!(self.version));
        }
        if !self.cksum.is_empty() {
            object.insert("cksum".to_owned(), json!(self.cksum));
        }
        object.insert("tables".to_owned(), Value::Object(tables));
        Value::Object(object)
    }

    /// A table by name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&TableSchema> {
        self.tables.get(name)
    }
}

impl TableSchema {
    /// Reads the table of this name; `root` is what counts when it does not say whether its rows stay.
    ///
    /// # Errors
    ///
    /// The first member that is missing, unknown or of another form.
    pub fn parse(name: &str, json: &Value, root: bool) -> Result<Self, Error> {
        let mut members = Members::open(json, format!("table schema for table {name}"))?;
        let columns = members.required("columns")?;
        let columns = members.named("columns", columns)?;
        let rows_max = members.integer("maxRows")?;
        let mutable = members.boolean("mutable")?.unwrap_or(true);
        let root = members.boolean("isRoot")?.unwrap_or(root);
        let indexes = members.optional("indexes");
        members.close()?;
        let bad_rows = || Error::syntax(json, "maxRows must be at least 1");
        let rows_max = rows_max
            .map(|rows| {
                u32::try_from(rows)
                    .ok()
                    .filter(|rows| *rows > 0)
                    .ok_or_else(bad_rows)
            })
            .transpose()?;
        if columns.is_empty() {
            return Err(Error::syntax(json, "table must have at least one column"));
        }
        let parse = |(name, column): (&String, &Value)| {
            check_id(name, "column", json)?;
            Ok((name.clone(), ColumnSchema::parse(name, column)?))
        };
        let columns = columns
            .iter()
            .map(parse)
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let indexes = indexes.map_or_else(|| Ok(Vec::new()), |json| parse_indexes(json, &columns))?;
        Ok(Self {
            columns,
            rows_max,
            mutable,
            root,
            indexes,
        })
    }

    /// As schemas write it; `root` is what counts when it does not say whether its rows stay.
    #[must_use]
    pub fn to_json(&self, root: bool) -> Value {
        let columns: Map<_, _> = self
            .columns
            .iter()
            .map(|(name, column)| (name.clone(), column.to_json()))
            .collect();
        let mut object = Map::new();
        object.insert("columns".to_owned(), Value::Object(columns));
        if let Some(rows) = self.rows_max {
            object.insert("maxRows".to_owned(), json!(rows));
        }
        if !self.mutable {
            object.insert("mutable".to_owned(), json!(false));
        }
        if self.root != root {
            object.insert("isRoot".to_owned(), json!(self.root));
        }
        if !self.indexes.is_empty() {
            object.insert("indexes".to_owned(), json!(self.indexes));
        }
        Value::Object(object)
    }

    /// A column's schema by name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnSchema> {
        self.columns.get(name)
    }
}

fn parse_indexes(json: &Value, columns: &BTreeMap<String, ColumnSchema>) -> Result<Vec<Vec<String>>, Error> {
    let expected = || Error::syntax(json, "array of distinct column names expected");
    let mut indexes = Vec::new();
    for index in json.as_array().ok_or_else(expected)? {
        let mut names = Vec::new();
        for name in some_names(index)? {
            let name = name.as_str().ok_or_else(expected)?.to_owned();
            let column = columns
                .get(&name)
                .ok_or_else(|| Error::syntax(index, format!("no column named {name}")))?;
            if column.ephemeral {
                let text = format!("ephemeral columns (such as {name}) may not be indexed");
                return Err(Error::syntax(index, text));
            }
            if names.contains(&name) {
                return Err(expected());
            }
            names.push(name);
        }
        indexes.push(names);
    }
    Ok(indexes)
}

fn some_names(index: &Value) -> Result<&Vec<Value>, Error> {
    let names = index.as_array();
    let names = names.ok_or_else(|| Error::syntax(index, "array of distinct column names expected"))?;
    if names.is_empty() {
        return Err(Error::syntax(index, "index must have at least one column"));
    }
    Ok(names)
}

fn is_version(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    text.split('.').count() == 3 && text.split('.').all(number)
}

fn check_id(name: &str, what: &str, json: &Value) -> Result<(), Error> {
    if name.starts_with('_') {
        let text = format!("names beginning with \"_\" are reserved ({what} {name})");
        return Err(Error::syntax(json, text));
    }
    if !is_id(name) {
        return Err(Error::syntax(
            json,
            format!("name must be a valid id ({what} {name})"),
        ));
    }
    Ok(())
}

impl ColumnSchema {
    /// Reads the column of this name.
    ///
    /// # Errors
    ///
    /// The first member that is missing, unknown or of another form.
    pub fn parse(name: &str, json: &Value) -> Result<Self, Error> {
        let mut members = Members::open(json, format!("schema for column {name}"))?;
        let mutable = members.boolean("mutable")?.unwrap_or(true);
        let ephemeral = members.boolean("ephemeral")?.unwrap_or(false);
        let kind = ColumnType::parse(members.required("type")?)?;
        members.close()?;
        let weak = [Some(&kind.key), kind.value.as_ref()]
            .into_iter()
            .flatten()
            .any(|base| base.reference.as_ref().is_some_and(|reference| !reference.strong));
        Ok(Self {
            // The server itself takes weak references away: such a column cannot be constant.
            mutable: mutable || weak,
            ephemeral,
            kind,
        })
    }

    /// As schemas write it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("type".to_owned(), self.kind.to_json());
        if !self.mutable {
            object.insert("mutable".to_owned(), json!(false));
        }
        if self.ephemeral {
            object.insert("ephemeral".to_owned(), json!(true));
        }
        Value::Object(object)
    }
}
