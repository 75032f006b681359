//! What nodes do together for clients and services: sessions, locks, caches.

use purlin_api::Problem;
use purlin_fabric::port::Hints;
use purlin_fabric_runtime::cache::{Cache, InvalidationBus};
use purlin_fabric_runtime::locks::desk::Desk;
use purlin_fabric_runtime::sessions::SessionStore;
use purlin_types::NodeId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names of locks that a node tells others about.
const NAMES_TOLD: usize = 64;

/// The handles of one node.
#[derive(Debug, Clone)]
pub struct Work {
    pub node: NodeId,
    pub sessions: SessionStore,
    pub desk: Desk,
    pub bus: InvalidationBus,
    /// What clients have cached.
    pub cache: Cache,
    pub hints: Arc<dyn Hints>,
    /// Nodes have no hints in common: what must hold across them is a claim.
    pub claims_only: bool,
}

impl Work {
    /// What this node says of itself with each sign of life.
    #[must_use]
    pub fn says(&self) -> Value {
        let waiting: BTreeMap<String, usize> = self
            .desk
            .manager()
            .waiting()
            .into_iter()
            .take(NAMES_TOLD)
            .collect();
        let (sessions, _) = self.sessions.count(std::time::Duration::ZERO);
        json!({ "sessions": sessions, "waiting": waiting })
    }

    /// How many wait for a lock: here now, and on other nodes as of their last sign of life.
    pub(crate) async fn waiters(&self) -> BTreeMap<String, usize> {
        let mut waiters: BTreeMap<String, usize> = self.desk.manager().waiting().into_iter().collect();
        let beats = self.hints.beats().await.unwrap_or_default();
        for beat in beats.iter().filter(|beat| beat.node != self.node.as_str()) {
            let body: Value = serde_json::from_str(&beat.body).unwrap_or_default();
            for (name, count) in body["says"]["waiting"].as_object().into_iter().flatten() {
                let count = count.as_u64().and_then(|count| usize::try_from(count).ok());
                *waiters.entry(name.clone()).or_default() += count.unwrap_or(0);
            }
        }
        waiters
    }
}

/// 503 in the words of what did not answer.
pub(crate) fn away(fault: &dyn std::error::Error) -> Problem {
    Problem::not_ready(fault.to_string())
}
