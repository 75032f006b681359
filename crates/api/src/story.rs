//! `/api/v1/why`: the story of a machine over all services, silence included.
//!
//! ```text
//!   subject ─► every teller: who is that? ─► one Who ─► every teller: what happened? ─► chapters ─► one story by time
//!              a MAC, an address, a name     DHCP knows      "boot" finds transfers by
//!                                            both ends       the address of the lease
//! ```
//!
//! Services do not know each other. What one of them knows about a subject (the address of a MAC) reaches the others as
//! a value.

mod elsewhere;
mod subject;
mod weave;

pub use elsewhere::{Elsewhere, Heard, Part};
pub use subject::{Subject, Who};

use axum::Json;
use axum::extract::State;
use futures_util::future::{BoxFuture, join_all};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

use crate::access::Viewer;
use crate::asked::Asked;
use crate::problem::Problem;
use crate::route::{self, Routes};
use crate::schema::{self, Schema};

/// Decisions of each service that a story tells when nothing else is asked.
const TOLD: usize = 50;

/// A service that has something to tell.
pub trait Teller: Send + Sync {
    /// Its name in decisions: `dhcp`, `boot`.
    fn service(&self) -> &'static str;

    /// Whether such a subject can be this service's at all: machines are everybody's, transactions the chain's.
    fn minds(&self, subject: &Subject) -> bool {
        !subject.is_transaction()
    }

    /// What else the subject is called, as far as this service knows.
    fn who<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Who>;

    /// What happened to everybody in `who`, the newest `limit` decisions of it.
    fn tell<'a>(&'a self, subject: &'a Subject, who: &'a Who, limit: usize) -> BoxFuture<'a, Chapter>;
}

/// One service's part of a story.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Chapter {
    /// Whether anything is on record.
    pub seen: bool,
    /// One sentence or two: how things stand, or that nothing was seen.
    pub summary: String,
    /// Oldest first, each an object with at least `at` (RFC 3339), `outcome`, `code`, `text`.
    pub decisions: Vec<Value>,
    /// What to look at next.
    pub checks: Vec<String>,
    /// Members of the story that only this service knows: `leases`.
    pub more: Map<String, Value>,
}

/// Everyone who tells, in the order of a machine's way: addresses first.
#[derive(Clone)]
pub struct Tellers {
    here: Arc<[Arc<dyn Teller>]>,
    /// This node's name, and the others.
    nodes: Option<(String, Arc<dyn Elsewhere>)>,
}

impl fmt::Debug for Tellers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.here.iter().map(|teller| teller.service()))
            .finish()
    }
}

impl Tellers {
    #[must_use]
    pub fn new(tellers: Vec<Arc<dyn Teller>>) -> Self {
        Self {
            here: tellers.into(),
            nodes: None,
        }
    }

    /// With what other nodes have on record; `here` is this node's name.
    #[must_use]
    pub fn with_nodes(mut self, here: &str, elsewhere: Arc<dyn Elsewhere>) -> Self {
        self.nodes = Some((here.to_owned(), elsewhere));
        self
    }

    /// The whole story of `subject`, `limit` decisions of each service at most.
    pub async fn story(&self, subject: &Subject, limit: usize) -> Value {
        let Some((here, elsewhere)) = &self.nodes else {
            let (who, chapters) = self.chapters(subject, limit).await;
            return weave::weave(subject, &who, chapters);
        };
        let (own, heard) = tokio::join!(self.chapters(subject, limit), elsewhere.ask(subject, limit));
        let (who, chapters) = own;
        let mut missing = Vec::new();
        let chapters = elsewhere::unite((here, chapters), heard, limit, &mut missing);
        let mut story = weave::weave(subject, &who, chapters);
        elsewhere::name_missing(&mut story, &missing);
        story
    }

    /// What this node's services have on record, as other nodes are told it.
    pub async fn parts(&self, subject: &Subject, limit: usize) -> Vec<Part> {
        let (_, chapters) = self.chapters(subject, limit).await;
        let part = |(service, chapter): (&str, Chapter)| Part {
            service: service.to_owned(),
            chapter,
        };
        chapters.into_iter().map(part).collect()
    }

    async fn chapters(&self, subject: &Subject, limit: usize) -> (Who, Vec<(&'static str, Chapter)>) {
        let mut who = Who::of(subject);
        let here = || self.here.iter().filter(|teller| teller.minds(subject));
        for known in join_all(here().map(|teller| teller.who(subject))).await {
            who.merge(known);
        }
        let asked = here().map(|teller| teller.tell(subject, &who, limit));
        let chapters = join_all(asked).await;
        let named = here().map(|teller| teller.service()).zip(chapters);
        let named = named.collect();
        (who, named)
    }
}

async fn why(_: Viewer, State(tellers): State<Tellers>, asked: Asked) -> Result<Json<Value>, Problem> {
    let subject = asked.text("subject").ok_or_else(|| {
        Problem::parameter(
            "subject is missing; expected a MAC address, an IP address, a host name, the name of a boot file or a transaction's hash",
        )
    })?;
    let limit = if asked.text("limit").is_some() {
        asked.limit()?
    } else {
        TOLD
    };
    Ok(Json(tellers.story(&Subject::parse(subject), limit).await))
}

/// The route, over everyone who tells. `components` names the schemas `StoryDecision` and of each member in `more`.
#[must_use]
pub fn routes(tellers: &Tellers, more: &[(&str, Schema)]) -> Routes {
    let drafts = [route::get("/api/v1/why", why)
        .summary("Tells why a machine got what it got, or nothing")
        .description(
            "An unknown subject is no error: the story then says that nothing was seen, and what to check.",
        )
        .required_query(
            "subject",
            schema::word(
                "A MAC address, an IP address, a host name, the name of a boot file or a transaction's hash.",
            ),
        )
        .limited("Decisions of each service to tell at most; 50 when absent.")
        .answers(200, schema::reference("Story"))];
    Routes::new("story", tellers, drafts)
        .component("Story", weave::story_schema(more))
        .component("StoryDecision", weave::decision_schema())
}

#[cfg(test)]
mod tests;
