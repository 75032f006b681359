use super::*;
use crate::log::{Value, Waited};
use crate::message::{Signature, Vote};
use alloy_primitives::{Address, B256};
use purlin_chain_core::consensus::signed::VoteKind;
use purlin_chain_proto::Block;
use std::fs;

fn waited(round: u32) -> Record {
    let what = Waited::Prevote;
    Record::Waited { what, round }
}

fn records() -> Vec<Record> {
    let vote = Vote {
        kind: VoteKind::Prevote,
        height: 5,
        round: 0,
        validator: Address::ZERO,
        signature: Signature::ZERO,
        hash: None,
    };
    let value = |block| {
        Record::Value(Box::new(Value {
            height: 5,
            round: 0,
            proposer: Address::ZERO,
            hash: B256::ZERO,
            block,
        }))
    };
    vec![
        Record::Vote(vote),
        value(None),
        value(Some(Block::default())),
        waited(0),
    ]
}

fn open(path: &Path) -> FileLog {
    FileLog::open(path).unwrap()
}

/// A log of height 5 with one batch per round, as octets, with the length after each batch.
fn written(dir: &Path, batches: u32) -> (Vec<u8>, Vec<usize>) {
    let path = dir.join("written");
    let mut log = open(&path);
    log.begin(5).unwrap();
    let mut ends = vec![0];
    for round in 0..batches {
        log.append(&waited(round)).unwrap();
        log.append(&waited(round)).unwrap();
        log.flush().unwrap();
        ends.push(fs::metadata(&path).unwrap().len().try_into().unwrap());
    }
    drop(log);
    let octets = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    (octets, ends)
}

fn read(dir: &Path, octets: &[u8]) -> Result<usize, LogFault> {
    let path = dir.join("read");
    fs::write(&path, octets).unwrap();
    Ok(open(&path).read()?.map_or(0, |logged| logged.records.len()))
}

#[test]
fn what_was_flushed_is_read_again_and_what_was_not_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut log = open(&path);
    assert_eq!(log.read().unwrap(), None);
    log.begin(5).unwrap();
    for record in records() {
        log.append(&record).unwrap();
    }
    log.flush().unwrap();
    log.append(&waited(9)).unwrap();
    drop(log);
    let expected = Logged {
        height: 5,
        records: records(),
    };
    let mut log = open(&path);
    assert_eq!(log.read().unwrap(), Some(expected));

    // It goes on where it was.
    log.append(&waited(1)).unwrap();
    log.flush().unwrap();
    drop(log);
    let records = open(&path).read().unwrap().unwrap().records;
    assert_eq!((records.len(), records.last()), (5, Some(&waited(1))));
}

#[test]
fn a_new_height_forgets_the_old_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut log = open(&path);
    log.begin(5).unwrap();
    log.append(&waited(0)).unwrap();
    log.flush().unwrap();
    log.append(&waited(1)).unwrap();
    log.begin(6).unwrap();
    log.append(&waited(2)).unwrap();
    log.flush().unwrap();
    drop(log);
    let logged = open(&path).read().unwrap().unwrap();
    assert_eq!((logged.height, logged.records), (6, vec![waited(2)]));
}

#[test]
fn a_log_has_one_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let _first = open(&path);
    let second = FileLog::open(&path);
    assert!(
        matches!(second, Err(LogFault::Io { doing: "locking", .. })),
        "{second:?}"
    );
}

#[test]
fn a_torn_end_costs_the_last_batch_only() {
    let dir = tempfile::tempdir().unwrap();
    let (octets, ends) = written(dir.path(), 3);
    for cut in 0..=octets.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert_eq!(
            read(dir.path(), &octets[..cut]).unwrap(),
            2 * whole,
            "cut at {cut}"
        );
        // A file that became longer before its octets came.
        let mut zeros = octets.clone();
        zeros[cut..].fill(0);
        assert_eq!(read(dir.path(), &zeros).unwrap(), 2 * whole, "zeros from {cut}");
    }
}

#[test]
fn a_torn_end_is_gone_after_the_next_flush() {
    let dir = tempfile::tempdir().unwrap();
    let (octets, ends) = written(dir.path(), 2);
    let path = dir.path().join("log");
    fs::write(&path, &octets[..ends[2] - 1]).unwrap();
    let mut log = open(&path);
    assert_eq!(log.read().unwrap().unwrap().records.len(), 2);
    log.append(&waited(7)).unwrap();
    log.flush().unwrap();
    drop(log);
    assert_eq!(open(&path).read().unwrap().unwrap().records.len(), 3);
}

#[test]
fn damage_before_a_good_batch_stops_the_node_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (octets, ends) = written(dir.path(), 3);
    for at in 0..ends[2] {
        let mut damaged = octets.clone();
        damaged[at] ^= 0x40;
        let fault = read(dir.path(), &damaged);
        let Err(LogFault::Damaged {
            at: where_, height, ..
        }) = fault
        else {
            panic!("octet {at}: {fault:?}");
        };
        let batch = ends.iter().filter(|end| **end <= at).max().unwrap();
        assert_eq!((where_, height), (*batch as u64, 5), "octet {at}");
    }
}

#[test]
fn what_an_older_height_left_behind_a_newer_one_is_not_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (old, _) = written(dir.path(), 3);
    let path = dir.path().join("log");
    let mut log = open(&path);
    log.begin(6).unwrap();
    log.append(&waited(0)).unwrap();
    log.flush().unwrap();
    drop(log);
    let mut octets = fs::read(&path).unwrap();
    octets.extend(&old[5..]);
    fs::write(&path, octets).unwrap();
    let logged = open(&path).read().unwrap().unwrap();
    assert_eq!((logged.height, logged.records.len()), (6, 1));
}

/// A log with the mark of its key, which lies elsewhere.
fn marked(path: &Path, mark: &Path) -> FileLog {
    open(path).with_mark(Mark::open(mark).unwrap())
}

#[test]
fn a_key_that_signed_later_than_the_log_knows_signs_again_from_the_height_after() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new, mark) = (
        dir.path().join("old"),
        dir.path().join("new"),
        dir.path().join("mark"),
    );
    let mut log = marked(&old, &mark);
    assert_eq!(log.read().unwrap(), None);
    for height in [7, 8] {
        log.begin(height).unwrap();
        log.append(&waited(0)).unwrap();
        log.flush().unwrap();
    }
    drop(log);
    // Its own log has what was said at the marked height.
    let logged = marked(&old, &mark).read().unwrap().unwrap();
    assert_eq!((logged.height, logged.records), (8, vec![waited(0)]));
    // A log in another directory has not, nor has one that was brought back.
    let silent_until = |path: &Path| {
        let logged = marked(path, &mark).read().unwrap().unwrap();
        assert_eq!(logged.records, []);
        logged.height
    };
    assert_eq!(silent_until(&new), 9);
    let mut log = open(&old);
    log.begin(3).unwrap();
    log.append(&waited(0)).unwrap();
    log.flush().unwrap();
    drop(log);
    assert_eq!(silent_until(&old), 9);
}

#[test]
fn a_height_at_which_nothing_was_said_yet_marks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (path, mark) = (dir.path().join("log"), dir.path().join("mark"));
    let mut log = marked(&path, &mark);
    log.begin(7).unwrap();
    log.append(&waited(0)).unwrap();
    log.flush().unwrap();
    log.begin(8).unwrap();
    log.flush().unwrap();
    drop(log);
    // Height 7 is decided: the node begins with 8, of which it may say what it likes.
    assert_eq!(marked(&path, &mark).read().unwrap().unwrap().height, 8);
}
