//! Why a transaction did not happen.

use std::fmt;

/// The kinds of refusal that a caller may decide on.
///
/// Source: RFC 7047, sections 3.1 and 5.2; ovsdb-server(7), section 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A constraint of a column, table or index.
    Constraint,
    /// A strong reference would be left without its row.
    ReferentialIntegrity,
    /// The rows of a `wait` are not so.
    TimedOut,
    /// `assert`: the lock is someone else's.
    NotOwner,
    /// A row with this chosen name was there before: perhaps our own, from an earlier sending.
    DuplicateUuid,
    /// A `uuid-name` given twice.
    DuplicateUuidName,
    /// `abort`.
    Aborted,
    /// This member may not or cannot take it now: not the leader, shut out of the cluster, read-only.
    NotLeader,
    /// A limit of the server: memory, disk, rows.
    ResourcesExhausted,
    /// The disk or the cluster failed.
    Io,
    /// The role of this connection does not allow it.
    Permission,
    /// The request was not understood: a mistake of ours, or an older schema.
    Syntax,
    /// No such database.
    UnknownDatabase,
    /// A division by zero, or a result out of range.
    Arithmetic,
    /// The server's answer was not understood.
    Protocol,
    /// Anything else; the words are in [`Refusal::error`].
    Other,
}

impl Failure {
    fn by_name(name: &str, details: &str) -> Self {
        match name {
            "constraint violation" => Self::Constraint,
            "referential integrity violation" => Self::ReferentialIntegrity,
            "timed out" => Self::TimedOut,
            "not owner" => Self::NotOwner,
            "duplicate uuid" => Self::DuplicateUuid,
            "duplicate uuid-name" => Self::DuplicateUuidName,
            "aborted" => Self::Aborted,
            "resources exhausted" => Self::ResourcesExhausted,
            "I/O error" | "cluster error" if details.contains("not leader") => Self::NotLeader,
            "not leader" | "not allowed" | "canceled" => Self::NotLeader,
            "I/O error" | "cluster error" | "io error" => Self::Io,
            "permission error" => Self::Permission,
            "syntax error" | "unknown column" | "unknown table" | "unknown method" => Self::Syntax,
            "unknown database" => Self::UnknownDatabase,
            "domain error" | "range error" => Self::Arithmetic,
            _ => Self::Other,
        }
    }

    /// Whether the same transaction may succeed on another member, or here a little later, having changed nothing.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::NotLeader)
    }
}

/// A transaction that the server did not carry out; nothing of it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The operation at fault, counted from 0; `None` when it came out at the end, of all together.
    pub operation: Option<usize>,
    /// The kind.
    pub failure: Failure,
    /// The server's word for it.
    pub error: String,
    /// The server's explanation.
    pub details: Option<String>,
    /// The piece of the request at fault.
    pub syntax: Option<String>,
}

impl Refusal {
    pub(crate) fn new(
        operation: Option<usize>,
        error: &str,
        details: Option<String>,
        syntax: Option<String>,
    ) -> Self {
        Self {
            operation,
            failure: Failure::by_name(error, details.as_deref().unwrap_or_default()),
            error: error.to_owned(),
            details,
            syntax,
        }
    }

    pub(crate) fn unreadable(cause: &serde_json::Error) -> Self {
        Self::protocol(format!("the answer is no list of results: {cause}"))
    }

    pub(crate) fn miscounted(operations: usize) -> Self {
        Self::protocol(format!(
            "the answer has another number of results than the {operations} operations"
        ))
    }

    pub(crate) fn protocol(details: String) -> Self {
        Self {
            failure: Failure::Protocol,
            ..Self::new(None, "unexpected answer", Some(details), None)
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation {
            Some(operation) => write!(f, "operation {operation}: {}", self.error)?,
            None => f.write_str(&self.error)?,
        }
        if let Some(details) = &self.details {
            write!(f, ": {details}")?;
        }
        if let Some(syntax) = &self.syntax {
            write!(f, " (in {syntax})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
