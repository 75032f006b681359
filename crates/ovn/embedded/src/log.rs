//! The log of a database, in the standalone format of ovsdb(5): the tools of Open vSwitch read it, and we read theirs.
//!
//! ```text
//!   OVSDB JSON 13045 b5b1…(SHA-1, 40 digits)\n     a header for each record
//!   {"name":"OVN_Northbound", …}\n                 the schema first
//!   OVSDB JSON 312 …\n
//!   {"_date":…,"_comment":"…","Logical_Switch":{"<uuid>":{"name":"web"},"<uuid>":null}}\n
//! ```
//!
//! A row says the columns that have changed; `null` takes it away. A record that is cut off or damaged at the end was
//! never answered: it is cut away at the next start. One that is damaged in the middle is not passed over.

mod frames;

use crate::rows::{Changed, Contents, Stored, value};
use frames::{frame, read};
use purlin_ovsdb::{DatabaseSchema, Datum, Names, Row, Uuid};
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A log is written anew when it is longer than this and this many times as long as after it was last written anew.
const LONG: u64 = 10 << 20;
const GROWN: u64 = 4;

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "{path}, at octet {at}: {what}; restore it from a backup, or look at it with ovsdb-tool show-log"
    )]
    Damaged { path: PathBuf, at: u64, what: String },
    #[error("the schema cannot be used: {0}")]
    Schema(purlin_ovsdb::Error),
    #[error("{path} holds the database {found}, not {wanted}")]
    Other {
        path: PathBuf,
        found: String,
        wanted: String,
    },
}

/// A transaction as the log keeps it.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) schema: &'a DatabaseSchema,
    pub(crate) changes: &'a [Changed],
    pub(crate) comment: String,
    /// Unix milliseconds.
    pub(crate) date_ms: u64,
}

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    length: u64,
    /// Something was written since the last sync.
    unsynced: bool,
    /// Why the rest of a record that did not fit is still there: nothing can be written behind it.
    torn: Option<io::Error>,
    /// After it was last written anew.
    base: u64,
    /// What was read at the start, until it is replayed.
    records: Vec<Value>,
}

impl Log {
    /// Opens a log, or makes one; its schema. A record at the end that was not finished is cut away.
    pub(crate) fn open(path: &Path, schema: &Value) -> Result<(Self, Value), LogError> {
        let failed = |source| io_error(path, source);
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let mut file = file.open(path).map_err(failed)?;
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).map_err(failed)?;
        let (mut records, length) = read(path, &octets)?;
        if length < octets.len() as u64 {
            file.set_len(length).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        let mut log = Self {
            path: path.to_owned(),
            file,
            length,
            unsynced: false,
            torn: None,
            base: length,
            records: Vec::new(),
        };
        if records.is_empty() {
            let mut octets = Vec::new();
            frame(&mut octets, schema);
            log.write(&octets).map_err(failed)?;
            log.sync()?;
            sync_folder(path).map_err(failed)?;
            log.base = log.length;
            return Ok((log, schema.clone()));
        }
        let found = records.remove(0);
        if found["name"] != schema["name"] {
            let name = |schema: &Value| schema["name"].as_str().unwrap_or("?").to_owned();
            return Err(LogError::Other {
                path: path.to_owned(),
                found: name(&found),
                wanted: name(schema),
            });
        }
        log.records = records;
        Ok((log, found))
    }

    /// Puts what was read in place. Rows get new versions: those of the last life are not kept.
    pub(crate) fn replay(
        &mut self,
        contents: &mut Contents,
        version: &mut dyn FnMut() -> Uuid,
    ) -> Result<(), LogError> {
        for (number, record) in std::mem::take(&mut self.records).into_iter().enumerate() {
            let changes = changes_of(contents, &record, version).map_err(|what| LogError::Damaged {
                path: self.path.clone(),
                at: 0,
                what: format!("transaction {number} does not fit the schema: {what}"),
            })?;
            contents.apply(&changes);
        }
        Ok(())
    }

    /// Writes a transaction behind the others; [`Self::sync`] makes it last.
    ///
    /// # Errors
    /// There is no room for it. The log is as it was before, and takes what fits.
    pub(crate) fn append(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut object = Map::new();
        object.insert("_date".to_owned(), json!(record.date_ms));
        if !record.comment.is_empty() {
            object.insert("_comment".to_owned(), json!(record.comment));
        }
        for change in record.changes {
            let rows = object
                .entry(change.table.to_string())
                .or_insert_with(|| json!({}));
            rows[change.uuid.to_string()] = row_json(record.schema, change);
        }
        let mut octets = Vec::new();
        frame(&mut octets, &Value::Object(object));
        self.write(&octets)
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let written = self.file.write_all(octets);
        match written {
            Ok(()) => {
                self.length += octets.len() as u64;
                self.unsynced = true;
            }
            Err(_) => {
                let cut = self.file.set_len(self.length);
                let cut = cut.and_then(|()| self.file.seek(SeekFrom::Start(self.length)));
                self.torn = self.torn.take().or(cut.err());
            }
        }
        written
    }

    /// Syncs what was appended.
    pub(crate) fn sync(&mut self) -> Result<(), LogError> {
        let synced = match self.torn.take() {
            Some(torn) => Err(torn),
            None if self.unsynced => self.file.sync_data(),
            None => Ok(()),
        };
        self.unsynced = false;
        synced.map_err(|source| io_error(&self.path, source))
    }

