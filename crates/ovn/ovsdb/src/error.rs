//! What is wrong with a piece of JSON that should have been a part of OVSDB.

use serde_json::Value;
use std::fmt;

/// The kinds of fault that `ovsdb-server` names too, in the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The JSON has another form than RFC 7047 asks for.
    Syntax,
    /// The form is right; the value breaks a constraint of its type.
    Constraint,
    /// A set or map holds an element twice.
    Duplicate,
    /// The schema has no such column.
    UnknownColumn,
    /// No operator of this name in a condition.
    UnknownFunction,
    /// No operator of this name in a mutation.
    UnknownMutator,
    /// A calculation left the range of its type.
    Range,
    /// A calculation without a result, such as a division by zero.
    Domain,
}

impl Fault {
    /// The words that `ovsdb-server` uses for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax error",
            Self::Constraint => "constraint violation",
            Self::Duplicate => "ovsdb error",
            Self::UnknownColumn => "unknown column",
            Self::UnknownFunction => "unknown function",
            Self::UnknownMutator => "unknown mutator",
            Self::Range => "range error",
            Self::Domain => "domain error",
        }
    }
}

/// A value that cannot be taken, with the piece of JSON at fault where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What kind of fault it is.
    pub fault: Fault,
    /// The JSON at fault, at most [`Error::SYNTAX_MAX`] octets of it.
    pub syntax: Option<String>,
    /// What would have been right.
    pub details: String,
}

impl Error {
    /// Longer pieces of JSON are cut: a hostile peer must not fill our logs.
    pub const SYNTAX_MAX: usize = 2048;

    pub(crate) fn new(fault: Fault, details: impl Into<String>) -> Self {
        Self {
            fault,
            syntax: None,
            details: details.into(),
        }
    }

    pub(crate) fn syntax(json: &Value, details: impl Into<String>) -> Self {
        Self::new(Fault::Syntax, details).at(json)
    }

    pub(crate) fn constraint(details: impl Into<String>) -> Self {
        Self::new(Fault::Constraint, details)
    }

    pub(crate) fn at(mut self, json: &Value) -> Self {
        let mut text = json.to_string();
        if text.len() > Self::SYNTAX_MAX {
            let end = (0..=Self::SYNTAX_MAX)
                .rev()
                .find(|&end| text.is_char_boundary(end));
            text.truncate(end.unwrap_or(0));
            text.push_str("...");
        }
        self.syntax = Some(text);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(syntax) = &self.syntax {
            write!(f, "syntax \"{syntax}\": ")?;
        }
        write!(f, "{}: {}", self.fault.name(), self.details)
    }
}

impl std::error::Error for Error {}
