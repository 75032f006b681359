//! RFC 1350 and 7440 as they are meant: files of all sizes, block by block and window by window.

use crate::rig::{Rig, pattern};
use purlin_tftp_core::FileError;

#[test]
fn a_file_goes_block_by_block() {
    let mut rig = Rig::new();
    assert_eq!(rig.read("even", ""), "DATA 1");
    assert_eq!(rig.pass(3).ack(1), "DATA 2");
    assert_eq!(
        rig.pass(3).ack(2),
        "DATA 3 last",
        "an even file ends in an empty block"
    );
    assert_eq!(rig.pass(3).ack(3), "end file_sent");
    assert_eq!(rig.engine.transfers(), 0);
    assert_eq!(rig.engine.deadline(), None, "nothing is left to wait for");
    let octets: Vec<u8> = rig
        .sent
        .iter()
        .flat_map(|(_, packet)| packet[4..].to_vec())
        .collect();
    assert_eq!(octets, pattern(1024));
}

#[test]
fn empty_and_short_files_are_one_block() {
    let mut rig = Rig::new();
    assert_eq!(rig.read("empty", ""), "DATA 1 last");
    assert_eq!(rig.ack(1), "end file_sent");
    assert_eq!(rig.client(10, 2001).read("short", ""), "DATA 1 last");
    assert_eq!(rig.ack(1), "end file_sent");
    assert_eq!(rig.record().record.octets, 100);
}

#[test]
fn windows_follow_each_other() {
    let mut rig = Rig::new();
    let oack = rig.read("file", "blksize=1000 windowsize=4");
    assert_eq!(oack, "OACK blksize=1000 windowsize=4");
    assert_eq!(rig.pass(5).ack(0), "DATA 1-4");
    assert_eq!(rig.pass(5).ack(4), "DATA 5-8");
    assert_eq!(rig.pass(5).ack(8), "DATA 9-11 last");
    assert_eq!(rig.pass(5).ack(11), "end file_sent");
    assert_eq!(rig.engine.counters().octets_sent, 10_000);
    assert_eq!(rig.engine.counters().blocks_sent, 11);
    assert_eq!(rig.engine.counters().blocks_again, 0);
}

#[test]
fn a_gap_restarts_the_window_once() {
    let mut rig = Rig::new();
    rig.read("file", "blksize=500 windowsize=8");
    assert_eq!(rig.pass(10).ack(0), "DATA 1-8");
    assert_eq!(rig.pass(10).ack(3), "DATA 4-11");
    // The blocks behind the gap make the client repeat itself.
    for _ in 0..5 {
        assert_eq!(rig.ack(3), "");
    }
    assert_eq!(rig.pass(10).ack(11), "DATA 12-19");
    assert_eq!(rig.pass(10).ack(19), "DATA 20-21 last");
    assert_eq!(rig.pass(10).ack(21), "end file_sent");
    assert_eq!((rig.count("gap_acknowledged"), rig.count("repeated_ack")), (1, 5));
}

#[test]
fn the_lost_first_block_of_a_window_is_a_gap_too() {
    let mut rig = Rig::new();
    rig.read("file", "blksize=500 windowsize=8");
    rig.pass(10).ack(0);
    assert_eq!(rig.pass(10).ack(8), "DATA 9-16");
    assert_eq!(rig.ack(8), "", "a copy made by the network");
    assert_eq!(rig.pass(10).ack(8), "DATA 9-16");
    assert_eq!(rig.pass(10).ack(8), "");
}

#[test]
fn copies_of_acknowledgements_send_nothing() {
    let mut rig = Rig::new();
    rig.read("file", "");
    for block in 1..=19 {
        let next = if block == 19 {
            "DATA 20 last".to_owned()
        } else {
            format!("DATA {}", block + 1)
        };
        assert_eq!(rig.pass(1).ack(block), next);
        for _ in 0..3 {
            assert_eq!(rig.ack(block), "");
        }
    }
    assert_eq!(rig.ack(20), "end file_sent");
    assert_eq!(rig.engine.counters().blocks_sent, 20);
    assert_eq!(rig.count("repeated_ack"), 57);
}

