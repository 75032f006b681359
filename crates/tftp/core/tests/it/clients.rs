//! What boot clients do, as captured or as their sources say.

use crate::rig::Rig;

#[test]
fn edk2_probes_the_size_and_asks_again_from_another_port() {
    let mut rig = Rig::new();
    let probe = rig
        .client(20, 1500)
        .read("file", "tsize=0 blksize=1468 windowsize=4");
    assert_eq!(probe, "OACK blksize=1468 tsize=10000 windowsize=4");
    assert_eq!(rig.pass(2).error(8), "end size_probe");
    let told = rig.record();
    assert_eq!(told.record.outcome.as_str(), "answered", "a probe is no failure");
    let read = rig.client(20, 1501).read("file", "blksize=1468 windowsize=4");
    assert_eq!(read, "OACK blksize=1468 windowsize=4");
    assert_eq!(rig.pass(2).ack(0), "DATA 1-4");
    assert_eq!(rig.pass(2).ack(4), "DATA 5-7 last");
    assert_eq!(rig.pass(2).ack(7), "end file_sent");
    assert_eq!(rig.admission.open(), 0);
}

#[test]
fn a_probe_may_end_with_any_error() {
    let mut rig = Rig::new();
    rig.read("file", "tsize=0");
    assert_eq!(rig.error(0), "end size_probe");
    rig.read("file", "blksize=1024");
    assert_eq!(rig.error(8), "end client_refused_options");
}

#[test]
fn a_raspberry_pi_asks_several_times_and_keeps_one() {
    let mut rig = Rig::new();
    for port in 1..=4 {
        assert!(
            rig.client(21, port)
                .read("file", "tsize=0 blksize=1024")
                .starts_with("OACK")
        );
    }
    assert_eq!(rig.engine.transfers(), 4);
    for port in 2..=4 {
        assert_eq!(rig.client(21, port).error(0), "end size_probe");
    }
    assert_eq!(rig.client(21, 1).ack(0), "DATA 1");
    for block in 1..=9 {
        assert!(rig.pass(1).ack(block).starts_with("DATA"));
    }
    assert_eq!(rig.ack(10), "end file_sent");
}

#[test]
fn pxelinux_searches_its_configuration() {
    let mut rig = Rig::new();
    rig.file("pxelinux.cfg/default", b"DEFAULT linux\n");
    for name in ["01-52-54-00-12-34-56", "C0000216", "C000021", "C00002", "C0"] {
        let answer = rig.read(&format!("pxelinux.cfg/{name}"), "tsize=0 blksize=1408");
        assert_eq!(answer, "ERROR 1 file not found; end not_found");
    }
    let found = rig.read("pxelinux.cfg/default", "tsize=0 blksize=1408");
    assert_eq!(found, "OACK blksize=1408 tsize=14");
    assert_eq!(rig.ack(0), "DATA 1 last");
    assert_eq!(rig.ack(1), "end file_sent");
}

#[test]
fn u_boot_asks_for_a_window_and_repeats_its_acknowledgement() {
    let mut rig = Rig::new();
    let answer = rig.read("file", "timeout=5 blksize=1468 windowsize=4");
    assert_eq!(answer, "OACK blksize=1468 timeout=5 windowsize=4");
    assert_eq!(rig.pass(8).ack(0), "DATA 1-4");
    // Block 3 was lost: its network stack says what it has and waits for the rest.
    assert_eq!(rig.pass(8).ack(2), "DATA 3-6");
    assert_eq!(rig.ack(2), "");
    assert_eq!(rig.pass(8).ack(6), "DATA 7 last");
}

#[test]
fn a_client_that_acknowledges_every_block_of_a_window_gets_it_all_the_same() {
    let mut rig = Rig::new();
    rig.read("file", "blksize=500 windowsize=4");
    rig.pass(10).ack(0);
    let mut have = 0;
    // It acknowledges what it gets at once, in order, and ignores what it has.
    for _ in 0..40 {
        let blocks = rig
            .sent
            .iter()
            .map(|(_, packet)| u16::from_be_bytes([packet[2], packet[3]]));
        let next: Vec<u16> = blocks.filter(|block| *block > have).collect();
        rig.sent.clear();
        rig.pass(10);
        for block in next {
            if block == have + 1 {
                have = block;
                rig.ack(block);
            }
        }
        if rig.engine.transfers() == 0 {
            break;
        }
    }
    assert_eq!(rig.record().slug, "file_sent");
    let sent = rig.engine.counters().blocks_sent;
    assert!(sent <= 2 * 21 + 4, "{sent} blocks for 21");
}

#[test]
fn a_window_client_that_ignores_the_window_answer_goes_in_lock_step() {
    let mut rig = Rig::with(|settings| settings.caps.windowsize = 1);
    assert_eq!(rig.read("file", "windowsize=4"), "OACK windowsize=1");
    assert_eq!(rig.ack(0), "DATA 1");
    assert_eq!(rig.ack(1), "DATA 2");
}

#[test]
fn names_are_taken_as_firmware_writes_them() {
    let mut rig = Rig::new();
    rig.file("\\Boot\\BCD", b"x");
    rig.file("/boot/grub.cfg", b"y");
    assert_eq!(
        rig.read("\\Boot\\BCD", ""),
        "DATA 1 last",
        "what they mean is the library's concern"
    );
    assert_eq!(rig.client(10, 2001).read("/boot/grub.cfg", ""), "DATA 1 last");
}
