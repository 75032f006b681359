//! What a stranger cannot do.

use crate::client::{http, request};
use crate::served::{Key, Served, development, settings};
use purlin_chain_proto::Bytes;
use purlin_chain_server::{Cors, RpcLimits, Settings};
use serde_json::{Value, json};
use std::time::Duration;

fn limited(rpc: RpcLimits) -> Served {
    Served::new(Settings { rpc, ..settings() }, development())
}

fn batch(entries: usize) -> String {
    Value::from(vec![request("eth_chainId", &json!([])); entries]).to_string()
}

#[test]
fn a_batch_is_answered_entry_by_entry_up_to_its_limit() {
    let served = limited(RpcLimits {
        batch: 3,
        ..RpcLimits::default()
    });
    let mixed = json!([
        { "jsonrpc": "2.0", "id": 7, "method": "eth_chainId" },
        { "jsonrpc": "2.0", "id": "x", "method": "eth_nothing" },
        { "jsonrpc": "2.0", "id": null, "method": "eth_getBalance", "params": ["0x12"] },
    ]);
    let answers = served.post(&mixed.to_string()).json();
    let by_id = |id: Value| {
        answers
            .as_array()
            .expect("a list")
            .iter()
            .find(|one| one["id"] == id)
            .expect("an answer")
    };
    assert_eq!(by_id(json!(7))["result"], "0x7a69");
    assert_eq!(by_id(json!("x"))["error"]["code"], -32_601);
    assert_eq!(by_id(json!(null))["error"]["code"], -32_602);
    assert_eq!(served.post(&batch(3)).json().as_array().map(Vec::len), Some(3));
    assert!(
        served.post(&batch(4)).json()["error"]["code"].is_i64(),
        "one too many"
    );
    assert_eq!(served.post("[]").json()["error"]["code"], -32_600);
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let served = limited(RpcLimits {
        request_octets: 1_000,
        ..RpcLimits::default()
    });
    let long = request("web3_sha3", &json!([format!("0x{}", "00".repeat(1_000))])).to_string();
    assert_eq!(served.post(&long).status, 413);
    assert_eq!(served.call("eth_chainId", &json!([])), "0x7a69");
    assert_eq!(served.post("{").json()["error"]["code"], -32_700);
}

#[test]
fn s3_59_a_client_that_asks_too_often_is_told_so() {
    let served = limited(RpcLimits {
        rate: 1,
        burst: 3,
        ..RpcLimits::default()
    });
    let answers = served.post(&batch(5)).json();
    let codes: Vec<_> = answers
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["error"]["code"].clone())
        .collect();
    assert_eq!(codes[..3], [Value::Null, Value::Null, Value::Null]);
    assert_eq!(codes[4], -32_005);
    let reply = served.post(&batch(1));
    assert_eq!(
        (reply.status, reply.json()["error"]["code"].clone()),
        (429, json!(-32_005))
    );
}

#[test]
fn s3_43_code_that_runs_for_ever_meets_the_deadline() {
    // JUMPDEST, PUSH1 0, JUMP: with this much gas it would run for minutes.
    let rpc = RpcLimits {
        deadline: Duration::from_millis(300),
        gas_cap: u64::MAX / 2,
        ..RpcLimits::default()
    };
    let served = limited(rpc);
    let call = json!([
        { "to": "0x00000000000000000000000000000000000000aa" },
        "latest",
        { "0x00000000000000000000000000000000000000aa": { "code": "0x5b600056" } },
    ]);
    for method in ["eth_call", "eth_estimateGas", "debug_traceCall"] {
        let params = if method == "debug_traceCall" {
            json!([call[0], "latest", { "tracer": "callTracer", "stateOverrides": call[2] }])
        } else {
            call.clone()
        };
        assert_eq!(
            served.fault(method, &params),
            (-32_002, "request timed out".to_owned()),
            "{method}"
        );
    }
    assert_eq!(
        served.call("eth_chainId", &json!([])),
        "0x7a69",
        "and others are answered"
    );
}

#[test]
fn logs_are_limited_in_range_and_number() {
    let served = limited(RpcLimits {
        log_blocks: 2,
        logs: 1,
        ..RpcLimits::default()
    });
    for nonce in 0..3 {
        // Creation code that writes a log without topics.
        let hash =
            served.send(&Key::new(1).deploy(nonce, Bytes::from_static(&[0x60, 0, 0x60, 0, 0xa0, 0x00])));
        served.receipt(&hash);
    }
    let code = |from: &str, to: &str| {
        served
            .fault("eth_getLogs", &json!([{ "fromBlock": from, "toBlock": to }]))
            .0
    };
    assert_eq!(code("0x0", "0x2"), -32_005, "three blocks");
    assert_eq!(code("0x1", "0x2"), -32_005, "two logs");
    assert_eq!(code("0x3", "0x2"), -32_602, "backwards");
    assert_eq!(code("0x2", "0x9"), -32_602, "beyond the head");
    let found = served.call("eth_getLogs", &json!([{ "fromBlock": "0x3" }]));
    assert_eq!(found.as_array().map(Vec::len), Some(1));
}

#[test]
fn pages_of_other_origins_ask_as_the_setting_says() {
    let cors = Cors::Origins(vec!["https://app.example.org".to_owned()]);
    let served = Served::new(Settings { cors, ..settings() }, development());
    let ask = |method: &str, origin: &str| {
        let body = if method == "POST" {
            request("eth_chainId", &json!([])).to_string()
        } else {
            String::new()
        };
        http(served.http(), method, &format!("Origin: {origin}\r\n"), &body)
    };
    for method in ["POST", "OPTIONS"] {
        let reply = ask(method, "https://app.example.org");
        assert!(reply.status < 300);
        assert!(
            reply
                .headers
                .contains("access-control-allow-origin: https://app.example.org"),
            "{}",
            reply.headers
        );
        assert!(
            !ask(method, "https://other.example.org")
                .headers
                .contains("access-control-allow-origin")
        );
    }
}

#[test]
fn administration_is_not_served() {
    let served = Served::development();
    for method in [
        "admin_nodeInfo",
        "personal_unlockAccount",
        "miner_start",
        "debug_setHead",
        "evm_mine",
        "eth_sign",
    ] {
        assert_eq!(served.fault(method, &json!([])).0, -32_601, "{method}");
    }
}
