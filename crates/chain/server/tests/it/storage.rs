//! What a node does when its chain may take no more of the disk.

use crate::network::{Network, head, key, rest, until};
use crate::served::{Key, Served, development_spec, settings, state};
use purlin_chain_evm::Chain;
use purlin_chain_proto::Address;
use purlin_chain_server::{Pace, Production, Role, Settings};
use purlin_telemetry::health::State;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

/// A chain on the disk that makes a block ten times a second, whether anything waits or not.
fn steady(directory: &TempDir) -> Served {
    let path = directory.path();
    let chain = Chain::create(Some(&path.join("chain.redb")), development_spec(), state());
    let settings = Settings {
        data_dir: Some(path.to_owned()),
        production: Production {
            pace: Pace::Every {
                period: Duration::from_millis(100),
                empty: true,
            },
            ..Production::default()
        },
        ..settings()
    };
    Served::new(settings, chain.expect("a chain"))
}

/// The last of these codes that was told.
fn last_told(served: &Served) -> Option<Value> {
    let all = served.decisions();
    let mut told = all.into_iter().filter(|one| one["topic"] == "chain.storage");
    told.next_back()
}

fn says(served: &Served) -> (State, String, String) {
    let checks = served.handle.health();
    let check = checks.iter().find(|check| check.name == "chain.storage");
    let check = check.expect("there is a limit");
    let fix = check.fix.clone();
    (check.state, check.says.clone(), fix)
}

fn used(served: &Served) -> u64 {
    served.handle.storage().0
}

#[test]
fn s3_34_at_its_size_a_chain_takes_nothing_in_and_goes_on_when_it_may_take_more() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = steady(&directory);
    let first = served.send(&Key::new(1).pay(0, Address::ZERO, 1));
    served.receipt(&first);
    assert_eq!(served.handle.storage().1, None);
    assert!(
        served
            .handle
            .health()
            .iter()
            .all(|check| check.name != "chain.storage")
    );

    served.handle.limit_storage(Some(used(&served) * 100 / 95));
    until("it says that room runs out", || says(&served).0 == State::Warn);
    assert_eq!(last_told(&served).expect("told")["code"], "PUR-4141");

    let limit = used(&served) / 2;
    served.handle.limit_storage(Some(limit));
    let (state, detail, fix) = says(&served);
    assert_eq!(state, State::Fail);
    assert!(detail.starts_with("the chain's storage is full: "), "{detail}");
    assert!(fix.contains("raise chain.storage_max"), "{fix}");
    let told = last_told(&served).expect("told");
    assert_eq!(
        (&told["code"], &told["octets_max"]),
        (&json!("PUR-4142"), &json!(limit))
    );
    let next = Key::new(1).pay(1, Address::ZERO, 1);
    let (code, words) = served.fault("eth_sendRawTransaction", &json!([next]));
    assert_eq!(
        (code, words.contains("(chain.storage_max)")),
        (-32_005, true),
        "{words}"
    );
    // One that was begun before may still come.
    rest(Duration::from_millis(300));
    let stands = head(&served);
    rest(Duration::from_secs(1));
    assert_eq!(head(&served), stands, "no empty ones either");
    assert_eq!(served.call("eth_blockNumber", &json!([])), format!("{stands:#x}"));
    let metrics = served.metrics();
    assert!(
        metrics.contains(&format!("purlin_chain_storage_max_bytes {limit}")),
        "{metrics}"
    );

    served.handle.limit_storage(Some(used(&served) * 4));
    let sent = served.send(&next);
    served.receipt(&sent);
    until("it goes on", || head(&served) > stands + 2);
    assert_eq!(last_told(&served).expect("told")["code"], "PUR-4143");
}

#[test]
fn s3_34_what_waited_before_the_limit_is_not_lost_by_a_restart_and_room_that_is_made_counts() {
    let directory = tempfile::tempdir().expect("a directory");
    let ballast = directory.path().join("ballast");
    std::fs::write(&ballast, vec![7; 4 << 20]).expect("written");
    let open = || {
        let path = directory.path();
        let chain = Chain::create(Some(&path.join("chain.redb")), development_spec(), state());
        let mut quiet = settings();
        (quiet.data_dir, quiet.production.pace) = (Some(path.to_owned()), Pace::Off);
        (chain.expect("a chain"), quiet)
    };
    let (chain, quiet) = open();
    let served = Served::new(quiet, chain);
    let waits = served.send(&Key::new(1).pay(0, Address::ZERO, 1));
    let limit = used(&served) - (1 << 20);
    served.stop();

    let (chain, mut full) = open();
    (full.storage_max, full.production.pace) = (Some(limit), Pace::Instant);
    let served = Served::new(full, chain);
    assert_eq!(says(&served).0, State::Fail, "from the start on");
    assert_eq!(served.call("txpool_status", &json!([]))["pending"], "0x1");
    rest(Duration::from_millis(500));
    assert_eq!(head(&served), 0);
    std::fs::remove_file(&ballast).expect("room");
    assert_eq!(served.receipt(&waits)["blockNumber"], "0x1");
}

#[test]
fn s3_34_a_validator_and_a_follower_at_their_size_stand_still_and_catch_up_with_room() {
    let mut network = Network::of(4);
    network.start(5, Role::Follower);
    network.agree_on(2);
    for n in [4, 5] {
        network.node(n).handle.limit_storage(Some(1));
    }
    let fails = |served: &Served| {
        let checks = served.handle.health();
        let words = |says: &str| says.contains("the chain's storage is full");
        let mut agreement = checks.iter().filter(|check| check.name == "chain.consensus");
        agreement.any(|check| check.state == State::Fail && words(&check.says))
    };
    for n in [4, 5] {
        until("it stands still and says why", || fails(network.node(n)));
    }
    let stands = [4, 5].map(|n| head(network.node(n)));
    let all = network.highest();
    until("the others go on", || head(network.node(1)) > all + 4);
    assert_eq!([4, 5].map(|n| head(network.node(n))), stands);
    // What one node refuses, others take.
    let pay = Key::of(key(9).secret()).pay(0, Address::ZERO, 1);
    assert_eq!(
        network.node(5).fault("eth_sendRawTransaction", &json!([pay])).0,
        -32_005
    );
    let sent = network.node(1).send(&pay);
    network.node(1).receipt(&sent);
    for n in [4, 5] {
        network.node(n).handle.limit_storage(None);
    }
    network.agree_on(network.highest() + 2);
    until("the validator votes again", || {
        network.node(4).handle.consensus().expect("among others")["trouble"].is_null()
    });
}
