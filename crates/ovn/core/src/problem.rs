//! What a check has to say: what is wrong, where, and what would be right.

use serde::Serialize;
use std::fmt;

/// Whether it may be written all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It works, and is probably not meant.
    Warning,
    /// It is refused.
    Error,
}

/// One finding of a check. Prints as `place: message (help)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub severity: Severity,
    /// A stable word for programs, such as `dhcp-option-unknown`.
    pub code: &'static str,
    /// Row and column, such as `switch sw0: other_config:subnet`.
    pub place: String,
    /// One sentence without a full stop; may have several lines where a text is shown with a caret.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn error(code: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            place: place.into(),
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn warning(code: &'static str, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, place, message)
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn nearest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match purlin_config::nearest(word, known) {
            Some(near) => {
                let help = format!("did you mean `{near}`?");
                self.help(help)
            }
            None => self,
        }
    }

    /// The same, found in a part of `place`.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.place = match self.place.is_empty() {
            true => place.to_owned(),
            false => format!("{place}: {}", self.place),
        };
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}
