//! Who decides is changed by votes, while the chain runs: nodes come, go, and start again in the middle of it.

use crate::network::{Network, head, key, receipt, until};
use crate::served::{GWEI, Key, Served};
use alloy_primitives::TxKind;
use purlin_chain_core::constitution::{ADDRESS, Vote};
use purlin_chain_core::quorum::Change;
use purlin_chain_proto::U256;
use purlin_chain_server::Role;
use purlin_telemetry::health::State;
use serde_json::{Value, json};
use std::time::Duration;

/// Gives a vote as validator `n`, to its own node; the hash of the transaction.
fn vote(network: &Network, n: u8, vote: &Vote) -> Value {
    let (account, served) = (Key::of(key(n).secret()), network.node(n));
    let nonce = served.call("eth_getTransactionCount", &json!([account.address(), "pending"]));
    let nonce = number(&nonce);
    let raw = account.transaction(
        nonce,
        TxKind::Call(ADDRESS),
        U256::ZERO,
        vote.call_data(),
        10 * GWEI,
    );
    served.send(&raw)
}

fn number(value: &Value) -> u64 {
    let text = value.as_str().expect("a number").trim_start_matches("0x");
    u64::from_str_radix(text, 16).expect("a number")
}

/// All these vote for the same, and it is decided; the first block that it counts for.
fn decide(network: &Network, voters: &[u8], wanted: &Vote) -> u64 {
    let first = network.node(voters[0]);
    let before = newest(first);
    let sent: Vec<Value> = voters.iter().map(|n| vote(network, *n, wanted)).collect();
    let receipts: Vec<Value> = sent.iter().map(|hash| receipt(first, hash)).collect();
    assert!(
        receipts.iter().all(|receipt| receipt["status"] == "0x1"),
        "{wanted}: {receipts:?}"
    );
    let blocks = receipts.iter().map(|receipt| number(&receipt["blockNumber"]));
    let (version, from) = newest(first);
    assert_eq!(version, before.0 + 1, "{wanted}");
    assert_eq!(Some(from), blocks.max().map(|last| last + 2), "{wanted}");
    from
}

/// The newest version's number and its first block.
fn newest(served: &Served) -> (usize, u64) {
    let all = served.handle.chain().constitutions().expect("validators");
    (all.len() - 1, all.newest().from)
}

fn told(served: &Served, height: u64) -> Value {
    served.call("purlin_getValidators", &json!([format!("{height:#x}")]))
}

fn members(told: &Value) -> usize {
    told["validators"].as_array().expect("validators").len()
}

/// Whether a validator has made a block since.
fn has_made(served: &Served, n: u8, since: u64) -> bool {
    let miner = json!(key(n).address());
    (since..=head(served)).any(|number| {
        let block = served.call("eth_getBlockByNumber", &json!([format!("{number:#x}"), false]));
        block["miner"] == miner
    })
}

fn note(served: &Served) -> Value {
    served.handle.consensus().expect("among others")["note"].clone()
}

fn change(network: &mut Network) {
    // A fifth comes with a key that nobody has asked for: it follows, says so, and is not ill.
    network.start(5, Role::Validator);
    network.agree_on(head(network.node(1)) + 2);
    let fifth = network.node(5);
    let says = note(fifth);
    assert!(
        says.as_str().is_some_and(|says| says.contains("is no validator")),
        "{says}"
    );
    let health = fifth.handle.health();
    assert!(
        health.iter().all(|check| check.state != State::Fail),
        "{health:?}"
    );

    let validator = key(5).address();
    let from = decide(
        network,
        &[1, 2, 3],
        &Vote::Set(Change::Add { validator, power: 1 }),
    );
    network.agree_on(from + 1);
    for (_, served) in &network.nodes {
        assert_eq!(
            (members(&told(served, from - 1)), members(&told(served, from))),
            (4, 5)
        );
        let certificate = |height: u64| {
            served.call("purlin_getCertificate", &json!([format!("{height:#x}")]))["total"].clone()
        };
        assert_eq!((certificate(from - 1), certificate(from)), (json!(4), json!(5)));
    }
    let fifth = network.node(5);
    until("the fifth has made a block", || has_made(fifth, 5, from));
    assert_eq!(note(fifth), Value::Null);
    let told = fifth.handle.in_force_since(1);
    assert_eq!((told.len(), told[0].from), (1, from));
    assert_eq!(
        told[0].says,
        [format!("validator {validator} was added with power 1")]
    );
}

