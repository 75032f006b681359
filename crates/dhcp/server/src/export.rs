//! All that a node alone knows of its leases, as the rows that nodes share: what is moved when it becomes the first of
//! several.
//!
//! ```text
//!   while it serves    Handle::rows(cursor)    piece by piece, from the packet threads
//!   when it does not   bound_in_journals       how much there would be to move
//! ```

use crate::handle::Handle;
use crate::start::{entropy, holds_journals, replay, wakers};
use crate::{StartError, worker::Worker};
use purlin_dhcp_core::rows::rows_of;
use purlin_dhcp_core::settings::Settings;
use purlin_dhcp_core::{Engine, Plan};
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

/// How many leases run by the journals of a service that has ended. Nothing is changed.
///
/// # Errors
/// When a journal cannot be read, or is in use.
pub fn bound_in_journals(journals: &dyn JournalEngine, settings: &Settings) -> Result<u64, StartError> {
    if !holds_journals(journals)? {
        return Ok(0);
    }
    let plan = Plan::compile(settings, None);
    let engine = Engine::new(Arc::clone(&plan), 0, 1, entropy()?);
    let mut replayed = replay(journals, vec![engine], &wakers(1)?)?;
    let at = now();
    let mut bound = 0;
    for engine in &mut replayed.engines {
        engine.restored(&at, replayed.exact, &mut Vec::new());
        bound += engine.usage(&at).iter().map(|used| used.bound).sum::<u64>();
    }
    Ok(bound)
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
