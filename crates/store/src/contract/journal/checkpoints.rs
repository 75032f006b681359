//! Checkpoints replace the log before them, and only that.

use super::{JournalRig, Opened, append, frames, open};
use crate::Journal;

/// Frames of checkpoints are numbered from here, to tell them from the log's.
const STATE: u64 = 1_000_000;

fn checkpoint(journal: &mut dyn Journal, numbers: impl IntoIterator<Item = u64>) {
    journal.checkpoint_begin().expect("there is space");
    write(journal, numbers);
    journal.checkpoint_finish().expect("there is space");
}

fn write(journal: &mut dyn Journal, numbers: impl IntoIterator<Item = u64>) {
    for frame in frames(numbers) {
        journal.checkpoint_write(&frame).expect("there is space");
    }
}

/// The frames of the log that were appended after the last checkpoint began must all be there; of those
/// before, an engine may have kept some.
fn expect(rig: &dyn JournalRig, state: std::ops::Range<u64>, log: std::ops::Range<u64>) {
    let found = open(rig).frames;
    let state = frames(state);
    assert!(
        found.len() >= state.len() && found[..state.len()] == state,
        "the checkpoint comes first"
    );
    assert_eq!(found[state.len()..], frames(log));
}

pub(super) fn a_checkpoint_replaces_the_log_before_it(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..2_000);
    checkpoint(opened.journal.as_mut(), STATE..STATE + 100);
    drop(opened);
    expect(rig, STATE..STATE + 100, 0..0);
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 2_000..2_010);
    drop(opened);
    expect(rig, STATE..STATE + 100, 2_000..2_010);
    let mut opened = open(rig);
    checkpoint(opened.journal.as_mut(), STATE + 100..STATE + 105);
    drop(opened);
    expect(rig, STATE + 100..STATE + 105, 0..0);
}

pub(super) fn frames_appended_during_a_checkpoint_follow_it(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    let journal = opened.journal.as_mut();
    append(journal, 0..500);
    journal.checkpoint_begin().expect("there is space");
    for step in 0..10 {
        write(journal, STATE + step * 5..STATE + step * 5 + 5);
        append(journal, 500 + step * 200..500 + step * 200 + 200);
    }
    journal.checkpoint_finish().expect("there is space");
    append(journal, 2_500..2_600);
    drop(opened);
    expect(rig, STATE..STATE + 50, 500..2_600);
}

pub(super) fn an_unfinished_checkpoint_changes_nothing(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..10);
    checkpoint(opened.journal.as_mut(), STATE..STATE + 3);
    append(opened.journal.as_mut(), 10..20);
    opened.journal.checkpoint_begin().expect("there is space");
    write(opened.journal.as_mut(), STATE + 50..STATE + 60);
    append(opened.journal.as_mut(), 20..30);
    drop(opened);
    expect(rig, STATE..STATE + 3, 10..30);
}

pub(super) fn a_checkpoint_without_space_is_given_up_and_the_next_one_counts(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..10);
    checkpoint(opened.journal.as_mut(), STATE..STATE + 3);
    append(opened.journal.as_mut(), 10..20);
    opened.journal.flush().expect("the disk works");
    if !rig.fill() {
        return;
    }
    opened.journal.checkpoint_begin().expect("nothing is written yet");
    let (mut refused, mut pieces) = (false, 0);
    while !refused && pieces < 10_000 {
        refused = opened.journal.checkpoint_write(&[1; 8_192]).is_err();
        pieces += 1;
        let journal = &opened.journal;
        opened
            .bell
            .await_that("the disk keeps up", || journal.checkpoint_has_room());
    }
    assert!(refused, "80 MiB on a full disk");
    assert!(opened.journal.checkpoint_finish().is_err());
    rig.free();
    let journal = &opened.journal;
    opened.bell.await_that("there is space again", || {
        journal.health() == crate::JournalHealth::Ready
    });
    checkpoint(opened.journal.as_mut(), STATE + 10..STATE + 15);
    append(opened.journal.as_mut(), 20..25);
    drop(opened);
    expect(rig, STATE + 10..STATE + 15, 20..25);
}

pub(super) fn a_checkpoint_begun_anew_leaves_the_finished_one_before_it_whole(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..5);
    opened.journal.flush().expect("the disk works");
    let held = rig.hold_syncs(true);
    append(opened.journal.as_mut(), 5..10);
    checkpoint(opened.journal.as_mut(), STATE..STATE + 2_000);
    opened.journal.checkpoint_begin().expect("there is space");
    write(opened.journal.as_mut(), STATE + 5_000..STATE + 7_000);
    if held {
        rig.hold_syncs(false);
    }
    drop(opened);
    expect(rig, STATE..STATE + 2_000, 10..10);
}

pub(super) fn a_checkpoint_becomes_due_and_is_due_no_more_when_taken(rig: &dyn JournalRig) {
    let Opened {
        mut journal, bell, ..
    } = open(rig);
    assert!(!journal.checkpoint_due(), "an empty log needs none");
    let mut appended = 0;
    while !journal.checkpoint_due() {
        journal.append(&[1; 8_192]).expect("there is space");
        appended += 1;
        assert!(appended < 100_000, "never due");
    }
    journal.checkpoint_begin().expect("there is space");
    assert!(!journal.checkpoint_due(), "one is being written");
    write(journal.as_mut(), STATE..STATE + 1);
    journal.checkpoint_finish().expect("there is space");
    // The next one may begin as soon as this one counts, so ask for a second until it is taken up.
    bell.await_that("the checkpoint is published", || {
        !journal.checkpoint_due() && journal.durable().0 == appended
    });
}
