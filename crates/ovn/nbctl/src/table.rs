//! Tables of values, printed as `--format`, `--data` and their like ask for.

mod print;

use purlin_ovsdb::{ColumnType, Datum};

/// How tables are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Columns under headings.
    Table,
    /// One line per value.
    #[default]
    List,
    /// A table of HTML.
    Html,
    /// Values with commas between them.
    Csv,
    /// JSON, as `ovsdb-server` sends values.
    Json,
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Data {
    /// As they can be read back.
    #[default]
    String,
    /// Without brackets and quotes.
    Bare,
    /// As `ovsdb-server` sends them.
    Json,
}

/// How tables are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// How they are laid out.
    pub format: Format,
    /// How values are written.
    pub data: Data,
    /// Whether columns are named.
    pub headings: bool,
    /// Whether JSON is indented.
    pub pretty: bool,
    /// Letters of a column, at most; 0 for as many as it has.
    pub column_max: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            format: Format::List,
            data: Data::String,
            headings: true,
            pretty: false,
            column_max: 0,
        }
    }
}

impl Format {
    /// By its name.
    ///
    /// # Errors
    /// There is no such format.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "table" => Ok(Self::Table),
            "list" => Ok(Self::List),
            "html" => Ok(Self::Html),
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(format!("unknown output format \"{text}\"")),
        }
    }
}

impl Data {
    /// By its name.
    ///
    /// # Errors
    /// There is no such format.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "string" => Ok(Self::String),
            "bare" => Ok(Self::Bare),
            "json" => Ok(Self::Json),
            _ => Err(format!("unknown data format \"{text}\"")),
        }
    }
}

/// A table of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The columns' names.
    pub headings: Vec<String>,
    /// The rows, each value with its type.
    pub rows: Vec<Vec<(Datum, ColumnType)>>,
}
