//! Order, positions, names.

use super::{JournalRig, append, frame, frames, open, try_open};
use crate::{JournalHealth, OpenError, Position};

pub(super) fn frames_come_back_in_the_order_of_appending(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    assert_eq!(opened.frames, frames([]), "a new journal holds nothing");
    append(opened.journal.as_mut(), 0..1_000);
    opened.journal.flush().expect("the disk works");
    drop(opened);
    assert_eq!(open(rig).frames, frames(0..1_000));
}

pub(super) fn durability_only_grows_and_reaches_what_was_appended(rig: &dyn JournalRig) {
    let mut opened = open(rig);
    assert_eq!(opened.journal.durable(), Position(0));
    assert_eq!(opened.journal.health(), JournalHealth::Ready);
    let mut before = Position(0);
    for n in 1..=300 {
        assert_eq!(
            opened.journal.append(&frame(n)).expect("there is space"),
            Position(n)
        );
        let durable = opened.journal.durable();
        assert!(
            before <= durable && durable <= Position(n),
            "{before:?} {durable:?} {n}"
        );
        before = durable;
    }
    let journal = &opened.journal;
    opened
        .bell
        .await_that("all becomes durable without a further call", || {
            journal.durable() == Position(300)
        });
}

pub(super) fn positions_go_on_after_reopening(rig: &dyn JournalRig) {
    for round in 0..4 {
        let mut opened = open(rig);
        assert_eq!(
            opened.journal.durable(),
            Position(round * 10),
            "what came back is durable"
        );
        append(opened.journal.as_mut(), round * 10..round * 10 + 9);
        assert_eq!(
            opened.journal.append(&frame(round * 10 + 9)).expect("space"),
            Position(round * 10 + 10)
        );
    }
    assert_eq!(
        open(rig).frames,
        frames(0..40),
        "dropping a journal leaves what was appended"
    );
}

pub(super) fn frames_of_any_size_survive(rig: &dyn JournalRig) {
    let sizes = [1, 7, 8, 9, 4_095, 4_096, 70_000, 1, 3 << 20, 2];
    let sent: Vec<Vec<u8>> = sizes.iter().map(|size| vec![*size as u8 | 1; *size]).collect();
    let mut opened = open(rig);
    for frame in &sent {
        opened.journal.append(frame).expect("there is space");
    }
    drop(opened);
    assert!(open(rig).frames == sent, "frames differ");
}

pub(super) fn journals_are_apart_and_known_by_name(rig: &dyn JournalRig) {
    let engine = rig.engine();
    assert_eq!(engine.names().expect("readable"), Vec::<String>::new());
    for name in ["a", "b"] {
        let mut opened = try_open(engine.as_ref(), name).expect("opens");
        opened.journal.append(name.as_bytes()).expect("there is space");
    }
    assert_eq!(engine.names().expect("readable"), ["a", "b"]);
    assert_eq!(try_open(engine.as_ref(), "b").expect("opens").frames, [b"b"]);
    for outside in ["", ".", "..", "a/b", "../a"] {
        assert!(
            try_open(engine.as_ref(), outside).is_err(),
            "{outside:?} is no name"
        );
    }
}

pub(super) fn a_removed_journal_is_gone(rig: &dyn JournalRig) {
    let engine = rig.engine();
    for name in ["kept", "old"] {
        append(
            try_open(engine.as_ref(), name).expect("opens").journal.as_mut(),
            0..3,
        );
    }
    engine.remove("old").expect("removable");
    assert_eq!(engine.names().expect("readable"), ["kept"]);
    assert_eq!(
        try_open(engine.as_ref(), "old").expect("opens").frames,
        frames([])
    );
    assert_eq!(
        try_open(engine.as_ref(), "kept").expect("opens").frames,
        frames(0..3)
    );
}

pub(super) fn an_open_journal_cannot_be_opened_again(rig: &dyn JournalRig) {
    let engine = rig.engine();
    let opened = try_open(engine.as_ref(), "packet-0").expect("opens");
    assert!(matches!(
        try_open(engine.as_ref(), "packet-0"),
        Err(OpenError::Locked { .. })
    ));
    assert!(matches!(engine.remove("packet-0"), Err(OpenError::Locked { .. })));
    drop(opened);
    try_open(engine.as_ref(), "packet-0").expect("free again");
}

pub(super) fn replaying_twice_gives_the_same(rig: &dyn JournalRig) {
    append(open(rig).journal.as_mut(), 0..50);
    let first = open(rig).frames;
    assert_eq!(first, frames(0..50));
    assert_eq!(open(rig).frames, first);
}
