//! How answers are shown: one row per line, never wrapped, the same value in every form.
//!
//! Commands hand over JSON values and a list of [`Column`]s; the person chooses the form. Tables align on what
//! has been seen so far, so that a million leases stream through without being held.

mod cell;
mod columns;
mod filter;
pub(crate) mod harmless;
mod paint;
mod painted;
mod table;
mod unknown;
mod yaml;

pub(crate) use columns::{Column, Show};
pub(crate) use filter::Filter;
pub(crate) use paint::{Paint, Tone};
pub(crate) use painted::{Painted, bar};

use crate::exit::Failure;
use clap::ValueEnum;
use serde_json::Value;
use std::io::{IsTerminal, Write};
use table::Table;
use unknown::Unknown;

/// The forms of `-o`: aligned columns (the important ones, or all), JSON, YAML, only the names, RFC 4180.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    Table,
    Wide,
    Json,
    Yaml,
    Name,
    Csv,
}

/// What a list is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// For empty lists: `no leases`.
    pub(crate) plural: &'static str,
    /// Key whose value is the row's name.
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
}

/// What the person asked for.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) form: Form,
    pub(crate) columns: Vec<String>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) headers: bool,
}

impl View {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            columns: Vec::new(),
            filters: Vec::new(),
            headers: true,
        }
    }
}

/// Writes rows one after another in the chosen form.
pub(crate) struct Listing<W: Write> {
    out: W,
    view: View,
    kind: Kind,
    table: Option<Table>,
    rows: u64,
    unknown: Unknown,
}

impl<W: Write> Listing<W> {
    /// # Errors
    /// When `--columns` names something no row can have.
    pub(crate) fn new(out: W, view: View, kind: Kind, paint: Paint) -> Result<Self, Failure> {
        let columns = columns::chosen(&view, kind.columns)?;
        let table = matches!(view.form, Form::Table | Form::Wide | Form::Csv)
            .then(|| Table::new(columns, view.form == Form::Csv, view.headers, paint));
        Ok(Self {
            unknown: Unknown::new(&view, kind.columns),
            out,
            view,
            kind,
            table,
            rows: 0,
        })
    }

    /// Adds rows that pass the filters; a page at a time keeps columns aligned without holding everything.
    ///
    /// # Errors
    /// When a column was asked for that no row of the first page has.
    pub(crate) fn page(&mut self, rows: &[Value]) -> Result<(), Failure> {
        self.unknown.look(rows)?;
        let wanted: Vec<&Value> = rows
            .iter()
            .filter(|row| self.view.filters.iter().all(|filter| filter.accepts(row)))
            .collect();
        match self.view.form {
            Form::Table | Form::Wide | Form::Csv => {
                if let Some(table) = &mut self.table {
                    table.page(&mut self.out, &wanted)?;
                }
            }
            Form::Json => self.json(&wanted)?,
            Form::Yaml => {
                for row in &wanted {
                    self.out.write_all(yaml::item(row).as_bytes())?;
                }
            }
            Form::Name => {
                for row in &wanted {
                    let name = cell::plain(cell::at(row, self.kind.name));
                    writeln!(self.out, "{}", harmless::line(&name))?;
                }
            }
        }
        self.rows += wanted.len() as u64;
        Ok(())
    }

    fn json(&mut self, rows: &[&Value]) -> Result<(), Failure> {
        for (i, row) in rows.iter().enumerate() {
            let lead = if self.rows == 0 && i == 0 {
                "[\n  "
            } else {
                ",\n  "
            };
            let text = serde_json::to_string(row).map_err(|e| Failure::failed(e.to_string(), ""))?;
            write!(self.out, "{lead}{}", harmless::json(&text))?;
        }
        Ok(())
    }

    /// Closes brackets; says on stderr when there was nothing. Returns how many rows were shown.
    ///
    /// # Errors
    /// When a filter asked for a key that no row had.
    pub(crate) fn finish(mut self) -> Result<u64, Failure> {
        self.out.flush()?;
        self.unknown.refuse("--filter", |unknown| &unknown.filters)?;
        match (self.view.form, self.rows) {
            (Form::Json, 0) => writeln!(self.out, "[]")?,
            (Form::Json, _) => writeln!(self.out, "\n]")?,
            (Form::Yaml, 0) => writeln!(self.out, "[]")?,
            (Form::Table | Form::Wide, 0) => eprintln!("no {}", self.kind.plural),
            (Form::Csv, 0) => {
                if let Some(table) = &mut self.table {
                    table.page(&mut self.out, &[])?;
                }
            }
            _ => {}
        }
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// Shows a whole list at once.
pub(crate) fn list(view: &View, kind: Kind, rows: &[Value]) -> Result<(), Failure> {
    let mut listing = Listing::new(stdout(), view.clone(), kind, Paint::stdout())?;
    listing.page(rows)?;
    listing.finish().map(|_| ())
}

/// Shows one object: fields one below the other, or the chosen form.
pub(crate) fn one(view: &View, kind: Kind, object: &Value) -> Result<(), Failure> {
    let mut out = stdout();
    match view.form {
        Form::Json => writeln!(out, "{}", pretty(object))?,
        Form::Yaml => out.write_all(yaml::document(object).as_bytes())?,
        Form::Table | Form::Wide if view.columns.is_empty() => {
            out.write_all(yaml::document(object).as_bytes())?;
        }
        Form::Csv if view.columns.is_empty() && kind.columns.is_empty() => {
            let view = View {
                columns: scalars(object),
                ..view.clone()
            };
            return list(&view, kind, std::slice::from_ref(object));
        }
        _ => return list(view, kind, std::slice::from_ref(object)),
    }
    out.flush()?;
    Ok(())
}

/// Refuses forms of rows for what has none; before anything is done.
pub(crate) fn not_in_rows(form: Form) -> Result<(), Failure> {
    let name = match form {
        Form::Csv => "csv",
        Form::Name => "name",
        _ => return Ok(()),
    };
    let what = format!("there is no {name} for this");
    Err(Failure::usage(what, "-o table, json or yaml"))
}

/// What of an object fits into one row, where its kind has no columns.
fn scalars(object: &Value) -> Vec<String> {
    let fields = object.as_object().into_iter().flatten();
    let scalar = fields.filter(|(_, value)| !value.is_object() && !value.is_array());
    scalar.map(|(key, _)| key.clone()).collect()
}

/// Shows a document as JSON or YAML; forms that make no sense for it fall back to YAML.
pub(crate) fn document(form: Form, value: &Value) -> Result<(), Failure> {
    let mut out = stdout();
    match form {
        Form::Json => writeln!(out, "{}", pretty(value))?,
        _ => out.write_all(yaml::document(value).as_bytes())?,
    }
    out.flush()?;
    Ok(())
}

/// Indented JSON.
pub(crate) fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    harmless::json(&text).into_owned()
}

/// Buffered standard output.
pub(crate) fn stdout() -> std::io::BufWriter<std::io::StdoutLock<'static>> {
    std::io::BufWriter::with_capacity(64 * 1024, std::io::stdout().lock())
}

/// Whether a person is looking.
pub(crate) fn on_terminal() -> bool {
    std::io::stdout().is_terminal()
}

#[cfg(test)]
mod tests;
