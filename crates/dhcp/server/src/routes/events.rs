//! Decisions as events: one lane per packet thread.

use super::text;
use crate::Handle;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::clock::rfc3339_millis;
use purlin_api::events::{Batch, Event, EventSource};
use purlin_dhcp_core::view::Told;
use purlin_telemetry::Outcome;
use std::time::Duration;

/// How often a stream asks the packet threads: they are never made to push.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(100);

/// Reasons that change a lease; their topic is `dhcp.lease`, that of all others `dhcp.decision`.
const LEASE_CHANGES: [&str; 8] = [
    "bound_new",
    "renewed",
    "bootp_bound",
    "released",
    "rapid_commit",
    "expired",
    "declined",
    "operator_released",
];

/// The decisions of a running service as a source of events.
#[derive(Debug)]
pub struct DecisionEvents {
    handle: Handle,
    lanes: usize,
}

impl DecisionEvents {
    /// Follows the packet threads of `handle`, whose number does not change while it runs.
    pub async fn new(handle: Handle) -> Self {
        let (_, tail, _) = handle.decisions_since(Vec::new(), 0).await;
        Self {
            handle,
            lanes: tail.len(),
        }
    }
}

impl EventSource for DecisionEvents {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn own_topics(&self) -> Vec<&'static str> {
        vec!["dhcp"]
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        self.handle
            .decisions_since(Vec::new(), 0)
            .map(|(_, tail, _)| tail)
            .boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        async {
            let (told, mut oldest, _) = self.handle.decisions_since(vec![0; self.lanes], 1).await;
            for (thread, told) in told {
                oldest[thread] = told.decision.seq;
            }
            oldest
        }
        .boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        async move {
            loop {
                tokio::time::sleep(BETWEEN_QUESTIONS).await;
                let (told, next, missed) = self.handle.decisions_since(from.to_vec(), limit).await;
                if !told.is_empty() || missed > 0 {
                    let events = told.iter().map(|(thread, told)| event(*thread, told)).collect();
                    return Batch { events, next, missed };
                }
            }
        }
        .boxed()
    }
}

fn event(thread: usize, told: &Told) -> Event {
    Event {
        lane: thread,
        seq: told.decision.seq,
        topic: topic(told),
        at: rfc3339_millis(told.decision.at.0),
        data: text::decision(told),
    }
}

/// `dhcp.lease.bound_new`, `dhcp.decision.silent`.
fn topic(told: &Told) -> String {
    let lease = matches!(told.decision.outcome, Outcome::Answered | Outcome::Noted);
    if lease && LEASE_CHANGES.contains(&told.slug) {
        return format!("dhcp.lease.{}", told.slug);
    }
    format!("dhcp.decision.{}", told.decision.outcome.as_str())
}
