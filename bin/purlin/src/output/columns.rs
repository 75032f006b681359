//! Which columns a table has.

use super::{Form, View};
use crate::exit::Failure;

/// One column: its header, where its value is in a row, and how the value reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) header: &'static str,
    /// Keys joined by dots: `options.router`.
    pub(crate) path: &'static str,
    pub(crate) show: Show,
    /// Only in `wide`, `csv` and when named.
    wide: bool,
}

/// How a value reads in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// As it is; lists joined by commas.
    Text,
    /// A point in time (Unix seconds, milliseconds or RFC 3339), as distance from now on a terminal.
    Time,
    /// A share of 1 as per cent.
    Percent,
    /// A number aligned right.
    Number,
}

impl Column {
    pub(crate) const fn new(header: &'static str, path: &'static str, show: Show) -> Self {
        Self {
            header,
            path,
            show,
            wide: false,
        }
    }

    pub(crate) const fn wide(header: &'static str, path: &'static str, show: Show) -> Self {
        Self {
            header,
            path,
            show,
            wide: true,
        }
    }
}

/// A column with an owned header and path, as chosen for one listing.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) header: String,
    pub(super) path: String,
    pub(super) show: Show,
}

/// The columns for this view, in the order asked for.
pub(super) fn chosen(view: &View, all: &[Column]) -> Result<Vec<Chosen>, Failure> {
    if view.columns.is_empty() {
        let every = view.form != Form::Table;
        return Ok(all
            .iter()
            .filter(|column| every || !column.wide)
            .map(own)
            .collect());
    }
    view.columns.iter().map(|wanted| find(wanted, all)).collect()
}

/// A column by header or path; any other path is taken as it is, for keys no column was made for.
fn find(wanted: &str, all: &[Column]) -> Result<Chosen, Failure> {
    let known = all
        .iter()
        .find(|column| column.header.eq_ignore_ascii_case(wanted) || column.path == wanted);
    if let Some(column) = known {
        return Ok(own(column));
    }
    if wanted.is_empty() {
        let names: Vec<&str> = all.iter().map(|column| column.path).collect();
        return Err(Failure::usage(
            "--columns has an empty name",
            format!("choose from {}", names.join(",")),
        ));
    }
    Ok(Chosen {
        header: wanted.to_uppercase(),
        path: wanted.to_owned(),
        show: Show::Text,
    })
}

fn own(column: &Column) -> Chosen {
    Chosen {
        header: column.header.to_owned(),
        path: column.path.to_owned(),
        show: column.show,
    }
}
