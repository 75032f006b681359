//! What is wrong with an expression, and where.

use std::fmt;

/// The first fault found in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// Offset in octets of the faulty part, at a character boundary.
    pub at: usize,
    /// Length in octets of the faulty part; 0 at the end of the text.
    pub len: usize,
    /// What is wrong, in words.
    pub message: String,
    /// What to write instead; empty when the message says it all.
    pub help: String,
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.message, self.at + 1)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        Ok(())
    }
}

impl std::error::Error for ExprError {}

/// A stretch of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) at: usize,
    pub(crate) len: usize,
}

impl Span {
    /// From the start of this to the end of `other`.
    pub(crate) fn to(self, other: Self) -> Self {
        Self {
            at: self.at,
            len: (other.at + other.len).saturating_sub(self.at),
        }
    }

    pub(crate) fn error(self, message: impl Into<String>) -> ExprError {
        ExprError {
            at: self.at,
            len: self.len,
            message: message.into(),
            help: String::new(),
        }
    }
}

impl ExprError {
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}
