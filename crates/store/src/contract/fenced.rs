//! What every engine for fenced rows must do.
//!
//! An engine's tests give a rig: fresh rows, and the claims that they are written under. The suite needs no runtime; the
//! rig's waiting is the engine's own.

mod beside;
mod fence;
mod paging;
mod rows;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::sync::Arc;

use purlin_types::{Epoch, Slot};

use crate::fenced::Later;
use crate::{FenceFault, FencedRow, FencedRows, StoredRow, Written};

/// Storage for one check, the claims over it, and the waits that can be arranged there.
pub trait FencedRig: Send + Sync {
    /// A node's way to the rows.
    fn rows(&self) -> Later<'_, Arc<dyn FencedRows>>;

    /// Gives the slot to another owner, in whatever hands it is; its new epoch. Waits as a real claim does.
    fn take_over(&self, slot: Slot) -> Later<'_, Epoch>;

    /// Its owner gives the slot back.
    fn give_back(&self, slot: Slot, epoch: Epoch) -> Later<'_, ()>;

    /// Lets the next write of this row, which exists, get past its fence and then wait; `false` when the rig cannot.
    fn hold(&self, table: &'static str, key: u64) -> Later<'_, bool>;

    /// Takes `hold` back.
    fn let_go(&self) -> Later<'_, ()>;

    /// Returns once `calls` calls wait, for the row held or for each other.
    fn until_waiting(&self, calls: usize) -> Later<'_, ()>;

    /// Removes the node that owns the slot: its incarnation may write no more, though the claim stands.
    /// `false` when the rig cannot.
    fn remove_owner(&self, slot: Slot) -> Later<'_, bool>;
}

/// The table of the checks.
const TABLE: &str = "lease";

/// Runs every check, each on a rig of its own.
///
/// # Panics
/// When the engine breaks its contract.
pub async fn all<R: FencedRig>(make: impl AsyncFn() -> R) {
    rows::a_row_written_is_loaded_as_it_is(&make().await).await;
    rows::the_newest_statement_is_the_whole_truth(&make().await).await;
    rows::a_higher_epoch_beats_any_version(&make().await).await;
    rows::the_same_rows_may_be_written_again(&make().await).await;
    rows::one_batch_may_state_a_key_twice(&make().await).await;
    rows::two_live_rows_never_share_what_is_unique(&make().await).await;
    rows::every_row_that_stands_beside_another_is_named(&make().await).await;
    rows::what_is_given_up_is_free_within_the_batch(&make().await).await;
    rows::rows_of_a_batch_may_trade_what_is_unique(&make().await).await;
    rows::tables_are_apart(&make().await).await;
    fence::a_slot_that_is_not_held_refuses_the_whole_batch(&make().await).await;
    fence::the_lost_slots_are_named(&make().await).await;
    fence::a_row_outside_the_slots_named_is_refused(&make().await).await;
    fence::a_slot_given_back_is_not_held(&make().await).await;
    fence::a_removed_owner_writes_no_more(&make().await).await;
    fence::no_row_appears_after_the_next_owner_has_loaded(&make().await).await;
    fence::an_epoch_that_was_taken_over_stays_lost(&make().await).await;
    paging::a_load_gives_these_slots_in_key_order(&make().await).await;
    paging::pages_show_all_slots_in_key_order(&make().await).await;
    paging::live_rows_are_found_by_what_they_claim(&make().await).await;
    paging::a_tally_counts_by_range_and_octet(&make().await).await;
    paging::a_large_batch_is_written_whole_or_not_at_all(&make().await).await;
}

fn slot(index: u16) -> Slot {
    Slot::new(index).expect("below 4096")
}

/// A row that claims nothing.
fn row(key: u64, slot: Slot, version: u32) -> FencedRow {
    FencedRow {
        key,
        slot,
        version,
        unique: None,
        body: format!("{key} as of {version}").into_bytes(),
    }
}

/// A row that claims `unique`.
fn live(key: u64, slot: Slot, version: u32, unique: &str) -> FencedRow {
    FencedRow {
        unique: Some(unique.into()),
        ..row(key, slot, version)
    }
}

/// One node of a check, and what it holds.
struct Node {
    rows: Arc<dyn FencedRows>,
    held: Vec<(Slot, Epoch)>,
}

impl Node {
    /// Takes the slots over.
    async fn with(rig: &dyn FencedRig, slots: impl IntoIterator<Item = u16>) -> Self {
        let rows = rig.rows().await;
        let mut held = Vec::new();
        for index in slots {
            held.push((slot(index), rig.take_over(slot(index)).await));
        }
        Self { rows, held }
    }

    fn try_write<'a>(&'a self, rows: &'a [FencedRow]) -> Later<'a, Result<Written, FenceFault>> {
        self.rows.write(TABLE, &self.held, rows)
    }

    async fn write(&self, rows: &[FencedRow]) {
        self.try_write(rows).await.expect("the slots are held");
    }

    /// All rows of the slots it holds.
    async fn load(&self) -> Vec<StoredRow> {
        let slots: Vec<Slot> = self.held.iter().map(|(slot, _)| *slot).collect();
        let loaded = self.rows.load(TABLE, &slots, None, usize::MAX).await;
        loaded.expect("the store answers")
    }

    fn stored(&self, row: &FencedRow) -> StoredRow {
        let held = self.held.iter().find(|(slot, _)| *slot == row.slot);
        StoredRow {
            row: row.clone(),
            epoch: held.expect("a slot of this node").1,
        }
    }
}

/// The slots that a write found lost.
async fn lost(outcome: impl Future<Output = Result<Written, FenceFault>>) -> Vec<Slot> {
    match outcome.await {
        Err(FenceFault::Lost(slots)) => slots,
        other => panic!("not fenced off: {other:?}"),
    }
}
