//! What the other nodes say when they are asked.

use super::finding::Finding;
use crate::peers::peer_at;
use crate::routes::Books;
use crate::work::Work;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use futures_util::future::join_all;
use purlin_fabric::port::NodeState;
use purlin_fabric::{Member, Suspicion};
use purlin_fabric_runtime::cache::{Invalidation, InvalidationBus};
use purlin_fabric_runtime::sessions::Odd;
use purlin_fabric_runtime::{Fabric, chain};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

const PATH: &str = "/mesh/v1/diagnosis";
/// An invalidation that has not come by then is found in the outbox at best: caches are behind.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at values that differ: one may just be changing.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Keys of a node that are compared at most.
const KEYS: usize = 2000;

#[derive(Debug, Serialize, Deserialize)]
struct Question {
    /// The key that an invalidation names; `None` when only caches are asked for.
    mark: Option<String>,
}

/// What a node says.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    heard: bool,
    leader: Option<String>,
    digests: BTreeMap<String, u64>,
    sessions: Sessions,
}

/// A node's sessions, and what was odd about them since its start.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sessions {
    pub(super) open: usize,
    pub(super) strays: u64,
    pub(super) strangers: u64,
}

impl Sessions {
    pub(super) fn of(work: &Work) -> Self {
        Self {
            open: work.sessions.count(Duration::ZERO).0,
            strays: work.sessions.noted(Odd::Stray),
            strangers: work.sessions.noted(Odd::Stranger),
        }
    }
}

/// The call by which a node is asked.
pub(crate) fn routes(fabric: &Fabric, work: &Work) -> Router {
    Router::new()
        .route(PATH, post(answer))
        .with_state((fabric.clone(), work.clone()))
}

async fn answer(
    State((fabric, work)): State<(Fabric, Work)>,
    Json(question): Json<Question>,
) -> Json<Answer> {
    let heard = match question.mark {
        Some(mark) => carried_out(&work.bus, &mark).await,
        None => true,
    };
    let snapshot = fabric.snapshot();
    Json(Answer {
        heard,
        leader: snapshot.leader.as_ref().map(ToString::to_string),
        digests: work.cache.digests(KEYS),
        sessions: Sessions::of(&work),
    })
}

/// Whether this node has carried out the invalidation of a key, or does so in time.
async fn carried_out(bus: &InvalidationBus, mark: &str) -> bool {
    let names_it = |what: &Invalidation| match what {
        Invalidation::Patterns { patterns, .. } => patterns.iter().any(|pattern| pattern == mark),
        // Whatever it was, nothing older is kept.
        Invalidation::Everything => true,
    };
    let mut told = bus.subscribe();
    let done = |past: &purlin_fabric_runtime::cache::Past| {
        matches!(&past.what, Invalidation::Patterns { .. }) && names_it(&past.what)
    };
    if bus.past().iter().any(done) {
        return true;
    }
    let coming = async {
        loop {
            match told.recv().await {
                Ok(what) if names_it(&what) => return true,
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return false,
            }
        }
    };
    tokio::time::timeout(HEARD_WITHIN, coming).await.unwrap_or(false)
}

/// Asks all of them at once; what was found, and their sessions by node.
pub(super) async fn look(books: &Books) -> (Vec<Finding>, Vec<(String, Sessions)>) {
    let me = books.fabric.me();
    let mut sessions = vec![(me.id.to_string(), Sessions::of(&books.work))];
    let snapshot = books.fabric.snapshot();
    let other = |member: &&Member| member.id != me.id && member.state != NodeState::Removed;
    let others: Vec<Member> = snapshot.members.iter().filter(other).cloned().collect();
    if others.is_empty() {
        return (Vec::new(), sessions);
    }
    let mark = super::mark();
    let published = books.work.bus.publish(std::slice::from_ref(&mark)).await;
    let mut findings = Vec::new();
    if let Err(fault) = &published {
        let fix = "see whether the database answers, and coordination.url";
        findings.push(Finding::fail("cluster/invalidations", chain(fault), fix));
    }
    let question = Question {
        mark: published.is_ok().then_some(mark),
    };
    let asked = join_all(others.iter().map(|member| ask(books, member, &question))).await;
    let mut answers = Vec::new();
    for (member, answer) in others.iter().zip(asked) {
        findings.push(network(member, answer.as_ref().err()));
        if let Ok(answer) = answer {
            findings.extend(of_one(books, member, &answer));
            answers.push((member, answer));
        }
    }
    findings.push(caches(books, &answers).await);
    sessions.extend(
        answers
            .into_iter()
            .map(|(member, answer)| (member.id.to_string(), answer.sessions)),
    );
    (findings, sessions)
}

