//! Decisions about agreement, peers and storage, in the node's event stream and as a list.

use crate::handle::Handle;
use crate::story::{Story, view};
use axum::Json;
use axum::extract::State;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::asked::Asked;
use purlin_api::clock::rfc3339_millis;
use purlin_api::events::{Batch, Event, EventSource};
use purlin_api::route::{self, Draft};
use purlin_api::{Problem, Viewer, past, schema};
use serde_json::Value;
use std::sync::Arc;

/// Decisions as events: `chain.round`, `chain.validator`, `chain.peer`, `chain.agreement`, `chain.storage`.
#[derive(Debug)]
pub struct DecisionEvents(Arc<Story>);

impl DecisionEvents {
    #[must_use]
    pub fn new(handle: &Handle) -> Self {
        Self(Arc::clone(handle.story()))
    }
}

impl EventSource for DecisionEvents {
    fn lanes(&self) -> usize {
        1
    }

    fn own_topics(&self) -> Vec<&'static str> {
        vec!["chain"]
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![self.0.log().next()] }.boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        async {
            let page = self.0.log().since(0, 1);
            vec![page.events.first().map_or(page.next, |event| event.seq)]
        }
        .boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        async move {
            let mut newest = self.0.newest();
            loop {
                // Marked as seen before reading, so that one that comes between the two wakes us.
                newest.borrow_and_update();
                let page = self.0.log().since(from[0], limit);
                if !page.events.is_empty() || page.missed > 0 {
                    return Batch {
                        events: page.events.iter().map(|event| told(event)).collect(),
                        next: vec![page.next],
                        missed: page.missed,
                    };
                }
                if newest.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        }
        .boxed()
    }
}

fn told(event: &purlin_telemetry::Event) -> Event {
    Event {
        lane: 0,
        seq: event.seq,
        topic: event.topic.to_owned(),
        at: rfc3339_millis(event.at.0),
        data: view(event),
    }
}

async fn list(_: Viewer, State(handle): State<Handle>, asked: Asked) -> Result<Json<Value>, Problem> {
    let code = past::code_of(&asked)?.map(|code| code.to_string());
    let kept = handle.story().log().since(0, usize::MAX).events;
    let newest_first = kept.iter().rev().map(|event| view(event));
    let wanted = newest_first.filter(|one| code.as_ref().is_none_or(|code| one["code"] == **code));
    asked.page_of_all(wanted.collect()).map(Json)
}

pub(super) fn draft() -> Draft<Handle> {
    route::get("/api/v1/chain/decisions", list)
        .summary("Lists what was told of agreement, peers and storage, newest first")
        .description(
            "Rounds without a block, validators that are missing, late or back, double signing, peers that came, went or were \
             refused, times in which nothing was decided, and storage that came to an end. The newest 1,024 are kept. Of the same kind about the same node one \
             is told every ten seconds at most; `more` is how many were not.",
        )
        .query("code", schema::word("Only this code: `PUR-4101` or `4101`."))
        .paged()
        .answers(
            200,
            schema::open_object(
                &["items"],
                &[(
                    "items",
                    schema::array(schema::open_object(
                        &["at", "seq", "topic", "code", "slug", "subject", "text"],
                        &[],
                    )),
                )],
            ),
        )
}
