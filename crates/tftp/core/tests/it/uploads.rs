//! WRQ: in lock-step and in windows, text, limits, and the disk in between.

use crate::rig::{Rig, pattern, request};
use purlin_tftp_core::FileError;
use purlin_tftp_proto::Mode;
use std::time::Duration;

#[test]
fn a_file_is_stored_block_by_block_and_dallies() {
    let mut rig = Rig::with(|settings| settings.timing.dally = Duration::from_secs(3));
    let content = pattern(1100);
    assert_eq!(rig.write("up", ""), "ACK 0");
    assert_eq!(rig.pass(2).data(1, &content[..512]), "ACK 1");
    assert_eq!(rig.pass(2).data(2, &content[512..1024]), "ACK 2");
    assert_eq!(rig.pass(2).data(3, &content[1024..]), "ACK 3");
    assert_eq!(rig.uploaded["up"], content);
    assert_eq!(rig.record().slug, "file_stored");
    assert_eq!(
        rig.pass(500).data(3, &content[1024..]),
        "ACK 3",
        "the last ACK was lost"
    );
    assert_eq!(rig.after(60_000), "3000: end file_stored", "waited for anew");
    assert_eq!(rig.engine.transfers(), 0);
    assert_eq!(rig.engine.counters().octets_received, 1100);
}

#[test]
fn options_of_uploads_are_answered() {
    let mut rig = Rig::new();
    let answer = rig.write("up", "blksize=1000 tsize=1500 windowsize=2 timeout=3");
    assert_eq!(answer, "OACK blksize=1000 tsize=1500 timeout=3 windowsize=2");
    assert_eq!(rig.data(1, &[1; 1000]), "", "half a window");
    assert_eq!(rig.data(2, &[2; 500]), "ACK 2");
    assert_eq!(rig.record().record.size, 1500);
}

#[test]
fn a_gap_in_a_window_is_told_once() {
    let mut rig = Rig::new();
    rig.write("up", "blksize=8 windowsize=4");
    assert_eq!(rig.data(1, &[1; 8]), "");
    assert_eq!(rig.data(3, &[3; 8]), "ACK 1");
    assert_eq!(rig.data(4, &[4; 8]), "");
    assert_eq!(rig.pass(5).data(2, &[2; 8]), "");
    assert_eq!(rig.data(3, &[3; 8]), "");
    assert_eq!(rig.data(4, &[4; 8]), "");
    assert_eq!(rig.data(5, &[5; 4]), "ACK 5");
    let expected: Vec<u8> = [[1; 8], [2; 8], [3; 8], [4; 8]].concat();
    assert_eq!(rig.uploaded["up"], [&expected[..], &[5; 4]].concat());
}

#[test]
fn blocks_that_come_twice_are_stored_once() {
    let mut rig = Rig::new();
    rig.write("up", "");
    for block in 1..=5u16 {
        assert_eq!(
            rig.pass(2).data(block, &[block as u8; 512]),
            format!("ACK {block}")
        );
        assert_eq!(rig.data(block, &[0; 512]), "", "a copy by the network");
        assert_eq!(rig.pass(2).data(block, &[0; 512]), format!("ACK {block}"));
    }
    rig.data(6, b"");
    assert_eq!(rig.uploaded["up"].len(), 5 * 512);
    assert!(!rig.uploaded["up"].contains(&0));
}

#[test]
fn an_unanswered_acknowledgement_is_repeated() {
    let mut rig = Rig::with(|settings| {
        settings.timing.first = Duration::from_millis(200);
        settings.timing.attempts = 3;
    });
    rig.write("up", "");
    assert_eq!(rig.after(700), "200: ACK 0; 600: ACK 0");
    assert_eq!(rig.data(1, &[1; 512]), "ACK 1");
    let told = rig.after(60_000);
    assert_eq!(told.matches("ACK 1").count(), 3, "{told}");
    assert!(told.ends_with("discard; end client_silent"), "{told}");
    assert!(rig.uploaded.is_empty());
}