async fn ask(books: &Books, member: &Member, question: &Question) -> Result<Answer, String> {
    if member.suspicion == Suspicion::Lapsed {
        return Err(format!(
            "was last heard of {:.0} s ago",
            member.silent.as_secs_f64()
        ));
    }
    let mesh = books
        .mesh
        .as_ref()
        .ok_or("cannot be asked: nodes do not call each other")?;
    let at = peer_at(member).ok_or("has not told where it is reached: set cluster.node_ip on it")?;
    let body = serde_json::to_value(question).expect("texts are JSON");
    let answer = mesh.call_within(at, &member.id, PATH, &body, PATIENCE).await;
    let answer = answer.map_err(|cause| format!("does not answer at {at}: {}", chain(&cause)))?;
    serde_json::from_value(answer).map_err(|cause| format!("answers what is not understood: {cause}"))
}

fn network(member: &Member, trouble: Option<&String>) -> Finding {
    const NAME: &str = "cluster/network";
    match trouble {
        None => Finding::pass(NAME, format!("{} answers", member.id)),
        Some(why) => Finding::fail(
            NAME,
            format!("{} {why}", member.id),
            "see whether it runs, and open cluster.peer_port (TCP and UDP) between the nodes; purlin cluster remove if it is gone for good",
        ),
    }
}

fn of_one(books: &Books, member: &Member, answer: &Answer) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !answer.heard {
        findings.push(Finding::fail(
            "cluster/invalidations",
            format!(
                "{} has not heard of an invalidation within {} s",
                member.id,
                HEARD_WITHIN.as_secs()
            ),
            "see whether that node reaches Redis and the database: purlin doctor on it",
        ));
    }
    let ours = books.fabric.snapshot().leader.as_ref().map(ToString::to_string);
    if let (Some(ours), Some(theirs)) = (ours, &answer.leader)
        && ours != *theirs
    {
        findings.push(Finding::warn(
            "cluster/leader",
            format!("{} takes {theirs} for the leader, this node {ours}", member.id),
            "wait some seconds and look again; if it stays so, the two do not read the same database",
        ));
    }
    let version = env!("CARGO_PKG_VERSION");
    if member.facts.version != version {
        findings.push(Finding::warn(
            "cluster/version",
            format!("{} runs {}, this node {version}", member.id, member.facts.version),
            "fine during an update; finish it",
        ));
    }
    findings
}

/// Compares what each other node keeps with what this one does.
async fn caches(books: &Books, answers: &[(&Member, Answer)]) -> Finding {
    const NAME: &str = "cluster/caches";
    let ours = books.work.cache.digests(KEYS);
    let mut compared = 0;
    for (member, answer) in answers {
        compared += ours
            .keys()
            .filter(|key| answer.digests.contains_key(*key))
            .count();
        let mut different = differing(&ours, &answer.digests);
        if !different.is_empty() {
            // It may have been changed between the two looks.
            tokio::time::sleep(LOOK_AGAIN).await;
            if let Ok(again) = ask(books, member, &Question { mark: None }).await {
                different = differing(&books.work.cache.digests(KEYS), &again.digests);
            }
        }
        if let [first, ..] = &different[..] {
            return Finding::fail(
                NAME,
                format!(
                    "this node and {} keep different values of {} keys, {first:?} among them",
                    member.id,
                    different.len()
                ),
                "let all nodes forget them: POST /api/v1/cluster/invalidations; whoever changes what is cached must say so there",
            );
        }
    }
    if books.work.cache.is_shared() {
        return Finding::pass(NAME, "all nodes read one cache, in Redis");
    }
    Finding::pass(
        NAME,
        format!("{compared} values that other nodes keep as well are the same there"),
    )
}

fn differing(ours: &BTreeMap<String, u64>, theirs: &BTreeMap<String, u64>) -> Vec<String> {
    let differs = |(key, digest): &(&String, &u64)| theirs.get(*key).is_some_and(|other| other != *digest);
    ours.iter().filter(differs).map(|(key, _)| key.clone()).collect()
}
