//! What survives a restart.

use crate::served::{Key, Served, development_spec, settings, state};
use purlin_chain_evm::{Chain, Mode, StateSettings};
use purlin_chain_proto::Address;
use purlin_chain_server::{Pace, Production, Settings};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

fn quiet(directory: &Path, pace: Pace) -> Settings {
    Settings {
        data_dir: Some(directory.to_owned()),
        production: Production {
            pace,
            ..Production::default()
        },
        ..settings()
    }
}

fn open(directory: &Path) -> Chain {
    Chain::create(Some(&directory.join("chain.redb")), development_spec(), state()).expect("a chain")
}

#[test]
fn what_waits_in_the_pool_waits_after_a_restart_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::new(quiet(directory.path(), Pace::Off), open(directory.path()));
    let (first, gap) = (
        Key::new(1).pay(0, Address::ZERO, 1),
        Key::new(2).pay(5, Address::ZERO, 1),
    );
    let first = served.send(&first);
    let gap = served.send(&gap);
    served.stop();
    let served = Served::new(quiet(directory.path(), Pace::Off), open(directory.path()));
    assert_eq!(
        served.call("txpool_status", &json!([])),
        json!({ "pending": "0x1", "queued": "0x1" })
    );
    served.stop();
    // The chain goes on where it stood: the first is mined, the other one still waits for its nonce.
    let served = Served::new(quiet(directory.path(), Pace::Instant), open(directory.path()));
    assert_eq!(served.receipt(&first)["blockNumber"], "0x1");
    assert_eq!(
        served.call("purlin_whyTransaction", &json!([gap]))["says"],
        "nonce 5 waits for 0"
    );
    served.stop();
    let served = Served::new(quiet(directory.path(), Pace::Instant), open(directory.path()));
    assert_eq!(served.call("eth_blockNumber", &json!([])), "0x1");
    assert_eq!(
        served.call("txpool_status", &json!([])),
        json!({ "pending": "0x0", "queued": "0x1" })
    );
}

#[test]
fn a_torn_journal_gives_what_is_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let served = Served::new(quiet(directory.path(), Pace::Off), open(directory.path()));
    served.send(&Key::new(1).pay(0, Address::ZERO, 1));
    served.send(&Key::new(1).pay(1, Address::ZERO, 1));
    served.stop();
    let path = directory.path().join("pool.journal");
    let whole = fs::read(&path).expect("a journal");
    fs::write(&path, &whole[..whole.len() - 3]).expect("torn");
    let served = Served::new(quiet(directory.path(), Pace::Off), open(directory.path()));
    assert_eq!(
        served.call("txpool_status", &json!([])),
        json!({ "pending": "0x1", "queued": "0x0" })
    );
}

#[test]
fn s3_34_s3_35_a_full_node_lets_go_of_what_is_older_than_its_window() {
    let window = StateSettings {
        mode: Mode::Full { blocks: 8 },
        ..state()
    };
    let chain = Chain::create(None, development_spec(), window).expect("a chain");
    let served = Served::new(settings(), chain);
    let (key, to) = (Key::new(1), Key::new(9).address());
    for nonce in 0..40 {
        let sent = served.send(&key.pay(nonce, to, 1));
        served.receipt(&sent);
    }
    let at = |block: &str| served.ask("eth_getBalance", &json!([to, block]));
    let begun = Instant::now();
    while at("0x1").get("error").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(30), "block 1 is still kept");
    }
    let words = at("0x1")["error"]["message"].to_string();
    assert!(words.contains("historical state"), "{words}");
    assert_eq!(at("0x28")["result"], "0x28");
    assert_eq!(at("0x21")["result"], "0x21");
}
