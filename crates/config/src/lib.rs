//! From raw configuration text to checked values, with every fault found in one pass.
//!
//! Texts in TOML, YAML or JSON and environment variables are merged into one [`Document`], a tree in which every
//! value knows where it was written. Sections describe their keys as data ([`Section`], [`Key`], [`Kind`]);
//! [`check_section`] compares the two, a [`Reader`] turns a checked table into typed values, and each section adds the
//! checks between values that no schema can say. Faults are collected in [`Faults`] and shown with the line they
//! are about.
//!
//! The crate is pure: texts and variables come in as values, and nothing is read or printed here.

pub mod codes;
mod diff;
mod document;
mod env;
mod fault;
mod format;
mod nearest;
mod node;
pub mod path;
mod reader;
mod redact;
mod render;
mod scalar;
pub mod schema;
mod secrets;
pub mod sections;
mod source;

pub use codes::REASONS;
pub use diff::{Change, ChangeKind, diff, diff_text};
pub use document::{Document, Input};
pub use env::PREFIX as ENVIRONMENT_PREFIX;
pub use fault::{FAULTS_KEPT, Fault, Faults, Severity};
pub use format::Format;
pub use nearest::nearest;
pub use node::{Entry, Node, Table, Value};
pub use reader::{FromNode, Octets, Reader};
pub use redact::redact;
pub use scalar::{format_duration, parse_duration, parse_hex};
pub use schema::{
    Effect, Explanation, Key, Keys, Kind, Section, TextFault, check_names, check_section, explain,
    json_schema, schema_faults,
};
pub use source::{Place, Source, SourceId, SourceKind, Span};
