//! Documents as they come in, YAML or JSON, and as they are kept for who asks about drift.

use crate::history::History;
use crate::reasons;
use axum::http::{HeaderMap, StatusCode, header};
use purlin_api::Problem;
use purlin_config::{Document as Text, Fault, Faults, Format, Input, Node, Place, SourceKind, Value as Held};
use purlin_ovn_core::document::{Document, Step, locate};
use purlin_ovn_core::model::State;
use purlin_ovn_core::problem;
use purlin_store::Batch;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Documents that were put into force, by owner.
const TABLE: &str = "ovn_document";
/// Those of tenants, by tenant and owner.
const OF_TENANTS: &str = "ovn_document_of_tenant";
/// Owners of one tenant at most.
const MOST_OF_TENANT: usize = 100;

/// A text that has been read, and knows its lines.
#[derive(Debug)]
pub(crate) struct Written {
    text: Text,
    pub(crate) json: Value,
}

impl Written {
    /// Reads a body by its media type; without one by its look.
    ///
    /// # Errors
    /// 422 with every fault and its line; 415 for other media types.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Problem> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.map(|kind| {
            kind.split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        });
        let format = match kind.as_deref() {
            Some("application/json" | "text/json") => Format::Json,
            Some("application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml") => Format::Yaml,
            None if body.trim_ascii_start().starts_with(b"{") => Format::Json,
            None => Format::Yaml,
            Some(other) => {
                let detail = format!(
                    "{other} is no form of a document; expected application/json or application/yaml"
                );
                return Err(Problem::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    &purlin_api::reasons::WRONG_MEDIA_TYPE,
                    detail,
                ));
            }
        };
        let text = std::str::from_utf8(body)
            .map_err(|_| Problem::wrong_shape("the document is not UTF-8"))?
            .to_owned();
        let mut faults = Faults::new();
        let input = Input {
            name: "document".to_owned(),
            text,
            kind: SourceKind::Api,
            format: Some(format),
        };
        let text = Text::parse([input], &mut faults);
        if faults.has_errors() {
            let told = |fault: &Fault| {
                let place = fault.span.map(|span| text.source(span.source).place(span.start));
                shown(place, "document-form", &fault.path, &fault.message)
            };
            return Err(refused(faults.iter().map(told).collect()));
        }
        let json = text.to_json();
        Ok(Self { text, json })
    }

    /// Whether it has no key at all: not even one with an empty list.
    pub(crate) fn says_nothing(&self) -> bool {
        self.json.as_object().is_none_or(serde_json::Map::is_empty)
    }

    /// The wanted rows.
    ///
    /// # Errors
    /// 422 with every fault and its line.
    pub(crate) fn document(&self, state: &State<'_>) -> Result<Document, Problem> {
        Document::read(&self.json, state).map_err(|problems| self.refused(&problems))
    }

    /// Findings with their lines.
    pub(crate) fn refused(&self, problems: &[problem::Problem]) -> Problem {
        refused(problems.iter().map(|problem| self.placed(problem)).collect())
    }

    fn placed(&self, problem: &problem::Problem) -> Value {
        let mut told = json!(problem);
        let place = self.place(&problem.place);
        told["line"] = json!(place.map(|place| place.line));
        told["column"] = json!(place.map(|place| place.column));
        told
    }

    /// The line of what a finding is about, or of what it stands in.
    fn place(&self, place: &str) -> Option<Place> {
        let mut node: &Node = self.text.root();
        let mut span = None;
        for step in locate(&self.json, place) {
            match (&node.value, step) {
                (Held::Table(table), Step::Key(key)) => {
                    let Some(entry) = table.entry(&key) else { break };
                    (node, span) = (&entry.node, Some(entry.key_span));
                }
                (Held::List(items), Step::Index(index)) => {
                    let Some(item) = items.get(index) else { break };
                    (node, span) = (item, Some(item.span));
                }
                _ => break,
            }
        }
        span.map(|span| self.text.source(span.source).place(span.start))
    }
}

