//! Thousands of clients that remember what they were promised, while every part of the campus fails.

use purlin_conformance::{Fault, Orders, Plan, Standby, Trial};
use std::time::Duration;

/// These faults, one after the other.
fn survives(seed: u64, plan: Plan, faults: &[Fault]) {
    let orders = Orders {
        seed,
        plan,
        faults: faults.to_vec(),
        length: Duration::ZERO,
        loud: false,
    };
    if let Some(trial) = Trial::begin(&orders) {
        let outcome = trial.run();
        println!("{outcome}");
        outcome.must_be_good();
    }
}

#[test]
fn no_promise_is_broken_when_nodes_are_lost() {
    let faults = [
        Fault::NodeKilled,
        Fault::NodePaused,
        Fault::NodeStopped,
        Fault::NodeDrained,
        Fault::NodeRemoved,
    ];
    survives(101, Plan::default(), &faults);
}

#[test]
fn no_promise_is_broken_when_networks_are_cut() {
    let faults = [
        Fault::NodeCutFromDatabase,
        Fault::NodeHearsNoDatabase,
        Fault::NodesCut,
        Fault::PacketsLost,
    ];
    survives(102, Plan::default(), &faults);
}

#[test]
fn redis_may_be_emptied_killed_frozen_or_cut_and_nobody_waits() {
    let faults = [
        Fault::RedisFlushed,
        Fault::RedisKilled,
        Fault::RedisFrozen,
        Fault::RedisCut,
        Fault::NodeCutFromRedis,
    ];
    survives(103, Plan::default(), &faults);
}

#[test]
fn no_promise_is_broken_when_the_database_fails_over_to_a_synchronous_standby() {
    let faults = [
        Fault::PrimaryKilled,
        Fault::StandbyCut,
        Fault::PrimaryCutOff,
        Fault::NodeKilled,
        Fault::PrimaryKilled,
    ];
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
    survives(107, plan, &[Fault::PrimaryLagsAndDies]);
}

#[test]
fn no_promise_is_broken_when_the_database_restarts_or_its_disk_is_full() {
    let faults = [Fault::DatabaseRestarted, Fault::DatabaseFull];
    survives(105, Plan::default(), &faults);
}

/// With the default times: renewed every 3 s, valid for 15.
#[test]
fn known_clients_are_served_within_twenty_seconds_of_a_nodes_death() {
    let plan = Plan {
        takeover: "normal",
        ..Plan::default()
    };
    survives(106, plan, &[Fault::NodeKilled]);
}
