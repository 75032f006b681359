//! Tables to text.

use super::{Data, Format, Style, Table};
use crate::format::{cut, padded};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::text::{bare, datum_text};
use serde_json::{Value, json};
use std::fmt::Write as _;

impl Table {
    /// Prints it. Text forms are set apart from one another by an empty line: `first` says that none went before.
    #[must_use]
    pub fn print(&self, style: &Style, first: bool) -> String {
        let cells: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(|(value, kind)| cell(value, kind, style)).collect())
            .collect();
        let apart = if first { "" } else { "\n" };
        match style.format {
            Format::Table => format!("{apart}{}", self.as_table(&cells, style)),
            Format::List => format!("{apart}{}", self.as_list(&cells, style)),
            Format::Csv => format!("{apart}{}", self.as_csv(&cells, style)),
            Format::Html => self.as_html(&cells, style),
            Format::Json => self.as_json(style),
        }
    }

    fn as_table(&self, cells: &[Vec<String>], style: &Style) -> String {
        let width = |at: usize| {
            let widest = cells.iter().map(|row| row[at].len()).max().unwrap_or(0);
            let widest = match style.column_max {
                0 => widest,
                most => widest.min(most),
            };
            if style.headings {
                widest.max(self.headings[at].len())
            } else {
                widest
            }
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let mut text = String::new();
        let mut put = |cells: &mut dyn Iterator<Item = String>| {
            let cells: Vec<String> = cells
                .zip(&widths)
                .map(|(cell, &width)| padded(cut(&cell, width), width))
                .collect();
            text.push_str(cells.join(" ").trim_end_matches(' '));
            text.push('\n');
        };
        if style.headings {
            put(&mut self.headings.iter().cloned());
            put(&mut widths.iter().map(|&width| "-".repeat(width)));
        }
        for row in cells {
            put(&mut row.iter().cloned());
        }
        text
    }

    fn as_list(&self, cells: &[Vec<String>], style: &Style) -> String {
        let mut text = String::new();
        for (at, row) in cells.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            for (heading, cell) in self.headings.iter().zip(row) {
                if style.headings {
                    let _ = write!(text, "{heading:<20}: ");
                }
                text.push_str(cell);
                text.push('\n');
            }
        }
        text
    }

    fn as_csv(&self, cells: &[Vec<String>], style: &Style) -> String {
        let mut text = String::new();
        let headings = style.headings.then_some(&self.headings);
        for row in headings.into_iter().chain(cells) {
            let row: Vec<String> = row.iter().map(|cell| csv(cell)).collect();
            text.push_str(&row.join(","));
            text.push('\n');
        }
        text
    }

    fn as_html(&self, cells: &[Vec<String>], style: &Style) -> String {
        let mut text = String::from("<table border=1>\n");
        if style.headings {
            text.push_str("  <tr>\n");
            for heading in &self.headings {
                html_cell("th", heading, &mut text);
            }
            text.push_str("  </tr>\n");
        }
        for row in cells {
            text.push_str("  <tr>\n");
            for (heading, cell) in self.headings.iter().zip(row) {
                if heading == "_uuid" {
                    let short = cut(cell, 8);
                    let (name, short) = (html(cell), html(short));
                    let _ = writeln!(text, "    <td><a name=\"{name}\">{short}</a></td>");
                } else {
                    html_cell("td", cell, &mut text);
                }
            }
            text.push_str("  </tr>\n");
        }
        text.push_str("</table>\n");
        text
    }

    fn as_json(&self, style: &Style) -> String {
        let row = |row: &Vec<(purlin_ovsdb::Datum, _)>| -> Vec<Value> {
            row.iter().map(|(value, _)| value.to_json()).collect()
        };
        let data: Vec<Vec<Value>> = self.rows.iter().map(row).collect();
        let json = json!({"data": data, "headings": self.headings});
        let text = if style.pretty {
            serde_json::to_string_pretty(&json).unwrap_or_default()
        } else {
            json.to_string()
        };
        text + "\n"
    }
}

fn cell(value: &purlin_ovsdb::Datum, kind: &purlin_ovsdb::ColumnType, style: &Style) -> String {
    match style.data {
        Data::String => datum_text(value, kind),
        Data::Bare => bare(value),
        Data::Json => value.to_json().to_string(),
    }
}

fn csv(cell: &str) -> String {
    if cell.contains(['\n', '"', ',']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// Rows' names inside of a value become links to the rows.
fn html_cell(element: &str, content: &str, text: &mut String) {
    let _ = write!(text, "    <{element}>");
    let mut rest = content;
    while let Some(letter) = rest.chars().next() {
        let uuid = rest.get(..36).filter(|name| Uuid::parse(name).is_some());
        let length = match uuid {
            Some(uuid) => {
                let _ = write!(text, "<a href=\"#{uuid}\">{}</a>", &uuid[..8]);
                36
            }
            None => {
                text.push_str(&html(&rest[..letter.len_utf8()]));
                letter.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    let _ = writeln!(text, "</{element}>");
}