fn shown(place: Option<Place>, code: &str, at: &str, message: &str) -> Value {
    json!({
        "severity": "error", "code": code, "place": at, "message": message,
        "line": place.map(|place| place.line), "column": place.map(|place| place.column),
    })
}

/// 422 with a line of words for each fault.
fn refused(problems: Vec<Value>) -> Problem {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| {
            let text = |name: &str| problem[name].as_str().unwrap_or_default();
            let line = problem["line"]
                .as_u64()
                .map(|line| format!("line {line}, column {}: ", problem["column"]));
            let place = Some(text("place"))
                .filter(|place| !place.is_empty())
                .map(|place| format!("{place}: "));
            let help = Some(text("help"))
                .filter(|help| !help.is_empty())
                .map(|help| format!(" ({help})"));
            format!(
                "{}{}{}{}",
                line.unwrap_or_default(),
                place.unwrap_or_default(),
                text("message"),
                help.unwrap_or_default()
            )
        })
        .collect();
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        &reasons::BAD_DOCUMENT,
        lines.join("; "),
    )
    .with("problems", problems)
}

/// A document that was put into force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) document: Value,
    pub(crate) applied_at: String,
    pub(crate) applied_by: String,
    /// The journal's entry; null when nothing had to be changed.
    pub(crate) request: Option<String>,
}

/// Whose documents are meant: those of the installation, or a tenant's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) history: &'a History,
    pub(crate) tenant: Option<&'a str>,
}

impl Shelf<'_> {
    const fn table(self) -> &'static str {
        match self.tenant {
            Some(_) => OF_TENANTS,
            None => TABLE,
        }
    }

    /// A tenant's keys begin with its id, which has no `/`, as owners have none.
    fn key(self, owner: &str) -> String {
        let start = self.tenant.map(|tenant| format!("{tenant}/")).unwrap_or_default();
        format!("{start}{owner}")
    }

    /// # Errors
    /// 409 when the tenant has documents of so many other owners that there is no room for one more.
    pub(crate) async fn has_room(self, owner: &str) -> Result<(), Problem> {
        if self.tenant.is_none() {
            return Ok(());
        }
        let there = self.list(None, MOST_OF_TENANT).await?;
        if there.len() < MOST_OF_TENANT || there.iter().any(|(known, _)| known == owner) {
            return Ok(());
        }
        Err(Problem::not_possible(format!(
            "there are documents of {MOST_OF_TENANT} owners already; choose one of those"
        )))
    }

    pub(crate) async fn put(self, owner: &str, kept: &Kept) -> Result<(), Problem> {
        let row =
            serde_json::to_vec(kept).map_err(|cause| Problem::broken(format!("a document: {cause}")))?;
        let batch = Batch::default().put(self.table(), self.key(owner), row);
        self.history.ledger.commit(batch).await
    }

    /// # Errors
    /// 404 when none was put into force for this owner.
    pub(crate) async fn get(self, owner: &str) -> Result<Kept, Problem> {
        let row = self
            .history
            .ledger
            .get(self.table(), self.key(owner).into_bytes())
            .await?;
        let row = row.ok_or_else(|| Problem::no_such("document of owner", owner))?;
        serde_json::from_slice(&row)
            .map_err(|cause| Problem::broken(format!("the document of {owner}: {cause}")))
    }

    /// All of them with their owners, `limit` after this one.
    pub(crate) async fn list(
        self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Kept)>, Problem> {
        let (start, after) = (self.key(""), self.key(after.unwrap_or_default()));
        let rows = self
            .history
            .ledger
            .scan(self.table(), after.into_bytes(), limit)
            .await?;
        let read = |(key, row): &(Vec<u8>, Vec<u8>)| {
            let owner = std::str::from_utf8(key).ok()?.strip_prefix(&start)?;
            Some((owner.to_owned(), serde_json::from_slice(row).ok()?))
        };
        let own = rows
            .iter()
            .take_while(|(key, _)| key.starts_with(start.as_bytes()));
        Ok(own.filter_map(read).collect())
    }
}
