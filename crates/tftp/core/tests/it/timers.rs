//! Retransmission by measured round trips, probes, back-off and limits.

use crate::rig::Rig;
use std::time::Duration;

fn patient() -> Rig {
    Rig::with(|settings| {
        settings.timing.first = Duration::from_millis(200);
        settings.timing.shortest = Duration::from_millis(20);
        settings.timing.longest = Duration::from_secs(2);
        settings.timing.attempts = 4;
    })
}

#[test]
fn a_request_that_is_never_answered_is_repeated_with_growing_waits() {
    let mut rig = patient();
    rig.read("file", "");
    let told = rig.after(60_000);
    let expected = "200: DATA 1; 600: DATA 1; 1400: DATA 1; 3000: DATA 1; 5000: end client_never_answered";
    assert_eq!(told, expected);
    assert_eq!(
        rig.record().text,
        "the client never answered, after 4 retransmissions"
    );
    assert_eq!((rig.engine.transfers(), rig.admission.open()), (0, 0));
}

/// Blocks may have been sent by then; what is known is that none was acknowledged.
#[test]
fn a_client_that_withdraws_after_data_was_sent_is_not_told_to_have_gone_before() {
    let mut rig = patient();
    rig.read("file", "");
    assert_eq!(rig.after(1000).matches("DATA 1").count(), 2);
    assert_eq!(rig.error(0), "end client_withdrew");
    assert_eq!(
        rig.record().text,
        "the client withdrew before it acknowledged anything, with error 0"
    );
}

#[test]
fn an_option_answer_is_repeated_too() {
    let mut rig = patient();
    rig.read("file", "tsize=0");
    assert_eq!(rig.after(700), "200: OACK tsize=10000; 600: OACK tsize=10000");
    assert_eq!(rig.ack(0), "DATA 1");
}

#[test]
fn the_measured_round_trip_sets_the_wait() {
    let mut rig = patient();
    rig.read("file", "");
    for block in 1..=12 {
        rig.pass(30).ack(block);
    }
    let told = rig.after(100);
    assert!(told.starts_with("3") && told.contains("DATA 13"), "{told}");
}

#[test]
fn an_answer_too_soon_for_the_copy_teaches_patience() {
    let mut rig = patient();
    rig.read("file", "");
    rig.pass(100).ack(1);
    // Block 2 goes again after 300 ms; an answer 1 ms later, with round trips of 100 ms, is one to the first copy.
    assert_eq!(rig.after(301), "300: DATA 2");
    assert_eq!(rig.ack(2), "DATA 3");
    assert_eq!(rig.after(470), "", "no longer after 300 ms");
    assert!(rig.after(30).contains("DATA 3"));
}

#[test]
fn the_next_client_starts_with_what_others_need() {
    let mut rig = patient();
    rig.read("short", "");
    rig.pass(300).ack(1);
    rig.client(11, 2000).read("file", "");
    assert_eq!(rig.after(899), "", "one round trip and four times its deviation");
    assert_eq!(rig.after(1), "1: DATA 1");
}

#[test]
fn a_lost_tail_is_probed_with_one_block() {
    let mut rig = patient();
    rig.read("file", "blksize=500 windowsize=8");
    rig.pass(20).ack(0);
    rig.pass(20).ack(8);
    // Two round trips later only the last block of the window goes; after the whole wait all of it.
    let told = rig.after(110);
    assert!(told.starts_with("40: DATA 16; "), "{told}");
    assert!(told.ends_with(": DATA 9-16"), "{told}");
}

#[test]
fn a_probe_is_answered_by_a_gap() {
    let mut rig = patient();
    rig.read("file", "blksize=500 windowsize=8");
    rig.pass(20).ack(0);
    assert_eq!(rig.after(41), "40: DATA 8");
    assert_eq!(rig.pass(20).ack(6), "DATA 7-14");
}

#[test]
fn a_probe_is_answered_by_the_lost_acknowledgement() {
    let mut rig = patient();
    rig.read("file", "blksize=500 windowsize=8");
    rig.pass(20).ack(0);
    assert_eq!(rig.after(41), "40: DATA 8");
    assert_eq!(rig.pass(20).ack(8), "DATA 9-16");
}

#[test]
fn lock_step_needs_no_probe() {
    let mut rig = patient();
    rig.read("file", "");
    rig.pass(20).ack(1);
    assert_eq!(rig.after(61), "60: DATA 2");
}

#[test]
fn the_timeout_option_is_an_upper_bound() {
    let mut rig = patient();
    rig.read("file", "timeout=1");
    let told = rig.after(3000);
    let oack = "OACK timeout=1";
    assert_eq!(
        told,
        format!("200: {oack}; 600: {oack}; 1400: {oack}; 2400: {oack}")
    );
    let mut rig = patient();
    rig.read("file", "utimeout=300000");
    let told = rig.after(600);
    assert_eq!(told, "200: OACK utimeout=300000; 500: OACK utimeout=300000");
}