#[test]
fn the_last_block_is_acknowledged_when_the_file_is_durable() {
    let mut rig = Rig::new();
    rig.held = true;
    assert_eq!(rig.write("up", ""), "asked");
    rig.held = false;
    let begun = rig.complete_file();
    assert_eq!(begun, "ACK 0");
    rig.held = true;
    assert_eq!(rig.data(1, b"all"), "");
    let stored = rig.complete(|engine, now, slot, effects| engine.stored(now, slot, Ok(3), effects));
    assert_eq!(stored, "commit");
    assert_eq!(rig.pass(1000).data(1, b"all"), "", "nothing is promised before");
    assert_eq!(rig.after(2000), "");
    let done = rig.complete(|engine, now, slot, effects| engine.committed(now, slot, Ok(()), effects));
    assert_eq!(done, "ACK 1");
    assert_eq!(rig.record().record.octets, 3);
}

#[test]
fn a_disk_that_lags_makes_the_client_wait() {
    let mut rig = Rig::with(|settings| settings.files.uploads.write_behind = false);
    rig.write("up", "");
    rig.held = true;
    assert_eq!(rig.data(1, &[1; 512]), "");
    assert_eq!(rig.after(1000), "", "the client need not be told");
    let stored = rig.complete(|engine, now, slot, effects| engine.stored(now, slot, Ok(512), effects));
    assert_eq!(stored, "ACK 1");
}

#[test]
fn failures_of_the_disk_leave_nothing_behind() {
    let mut rig = Rig::new();
    rig.write("up", "");
    rig.data(1, &[1; 512]);
    let full = rig.complete(|engine, now, slot, effects| {
        engine.stored(now, slot, Err(FileError::NoSpace), effects);
    });
    assert_eq!(full, "ERROR 3 disk full; discard; end no_space");
    rig.write("up", "");
    rig.held = true;
    rig.data(1, b"all");
    rig.complete(|engine, now, slot, effects| engine.stored(now, slot, Ok(3), effects));
    let exists = rig.complete(|engine, now, slot, effects| {
        engine.committed(now, slot, Err(FileError::Exists), effects);
    });
    assert_eq!(exists, "ERROR 6 file already exists; end exists");
}

#[test]
fn uploads_that_may_not_begin_are_refused() {
    let mut rig = Rig::new();
    rig.held = true;
    for (fault, answer) in [
        (FileError::Exists, "ERROR 6 file already exists; end exists"),
        (FileError::Denied, "ERROR 2 access denied; end denied"),
        (FileError::NoSpace, "ERROR 3 disk full; end no_space"),
        (FileError::Busy, "ERROR 0 the server is busy, try again; end busy"),
        (
            FileError::Taken,
            "ERROR 0 another upload has this name, try again; end name_taken",
        ),
        (
            FileError::NoDirectory,
            "ERROR 1 its directory does not exist; end no_directory",
        ),
    ] {
        assert_eq!(rig.write("up", ""), "asked");
        let end = rig.complete(|engine, now, slot, effects| engine.created(now, slot, Err(fault), effects));
        assert_eq!(end, answer);
    }
}

#[test]
fn what_is_created_for_a_client_that_left_is_discarded() {
    let mut rig = Rig::new();
    rig.held = true;
    rig.write("up", "");
    assert_eq!(rig.error(0), "end client_withdrew");
    let late = rig.complete(|engine, now, slot, effects| engine.created(now, slot, Ok(()), effects));
    assert_eq!(late, "discard");
}