    pub(crate) const fn is_long(&self) -> bool {
        self.length > LONG && self.length > GROWN * self.base
    }

    /// Writes what is there now beside the log, and puts it in its place. Where there is no room for both, the log that is
    /// there goes on, until it has grown as much again.
    pub(crate) fn rewrite(&mut self, contents: &Contents, schema: &Value) -> Result<(), LogError> {
        let mut octets = Vec::new();
        frame(&mut octets, schema);
        frame(&mut octets, &everything(contents));
        let beside = self.path.with_extension("new");
        match replaced(&beside, &octets, &self.path) {
            Ok(file) => (self.file, self.length) = (file, octets.len() as u64),
            Err(_) => {
                // What is left of it takes the room that is missing.
                let _ = std::fs::remove_file(&beside);
            }
        }
        self.base = self.length;
        sync_folder(&self.path).map_err(|source| io_error(&self.path, source))
    }
}

/// Puts a file with these octets in the place of another: whole, or not at all.
fn replaced(beside: &Path, octets: &[u8], path: &Path) -> io::Result<File> {
    let mut file = File::create(beside)?;
    file.write_all(octets)?;
    file.sync_all()?;
    std::fs::rename(beside, path)?;
    Ok(file)
}

fn io_error(path: &Path, source: io::Error) -> LogError {
    LogError::Io {
        path: path.to_owned(),
        source,
    }
}

/// A file's name is durable when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// A whole file, as `ovsdb-server` opens it: a schema, and its rows as one transaction (`{"TABLE": {"UUID": {"COLUMN":
/// value}}}`, values as RFC 7047 writes them). For copies that are made at once and not kept.
#[must_use]
pub fn standalone(schema: &Value, rows: Option<&Value>) -> Vec<u8> {
    let mut file = Vec::new();
    for record in std::iter::once(schema).chain(rows) {
        frame(&mut file, record);
    }
    file
}

fn row_json(schema: &DatabaseSchema, change: &Changed) -> Value {
    let (Some(new), Some(table)) = (&change.new, schema.table(&change.table)) else {
        return Value::Null;
    };
    let mut row = Map::new();
    for (name, column) in table.columns.iter().filter(|(_, column)| !column.ephemeral) {
        let is = value(table, &new.columns, name);
        let was = match &change.old {
            Some(old) => value(table, &old.columns, name),
            None => Datum::default_of(&column.kind),
        };
        if is != was {
            row.insert(name.clone(), is.to_json());
        }
    }
    Value::Object(row)
}

fn everything(contents: &Contents) -> Value {
    let mut object = Map::new();
    for (table, rows) in &contents.tables {
        let mut all = Map::new();
        for (uuid, stored) in &rows.by_uuid {
            let change = Changed {
                table: Arc::clone(table),
                uuid: *uuid,
                old: None,
                new: Some(Arc::clone(stored)),
            };
            all.insert(uuid.to_string(), row_json(&contents.schema, &change));
        }
        if !all.is_empty() {
            object.insert(table.to_string(), Value::Object(all));
        }
    }
    Value::Object(object)
}

/// A record's changes against what is there.
fn changes_of(
    contents: &Contents,
    record: &Value,
    version: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<Changed>, String> {
    let object = record.as_object().ok_or("it is no object")?;
    let by_difference = record["_is_diff"].as_bool().unwrap_or(false);
    let mut changes = Vec::new();
    for (name, rows) in object.iter().filter(|(name, _)| !name.starts_with('_')) {
        let known = contents.tables.get_key_value(name.as_str());
        let (Some((table, _)), Some(schema)) = (known, contents.schema.table(name)) else {
            return Err(format!("no table {name}"));
        };
        for (text, json) in rows.as_object().ok_or("rows are no object")? {
            let uuid = Uuid::parse(text).ok_or_else(|| format!("\"{text}\" is no UUID"))?;
            let old = contents.row(name, uuid).map(Arc::clone);
            let mut columns = old.as_ref().map(|old| old.columns.clone()).unwrap_or_default();
            let is_new = old.is_none();
            let new = if json.is_null() {
                None
            } else {
                let parsed = parse_loosely(schema, json)?;
                for (column, told) in parsed.columns() {
                    let kind = schema.column(column).map(|column| &column.kind);
                    let now = match kind.filter(|_| by_difference && !is_new) {
                        Some(kind) => value(schema, &columns, column).apply(told, kind),
                        None => told.clone(),
                    };
                    columns.set(column, now);
                }
                let columns = crate::rows::trim(schema, &columns);
                Some(Arc::new(Stored {
                    version: version(),
                    columns,
                }))
            };
            let table = Arc::clone(table);
            changes.push(Changed {
                table,
                uuid,
                old,
                new,
            });
        }
    }
    Ok(changes)
}

/// A difference may have more elements than the column.
fn parse_loosely(schema: &purlin_ovsdb::TableSchema, json: &Value) -> Result<Row, String> {
    let object = json.as_object().ok_or("a row is no object")?;
    let mut row = Row::new();
    for (name, json) in object {
        let column = schema.column(name).ok_or_else(|| format!("no column {name}"))?;
        let mut kind = column.kind.clone();
        if !kind.is_scalar() {
            (kind.min, kind.max) = (0, purlin_ovsdb::ColumnType::UNLIMITED);
        }
        let value = Datum::parse(&kind, json, Names::Refused).map_err(|error| error.to_string())?;
        row.set(name, value);
    }
    Ok(row)
}

#[cfg(test)]
mod tests;
