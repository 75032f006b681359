//! All that a node alone knows of its leases, as the rows that nodes share: what is moved when it becomes the first of
//! several.
//!
//! ```text
//!   while it serves   Handle::rows(cursor)    piece by piece, from the packet threads
//!   when it has ended rows_of_journals        everything, from what is durable: the last word
//! ```

use crate::handle::Handle;
use crate::start::{entropy, replay, threads, wakers};
use crate::{StartError, worker::Worker};
use purlin_dhcp_core::rows::rows_of;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_core::{Engine, Plan, Recovery};
use purlin_netio::now;
use purlin_store::{FencedRow, JournalEngine};
use std::sync::Arc;

/// Leases per turn of a packet thread.
const PIECE: usize = 4096;

/// A row and the table that it belongs into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedRow {
    pub table: &'static str,
    pub row: FencedRow,
}

/// How far rows were read: packet thread, and where in its leases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCursor {
    door: usize,
    at: u64,
}

/// What the journals of a service that has ended say.
#[derive(Debug)]
pub struct Kept {
    pub rows: Vec<SharedRow>,
    /// Nothing that was written can have been lost.
    pub exact: bool,
    /// Until when (Unix seconds) addresses without a record may be in use all the same.
    pub in_doubt_until: Option<u32>,
}

impl Handle {
    /// Some rows from `cursor` on, and where to go on; `None` when that was all. A lease that changes meanwhile may be
    /// told as it was before.
    pub async fn rows(&self, cursor: RowCursor) -> (Vec<SharedRow>, Option<RowCursor>) {
        let RowCursor { door, at } = cursor;
        let piece = move |worker: &mut Worker| {
            let mut frame = Vec::new();
            let next = worker.engine.rows_chunk(at, PIECE, &mut frame);
            (frame, next)
        };
        let Some(asked) = self.ask_thread(door, piece).await else {
            return (Vec::new(), None);
        };
        let Some((frame, next)) = asked else {
            // This thread has ended, and with it the service.
            return (Vec::new(), None);
        };
        let next = next.map_or(
            RowCursor {
                door: door + 1,
                at: 0,
            },
            |at| RowCursor { door, at },
        );
        (shared_rows(&self.plan(), &frame), Some(next))
    }

    /// Until when (Unix seconds) addresses without a record may be in use all the same.
    pub async fn in_doubt_until(&self) -> Option<u32> {
        let doubts = self.ask_all(|worker| worker.engine.in_doubt_until(&now())).await;
        doubts.into_iter().flatten().max()
    }
}

/// Reads what the journals of a service that has ended hold. Nothing is changed.
///
/// # Errors
/// When a journal cannot be read, or is in use.
pub fn rows_of_journals(
    journals: &dyn JournalEngine,
    settings: &Settings,
    recovery: Option<&Recovery>,
) -> Result<Kept, StartError> {
    let plan = Plan::compile(settings, None);
    let shards = threads(settings);
    let entropy = entropy()?;
    let engines = (0..shards).map(|shard| Engine::new(Arc::clone(&plan), shard, shards, entropy));
    let mut replayed = replay(journals, engines.collect(), &wakers(shards)?)?;
    let (at, mut unwritten) = (now(), Vec::new());
    let mut kept = Kept {
        rows: Vec::new(),
        exact: replayed.exact,
        in_doubt_until: None,
    };
    for engine in &mut replayed.engines {
        let news = recovery.is_some_and(|recovery| engine.recover(&at, recovery, &mut unwritten));
        engine.restored(&at, replayed.exact && !news, &mut unwritten);
        kept.in_doubt_until = kept.in_doubt_until.max(engine.in_doubt_until(&at));
        let (mut frame, mut cursor) = (Vec::new(), Some(0));
        while let Some(from) = cursor {
            frame.clear();
            cursor = engine.rows_chunk(from, PIECE, &mut frame);
            kept.rows.extend(shared_rows(&plan, &frame));
        }
    }
    Ok(kept)
}

fn shared_rows(plan: &Plan, frame: &[u8]) -> Vec<SharedRow> {
    let row = |row: purlin_dhcp_core::rows::RowRef<'_>| SharedRow {
        table: row.table,
        row: FencedRow {
            key: row.key,
            slot: row.slot,
            version: row.version,
            unique: row.unique,
            body: row.body.into_owned(),
        },
    };
    rows_of(plan, frame).map(row).collect()
}