#[test]
fn size_limits_hold_before_and_during_an_upload() {
    let mut rig = Rig::with(|settings| settings.files.uploads.size_max = purlin_types::ByteSize(1000));
    assert_eq!(rig.write("up", "tsize=1001"), "ERROR 3 the file is too big");
    assert_eq!(rig.record().slug, "upload_too_big");
    assert_eq!(rig.write("up", "tsize=1000"), "OACK tsize=1000");
    assert_eq!(rig.data(1, &[1; 512]), "ACK 1");
    assert_eq!(
        rig.data(2, &[1; 512]),
        "ERROR 3 the file is too big; discard; end upload_grew"
    );
    rig.write("up", "blksize=8");
    assert_eq!(
        rig.data(1, &[1; 9]),
        "ERROR 4 the block is too big; discard; end block_too_big"
    );
}

#[test]
fn text_is_converted_across_block_borders() {
    let mut rig = Rig::new();
    let ask = request(true, "up", Mode::Netascii, "blksize=8");
    assert_eq!(rig.hear(&ask), "OACK blksize=8");
    for (block, payload) in [(1, b"ab\r\ncde\r"), (2, b"\nx\r\0yz\r\r"), (3, b"\n0123456")] {
        assert_eq!(rig.data(block, payload), format!("ACK {block}"));
    }
    assert_eq!(rig.data(4, b"\r"), "ACK 4");
    assert_eq!(rig.uploaded["up"], b"ab\ncde\nx\ryz\r\n0123456\r");
}

#[test]
fn an_upload_rolls_over_with_a_window() {
    for rollover in ["0", "1"] {
        let mut rig = Rig::new();
        rig.write("up", &format!("blksize=8 windowsize=16 rollover={rollover}"));
        let one = rollover == "1";
        let wire = |block: u32| {
            (if one {
                (block - 1) % 65_535 + 1
            } else {
                block % 65_536
            }) as u16
        };
        for block in 1..=70_000 {
            let answer = rig.data(wire(block), &[7; 8]);
            let due = block % 16 == 0;
            assert_eq!(
                answer,
                if due {
                    format!("ACK {}", wire(block))
                } else {
                    String::new()
                }
            );
            rig.sent.clear();
        }
        rig.data(wire(70_001), b"");
        assert_eq!(rig.uploaded["up"].len(), 70_000 * 8);
    }
}

#[test]
fn acknowledgements_and_reads_do_not_mix() {
    let mut rig = Rig::new();
    rig.write("up", "");
    assert_eq!(rig.ack(0), "");
    assert_eq!(rig.count("not_for_servers"), 1);
    assert_eq!(rig.data(1, b"x"), "ACK 1");
}

#[test]
fn a_repeated_write_request_is_answered_again() {
    let mut rig = Rig::new();
    assert_eq!(rig.write("up", "tsize=3"), "OACK tsize=3");
    assert_eq!(rig.write("up", "tsize=3"), "");
    assert_eq!(rig.pass(50).write("up", "tsize=3"), "OACK tsize=3");
    assert_eq!(rig.data(1, b"all"), "ACK 1");
    assert_eq!(rig.uploaded["up"], b"all");
}

#[test]
fn whatever_ends_the_dallying_the_upload_has_ended_well() {
    let mut rig = Rig::new();
    rig.write("up", "");
    rig.data(1, b"all");
    assert_eq!(rig.error(0), "end file_stored");
    rig.write("up", "");
    rig.data(1, b"all");
    assert_eq!(rig.read("file", ""), "end file_stored; DATA 1");
    assert_eq!((rig.count("file_stored"), rig.count("superseded")), (2, 0));
}

#[test]
fn a_client_that_never_stops_repeating_is_not_waited_for_for_ever() {
    let mut rig = Rig::with(|settings| settings.timing.dally = Duration::from_secs(3));
    rig.write("up", "");
    rig.data(1, b"all");
    let mut told = String::new();
    for _ in 0..40 {
        told.push_str(&rig.after(1000));
        rig.data(1, b"all");
    }
    assert!(told.ends_with("end file_stored"), "{told}");
    assert_eq!(rig.engine.transfers(), 0);
}
