//! Faults: everything that is wrong with a configuration, collected instead of stopping at the first.

use crate::source::Span;
use purlin_telemetry::ReasonCode;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration works, but something will surprise its author.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable code, explained by `purlin explain PUR-9xxx`.
    pub code: ReasonCode,
    pub severity: Severity,
    /// The key path, e.g. `dhcp.subnets[0].lease_time`; empty for a whole file.
    pub path: String,
    /// One sentence without a full stop.
    pub message: String,
    /// Where it is; `None` when the fault is that something is not there at all.
    pub span: Option<Span>,
    /// Words beside the caret.
    pub note: String,
    /// Other places that belong to it, e.g. "first defined here".
    pub related: Vec<(Span, String)>,
    /// What to do; may be empty.
    pub help: String,
}

impl Fault {
    /// An error at a place.
    #[must_use]
    pub fn error(code: ReasonCode, path: impl Into<String>, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path: path.into(),
            message: message.into(),
            span: Some(span),
            note: String::new(),
            related: Vec::new(),
            help: String::new(),
        }
    }

    /// The same fault, but the configuration still counts as good.
    #[must_use]
    pub fn as_warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Without a place in any text.
    #[must_use]
    pub fn without_place(mut self) -> Self {
        self.span = None;
        self
    }

    /// Adds words beside the caret.
    #[must_use]
    pub fn note(mut self, words: impl Into<String>) -> Self {
        self.note = words.into();
        self
    }

    /// Adds another place that belongs to the fault.
    #[must_use]
    pub fn related(mut self, span: Span, words: impl Into<String>) -> Self {
        self.related.push((span, words.into()));
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, words: impl Into<String>) -> Self {
        self.help = words.into();
        self
    }
}

/// How many faults are kept; a broken generator may make millions.
pub const FAULTS_KEPT: usize = 500;

/// The faults of one pass over a configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    list: Vec<Fault>,
    errors: usize,
    dropped: usize,
}

impl Faults {
    /// No faults yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; behind [`FAULTS_KEPT`] they are only counted.
    pub fn push(&mut self, fault: Fault) {
        self.errors += usize::from(fault.severity == Severity::Error);
        if self.list.len() < FAULTS_KEPT {
            self.list.push(fault);
        } else {
            self.dropped += 1;
        }
    }

    /// Whether the configuration must be refused.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there are, dropped ones included.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Whether an error was already found at this place or inside it; a later check then has nothing to add.
    #[must_use]
    pub fn has_error_in(&self, span: Span) -> bool {
        let inside = |s: Span| s.source == span.source && s.start >= span.start && s.end <= span.end;
        self.list
            .iter()
            .any(|fault| fault.severity == Severity::Error && fault.span.is_some_and(inside))
    }

    /// How many faults were counted but not kept.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Whether there is nothing to report at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In the order in which they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.list.iter()
    }

    /// In the order of the text: by source, then by place; those without a place come last.
    #[must_use]
    pub fn in_text_order(&self) -> Vec<&Fault> {
        let mut sorted: Vec<&Fault> = self.list.iter().collect();
        sorted.sort_by_key(|fault| fault.span.map_or((1, 0, 0), |s| (0, s.source.0, s.start)));
        sorted
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
