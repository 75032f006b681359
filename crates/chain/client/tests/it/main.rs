//! The load generator, and the reader of proofs, against a node that never was: one that is right, and ones that lie.

mod light;
mod node;

use node::{Lie, Node};
use purlin_chain_client::Key;
use purlin_chain_client::bench::{BenchOptions, BenchReport, Load, run};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Forty transfers of ten senders against a node with this habit.
fn report(lie: Lie) -> BenchReport {
    let node = Node::start(lie);
    let funder = Key::development(0).unwrap();
    let options = BenchOptions {
        load: Load::Closed { in_flight: 20 },
        transactions: 40,
        senders: 10,
        connections: 2,
        batch: 5,
        timeout: Duration::from_secs(20),
        poll: Duration::from_millis(2),
        ..BenchOptions::new(node.endpoint(), funder)
    };
    run(&options, &AtomicBool::new(false), &mut |_| {}).unwrap()
}

fn check(lie: Lie, expected: &[&str]) {
    let report = report(lie);
    let found: Vec<&str> = report
        .verification
        .problems
        .iter()
        .map(|problem| problem.what)
        .collect();
    assert_eq!(found, expected, "{report:#?}");
    assert_eq!(report.is_clean(), expected.is_empty());
    assert_eq!((report.accepted, report.mined), (40, 40));
}

#[test]
fn an_honest_node_is_verified() {
    check(Lie::None, &[]);
}

#[test]
fn a_lost_receipt_is_found() {
    let gas = "a block's gas is not that of its receipts";
    let nonce = "a sender's nonce is wrong";
    let receipt = "an accepted transaction has no receipt";
    check(Lie::LosesAReceipt, &["a balance is wrong", gas, nonce, receipt]);
}

#[test]
fn a_wei_too_much_is_found() {
    check(Lie::GivesAWei, &["a balance is wrong"]);
}

#[test]
fn a_node_that_drops_connections_gets_everything_in_the_end() {
    let report = report(Lie::DropsConnections);
    assert!(report.is_clean(), "{report:#?}");
    assert!(report.resent > 0 && !report.failures.is_empty(), "{report:#?}");
    assert_eq!(report.mined, 40);
}

#[test]
fn a_pool_that_is_full_for_a_while_gets_everything_in_the_end() {
    let report = report(Lie::IsFull);
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!(report.refusals[0].message, "txpool is full");
}
