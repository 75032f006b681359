//! What each acknowledgement makes of the window.

use super::*;

const fn ms(millis: u64) -> BootTime {
    BootTime(millis * 1_000_000)
}

/// A file of 40 whole blocks and an empty one, windows of `windowsize`; the round trip is 10 ms.
fn sender(windowsize: u16) -> (Sender, RoundTrip) {
    let mut round = RoundTrip::default();
    round.take(10_000);
    (Sender::new(40 * 8, 8, windowsize, Rollover::Zero), round)
}

const fn window(first: u64, count: u16) -> Window {
    Window { first, count }
}

#[test]
fn a_file_ends_in_a_block_that_is_not_full() {
    for (size, last) in [(0, 1), (7, 1), (8, 2), (9, 2), (16, 3)] {
        assert_eq!(Sender::new(size, 8, 1, Rollover::Zero).last, last, "{size}");
    }
}

#[test]
fn windows_follow_each_other_to_the_end() {
    let (mut sender, mut round) = sender(16);
    assert_eq!(sender.begin(ms(0)), window(1, 16));
    assert_eq!(sender.hear(ms(10), 16, &mut round).0, Heard::Next(window(17, 16)));
    assert_eq!(sender.hear(ms(20), 32, &mut round).0, Heard::Next(window(33, 9)));
    assert_eq!(sender.hear(ms(30), 41, &mut round).0, Heard::Done);
}

#[test]
fn a_gap_restarts_the_window_once_per_acknowledgement() {
    let (mut sender, mut round) = sender(16);
    sender.begin(ms(0));
    assert_eq!(sender.hear(ms(10), 5, &mut round).0, Heard::Gap(window(6, 16)));
    for _ in 0..9 {
        assert_eq!(sender.hear(ms(10), 5, &mut round).0, Heard::Repeated);
    }
    assert_eq!(
        sender.hear(ms(30), 5, &mut round).0,
        Heard::Repeated,
        "told once is enough"
    );
    assert_eq!(sender.hear(ms(31), 21, &mut round).0, Heard::Next(window(22, 16)));
}

#[test]
fn the_first_block_of_a_window_may_be_the_lost_one() {
    let (mut sender, mut round) = sender(16);
    sender.begin(ms(0));
    sender.hear(ms(10), 16, &mut round);
    assert_eq!(
        sender.hear(ms(10), 16, &mut round).0,
        Heard::Repeated,
        "a copy by the network"
    );
    assert_eq!(sender.hear(ms(20), 16, &mut round).0, Heard::Gap(window(17, 16)));
    assert_eq!(sender.hear(ms(30), 16, &mut round).0, Heard::Repeated);
}

#[test]
fn a_copied_acknowledgement_sends_nothing_in_lock_step() {
    let (mut sender, mut round) = sender(1);
    sender.begin(ms(0));
    assert_eq!(sender.hear(ms(10), 1, &mut round).0, Heard::Next(window(2, 1)));
    for at in [10, 11, 25, 1000] {
        assert_eq!(sender.hear(ms(at), 1, &mut round).0, Heard::Repeated);
    }
}

#[test]
fn a_client_that_acknowledges_every_block_costs_one_window_more() {
    let (mut sender, mut round) = sender(4);
    sender.begin(ms(0));
    assert_eq!(sender.hear(ms(10), 1, &mut round).0, Heard::Gap(window(2, 4)));
    assert_eq!(
        sender.hear(ms(10), 2, &mut round).0,
        Heard::Part(Some(window(6, 1)))
    );
    assert_eq!(
        sender.hear(ms(10), 3, &mut round).0,
        Heard::Part(Some(window(7, 1)))
    );
    assert_eq!(
        sender.hear(ms(10), 4, &mut round).0,
        Heard::Part(Some(window(8, 1)))
    );
    assert_eq!(
        sender.hear(ms(11), 5, &mut round).0,
        Heard::Part(Some(window(9, 1)))
    );
    assert_eq!(sender.hear(ms(12), 9, &mut round).0, Heard::Next(window(10, 4)));
}

