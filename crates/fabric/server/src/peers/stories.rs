//! What other nodes have on record about a machine, and what this one tells them.

use super::peer_at;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::{BoxFuture, FutureExt, join_all};
use purlin_api::story::{Elsewhere, Heard, Part, Subject, Tellers};
use purlin_fabric::port::NodeState;
use purlin_fabric::{Member, Suspicion};
use purlin_fabric_mesh::Mesh;
use purlin_fabric_runtime::Fabric;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const WHY: &str = "/mesh/v1/why";
/// For another node to tell what it knows: a person waits.
const PATIENCE: Duration = Duration::from_secs(2);
/// Decisions of each service that are told at most.
const TOLD_MAX: usize = 1000;

/// This node's tellers, from when they are there. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Stories(Arc<OnceLock<Tellers>>);

impl Stories {
    /// From now on other nodes are told what these know.
    pub fn tell(&self, tellers: &Tellers) {
        // They are made once.
        let _ = self.0.set(tellers.clone());
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Question {
    subject: String,
    limit: usize,
}

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    parts: Vec<Part>,
}

pub(super) fn routes(stories: &Stories) -> Router {
    Router::new().route(WHY, post(why)).with_state(stories.clone())
}

async fn why(
    State(stories): State<Stories>,
    Json(question): Json<Question>,
) -> Result<Json<Answer>, (StatusCode, Json<Value>)> {
    let Some(tellers) = stories.0.get() else {
        let starting = json!({ "refused": { "what": "the node is starting", "fix": "ask again" } });
        return Err((StatusCode::SERVICE_UNAVAILABLE, Json(starting)));
    };
    let subject = Subject::parse(&question.subject);
    let parts = tellers.parts(&subject, question.limit.min(TOLD_MAX)).await;
    Ok(Json(Answer { parts }))
}

/// The other nodes, as they are asked for stories.
#[derive(Debug, Clone)]
pub struct Neighbours {
    pub fabric: Fabric,
    pub mesh: Mesh,
}

impl Elsewhere for Neighbours {
    fn ask<'a>(&'a self, subject: &'a Subject, limit: usize) -> BoxFuture<'a, Vec<Heard>> {
        async move {
            let (snapshot, me) = (self.fabric.snapshot(), &self.fabric.me().id);
            let other = |member: &&Member| member.id != *me && member.state != NodeState::Removed;
            let others: Vec<Member> = snapshot.members.iter().filter(other).cloned().collect();
            join_all(others.iter().map(|member| self.heard(member, subject, limit))).await
        }
        .boxed()
    }
}

impl Neighbours {
    async fn heard(&self, member: &Member, subject: &Subject, limit: usize) -> Heard {
        Heard {
            node: member.id.to_string(),
            parts: self.parts(member, subject, limit).await,
        }
    }

    async fn parts(&self, member: &Member, subject: &Subject, limit: usize) -> Result<Vec<Part>, String> {
        if member.suspicion == Suspicion::Lapsed {
            return Err("it is gone".to_owned());
        }
        let at = peer_at(member).ok_or("it has not told where it is")?;
        let question = json!({ "subject": subject.text(), "limit": limit });
        let asked = self
            .mesh
            .call_within(at, &member.id, WHY, &question, PATIENCE)
            .await;
        let answer = asked.map_err(|cause| cause.to_string())?;
        let answer: Result<Answer, _> = serde_json::from_value(answer);
        answer
            .map(|answer| answer.parts)
            .map_err(|cause| format!("its answer is not understood: {cause}"))
    }
}
