//! Versions of the constitution in the node's event stream: `chain.constitution`, when one comes into force.

use crate::consensus::differences;
use crate::handle::Handle;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::clock::rfc3339_millis;
use purlin_api::events::{Batch, Event, EventSource};
use purlin_chain_core::constitution::Constitutions;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

/// A version of the constitution that came into force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    pub version: u64,
    /// The first block that it decided.
    pub from: u64,
    /// What it changed, a sentence each.
    pub says: Vec<String>,
}

impl Handle {
    /// The versions from number `first` on that count for the head or for a block before it. The genesis document's is none.
    #[must_use]
    pub fn in_force_since(&self, first: u64) -> Vec<InForce> {
        let Some(all) = self.chain().constitutions() else {
            return Vec::new();
        };
        let told = first.max(1)..in_force(self, &all);
        told.filter_map(|version| one(&all, version)).collect()
    }

    /// The number of the next version that will come into force.
    #[must_use]
    pub fn next_version(&self) -> u64 {
        self.chain().constitutions().map_or(1, |all| in_force(self, &all))
    }
}

/// How many versions have decided a block.
fn in_force(handle: &Handle, all: &Constitutions) -> u64 {
    all.index_at(handle.head().header.number) as u64 + 1
}

fn one(all: &Constitutions, version: u64) -> Option<InForce> {
    let index = usize::try_from(version).ok()?;
    let (old, new) = (all.iter().nth(index.checked_sub(1)?)?, all.iter().nth(index)?);
    Some(InForce {
        version,
        from: new.from,
        says: differences(old, new),
    })
}

/// Versions as events, numbered as they are.
#[derive(Debug)]
pub struct ConstitutionEvents(Handle);

impl ConstitutionEvents {
    #[must_use]
    pub const fn new(handle: Handle) -> Self {
        Self(handle)
    }

    async fn events(&self, from: u64, limit: usize) -> Vec<Event> {
        let handle = self.0.clone();
        let read = tokio::task::spawn_blocking(move || {
            let new = handle.in_force_since(from).into_iter().take(limit);
            new.map(|version| event(&handle, &version)).collect()
        });
        read.await.unwrap_or_default()
    }
}

impl EventSource for ConstitutionEvents {
    fn lanes(&self) -> usize {
        1
    }

    fn own_topics(&self) -> Vec<&'static str> {
        vec!["chain"]
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![self.0.next_version()] }.boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![1] }.boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        async move {
            // Listened to before looking, so that a block between the two wakes us.
            let mut heads = self.0.heads();
            loop {
                if self.0.next_version() > from[0] {
                    let events = self.events(from[0], limit).await;
                    if let Some(last) = events.last() {
                        let next = vec![last.seq + 1];
                        return Batch {
                            events,
                            next,
                            missed: 0,
                        };
                    }
                }
                if let Err(RecvError::Closed) = heads.recv().await {
                    std::future::pending::<()>().await;
                }
            }
        }
        .boxed()
    }
}

fn event(handle: &Handle, version: &InForce) -> Event {
    let InForce { version, from, says } = version;
    let store = handle.chain().store();
    // Headers are never thrown away. Where a chain began with a snapshot after that height, nothing here is older than that.
    let known = [*from, store.oldest()].into_iter();
    let header = known
        .filter_map(|number| store.header(number).ok().flatten())
        .next();
    let seconds = header.map_or(0, |head| head.header.timestamp);
    let now = handle.chain().constitution(*from);
    let validators: Vec<Value> = now
        .iter()
        .flat_map(|now| now.validators.members())
        .map(|(address, power)| json!({ "address": address, "power": power }))
        .collect();
    Event {
        lane: 0,
        seq: *version,
        topic: "chain.constitution".to_owned(),
        at: rfc3339_millis(seconds.saturating_mul(1_000)),
        data: json!({
            "version": version,
            "from": from,
            "says": says,
            "validators": validators,
            "period_ms": now.as_ref().map(|now| u64::try_from(now.period.as_millis()).unwrap_or(u64::MAX)),
            "gas_limit": now.as_ref().map(|now| now.gas_limit),
        }),
    }
}
