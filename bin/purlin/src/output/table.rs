//! Aligned columns and CSV, a page at a time.

use super::cell;
use super::columns::Chosen;
use super::{Paint, Show, Tone, harmless};
use crate::exit::Failure;
use jiff::Timestamp;
use serde_json::Value;
use std::io::Write;

/// Blanks between columns.
const GAP: usize = 3;

/// A table in the making. Widths only grow, so that a later page never shifts back.
pub(super) struct Table {
    columns: Vec<Chosen>,
    widths: Vec<usize>,
    csv: bool,
    header_due: bool,
    paint: Paint,
    relative: Option<Timestamp>,
}

impl Table {
    pub(super) fn new(columns: Vec<Chosen>, csv: bool, headers: bool, paint: Paint) -> Self {
        let widths = columns
            .iter()
            .map(|column| if headers { column.header.len() } else { 0 })
            .collect();
        let relative = (paint.is_on() && !csv).then(Timestamp::now);
        Self {
            columns,
            widths,
            csv,
            header_due: headers,
            paint,
            relative,
        }
    }

    pub(super) fn page<W: Write>(&mut self, out: &mut W, rows: &[&Value]) -> Result<(), Failure> {
        let cells: Vec<Vec<String>> = rows.iter().map(|row| self.cells(row)).collect();
        for row in &cells {
            for (width, text) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        if self.csv {
            return self.write_csv(out, &cells);
        }
        if self.header_due && !rows.is_empty() {
            self.header_due = false;
            let header: Vec<String> = self.columns.iter().map(|column| column.header.clone()).collect();
            writeln!(out, "{}", self.paint.text(Tone::Strong, &self.line(&header)))?;
        }
        for row in &cells {
            writeln!(out, "{}", self.line(row))?;
        }
        Ok(())
    }

    fn cells(&self, row: &Value) -> Vec<String> {
        let one = |column: &Chosen| {
            let value = cell::at(row, &column.path);
            match (self.csv, column.show) {
                (true, Show::Time) => cell::text(value, Show::Time, None),
                (true, _) => harmless::lines(&cell::plain(value)).into_owned(),
                (false, show) => cell::text(value, show, self.relative),
            }
        };
        self.columns.iter().map(one).collect()
    }

    fn line(&self, cells: &[String]) -> String {
        let mut line = String::new();
        for (i, text) in cells.iter().enumerate() {
            let pad = self.widths[i].saturating_sub(text.chars().count());
            let right = matches!(self.columns[i].show, Show::Number | Show::Percent);
            line.extend(std::iter::repeat_n(' ', if right { pad } else { 0 }));
            line.push_str(text);
            line.extend(std::iter::repeat_n(' ', if right { GAP } else { pad + GAP }));
        }
        line.truncate(line.trim_end().len());
        line
    }

    fn write_csv<W: Write>(&mut self, out: &mut W, cells: &[Vec<String>]) -> Result<(), Failure> {
        if std::mem::take(&mut self.header_due) {
            let names: Vec<String> = self
                .columns
                .iter()
                .map(|c| quoted(&c.header.to_lowercase()))
                .collect();
            write!(out, "{}\r\n", names.join(","))?;
        }
        for row in cells {
            let fields: Vec<String> = row.iter().map(|text| quoted(text)).collect();
            write!(out, "{}\r\n", fields.join(","))?;
        }
        Ok(())
    }
}

/// RFC 4180, section 2, rules 5 to 7.
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}
