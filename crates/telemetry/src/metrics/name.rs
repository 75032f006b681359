//! Which names a family and its labels may have, in the words of `promtool check metrics`.

use super::Kind;
use std::fmt;

/// Why a family is refused. All of these are mistakes in the program, found by its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NameFault {
    /// Not lower case words joined by `_`.
    Syntax(String),
    /// A counter that does not end in `_total`, or another kind that does.
    Total(String),
    /// Ends in `_count`, `_sum` or `_bucket`, which belong to histograms and summaries.
    Reserved(String),
    /// Counts in something else than seconds or octets.
    Unit(String),
    /// No help text.
    Help(String),
    /// A label's name is no word or is reserved.
    Label(String),
    /// The name exists with another kind or help.
    Conflict(String),
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(name) => write!(f, "`{name}` is not lower case words joined by `_`"),
            Self::Total(name) => write!(f, "`{name}`: counters, and only counters, end in `_total`"),
            Self::Reserved(name) => write!(f, "`{name}`: the ending belongs to histograms and summaries"),
            Self::Unit(name) => write!(f, "`{name}`: use base units, seconds or bytes"),
            Self::Help(name) => write!(f, "`{name}` has no help text"),
            Self::Label(name) => write!(f, "`{name}` cannot be the name of a label"),
            Self::Conflict(name) => write!(f, "`{name}` exists already with another kind or help"),
        }
    }
}

impl std::error::Error for NameFault {}

/// Parts of names that say another unit than the base unit.
const OTHER_UNITS: [&str; 12] = [
    "milliseconds",
    "microseconds",
    "nanoseconds",
    "ms",
    "us",
    "ns",
    "minutes",
    "hours",
    "days",
    "kilobytes",
    "megabytes",
    "bits",
];

pub(super) fn check_family(name: &str, kind: Kind, help: &str) -> Result<(), NameFault> {
    let refused = |fault: fn(String) -> NameFault| Err(fault(name.to_owned()));
    if !is_word(name) || name.split('_').any(str::is_empty) {
        return refused(NameFault::Syntax);
    }
    if kind != Kind::Untyped && name.ends_with("_total") != (kind == Kind::Counter) {
        return refused(NameFault::Total);
    }
    if ["_count", "_sum", "_bucket"]
        .iter()
        .any(|end| name.ends_with(end))
    {
        return refused(NameFault::Reserved);
    }
    if name.split('_').any(|part| OTHER_UNITS.contains(&part)) {
        return refused(NameFault::Unit);
    }
    if help.trim().is_empty() {
        return refused(NameFault::Help);
    }
    Ok(())
}

pub(super) fn check_label(name: &str) -> Result<(), NameFault> {
    let reserved = matches!(name, "le" | "quantile") || name.starts_with("__");
    if reserved || !is_word(name) {
        Err(NameFault::Label(name.to_owned()))
    } else {
        Ok(())
    }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
