use super::*;
use purlin_load::Load;
use std::time::Duration;

fn ledger(load: Load, transactions: u32, connections: u32) -> Ledger {
    let plan = LoadPlan {
        load,
        ramp: Duration::ZERO,
        operations: None,
        duration: None,
    };
    Ledger::new(transactions, 4, connections, &plan)
}

fn closed(in_flight: u32, transactions: u32) -> Ledger {
    ledger(Load::Closed { in_flight }, transactions, 1)
}

fn take(ledger: &mut Ledger, lane: usize, most: usize, now_ns: u64) -> (Next, Vec<u32>) {
    let mut batch = Vec::new();
    let next = ledger.take(lane, most, now_ns, &mut batch);
    (next, batch)
}

fn block(ours: &[u32], seen_ns: u64) -> SeenBlock {
    SeenBlock {
        hash: B256::ZERO,
        seen_ns,
        gas_used: 0,
        gas_limit: 0,
        ours: ours.to_vec(),
    }
}

#[test]
fn a_closed_loop_waits_for_blocks_and_not_for_answers() {
    let mut ledger = closed(3, 8);
    assert_eq!(take(&mut ledger, 0, 10, 0), (Next::Send, vec![0, 1, 2]));
    (0..3).for_each(|number| ledger.accepted(number, 5));
    assert_eq!(take(&mut ledger, 0, 10, 6), (Next::WhenChanged, vec![]));
    ledger.block(block(&[0, 1], 7));
    assert_eq!(take(&mut ledger, 0, 10, 8), (Next::Send, vec![3, 4]));
    assert_eq!(ledger.in_flight(), 3);
}

#[test]
fn an_open_loop_goes_by_the_clock() {
    let mut ledger = ledger(Load::Open { per_second: 1000.0 }, 8, 2);
    assert_eq!(take(&mut ledger, 0, 10, 0), (Next::Send, vec![0]));
    assert_eq!(take(&mut ledger, 0, 10, 1), (Next::At(2_000_000), vec![]));
    assert_eq!(take(&mut ledger, 1, 10, 3_500_000), (Next::Send, vec![1, 3]));
    ledger.block(block(&[0, 1, 3], 9_000_000));
    // Counted from when they were due: 9 ms, 8 ms, 6 ms.
    let times = ledger.inclusion();
    let slowest = [0.1, 0.5, 1.0].map(|share| times.quantile_us(share).round() as u64 / 1000);
    assert_eq!(slowest, [6, 8, 9]);
}

#[test]
fn each_sender_keeps_to_one_connection() {
    let mut ledger = ledger(Load::Closed { in_flight: 100 }, 10, 2);
    assert_eq!(take(&mut ledger, 0, 100, 0).1, [0, 2, 4, 6, 8]);
    assert_eq!(take(&mut ledger, 1, 100, 0).1, [1, 3, 5, 7, 9]);
}

#[test]
fn what_was_not_answered_goes_out_again_first_and_in_order() {
    let mut ledger = closed(10, 5);
    let (_, batch) = take(&mut ledger, 0, 3, 0);
    ledger.unanswered(&batch, "connection refused");
    assert_eq!(take(&mut ledger, 0, 4, 1).1, [0, 1, 2, 3]);
    let counts = ledger.counts();
    assert_eq!((counts.started, counts.attempts, counts.resent), (4, 7, 3));
}

#[test]
fn a_restarted_server_gets_everything_again_but_what_is_mined() {
    let mut ledger = closed(10, 4);
    take(&mut ledger, 0, 10, 0);
    (0..3).for_each(|number| ledger.accepted(number, 1));
    ledger.block(block(&[1], 2));
    ledger.send_held_again();
    assert_eq!(take(&mut ledger, 0, 10, 3).1, [0, 2]);
    // Known ones are held as before.
    assert!(!ledger.refused(0, "already known", 4));
    assert_eq!(ledger.counts().accepted, 3);
    ledger.block(block(&[0, 2, 3], 5));
    assert!(ledger.is_over());
}

#[test]
fn a_refusal_is_tried_again_and_given_up_in_the_end() {
    let mut ledger = closed(1, 6);
    assert_eq!(take(&mut ledger, 0, 1, 0).1, [0]);
    for _ in 1..REFUSALS_MAX {
        assert!(ledger.refused(0, "txpool is full", 1));
        assert_eq!(take(&mut ledger, 0, 1, 1).1, [0]);
    }
    assert!(!ledger.refused(0, "txpool is full", 1));
    assert_eq!(ledger.counts().given_up, 1);
    // Of the same sender, number 4 is not sent either.
    let mut sent = Vec::new();
    while !ledger.is_over() {
        let (_, batch) = take(&mut ledger, 0, 1, 2);
        ledger.block(block(&batch, 3));
        sent.extend(batch);
    }
    assert_eq!(sent, [1, 2, 3, 5]);
    assert_eq!(ledger.refusals.list()[0].count, u64::from(REFUSALS_MAX));
}

#[test]
fn a_nonce_that_is_used_is_left_to_the_blocks() {
    let mut ledger = closed(1, 1);
    take(&mut ledger, 0, 1, 0);
    assert!(!ledger.refused(0, "nonce too low: next nonce 5, tx nonce 4", 1));
    assert!(take(&mut ledger, 0, 1, 1).1.is_empty());
    ledger.block(block(&[0], 2));
    assert!(ledger.is_over());
    assert_eq!(ledger.counts().accepted, 1);
}

#[test]
fn a_block_that_is_taken_back_opens_its_transactions() {
    let mut ledger = closed(4, 2);
    take(&mut ledger, 0, 4, 0);
    ledger.block(block(&[0, 1], 1));
    assert!(ledger.is_over());
    ledger.take_back();
    assert!(!ledger.is_over());
    assert_eq!(ledger.counts().blocks_taken_back, 1);
    assert_eq!(take(&mut ledger, 0, 4, 2).1, [0, 1]);
    ledger.block(block(&[0, 1], 3));
    assert_eq!((ledger.is_over(), ledger.counts().mined), (true, 2));
}

#[test]
fn a_stopped_run_waits_only_for_what_was_sent() {
    let mut ledger = closed(1, 9);
    take(&mut ledger, 0, 1, 0);
    ledger.stop();
    assert!(!ledger.is_over());
    ledger.block(block(&[0], 1));
    assert!(ledger.is_over());
    assert_eq!(ledger.counts().started, 1);
}
