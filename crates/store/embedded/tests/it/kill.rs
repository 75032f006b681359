//! A real process, killed for real: what it said to be durable is there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use purlin_store::contract::Bell;
use purlin_store::{Journal, Position};
use purlin_store_embedded::{Embedded, JournalOptions, Options};

/// Set for the process to be killed: its data folder.
const CHILD: &str = "PURLIN_TEST_KILL_DIR";

fn open(dir: &Path, replay: &mut dyn FnMut(&[u8])) -> (Embedded, Box<dyn Journal>, Bell) {
    let journal = JournalOptions {
        segment_bytes: 256 << 10,
        checkpoint_after: 1 << 20,
        ..JournalOptions::default()
    };
    let store = Embedded::open(dir, Options { journal }).expect("opens");
    let bell = Bell::new();
    let journal = store
        .journals()
        .open("packet-0", bell.wake(), replay)
        .expect("opens");
    (store, journal, bell)
}

/// Appends without end and prints every durable position; takes checkpoints when they are due.
fn child(dir: &Path) {
    let mut next = 0_u64;
    let mut take = |frame: &[u8]| next = next.max(number(frame));
    let (_store, mut journal, bell) = open(dir, &mut take);
    let mut out = std::io::stdout().lock();
    loop {
        for _ in 0..20 {
            next += 1;
            journal.append(&frame(next)).expect("there is space");
        }
        let position = Position(next);
        bell.await_that("group commit", || journal.durable() >= position);
        writeln!(out, "{next}")
            .and_then(|()| out.flush())
            .expect("the parent reads until it kills");
        if journal.checkpoint_due() {
            journal.checkpoint_begin().expect("there is space");
            journal.checkpoint_write(&frame(next)).expect("there is space");
            journal.checkpoint_finish().expect("there is space");
        }
    }
}

fn frame(n: u64) -> Vec<u8> {
    let mut frame = n.to_le_bytes().to_vec();
    frame.resize(2_000, n as u8);
    frame
}

fn number(frame: &[u8]) -> u64 {
    u64::from_le_bytes(frame[..8].try_into().expect("a number"))
}

#[test]
fn every_durable_position_survives_kill_9() {
    if let Some(dir) = std::env::var_os(CHILD) {
        return child(Path::new(&dir));
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let me = std::env::current_exe().expect("this test");
    let mut durable = 0;
    for life in [30, 160, 75, 240, 110] {
        let mut child = Command::new(&me)
            .args([
                "--exact",
                "kill::every_durable_position_survives_kill_9",
                "--nocapture",
            ])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut until = None;
        // Its life is counted from its first word, so that a slow start does not end it before.
        while let Some(Ok(line)) = lines.next() {
            let Ok(position) = line.parse::<u64>() else {
                continue;
            };
            durable = position;
            if Instant::now() >= *until.get_or_insert_with(|| Instant::now() + Duration::from_millis(life)) {
                child.kill().expect("it lives");
                break;
            }
        }
        // What it said between the last line read and its death counts as well.
        durable = lines
            .map_while(Result::ok)
            .filter_map(|line| line.parse().ok())
            .last()
            .unwrap_or(durable);
        child.wait().expect("it is dead");
        let (mut last, mut frames) = (0, 0);
        let replay = &mut |found: &[u8]| {
            assert_eq!(found, frame(number(found)), "whole");
            assert!(frames == 0 || number(found) == last + 1, "in order");
            last = number(found);
            frames += 1;
        };
        let (_store, journal, _bell) = open(dir.path(), replay);
        assert!(last >= durable, "{durable} was durable, {last} came back");
        assert_eq!(journal.durable(), Position(last));
    }
    assert!(durable > 0, "it never got to work");
}
