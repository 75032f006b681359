//! What every journal engine must do.

mod checkpoints;
mod deferred;
mod faults;
mod order;

use std::sync::Arc;

use super::Bell;
use crate::{Journal, JournalEngine, OpenError};

/// Storage for one check, and the faults it can simulate.
pub trait JournalRig {
    /// An engine over the rig's storage. Called again, it is the engine of the next process: whatever the
    /// former one opened has been dropped by then.
    fn engine(&self) -> Arc<dyn JournalEngine>;

    /// Leaves no room for another segment; `false` when the rig cannot.
    fn fill(&self) -> bool {
        false
    }

    /// Takes `fill` back.
    fn free(&self) {}

    /// Lets every sync fail from now on; `false` when the rig cannot.
    fn fail_syncs(&self) -> bool {
        false
    }

    /// Holds syncs back until called with `false`; returns `false` when the rig cannot.
    fn hold_syncs(&self, _hold: bool) -> bool {
        false
    }

    /// Ends the process that has journals open, without a word to them; `false` when the rig cannot.
    fn kill(&self) -> bool {
        false
    }
}

/// Runs every check, each on a rig of its own.
///
/// # Panics
/// When the engine breaks its contract.
pub fn all<R: JournalRig>(make: impl Fn() -> R) {
    let checks: [fn(&dyn JournalRig); 27] = [
        order::frames_come_back_in_the_order_of_appending,
        order::durability_only_grows_and_reaches_what_was_appended,
        order::positions_go_on_after_reopening,
        order::frames_of_any_size_survive,
        order::journals_are_apart_and_known_by_name,
        order::a_removed_journal_is_gone,
        order::an_open_journal_cannot_be_opened_again,
        order::replaying_twice_gives_the_same,
        checkpoints::a_checkpoint_replaces_the_log_before_it,
        checkpoints::frames_appended_during_a_checkpoint_follow_it,
        checkpoints::an_unfinished_checkpoint_changes_nothing,
        checkpoints::a_checkpoint_without_space_is_given_up_and_the_next_one_counts,
        checkpoints::a_checkpoint_begun_anew_leaves_the_finished_one_before_it_whole,
        checkpoints::a_checkpoint_becomes_due_and_is_due_no_more_when_taken,
        faults::a_full_disk_refuses_frames_and_recovers,
        faults::a_failed_sync_is_for_ever,
        faults::what_was_written_survives_the_process,
        faults::durability_waits_for_the_disk,
        deferred::deferred_frames_become_durable_without_a_further_call,
        deferred::both_kinds_keep_one_order,
        deferred::what_was_deferred_before_a_written_frame_survives_the_process,
        deferred::deferring_does_not_wait_for_the_disk,
        deferred::what_may_be_deferred_is_bounded,
        deferred::a_disk_found_full_later_keeps_what_was_deferred,
        deferred::a_journal_closed_on_a_full_disk_ends,
        deferred::a_failed_sync_ends_deferring_too,
        deferred::a_checkpoint_waits_for_the_deferred_frames_it_covers,
    ];
    for check in checks {
        check(&make());
    }
}

/// A journal just opened, and what came back.
pub(crate) struct Opened {
    pub(crate) journal: Box<dyn Journal>,
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) bell: Bell,
}

pub(crate) fn try_open(engine: &dyn JournalEngine, name: &str) -> Result<Opened, OpenError> {
    let bell = Bell::new();
    let mut frames = Vec::new();
    let journal = engine.open(name, bell.wake(), &mut |frame: &[u8]| frames.push(frame.to_vec()))?;
    Ok(Opened {
        journal,
        frames,
        bell,
    })
}

pub(crate) fn open(rig: &dyn JournalRig) -> Opened {
    try_open(rig.engine().as_ref(), "packet-0").expect("the journal opens")
}

/// The frame that stands for the number `n`, of a length of its own.
pub(crate) fn frame(n: u64) -> Vec<u8> {
    let mut frame = n.to_le_bytes().to_vec();
    frame.resize(8 + (n as usize * 37) % 300, n as u8);
    frame
}

pub(crate) fn frames(numbers: impl IntoIterator<Item = u64>) -> Vec<Vec<u8>> {
    numbers.into_iter().map(frame).collect()
}

pub(crate) fn append(journal: &mut dyn Journal, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        journal.append(&frame(n)).expect("there is space");
    }
}
