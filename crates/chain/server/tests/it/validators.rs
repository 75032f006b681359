//! Several nodes over real sockets: they decide blocks together, follow, go and come back.

use crate::served::{ETHER, Key, Served, development_spec, settings, state};
use purlin_chain_core::consensus::Certificate;
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_evm::Chain;
use purlin_chain_proto::{Address, B256, Bytes, ChainSpec, ConsensusSpec};
use purlin_chain_server::{
    ConsensusSettings, Guests, NodeKey, Pace, PeerAddress, PeerSettings, Role, Settings, Timeouts,
};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Generous: these are debug builds, beside other tests.
const PATIENCE: Duration = Duration::from_secs(120);

fn key(n: u8) -> NodeKey {
    NodeKey::new(B256::repeat_byte(n)).expect("a key")
}

fn spec(validators: u8) -> ChainSpec {
    let mut genesis = development_spec().genesis().clone();
    let consensus = ConsensusSpec {
        validators: (1..=validators).map(|n| (key(n).address(), 1)).collect(),
        period: Duration::from_millis(250),
        gas_limit: 60_000_000,
    };
    consensus.write(&mut genesis.config);
    ChainSpec::from_genesis(genesis).expect("a genesis")
}

/// Nodes with their directories; number n has key n.
struct Network {
    validators: u8,
    directory: TempDir,
    nodes: Vec<(u8, Served)>,
}

impl Network {
    fn of(validators: u8) -> Self {
        let mut network = Self {
            validators,
            directory: tempfile::tempdir().expect("a directory"),
            nodes: Vec::new(),
        };
        for n in 1..=validators {
            network.start(n, Role::Validator);
        }
        network
    }

    /// Starts node `n`, which dials all that are there.
    fn start(&mut self, n: u8, role: Role) {
        let home: PathBuf = self.directory.path().join(n.to_string());
        std::fs::create_dir_all(&home).expect("a directory");
        let chain =
            Chain::create(Some(&home.join("chain.redb")), spec(self.validators), state()).expect("a chain");
        let mut quiet = Settings {
            data_dir: Some(home.clone()),
            ..settings()
        };
        quiet.production.pace = Pace::Off;
        let dial = self.nodes.iter().map(|(other, served)| PeerAddress {
            id: Some(key(*other).address()),
            host: "127.0.0.1".to_owned(),
            port: served.handle.listens().expect("it listens").port(),
        });
        let among = ConsensusSettings {
            role,
            key: key(n),
            peers: PeerSettings {
                listen: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
                dial: dial.collect(),
                ..PeerSettings::default()
            },
            guests: Guests::Anybody,
            timeouts: Timeouts {
                propose: Duration::from_secs(3),
                ..Timeouts::default()
            },
            data_dir: home,
        };
        let mut served = Served::new(quiet, chain);
        served.join(among);
        self.nodes.push((n, served));
    }

    fn stop(&mut self, n: u8) {
        let at = self.nodes.iter().position(|(one, _)| *one == n).expect("it runs");
        self.nodes.remove(at).1.stop();
    }

    fn node(&self, n: u8) -> &Served {
        &self.nodes.iter().find(|(one, _)| *one == n).expect("it runs").1
    }

    /// Waits until every node has this block; its hash must be the same on all.
    fn agree_on(&self, number: u64) {
        let mut hashes = Vec::new();
        for (n, served) in &self.nodes {
            until(&format!("node {n} has block {number}"), || head(served) >= number);
            let block = served.call("eth_getBlockByNumber", &json!([format!("{number:#x}"), false]));
            hashes.push(block["hash"].clone());
        }
        assert!(
            hashes.iter().all(|hash| hash == &hashes[0] && hash.is_string()),
            "{hashes:?}"
        );
    }

    fn highest(&self) -> u64 {
        let heads = self.nodes.iter().map(|(_, served)| head(served));
        heads.max().unwrap_or_default()
    }
}

fn head(served: &Served) -> u64 {
    served.handle.head().header.number
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// That nothing happens takes time to see.
fn rest(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::thread::park_timeout(time);
    }
}

fn receipt(served: &Served, hash: &Value) -> Value {
    let mut receipt = Value::Null;
    until("there is a receipt", || {
        receipt = served.call("eth_getTransactionReceipt", &json!([hash]));
        !receipt.is_null()
    });
    receipt
}

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
