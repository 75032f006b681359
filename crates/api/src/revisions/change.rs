//! What a write did, or would do.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use purlin_config::diff;
use serde_json::{Value, json};

use crate::asked::etag_of_revision;
use crate::audit::RevisionMark;
use crate::problem::FaultView;
use crate::schema::{self, Schema};

/// Single changes that are shown; a new configuration may have a hundred thousand.
pub const CHANGES_SHOWN: usize = 1000;

/// The effect of a write on the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The revision after it; equal to `parent` when nothing changed.
    pub revision: u64,
    pub parent: u64,
    pub dry_run: bool,
    /// At most [`CHANGES_SHOWN`], as `purlin_config::Change::to_json` writes them.
    pub changes: Vec<Value>,
    /// How many there are.
    pub changes_total: usize,
    pub impact: Vec<String>,
    pub warnings: Vec<FaultView>,
}

impl Change {
    pub(super) fn none(revision: u64, dry_run: bool) -> Self {
        Self {
            revision,
            parent: revision,
            dry_run,
            changes: Vec::new(),
            changes_total: 0,
            impact: Vec::new(),
            warnings: Vec::new(),
        }
    }

    pub(super) fn between(
        parent: u64,
        old: &Value,
        new: &Value,
        dry_run: bool,
        impact: Vec<String>,
        warnings: Vec<FaultView>,
    ) -> Self {
        let all = diff(old, new);
        Self {
            revision: parent + 1,
            parent,
            dry_run,
            changes: all
                .iter()
                .take(CHANGES_SHOWN)
                .map(purlin_config::Change::to_json)
                .collect(),
            changes_total: all.len(),
            impact,
            warnings,
        }
    }

    /// As JSON; `object` is what the write was about.
    #[must_use]
    pub fn to_json(&self, object: Option<Value>) -> Value {
        let undo = (self.revision != self.parent && !self.dry_run)
            .then(|| format!("/api/v1/revisions/{}/rollback", self.parent));
        let mut json = json!({
            "revision": self.revision,
            "parent": self.parent,
            "dry_run": self.dry_run,
            "undo": undo,
            "changes": self.changes,
            "changes_total": self.changes_total,
            "impact": self.impact,
            "warnings": self.warnings,
        });
        if let Some(object) = object {
            json["object"] = object;
        }
        json
    }

    /// The answer to the write, with the new ETag of the configuration and the mark for the audit.
    pub fn respond(&self, status: StatusCode, object: Option<Value>) -> Response {
        let status = if self.dry_run { StatusCode::OK } else { status };
        let present = if self.dry_run { self.parent } else { self.revision };
        let mut response = (status, Json(self.to_json(object))).into_response();
        let tag = HeaderValue::try_from(etag_of_revision(present)).expect("a number in quotes is a header");
        response.headers_mut().insert(header::ETAG, tag);
        if !self.dry_run {
            response.extensions_mut().insert(RevisionMark {
                before: self.parent,
                after: self.revision,
            });
        }
        response
    }

    /// The schema of [`Change::to_json`].
    #[must_use]
    pub fn schema() -> Schema {
        schema::object(&[
            (
                "revision",
                schema::count("Revision after the write; for a dry run the one it would make."),
            ),
            ("parent", schema::count("Revision before it.")),
            ("dry_run", schema::boolean("Whether nothing was done.")),
            (
                "undo",
                schema::nullable(schema::string(
                    "POST here to take it back; null when nothing changed.",
                )),
            ),
            ("changes", schema::array(schema::reference("ConfigChange"))),
            (
                "changes_total",
                schema::count("How many changes there are; the first thousand are shown."),
            ),
            (
                "impact",
                schema::array(schema::string("What it does to those who are served.")),
            ),
            ("warnings", schema::array(schema::reference("Fault"))),
            (
                "object?",
                schema::anything("What the write was about, as it is now."),
            ),
        ])
    }
}
