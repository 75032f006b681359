//! The task that brings rows to the store.

use super::batch::Batch;
use super::copies;
use super::{Refused, Shared};
use crate::drive::chain;
use purlin_store::FenceFault;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// Rows of one transaction, about: a frame is never cut. Beyond a thousand, larger batches only take longer.
const ROWS_MAX: usize = 1000;
/// Between two attempts at a store that does not answer.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        let mut batch = next(&shared);
        if batch.end.0 == 0 {
            if shared.stop.load(Ordering::SeqCst) {
                return;
            }
            shared.bell.notified().await;
            continue;
        }
        let Some(alone) = write(&shared, &mut batch).await else {
            return;
        };
        let vouched = shared.copies().written(batch.end.0, alone);
        if !vouched {
            copies::look_again(&shared, batch.end.0).await;
        }
        settle(&shared, &mut batch);
    }
}

/// Whole frames from the queue.
fn next(shared: &Shared) -> Batch {
    let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
    let mut batch = Batch::default();
    while let Some(entry) = queue.front() {
        if batch.len() > 0 && batch.len() + entry.len() > ROWS_MAX {
            break;
        }
        batch.add(queue.pop_front().expect("it was looked at"));
    }
    drop(queue);
    batch.arrange();
    batch
}

/// Writes until every row is with the store or refused, and says whether the store was alone then; `None` when the log was
/// closed while the store was silent.
async fn write(shared: &Shared, batch: &mut Batch) -> Option<bool> {
    let mut pause = PAUSES.0;
    loop {
        match attempt(shared, batch).await {
            Ok(alone) => {
                shared.trouble.send_if_modified(|told| told.take().is_some());
                return Some(alone);
            }
            // Refused rows are out: the rest again, at once. When none went out the store speaks of others: wait.
            Err((_, FenceFault::Lost(slots))) if batch.lose(&slots) => {}
            // The new history is known before the frames count as dealt with.
            Err((_, FenceFault::Former(slots)))
                if batch.end_history(&slots, copies::newest_history(shared).await) => {}
            Err((table, FenceFault::Taken(rivals))) if batch.taken(table, &rivals) => {}
            Err((_, fault)) => {
                shared.trouble.send_replace(Some(chain(&fault)));
                if shared.stop.load(Ordering::SeqCst) {
                    return None;
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        }
    }
}

/// What the last of its commits found is true of the others, too; without any there is nothing to lose.
async fn attempt(shared: &Shared, batch: &Batch) -> Result<bool, (&'static str, FenceFault)> {
    let mut alone = true;
    for (table, held, rows) in batch.tables() {
        let written = shared.rows.write(table, &held, rows).await;
        alone = written.map_err(|fault| (table, fault))?.alone;
    }
    Ok(alone)
}

/// Setbacks first: whoever sees the durability sees them.
fn settle(shared: &Shared, batch: &mut Batch) {
    let new = batch.setbacks();
    let mut refused = shared.refused.lock().unwrap_or_else(PoisonError::into_inner);
    for (slot, epoch) in new.iter().filter_map(|setback| setback.why.term()) {
        let last = refused.entry(slot).or_insert(epoch);
        *last = (*last).max(epoch);
    }
    drop(refused);
    let mut taken = shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
    for setback in &new {
        if let Refused::Taken { slot, epoch, .. } = setback.why {
            taken.retain(|&(of, former), _| of != slot || former >= epoch);
            *taken.entry((slot, epoch)).or_default() += 1;
        }
    }
    drop(taken);
    let mut setbacks = shared.setbacks.lock().unwrap_or_else(PoisonError::into_inner);
    setbacks.extend(new);
    drop(setbacks);
    shared.durable.send_replace(batch.end.0);
    shared.octets.fetch_sub(batch.octets, Ordering::SeqCst);
    drop(shared.moved.0.lock().unwrap_or_else(PoisonError::into_inner));
    shared.moved.1.notify_all();
    (shared.wake)();
}