#[test]
fn a_client_that_disappears_is_given_up() {
    let mut rig = patient();
    rig.read("file", "");
    rig.pass(10).ack(1);
    let told = rig.after(60_000);
    assert!(told.ends_with("end client_silent"), "{told}");
    // After 30, 60 and 120 ms it may just be slow; the next four waits count.
    assert_eq!(told.matches("DATA 2").count(), 7);
    assert_eq!(rig.record().record.octets, 512);
    assert_eq!(rig.record().text, "no answer after 7 retransmissions");
}

#[test]
fn a_client_that_writes_to_its_flash_is_not_given_up() {
    let mut rig = Rig::new();
    rig.read("file", "");
    rig.pass(1).ack(1);
    let told = rig.after(20_000);
    assert!(!told.contains("end"), "{told}");
    assert_eq!(rig.ack(2), "DATA 3");
}

#[test]
fn a_client_that_is_back_need_not_wait_for_the_doubled_time() {
    let mut rig = patient();
    rig.read("file", "");
    rig.pass(10).ack(1);
    assert_eq!(rig.after(250).matches("DATA 2").count(), 3);
    assert_eq!(
        rig.ack(1),
        "DATA 2",
        "at once: 30 ms would have been the first wait"
    );
    assert_eq!(rig.ack(1), "", "and only once");
    assert_eq!(rig.pass(10).ack(2), "DATA 3");
}

#[test]
fn s2_41_an_idle_client_ends_although_it_repeats_itself_no_more() {
    let mut rig = Rig::with(|settings| {
        settings.timing.attempts = 255;
        settings.timing.idle = Duration::from_secs(7);
    });
    rig.read("file", "");
    rig.pass(10).ack(1);
    let told = rig.after(60_000);
    assert!(told.ends_with("7000: end client_idle"), "{told}");
}

#[test]
fn s2_43_a_first_answer_has_its_own_limit() {
    let mut rig = Rig::with(|settings| {
        settings.timing.attempts = 255;
        settings.timing.answer = Duration::from_secs(3);
    });
    rig.read("file", "");
    let told = rig.after(60_000);
    assert!(told.ends_with("3000: end client_never_answered"), "{told}");
}

#[test]
fn s2_42_a_lifetime_ends_even_what_moves() {
    let mut rig = Rig::with(|settings| settings.timing.lifetime = Duration::from_secs(1));
    rig.read("file", "");
    for block in 1..=9 {
        rig.pass(100).ack(block);
    }
    let told = rig.after(200);
    assert!(
        told.ends_with("ERROR 0 the transfer took too long; end lifetime_over"),
        "{told}"
    );
}

#[test]
fn a_shell_that_never_answers_does_not_keep_transfers() {
    let mut rig = Rig::with(|settings| settings.timing.idle = Duration::from_secs(9));
    rig.held = true;
    rig.read("file", "");
    assert_eq!(
        rig.after(20_000),
        "9000: ERROR 0 the server is busy, try again; end busy"
    );
}

#[test]
fn timers_do_not_ring_for_transfers_that_move() {
    let mut rig = patient();
    rig.read("file", "");
    for block in 1..=19 {
        rig.pass(15);
        assert_eq!(rig.tick(), "");
        assert!(!rig.ack(block).is_empty());
    }
    assert_eq!(rig.engine.counters().blocks_again, 0);
}

/// Whoever forges a request and its ACK 0 makes us send one window twice, then two blocks at a time.
#[test]
fn a_forged_request_brings_its_victim_little() {
    let mut rig = Rig::with(|settings| settings.timing.attempts = 8);
    rig.file("image", &vec![1; 1 << 20]);
    rig.read("image", "blksize=1468 windowsize=64");
    rig.pass(1).ack(0);
    rig.after(120_000);
    assert_eq!(rig.record().slug, "no_block_arrived");
    assert_eq!(rig.engine.counters().blocks_sent, 64 + 1 + 64 + 13 * 2);
}

#[test]
fn blocks_that_never_arrive_are_told_from_a_client_that_is_gone() {
    let mut rig = patient();
    rig.read("file", "blksize=8000");
    rig.pass(1).ack(0);
    // The path swallows large packets; the client repeats itself.
    for _ in 0..3 {
        rig.after(100);
        rig.ack(0);
    }
    rig.after(60_000);
    assert!(
        rig.record().text.contains("no block of 8000 octets"),
        "{}",
        rig.record().text
    );
}
