//! Several nodes over real sockets: they decide blocks together, follow, go and come back.

use crate::client::request;
use crate::network::{Network, head, key, receipt, rest, until};
use crate::served::{ETHER, Key};
use purlin_chain_core::consensus::Certificate;
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_proto::{Address, B256, Bytes};
use purlin_chain_server::Role;
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn s3_four_validators_decide_the_same_blocks_and_prove_it() {
    let network = Network::of(4);
    network.agree_on(2);
    let to = Address::repeat_byte(0xee);
    let hash = network.node(2).send(&Key::new(1).pay(0, to, ETHER));
    let mined: Vec<Value> = network
        .nodes
        .iter()
        .map(|(_, served)| receipt(served, &hash))
        .collect();
    assert!(mined.iter().all(|receipt| receipt == &mined[0]), "{mined:?}");
    let number = mined[0]["blockNumber"].clone();
    for (n, served) in &network.nodes {
        let balance = served.call("eth_getBalance", &json!([to, "latest"]));
        assert_eq!(balance, json!(format!("{ETHER:#x}")), "node {n}");
        // Whoever has the genesis document can check it.
        let told = served.call("purlin_getCertificate", &json!([number]));
        let octets: Bytes = serde_json::from_value(told["raw"].clone()).expect("octets");
        let certificate = Certificate::decode(&octets).expect("a certificate");
        let set = ValidatorSet::new((1..=4).map(|n| (key(n).address(), 1))).expect("a set");
        let genesis = served.handle.chain().store().genesis_hash();
        let power = certificate
            .verify_signed(genesis, &set)
            .expect("signed by a quorum");
        assert!(power >= 3, "{power}");
        assert_eq!(json!(certificate.hash), mined[0]["blockHash"]);
        assert!(
            certificate.verify_signed(B256::repeat_byte(1), &set).is_err(),
            "another chain's"
        );
    }
    let told = network.node(1).call("purlin_getValidators", &json!([]));
    assert_eq!(
        (&told["quorum"], &told["total"], &told["faulty"]),
        (&json!(3), &json!(4), &json!(1))
    );
}

#[test]
fn s3_one_of_four_may_go_two_stop_the_chain_and_who_comes_back_catches_up() {
    let mut network = Network::of(4);
    network.agree_on(2);
    network.stop(4);
    let then = network.highest();
    network.agree_on(then + 3);
    network.stop(3);
    // What was on its way may still be decided; after that nothing is.
    let mut stood = network.highest();
    until("nothing is decided", || {
        rest(Duration::from_secs(5));
        let now = network.highest();
        std::mem::replace(&mut stood, now) == now
    });
    let hash = network
        .node(1)
        .send(&Key::new(1).pay(0, Address::repeat_byte(0xaa), 1));
    network.start(3, Role::Validator);
    network.start(4, Role::Validator);
    let number = receipt(network.node(4), &hash)["blockNumber"].clone();
    let number = u64::from_str_radix(number.as_str().expect("a number").trim_start_matches("0x"), 16);
    network.agree_on(number.expect("a number") + 2);
}

#[test]
fn s3_what_one_validator_takes_in_one_batch_all_of_them_mine_and_nobody_is_blamed() {
    let network = Network::of(4);
    network.agree_on(2);
    let (to, payer) = (Address::repeat_byte(0xcd), Key::new(1));
    let pays = (0..400).map(|nonce| request("eth_sendRawTransaction", &json!([payer.pay(nonce, to, 1)])));
    let batch = Value::from_iter(pays).to_string();
    let answers = network.node(2).post(&batch).json();
    let answers = answers.as_array().expect("a batch");
    assert_eq!(answers.len(), 400);
    assert!(
        answers.iter().all(|answer| answer["result"].is_string()),
        "{answers:?}"
    );
    for (n, served) in &network.nodes {
        // The nonces put them in order: with the last, all are there.
        receipt(served, &answers[399]["result"]);
        let balance = served.call("eth_getBalance", &json!([to, "latest"]));
        assert_eq!(balance, "0x190", "node {n}");
        assert_eq!(served.call("net_peerCount", &json!([])), "0x3", "node {n}");
    }
}

#[test]
fn s3_a_follower_follows_takes_transactions_and_votes_for_nothing() {
    let mut network = Network::of(1);
    network.agree_on(5);
    network.start(9, Role::Follower);
    network.agree_on(7);
    let follower = network.node(9);
    until("it sees its peer", || {
        follower.call("net_peerCount", &json!([])) == json!("0x1")
    });
    let hash = follower.send(&Key::new(3).pay(0, Address::repeat_byte(0xbb), 5));
    receipt(network.node(1), &hash);
    receipt(follower, &hash);
    let raw = follower.call("purlin_getCertificate", &json!(["latest"]));
    assert_eq!(raw["commits"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        follower.handle.consensus().expect("among others")["decided"],
        0,
        "it counted no votes"
    );
    // Blocks of its own it makes none: without the validator nothing happens.
    network.stop(1);
    let stood = head(network.node(9));
    let late = network
        .node(9)
        .send(&Key::new(3).pay(1, Address::repeat_byte(0xbb), 5));
    rest(Duration::from_secs(2));
    assert_eq!(head(network.node(9)), stood);
    // It said its transaction to nobody; when somebody is there again, it says it again.
    network.start(1, Role::Validator);
    receipt(network.node(9), &late);
}

#[test]
fn a_validator_whose_key_signed_later_than_its_state_is_votes_only_from_the_height_after() {
    let mut network = Network::of(4);
    network.agree_on(3);
    let marked = |network: &Network| -> u64 {
        let text = std::fs::read_to_string(network.mark(4)).expect("a mark");
        text.trim().parse().expect("a height")
    };
    until("it is written down that it has signed", || marked(&network) >= 3);
    network.stop(3);
    network.stop(4);
    let signed = marked(&network);
    assert!(signed.abs_diff(head(network.node(1))) <= 2, "{signed}");
    // As if it had gone on elsewhere, with this key, before it begins anew from older state: here from the first block.
    let later = network.highest() + 4;
    std::fs::write(network.mark(4), format!("{later:020}\n")).expect("written");
    network.wipe(4);
    network.start(4, Role::Validator);
    let told = |network: &Network| network.node(4).handle.consensus().expect("among others");
    until("it has caught up", || head(network.node(4)) == network.highest());
    until("it says from when on it votes", || {
        told(&network)["votes_from"] == json!(later + 1)
    });
    assert_eq!(told(&network)["votes"], false);
    let checks = network.node(4).handle.health();
    let check = checks
        .iter()
        .find(|check| check.name == "chain.consensus")
        .expect("a check");
    assert!(
        check.says.contains(&format!("has signed up to height {later}")),
        "{}",
        check.says
    );
    // Three of four are here, and it is the third that a quorum would need.
    let stands = network.highest();
    rest(Duration::from_secs(4));
    assert_eq!(network.highest(), stands);
    network.start(3, Role::Validator);
    network.agree_on(later + 2);
    until("it votes again", || told(&network)["votes"] == true);
    network.stop(3);
    network.agree_on(network.highest() + 2);
    assert!(marked(&network) > later);
}
