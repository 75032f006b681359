//! From the text of a genesis document to alloy's value, with faults that name the field.
//!
//! The document is walked twice: first as plain JSON, where each field is held against the kind that it must have (so
//! that the message carries the path of the field), then by alloy's reader, which makes the value.

pub(crate) mod document;

use crate::Fork;
use alloy_genesis::Genesis;

/// Why a genesis document is no beginning of a chain here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    #[error("genesis document, line {line}, column {column}: no JSON: {what}")]
    Json {
        line: usize,
        column: usize,
        what: String,
    },
    #[error("genesis document: {path} is missing; it must be {wanted}")]
    Missing { path: String, wanted: String },
    #[error("genesis document: {path} is {found}; it must be {wanted}")]
    Field {
        path: String,
        found: String,
        wanted: String,
    },
    #[error(
        "genesis document: config.{later} ({late}) comes before config.{earlier} ({early}); \
         {later_fork} needs what {earlier_fork} brought, so give {earlier} the same value or a lower one"
    )]
    Order {
        earlier: &'static str,
        earlier_fork: Fork,
        early: String,
        later: &'static str,
        later_fork: Fork,
        late: u64,
    },
    #[error(
        "genesis document: config.{key} names a fork that this chain does not have; the last one it knows is {last}"
    )]
    UnknownFork { key: String, last: Fork },
    #[error("genesis document: {0}")]
    Unreadable(String),
}

/// Reads a geth-style document and checks each field by itself; how the forks follow each other is the schedule's affair.
pub(crate) fn read(text: &str) -> Result<Genesis, GenesisError> {
    let document: serde_json::Value = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    document::check(&document)?;
    serde_json::from_str(text).map_err(|error| GenesisError::Unreadable(error.to_string()))
}

fn json_error(error: &serde_json::Error) -> GenesisError {
    GenesisError::Json {
        line: error.line(),
        column: error.column(),
        what: error.to_string(),
    }
}
