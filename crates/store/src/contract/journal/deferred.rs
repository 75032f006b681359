//! Frames that the journal writes in its own time: their order, and what becomes of them when the disk fails.

use super::{JournalRig, append, frame, frames, open};
use crate::{AppendError, Journal, JournalHealth, Position};

fn defer(journal: &mut dyn Journal, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        journal.defer(&frame(n)).expect("there is space");
    }
}

pub(super) fn deferred_frames_become_durable_without_a_further_call(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    for n in 1..=1_000 {
        let position = opened.journal.defer(&frame(n)).expect("there is space");
        assert_eq!(position, Position(n));
        assert!(opened.journal.durable() <= position);
    }
    let journal = &opened.journal;
    opened
        .bell
        .await_that("all becomes durable", || journal.durable() == Position(1_000));
    drop(opened);
    assert_eq!(open(rig).frames, frames(1..1_001));
}

pub(super) fn both_kinds_keep_one_order(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    for round in 0..40 {
        defer(opened.journal.as_mut(), round * 50..round * 50 + 40);
        append(opened.journal.as_mut(), round * 50 + 40..round * 50 + 50);
    }
    defer(opened.journal.as_mut(), 2_000..2_010);
    drop(opened);
    assert_eq!(
        open(rig).frames,
        frames(0..2_010),
        "dropping a journal leaves what was deferred"
    );
}

pub(super) fn what_was_deferred_before_a_written_frame_survives_the_process(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    defer(opened.journal.as_mut(), 0..600);
    append(opened.journal.as_mut(), 600..601);
    defer(opened.journal.as_mut(), 601..700);
    if !rig.kill() {
        return;
    }
    drop(opened);
    let found = open(rig).frames;
    assert!(found.len() >= 601, "only {} came back", found.len());
    assert_eq!(found, frames(0..found.len() as u64));
}

pub(super) fn deferring_does_not_wait_for_the_disk(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..5);
    opened.journal.flush().expect("the disk works");
    if !rig.hold_syncs(true) {
        return;
    }
    // More than the prepared segments take, so that some of it can be in memory only.
    defer(opened.journal.as_mut(), 5..2_000);
    assert_eq!(opened.journal.durable(), Position(5));
    assert_eq!(opened.journal.health(), JournalHealth::Ready);
    rig.hold_syncs(false);
    opened.journal.flush().expect("the disk works");
    assert_eq!(opened.journal.durable(), Position(2_000));
    drop(opened);
    assert_eq!(open(rig).frames, frames(0..2_000));
}

pub(super) fn what_may_be_deferred_is_bounded(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    assert!(opened.journal.has_room(), "nothing was deferred");
    if !rig.hold_syncs(true) {
        return;
    }
    let large = vec![7; 100_000];
    let mut count = 0;
    while opened.journal.has_room() {
        opened.journal.defer(&large).expect("there is space");
        count += 1;
        assert!(count < 10_000, "a gigabyte in memory");
    }
    rig.hold_syncs(false);
    let journal = &opened.journal;
    opened
        .bell
        .await_that("there is room again", || journal.has_room());
    // Beyond the bound it waits instead of refusing.
    for _ in 0..count {
        opened.journal.defer(&large).expect("there is space");
    }
    opened.journal.flush().expect("the disk works");
    assert_eq!(opened.journal.durable(), Position(2 * count));
}

pub(super) fn a_disk_found_full_later_keeps_what_was_deferred(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..10);
    opened.journal.flush().expect("the disk works");
    if !rig.fill() {
        return;
    }
    let mut next = 10;
    while opened.journal.health() == JournalHealth::Ready {
        match opened.journal.defer(&frame(next)) {
            Ok(position) => assert_eq!(position, Position(next + 1)),
            Err(AppendError::Full) => break,
            Err(other) => panic!("a full disk is no failure: {other:?}"),
        }
        next += 1;
        assert!(next < 1_000_000, "never full");
    }
    let journal = &opened.journal;
    opened.bell.await_that("it says so", || {
        journal.health() == JournalHealth::Full && journal.durable() >= Position(10)
    });
    assert!(
        matches!(opened.journal.defer(&frame(next)), Err(AppendError::Full)),
        "no more is taken"
    );
    assert!(matches!(
        opened.journal.append(&frame(next)),
        Err(AppendError::Full)
    ));
    assert!(matches!(opened.journal.flush(), Err(AppendError::Full)));
    assert!(
        opened.journal.durable() < Position(next),
        "what is in memory is not durable"
    );
    rig.free();
    let journal = &opened.journal;
    opened.bell.await_that("all that was taken becomes durable", || {
        journal.health() == JournalHealth::Ready && journal.durable() == Position(next)
    });
    defer(opened.journal.as_mut(), next..next + 50);
    append(opened.journal.as_mut(), next + 50..next + 100);
    drop(opened);
    assert_eq!(
        open(rig).frames,
        frames(0..next + 100),
        "nothing lost, nothing twice"
    );
}

pub(super) fn a_journal_closed_on_a_full_disk_ends(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    if !rig.fill() {
        return;
    }
    let mut accepted = 0;
    while opened.journal.defer(&frame(accepted)).is_ok() {
        accepted += 1;
    }
    let durable = opened.journal.durable().0;
    drop(opened);
    rig.free();
    let found = open(rig).frames;
    assert!((durable..=accepted).contains(&(found.len() as u64)));
    assert_eq!(found, frames(0..found.len() as u64));
}

pub(super) fn a_failed_sync_ends_deferring_too(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    defer(opened.journal.as_mut(), 0..10);
    opened.journal.flush().expect("the disk works");
    if !rig.fail_syncs() {
        return;
    }
    let _ = opened.journal.defer(&frame(10));
    let journal = &opened.journal;
    opened
        .bell
        .await_that("the failure shows", || journal.health() == JournalHealth::Failed);
    assert!(matches!(
        opened.journal.defer(&frame(11)),
        Err(AppendError::Failed(_))
    ));
    assert!(matches!(opened.journal.flush(), Err(AppendError::Failed(_))));
    assert_eq!(opened.journal.durable(), Position(10));
}

pub(super) fn a_checkpoint_waits_for_the_deferred_frames_it_covers(rig: &dyn JournalRig) {
    const STATE: u64 = 1_000_000;
    let mut opened = open(rig);
    let journal = opened.journal.as_mut();
    append(journal, 0..5);
    journal.flush().expect("the disk works");
    let held = rig.hold_syncs(true);
    // Several segments of them: they need the engine's help while the checkpoint is already handed over.
    defer(journal, 5..2_000);
    journal.checkpoint_begin().expect("there is space");
    journal.checkpoint_write(&frame(STATE)).expect("there is space");
    defer(journal, 2_000..2_500);
    journal.checkpoint_finish().expect("there is space");
    if held {
        rig.hold_syncs(false);
    }
    journal.flush().expect("the disk works");
    assert_eq!(journal.durable(), Position(2_500));
    drop(opened);
    let found = open(rig).frames;
    assert_eq!(found[0], frame(STATE), "the checkpoint came into force");
    assert_eq!(found[1..], frames(2_000..2_500));
}
