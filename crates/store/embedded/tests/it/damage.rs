//! Damage in acknowledged history is told, never cut off.

use std::path::PathBuf;

use purlin_store::contract::JournalRig;
use purlin_store::{Journal, OpenError};
use purlin_store_embedded::medium::Medium;

use crate::rigs::{OnCrashDisk, journal_on};

/// A disk with several segments, all durable and each vouched for by later frames, and the killed process.
fn written(frames: u32) -> OnCrashDisk {
    let rig = OnCrashDisk::new();
    let mut journal = open(&rig).expect("a new journal");
    for n in 0..frames {
        journal.append(&[n as u8; 300]).expect("there is space");
        if n % 16 == 15 {
            journal.flush().expect("the disk works");
        }
    }
    rig.kill();
    rig
}

fn open(rig: &OnCrashDisk) -> Result<Box<dyn Journal>, OpenError> {
    journal_on(&rig.0.borrow(), &mut |_: &[u8]| {})
}

fn files(rig: &OnCrashDisk, suffix: &str) -> Vec<PathBuf> {
    let mut files = rig.0.borrow().files();
    files.retain(|path| path.to_str().is_some_and(|path| path.ends_with(suffix)));
    files
}

/// Where the damage is said to be.
fn place(opened: Result<Box<dyn Journal>, OpenError>) -> (PathBuf, u64) {
    match opened {
        Err(OpenError::Damaged { path, offset, .. }) => (path.into(), offset),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_rotten_byte_in_durable_history_is_named_by_file_and_offset() {
    let rig = written(200);
    let first = files(&rig, ".log")[0].clone();
    rig.0.borrow().rot(&first, 128 + 328 * 5 + 100);
    assert_eq!(place(open(&rig)), (first, 128 + 328 * 5));
}

#[test]
fn a_missing_segment_is_noticed() {
    for missing in [0, 1] {
        let rig = written(200);
        let segments = files(&rig, ".log");
        rig.0.borrow().remove(&segments[missing]).expect("removable");
        place(open(&rig));
    }
}

#[test]
fn a_rotten_file_header_is_noticed() {
    let rig = written(200);
    let segments = files(&rig, ".log");
    rig.0.borrow().rot(&segments[1], 20);
    assert_eq!(place(open(&rig)), (segments[1].clone(), 0));
}

#[test]
fn a_rotten_checkpoint_is_noticed() {
    let rig = OnCrashDisk::new();
    let mut journal = open(&rig).expect("a new journal");
    journal.append(b"frame").expect("there is space");
    journal.checkpoint_begin().expect("there is space");
    journal.checkpoint_write(b"state").expect("there is space");
    journal.checkpoint_finish().expect("there is space");
    drop(journal);
    let checkpoint = files(&rig, ".checkpoint")[0].clone();
    rig.0.borrow().rot(&checkpoint, 128 + 24);
    assert_eq!(place(open(&rig)), (checkpoint, 128));
}

#[test]
fn a_rotten_last_frame_that_nobody_vouches_for_counts_as_torn() {
    let rig = OnCrashDisk::new();
    let mut journal = open(&rig).expect("a new journal");
    journal.append(b"first").expect("there is space");
    journal.append(b"second").expect("there is space");
    rig.kill();
    drop(journal);
    let segment = files(&rig, ".log")[0].clone();
    rig.0.borrow().rot(&segment, 128 + 32 + 24);
    let mut found = Vec::new();
    journal_on(&rig.0.borrow(), &mut |frame: &[u8]| found.push(frame.to_vec())).expect("opens");
    assert_eq!(found, [b"first"]);
}

#[test]
fn a_write_refused_inside_a_prepared_segment_is_full_and_recovers() {
    let rig = OnCrashDisk::new();
    let mut journal = open(&rig).expect("a new journal");
    rig.0.borrow().refuse_writes(true);
    assert!(journal.append(b"one").is_err());
    assert_eq!(journal.health(), purlin_store::JournalHealth::Full);
    rig.0.borrow().refuse_writes(false);
    let bell = purlin_store::contract::Bell::new();
    drop(journal);
    let engine = rig.engine();
    let mut journal = engine
        .open("packet-0", bell.wake(), &mut |_: &[u8]| {})
        .expect("opens");
    rig.0.borrow().refuse_writes(true);
    assert!(journal.append(b"one").is_err());
    rig.0.borrow().refuse_writes(false);
    bell.await_that("space is found again", || {
        journal.health() == purlin_store::JournalHealth::Ready
    });
    journal.append(b"one").expect("there is space");
}

#[test]
fn a_journal_opens_on_a_full_disk_and_says_so() {
    let rig = written(20);
    rig.0.borrow().set_capacity(Some(0));
    let mut found = 0;
    let journal = journal_on(&rig.0.borrow(), &mut |_: &[u8]| found += 1).expect("readable");
    assert_eq!((found, journal.health()), (20, purlin_store::JournalHealth::Full));
}