/// A copied block makes some clients acknowledge in the middle of a window, and count the next window from there.
#[test]
fn a_client_that_counts_from_elsewhere_is_back_in_step_after_one_window() {
    let (mut sender, mut round) = sender(4);
    sender.begin(ms(0));
    assert_eq!(sender.hear(ms(10), 3, &mut round).0, Heard::Gap(window(4, 4)));
    // It had block 4, acknowledges the copy, and counts the next window from there.
    assert_eq!(
        sender.hear(ms(20), 4, &mut round).0,
        Heard::Part(Some(window(8, 1)))
    );
    assert_eq!(sender.hear(ms(30), 8, &mut round).0, Heard::Next(window(9, 4)));
    assert_eq!(sender.hear(ms(40), 12, &mut round).0, Heard::Next(window(13, 4)));
}

/// A window that went twice for nothing: each block of the copy is acknowledged, and must not set off the next copy.
#[test]
fn copies_of_a_window_do_not_make_more_copies() {
    let (mut sender, mut round) = sender(4);
    sender.begin(ms(0));
    assert_eq!(sender.again(ms(9)), window(1, 4));
    assert_eq!(sender.hear(ms(10), 4, &mut round).0, Heard::Next(window(5, 4)));
    for _ in 0..4 {
        assert_eq!(sender.hear(ms(19), 4, &mut round).0, Heard::Repeated);
    }
    assert_eq!(sender.hear(ms(20), 8, &mut round).0, Heard::Next(window(9, 4)));
    assert_eq!(
        sender.hear(ms(30), 8, &mut round).0,
        Heard::Gap(window(9, 4)),
        "trusted again"
    );
}

#[test]
fn blocks_that_are_not_under_way_mean_nothing() {
    let (mut sender, mut round) = sender(4);
    sender.begin(ms(0));
    sender.hear(ms(10), 4, &mut round);
    for wire in [0, 3, 9, 41, 65_535] {
        assert_eq!(sender.hear(ms(20), wire, &mut round).0, Heard::Unknown, "{wire}");
    }
}

#[test]
fn an_answer_counts_for_the_copy_that_it_can_belong_to() {
    let (mut sender, mut round) = sender(1);
    sender.begin(ms(0));
    assert_eq!(sender.hear(ms(7), 1, &mut round).1, Some(7_000));
    sender.again(ms(20));
    assert_eq!(
        sender.hear(ms(21), 2, &mut round).1,
        Some(14_000),
        "too soon for the copy"
    );
    sender.again(ms(50));
    assert_eq!(sender.hear(ms(60), 3, &mut round).1, Some(10_000));
    sender.again(ms(100));
    assert_eq!(
        sender.hear(ms(1100), 4, &mut round).1,
        Some(1_000_000),
        "a storm teaches patience"
    );
}

#[test]
fn after_a_gap_nothing_is_measured() {
    let (mut sender, mut round) = sender(4);
    sender.begin(ms(0));
    assert_eq!(sender.hear(ms(10), 2, &mut round).1, Some(10_000));
    assert_eq!(sender.hear(ms(11), 6, &mut round).1, None);
}

#[test]
fn a_window_may_cross_the_end_of_the_numbers() {
    for (rollover, wires) in [(Rollover::Zero, [2, 6]), (Rollover::One, [3, 7])] {
        let mut round = RoundTrip::default();
        round.take(10_000);
        let mut sender = Sender::new(1 << 30, 8, 4, rollover);
        sender.acked = 65_534;
        assert_eq!(sender.begin(ms(0)), window(65_535, 4));
        let next = Heard::Next(window(65_539, 4));
        assert_eq!(sender.hear(ms(10), wires[0], &mut round).0, next, "{rollover:?}");
        assert_eq!(
            sender.hear(ms(20), wires[1], &mut round).0,
            Heard::Next(window(65_543, 4))
        );
    }
}
