//! Filters and subscriptions.

use crate::client::Ws;
use crate::served::{Key, Served, development, settings};
use purlin_chain_proto::{Address, Bytes};
use purlin_chain_server::{RpcLimits, Settings};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TO: Address = Address::repeat_byte(0xee);

/// Creation code that writes a log with topic 7 and leaves no contract:
/// PUSH1 7, PUSH1 0, PUSH1 0, LOG1, STOP.
const LOGS: &[u8] = &[0x60, 0x07, 0x60, 0x00, 0x60, 0x00, 0xa1, 0x00];

fn topic() -> String {
    format!("0x{:064x}", 7)
}

#[test]
fn s3_20_new_heads_are_told_over_web_socket() {
    let served = Served::development();
    let mut ws = served.ws();
    let subscription = ws.call("eth_subscribe", &json!(["newHeads"]));
    let hash = served.send(&Key::new(1).pay(0, TO, 1));
    let told = ws.next();
    assert_eq!(told["method"], "eth_subscription");
    assert_eq!(told["params"]["subscription"], subscription);
    assert_eq!(told["params"]["result"]["number"], "0x1");
    assert_eq!(
        told["params"]["result"]["hash"],
        served.receipt(&hash)["blockHash"]
    );
    assert_eq!(ws.call("eth_unsubscribe", &json!([subscription])), true);
    let again = served.send(&Key::new(1).pay(1, TO, 1));
    served.receipt(&again);
    assert_eq!(
        ws.call("eth_blockNumber", &json!([])),
        "0x2",
        "nothing came before this answer"
    );
}

#[test]
fn s3_27_any_host_name_is_answered() {
    let served = Served::development();
    for host in ["chain.example.org", "10.0.0.9:1234", "xn--e1afmkfd"] {
        let body = crate::client::request("eth_blockNumber", &json!([])).to_string();
        let reply = crate::client::http(served.http(), "POST", &format!("Host: {host}\r\n"), &body);
        assert_eq!(
            (reply.status, reply.json()["result"].clone()),
            (200, json!("0x0")),
            "{host}"
        );
    }
    let mut ws = Ws::open(served.handle.ws().expect("an address"), "chain.example.org");
    assert_eq!(ws.call("eth_blockNumber", &json!([])), "0x0");
}

#[test]
fn logs_and_arrivals_are_told_to_those_who_asked() {
    let served = Served::development();
    let (mut logs, mut others, mut arrivals) = (served.ws(), served.ws(), served.ws());
    logs.call("eth_subscribe", &json!(["logs", { "topics": [topic()] }]));
    others.call(
        "eth_subscribe",
        &json!(["logs", { "topics": [[format!("0x{:064x}", 8)]] }]),
    );
    arrivals.call("eth_subscribe", &json!(["newPendingTransactions"]));
    let hash = served.send(&Key::new(1).deploy(0, Bytes::from_static(LOGS)));
    assert_eq!(arrivals.next()["params"]["result"], hash);
    let told = logs.next()["params"]["result"].clone();
    assert_eq!(
        (&told["transactionHash"], &told["topics"]),
        (&hash, &json!([topic()]))
    );
    assert_eq!(
        others.call("eth_blockNumber", &json!([])),
        "0x1",
        "nothing for these topics"
    );
}

#[test]
fn unknown_subscriptions_are_refused() {
    let served = Served::development();
    let mut ws = served.ws();
    ws.send("eth_subscribe", &json!(["somethingElse"]));
    assert_eq!(ws.next()["error"]["code"], -32_601);
    assert_eq!(
        ws.call("eth_subscribe", &json!(["syncing"]))
            .as_str()
            .map(str::len),
        Some(34)
    );
}

#[test]
fn a_filter_gives_each_thing_once() {
    let served = Served::development();
    let install = |method: &str, params: Value| served.call(method, &params);
    let blocks = install("eth_newBlockFilter", json!([]));
    let logs = install("eth_newFilter", json!([{ "topics": [topic()] }]));
    let arrivals = install("eth_newPendingTransactionFilter", json!([]));
    let changes = |id: &Value| served.call("eth_getFilterChanges", &json!([id]));
    assert_eq!((changes(&blocks), changes(&logs)), (json!([]), json!([])));
    let hash = served.send(&Key::new(1).deploy(0, Bytes::from_static(LOGS)));
    let block = served.receipt(&hash)["blockHash"].clone();
    assert_eq!(changes(&blocks), json!([block]));
    assert_eq!(changes(&arrivals), json!([hash]));
    assert_eq!(changes(&logs)[0]["transactionHash"], hash);
    for id in [&blocks, &logs, &arrivals] {
        assert_eq!(changes(id), json!([]));
        assert_eq!(served.call("eth_uninstallFilter", &json!([id])), true);
        assert_eq!(served.call("eth_uninstallFilter", &json!([id])), false);
        let gone = served.fault("eth_getFilterChanges", &json!([id]));
        assert_eq!(gone, (-32_000, "filter not found".to_owned()));
    }
}

#[test]
fn a_filter_that_nobody_asks_lapses() {
    let rpc = RpcLimits {
        filter_lapse: Duration::ZERO,
        filters: 1,
        ..RpcLimits::default()
    };
    let served = Served::new(Settings { rpc, ..settings() }, development());
    let id = served.call("eth_newBlockFilter", &json!([]));
    let begun = Instant::now();
    while begun.elapsed().is_zero() {}
    assert_eq!(
        served.fault("eth_getFilterChanges", &json!([id])).1,
        "filter not found"
    );
    served.call("eth_newBlockFilter", &json!([]));
}
