//! Thousands of clients that remember what they were promised, while every part of the campus fails.
//!
//! Short holds, so that all of it is over within two minutes on two processors; `cargo xtask test --all` runs the rest,
//! and `cargo xtask chaos` whatever a seed chooses, for as long as one likes.

use purlin_conformance::Fault::{self, *};
use purlin_conformance::{Orders, Plan, Standby, Trial, left_for_all};
use std::time::Duration;

/// These faults, one after the other; those of one row at once.
fn survives(seed: u64, plan: Plan, faults: &[&[Fault]]) {
    let orders = Orders {
        seed,
        plan,
        faults: faults.iter().map(|row| row.to_vec()).collect(),
        length: Duration::ZERO,
        linger: Duration::from_millis(500),
        warm_up: Duration::from_secs(4),
        loud: false,
    };
    if let Some(trial) = Trial::begin(&orders) {
        let outcome = trial.run();
        println!("{outcome}");
        outcome.must_be_good();
    }
}

/// Redis may fail at the same time: it changes nothing.
#[test]
fn no_promise_is_broken_when_nodes_are_lost() {
    let faults: [&[Fault]; 5] = [
        &[NodeKilled, RedisKilled],
        &[NodePaused, RedisFlushed],
        &[NodeRemoved, RedisFrozen],
        &[NodeClockJumps],
        &[NodesRestartInTurn],
    ];
    survives(101, Plan::default(), &faults);
}

#[test]
fn no_promise_is_broken_when_networks_are_cut() {
    let faults: [&[Fault]; 6] = [
        &[NodeCutFromDatabase],
        &[NodeHearsNoDatabase],
        &[NodesCut],
        &[NodeCutFromClients],
        &[PacketsLost],
        &[RedisCut, NodeCutFromRedis],
    ];
    survives(102, Plan::default(), &faults);
}

#[test]
fn no_promise_is_broken_when_the_database_fails_over_to_a_synchronous_standby() {
    let faults: [&[Fault]; 3] = [&[PrimaryKilled], &[StandbyCut], &[PrimaryCutOff]];
    survives(104, Plan::default(), &faults);
}

/// A second and a half of acknowledged commits are lost; who was told of them has his address all the same, and nobody
/// else has it.
#[test]
fn no_promise_is_broken_when_an_asynchronous_standby_takes_over_without_the_newest_commits() {
    let plan = Plan {
        standby: Standby::Asynchronous,
        ..Plan::default()
    };
    survives(108, plan, &[&[PrimaryLagsAndDies]]);
}

#[test]
fn no_promise_is_broken_when_the_database_or_every_node_goes_away() {
    let faults: [&[Fault]; 4] = [
        &[DatabaseRestarted],
        &[DatabaseFull],
        &[DatabaseSlow],
        &[NodesAllKilled],
    ];
    survives(105, Plan::default(), &faults);
}

/// With the default times: renewed every 3 s, valid for 15.
#[test]
fn known_clients_are_served_within_twenty_seconds_of_a_nodes_death() {
    if left_for_all() {
        return;
    }
    let plan = Plan {
        takeover: "normal",
        ..Plan::default()
    };
    survives(106, plan, &[&[NodeKilled]]);
}

#[test]
fn redis_may_be_emptied_killed_frozen_or_cut_and_nobody_waits() {
    if left_for_all() {
        return;
    }
    let faults: [&[Fault]; 5] = [
        &[RedisFlushed],
        &[RedisKilled],
        &[RedisFrozen],
        &[RedisCut],
        &[NodeCutFromRedis],
    ];
    survives(103, Plan::default(), &faults);
}

#[test]
fn no_promise_is_broken_when_failovers_follow_each_other_and_the_database_is_away_for_long() {
    if left_for_all() {
        return;
    }
    let faults: [&[Fault]; 6] = [
        &[PrimaryKilled],
        &[NodeKilled],
        &[PrimaryKilled],
        &[NodeStopped],
        &[NodeDrained],
        &[DatabaseAway],
    ];
    survives(107, Plan::default(), &faults);
}