#[test]
fn acknowledgements_of_other_blocks_mean_nothing() {
    let mut rig = Rig::new();
    rig.read("file", "");
    rig.ack(1);
    for block in [0, 3, 20, 65_535] {
        assert_eq!(rig.ack(block), "");
    }
    assert_eq!(rig.count("unknown_block_acknowledged"), 4);
    assert_eq!(rig.ack(2), "DATA 3");
}

#[test]
fn ninety_one_thousand_blocks_roll_over_to_zero_or_one() {
    for (rollover, after) in [(0, 0u16), (1, 1)] {
        let mut rig = Rig::with(|settings| settings.caps.rollover = rollover);
        rig.file("large", &vec![7; 91_428 * 512 + 5]);
        assert_eq!(rig.read("large", ""), "DATA 1");
        let mut block = 1u16;
        for absolute in 2..=91_429 {
            let next = if block == u16::MAX { after } else { block + 1 };
            let last = if absolute == 91_429 { " last" } else { "" };
            assert_eq!(rig.ack(block), format!("DATA {next}{last}"));
            block = next;
            rig.sent.clear();
        }
        assert_eq!(rig.ack(block), "end file_sent");
        assert_eq!(rig.record().record.octets, 91_428 * 512 + 5);
    }
}

#[test]
fn a_window_crosses_the_rollover_with_gaps_in_it() {
    for (rollover, windows) in [
        (0, ["DATA 65529-0", "DATA 65534-5", "DATA 6-8", "DATA 1-8"]),
        (1, ["DATA 65529-1", "DATA 65534-6", "DATA 7-9", "DATA 2-9"]),
    ] {
        let mut rig = Rig::with(|settings| settings.caps.rollover = rollover);
        rig.file("large", &vec![7; 70_000 * 8]);
        rig.read("large", "blksize=8 windowsize=8");
        rig.pass(4).ack(0);
        for block in (8..65_528).step_by(8) {
            rig.pass(4).ack(block);
            rig.sent.clear();
        }
        assert_eq!(rig.pass(4).ack(65_528), windows[0]);
        assert_eq!(rig.pass(4).ack(65_533), windows[1]);
        // Block 65536, the first behind the border, which was under way before: perhaps a copy.
        assert_eq!(rig.pass(4).ack(rollover.into()), windows[2]);
        assert!(rig.after(8).ends_with(windows[3]));
    }
}

#[test]
fn what_is_not_in_memory_is_waited_for() {
    let mut rig = Rig::new();
    rig.cold = true;
    assert_eq!(rig.read("even", ""), "stalled");
    assert_eq!(rig.engine.counters().blocks_sent, 0);
    assert_eq!(rig.after(5000), "", "a slow disk is not the client's fault");
    rig.cold = false;
    let data = rig.complete(|engine, now, slot, effects| engine.available(now, slot, Ok(()), effects));
    assert_eq!(data, "DATA 1");
    assert_eq!(rig.pass(3).ack(1), "DATA 2");
    let late = rig.complete(|engine, now, slot, effects| engine.available(now, slot, Ok(()), effects));
    assert_eq!(late, "", "nobody waits any more");
}

#[test]
fn a_file_that_shrinks_ends_the_transfer() {
    let mut rig = Rig::new();
    rig.read("even", "");
    rig.cold = true;
    assert_eq!(rig.ack(1), "stalled");
    let end = rig.complete(|engine, now, slot, effects| {
        engine.available(now, slot, Err(FileError::Io), effects);
    });
    assert_eq!(end, "ERROR 0 the file changed; end file_changed");
    assert_eq!(rig.record().record.octets, 512);
}
