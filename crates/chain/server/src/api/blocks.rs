//! Blocks in the node's event stream: pulled from the store, so that a slow reader holds nothing but its place.

use crate::handle::Handle;
use crate::source::Stored;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::clock::rfc3339_millis;
use purlin_api::events::{Batch, Event, EventSource};
use serde_json::json;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// Blocks as events: `chain.block`, numbered as the blocks are.
#[derive(Debug)]
pub struct BlockEvents(Handle);

impl BlockEvents {
    #[must_use]
    pub const fn new(handle: Handle) -> Self {
        Self(handle)
    }

    fn newest(&self) -> u64 {
        self.0.head().header.number
    }

    /// Blocks from a number on that are kept, up to `limit`, and how many before them are kept no more.
    async fn since(&self, from: u64, limit: usize) -> (Vec<Arc<Stored>>, u64) {
        let (handle, newest) = (self.0.clone(), self.newest());
        let read = tokio::task::spawn_blocking(move || {
            let store = handle.chain().store();
            let oldest = store.oldest();
            let first = from.max(oldest);
            // A store that cannot be read is told of by its health check.
            let stored = (first..=newest).map_while(|number| store.block(number).ok().flatten());
            (stored.take(limit).collect(), first.min(newest + 1) - from)
        });
        read.await.unwrap_or_default()
    }
}

impl EventSource for BlockEvents {
    fn lanes(&self) -> usize {
        1
    }

    fn own_topics(&self) -> Vec<&'static str> {
        vec!["chain"]
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![self.newest() + 1] }.boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        async { vec![self.0.chain().store().oldest()] }.boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        async move {
            let from = from[0];
            // Listened to before reading, so that a block between the two wakes us.
            let mut heads = self.0.heads();
            loop {
                if self.newest() >= from {
                    let (blocks, missed) = self.since(from, limit).await;
                    if !blocks.is_empty() || missed > 0 {
                        let next = from + missed + blocks.len() as u64;
                        let events = blocks.iter().map(|stored| event(stored)).collect();
                        return Batch {
                            events,
                            next: vec![next],
                            missed,
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

fn event(stored: &Stored) -> Event {
    let header = &stored.block.header;
    Event {
        lane: 0,
        seq: header.number,
        topic: "chain.block".to_owned(),
        at: rfc3339_millis(header.timestamp.saturating_mul(1000)),
        data: json!({
            "number": header.number,
            "hash": stored.hash,
            "transactions": stored.block.body.transactions.len(),
            "gas_used": header.gas_used,
            "gas_limit": header.gas_limit,
            "base_fee": header.base_fee_per_gas,
            "state_root": header.state_root,
        }),
    }
}