/// The node has kept the proof of a version, and it is what the state of the block that decided it says.
fn is_kept(served: &Served, version: u64, from: u64) {
    let step = served.call("purlin_getStep", &json!([format!("{version:#x}")]));
    let at = format!("{:#x}", from - 2);
    assert_eq!(step["header"], served.call("debug_getRawHeader", &json!([at])));
    assert_eq!(
        step["certificate"],
        served.call("purlin_getCertificate", &json!([at]))["raw"]
    );
    let proofs = step["account"]["storageProof"].as_array().expect("slots");
    let slots: Vec<&Value> = proofs.iter().map(|slot| &slot["key"]).collect();
    assert_eq!(
        step["account"],
        served.call("eth_getProof", &json!([ADDRESS, slots, at]))
    );
    assert!(slots.len() >= 7, "{slots:?}");
}

#[test]
fn validators_come_and_go_by_votes_and_period_and_gas_limit_change() {
    let mut network = Network::governed(4);
    network.agree_on(2);
    change(&mut network);

    // Another period, and more gas, while blocks still go down to the genesis document's. A quorum of five is four.
    let period = decide(&network, &[2, 3, 4, 5], &Vote::Period(Duration::from_millis(100)));
    network.agree_on(period);
    let gas = decide(&network, &[1, 2, 3, 5], &Vote::GasLimit(600_000_000));
    network.agree_on(gas + 1);
    let limit = |at: u64| {
        let asked = json!([format!("{at:#x}"), false]);
        let block = network.node(1).call("eth_getBlockByNumber", &asked);
        number(&block["gasLimit"])
    };
    assert!(limit(gas - 1) < limit(gas - 2));
    assert!(limit(gas) > limit(gas - 1) && limit(gas + 1) > limit(gas));

    for (_, served) in &network.nodes {
        is_kept(served, 2, period);
    }
    assert_eq!(
        network.node(1).call("purlin_getStep", &json!(["0x9"])),
        Value::Null
    );

    // All stop, and start with what is on their disks.
    for n in 1..=5 {
        network.stop(n);
    }
    for n in 1..=5 {
        network.start(n, Role::Validator);
    }
    let then = network.highest();
    network.agree_on(then + 3);
    for (n, served) in &network.nodes {
        let told = served.call("purlin_getValidators", &json!([]));
        let said = (&told["version"], &told["period_ms"], &told["gas_limit"]);
        assert_eq!(said, (&json!(3), &json!(100), &json!(600_000_000)), "node {n}");
        assert_eq!(members(&told), 5);
    }

    // The first goes: it follows, its vote counts no more, and nobody needs it.
    let gone = Vote::Set(Change::Remove {
        validator: key(1).address(),
    });
    let from = decide(&network, &[2, 3, 4, 5], &gone);
    network.agree_on(from + 3);
    let first = network.node(1);
    assert!(note(first).is_string() && first.handle.consensus().expect("among others")["votes"] == false);
    let data = Vote::GasLimit(50_000_000).call_data();
    let call = json!([{ "from": key(1).address(), "to": ADDRESS, "data": data }, "latest"]);
    let (code, says) = first.fault("eth_call", &call);
    assert_eq!(code, 3);
    assert!(says.contains("only validators vote"), "{says}");
    network.stop(1);
    let then = network.highest();
    network.agree_on(then + 4);

    // Who comes only now goes by the set of each height, one after the other.
    network.start(9, Role::Follower);
    network.agree_on(then + 6);
    assert_eq!(newest(network.node(9)), newest(network.node(2)));
    is_kept(network.node(9), 3, gas);
}

#[test]
fn who_is_voted_in_comes_in_and_who_is_voted_out_goes() {
    let mut network = Network::closed(4);
    network.agree_on(1);
    network.start(5, Role::Validator);
    let validator = key(5).address();
    let peers = |n: u8| number(&network.node(n).call("net_peerCount", &json!([])));
    assert_eq!(peers(5), 0);
    decide(
        &network,
        &[1, 2, 3],
        &Vote::Set(Change::Add { validator, power: 1 }),
    );
    until("all let it in", || peers(5) == 4);
    network.agree_on(head(network.node(1)) + 1);
    decide(&network, &[1, 2, 3, 4], &Vote::Set(Change::Remove { validator }));
    until("all have sent it away", || peers(5) == 0);
    assert_eq!(peers(1), 3);
}

#[test]
fn the_votes_of_a_chain_without_a_constitution_change_nothing() {
    let network = Network::of(1);
    network.agree_on(1);
    let validator = key(2).address();
    let hash = vote(&network, 1, &Vote::Set(Change::Add { validator, power: 1 }));
    let receipt = receipt(network.node(1), &hash);
    assert_eq!(
        (&receipt["status"], &receipt["logs"]),
        (&json!("0x1"), &json!([]))
    );
    assert_eq!(newest(network.node(1)), (0, 0));
    assert!(!network.node(1).handle.chain().governed());
}
