//! What a journal says and keeps when the disk fails it.

use super::{JournalRig, append, frame, frames, open};
use crate::{AppendError, JournalHealth, Position};

pub(super) fn a_full_disk_refuses_frames_and_recovers(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..10);
    if !rig.fill() {
        return;
    }
    let mut next = 10;
    loop {
        match opened.journal.append(&frame(next)) {
            Ok(position) => assert_eq!(position, Position(next + 1)),
            Err(AppendError::Full) => break,
            Err(other) => panic!("a full disk is no failure: {other:?}"),
        }
        next += 1;
        assert!(next < 1_000_000, "never full");
    }
    assert_eq!(opened.journal.health(), JournalHealth::Full);
    let journal = &opened.journal;
    opened.bell.await_that("what was accepted becomes durable", || {
        journal.durable() == Position(next)
    });
    rig.free();
    opened.bell.await_that("it recovers by itself", || {
        journal.health() == JournalHealth::Ready
    });
    append(opened.journal.as_mut(), next..next + 100);
    drop(opened);
    assert_eq!(
        open(rig).frames,
        frames(0..next + 100),
        "nothing lost, nothing twice"
    );
}

pub(super) fn a_failed_sync_is_for_ever(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..10);
    opened.journal.flush().expect("the disk works");
    if !rig.fail_syncs() {
        return;
    }
    // It may be accepted, but never becomes durable.
    let _ = opened.journal.append(&frame(10));
    let journal = &opened.journal;
    opened
        .bell
        .await_that("the failure shows", || journal.health() == JournalHealth::Failed);
    for _ in 0..3 {
        assert!(matches!(
            opened.journal.append(&frame(11)),
            Err(AppendError::Failed(_))
        ));
        assert!(matches!(opened.journal.flush(), Err(AppendError::Failed(_))));
        assert!(matches!(
            opened.journal.checkpoint_begin(),
            Err(AppendError::Failed(_))
        ));
        assert_eq!(
            opened.journal.durable(),
            Position(10),
            "nothing is acknowledged any more"
        );
        assert_eq!(opened.journal.health(), JournalHealth::Failed);
    }
}

pub(super) fn what_was_written_survives_the_process(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..777);
    if !rig.kill() {
        return;
    }
    drop(opened);
    assert_eq!(open(rig).frames, frames(0..777));
}

pub(super) fn durability_waits_for_the_disk(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    append(opened.journal.as_mut(), 0..5);
    opened.journal.flush().expect("the disk works");
    if !rig.hold_syncs(true) {
        return;
    }
    // Few: an engine may need the disk for its next segment.
    append(opened.journal.as_mut(), 5..25);
    assert_eq!(
        opened.journal.durable(),
        Position(5),
        "appending goes on while a sync takes long"
    );
    rig.hold_syncs(false);
    opened.journal.flush().expect("the disk works");
    assert_eq!(opened.journal.durable(), Position(25));
}
