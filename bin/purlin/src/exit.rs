//! Exit codes and the one shape in which a command fails.

use crate::output::harmless;
use std::fmt;

/// What the process ends with. Scripts rely on these numbers; they are part of `purlin --help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Ok = 0,
    /// It was tried and did not work; also faults in a configuration and failed `doctor` checks.
    Failed = 1,
    /// The command line itself is wrong.
    Usage = 2,
    NotFound = 3,
    /// It exists already, or was changed by someone else meanwhile.
    Conflict = 4,
    Denied = 5,
    /// No node answered.
    Unreachable = 6,
}

/// Why a command failed, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) what: String,
    pub(crate) fix: String,
    /// Stable code for `purlin explain`, when the failure has one.
    pub(crate) code: Option<String>,
    /// Further lines under the first one: single faults of a document, for instance.
    pub(crate) details: Vec<String>,
}

/// What every command returns.
pub(crate) type Outcome = Result<Exit, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            fix: fix.into(),
            code: None,
            details: Vec::new(),
        }
    }

    pub(crate) fn failed(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Exit::Failed, what, fix)
    }

    pub(crate) fn usage(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what, fix)
    }

    pub(crate) fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

/// For a terminal: a failure may quote what strangers sent.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", harmless::lines(&self.what))?;
        if let Some(code) = &self.code {
            write!(f, " ({})", harmless::lines(code))?;
        }
        if !self.fix.is_empty() {
            write!(f, "; fix: {}", harmless::lines(&self.fix))?;
        }
        for line in &self.details {
            write!(f, "\n{}", harmless::lines(line))?;
        }
        Ok(())
    }
}

/// A reader that went away (`purlin ... | head`) is no failure of ours.
impl From<std::io::Error> for Failure {
    fn from(cause: std::io::Error) -> Self {
        match cause.kind() {
            std::io::ErrorKind::BrokenPipe => Self::new(Exit::Ok, "", ""),
            _ => Self::failed(cause.to_string(), ""),
        }
    }
}

/// Everything in an error and its sources, outermost first, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_reads_what_then_code_then_fix() {
        let mut failure = Failure::failed("no such subnet", "purlin dhcp subnet list");
        assert_eq!(
            failure.to_string(),
            "error: no such subnet; fix: purlin dhcp subnet list"
        );
        failure.code = Some("PUR-9004".into());
        assert_eq!(
            failure.to_string(),
            "error: no such subnet (PUR-9004); fix: purlin dhcp subnet list"
        );
    }

    #[test]
    fn what_strangers_sent_does_not_reach_the_terminal_as_it_is() {
        let mut failure = Failure::failed("no file \u{1b}]0;owned\u{7}", "look at \r\u{202e}it");
        failure.code = Some("PUR-\u{9b}2J".into());
        let failure = failure.with_details(vec!["two\nlines\tand \u{1b}[2J".into()]);
        assert_eq!(
            failure.to_string(),
            "error: no file \\x1b]0;owned\\x07 (PUR-\\x9b2J); fix: look at \\r\\u{202e}it\ntwo\nlines\tand \\x1b[2J"
        );
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let failure = Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(failure.exit, Exit::Ok);
    }
}
