//! One owner's part of the network as a document: what is wanted, not how to get there.
//!
//! ```text
//!   {"switches": [{"name": "web", "ports": [{"name": "vm1", "addresses": ["02:00:00:00:00:11 10.0.0.11"],
//!                  "dhcpv4_options": "web-dhcp"}], "acls": [{"priority": 1000, ...}]}],
//!    "dhcp_options": [{"name": "web-dhcp", "cidr": "10.0.0.0/24", "options": {...}}], ...}
//! ```
//!
//! Keys are the columns of the tables, values as people write them in JSON; children stand within their parents,
//! references are names. Only what the document speaks of is managed: a column that it leaves out stays as it is, and so
//! do all rows of other owners. A list of children that is there is complete: with `prune` what it lacks goes.
//!
//! In a state that is confined to a tenant it is about the tenant's rows alone, and names may lack the tenant's prefix.

mod compare;
mod drift;
mod export;
mod locate;
mod read;
mod spec;
mod within;

use crate::model::{Change, State};
use crate::plan::{Plan, Refusal, Request, Writer, plan};
use crate::problem::Problem;
use purlin_ovsdb::Uuid;
use serde_json::Value;
use std::collections::BTreeMap;

pub use drift::{Drift, drift};
pub use export::export;
pub use locate::{Step, locate};

/// A document that has been read: the form is right, the network has not been looked at.
#[derive(Debug, Clone, Default)]
pub struct Document {
    items: Vec<Item>,
}

/// One row that is wanted.
#[derive(Debug, Clone)]
struct Item {
    spec: &'static spec::Spec,
    /// As findings call it: `switches web`.
    place: String,
    /// By what the row is found, in the order of the spec.
    identity: Vec<Value>,
    columns: serde_json::Map<String, Value>,
    /// Names of rows, by column.
    references: BTreeMap<String, Vec<String>>,
    /// By column; a column that is not there is not spoken of.
    children: BTreeMap<&'static str, Vec<Self>>,
}

/// How a document is put into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Rows of the owner that the document lacks go.
    pub prune: bool,
    /// Rows without an owner that the document names become the owner's.
    pub adopt: bool,
}

impl Document {
    /// Reads a document by the schema and the DHCP options that a state has; rows are not looked at. All problems are
    /// found, not the first only.
    pub fn read(json: &Value, state: &State<'_>) -> Result<Self, Vec<Problem>> {
        read::document(json, state.schema(), state.dhcp())
    }
}

/// Who wants the document, and where new UUIDs come from.
pub struct Apply<'r> {
    pub actor: &'r str,
    pub id: &'r str,
    pub writer: &'r Writer,
    pub options: Options,
    pub uuids: &'r mut dyn FnMut() -> Uuid,
}

impl std::fmt::Debug for Apply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Apply")
            .field("id", &self.id)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What must change for the network to be as the document says; empty when it is so already.
pub fn changes(
    state: &State<'_>,
    document: &Document,
    writer: &Writer,
    options: Options,
    uuids: &mut dyn FnMut() -> Uuid,
) -> Result<Vec<Change>, Refusal> {
    compare::changes(state, document, writer, options, uuids)
}

/// The plan that makes the network as the document says. Its difference is empty when it is so already.
pub fn apply<'a>(state: &State<'a>, document: &Document, apply: Apply<'_>) -> Result<Plan<'a>, Refusal> {
    let Apply {
        actor,
        id,
        writer,
        options,
        uuids,
    } = apply;
    let changes = compare::changes(state, document, writer, options, uuids)?;
    let request = Request {
        actor,
        id,
        writer,
        changes,
        expect: Vec::new(),
        book: None,
    };
    plan(state, request)
}
