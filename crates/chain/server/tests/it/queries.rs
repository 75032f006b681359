//! Calls, estimates, traces and state, over a chain that grows.

use crate::served::{ETHER, Key, Served};
use alloy_primitives::{TxKind, U256};
use purlin_chain_proto::{Address, Bytes};
use serde_json::{Value, json};

/// Runtime code: stores the calldata's first word at slot 0 when there is one, else returns slot 0.
/// CALLDATASIZE PUSH1 0x0c JUMPI | PUSH1 0 SLOAD PUSH1 0 MSTORE ... — see `contract`.
const RUNTIME: &[u8] = &[
    0x36, 0x60, 0x0e, 0x57, // CALLDATASIZE PUSH1 14 JUMPI
    0x5f, 0x54, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3, // PUSH0 SLOAD PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    0x00, 0x00, // STOP STOP
    0x5b, 0x5f, 0x35, 0x5f, 0x55, 0x00, // JUMPDEST PUSH0 CALLDATALOAD PUSH0 SSTORE STOP
];

/// Creation code that leaves [`RUNTIME`].
fn creation() -> Bytes {
    let length = u8::try_from(RUNTIME.len()).expect("short");
    // PUSH1 length, PUSH1 11, PUSH0, CODECOPY, PUSH1 length, PUSH0, RETURN, two times nothing
    let mut code = vec![0x60, length, 0x60, 0x0a, 0x5f, 0x39, 0x60, length, 0x5f, 0xf3];
    code.extend_from_slice(RUNTIME);
    code.into()
}

/// A node with the contract, and its address.
fn contract() -> (Served, Address) {
    let served = Served::development();
    let hash = served.send(&Key::new(1).deploy(0, creation()));
    let receipt = served.receipt(&hash);
    assert_eq!(receipt["status"], "0x1");
    let address = receipt["contractAddress"]
        .as_str()
        .expect("an address")
        .parse()
        .expect("an address");
    assert_eq!(address, Key::new(1).address().create(0));
    (served, address)
}

fn word(number: u64) -> String {
    format!("0x{number:064x}")
}

fn store(served: &Served, nonce: u64, at: Address, value: u64) -> Value {
    let input = word(value).parse().expect("hex");
    let raw = Key::new(1).transaction(nonce, TxKind::Call(at), U256::ZERO, input, 10_000_000_000);
    served.receipt(&served.send(&raw))
}

#[test]
fn the_past_is_answered_as_it_was() {
    let (served, at) = contract();
    store(&served, 1, at, 42);
    store(&served, 2, at, 43);
    let call = |block: Value| served.call("eth_call", &json!([{ "to": at }, block]));
    assert_eq!(call(json!("0x1")), word(0));
    assert_eq!(call(json!("0x2")), word(42));
    for tag in ["latest", "safe", "finalized", "pending", "0x3"] {
        assert_eq!(call(json!(tag)), word(43), "{tag}");
    }
    let hash = served.call("eth_getBlockByNumber", &json!(["0x2", false]))["hash"].clone();
    assert_eq!(call(json!({ "blockHash": hash })), word(42));
    assert_eq!(
        served.call("eth_getStorageAt", &json!([at, "0x0", { "blockNumber": "0x2" }])),
        word(42)
    );
    let ahead = served.fault("eth_call", &json!([{ "to": at }, "0x9"]));
    assert_eq!(ahead, (-32_000, "header not found".to_owned()));
}

#[test]
fn a_call_may_pretend_accounts_and_blocks() {
    let (served, at) = contract();
    let call =
        |state: Value, block: Value| served.call("eth_call", &json!([{ "to": at }, "latest", state, block]));
    let slot = word(0);
    assert_eq!(
        call(
            json!({ at.to_string(): { "stateDiff": { slot.clone(): word(7) } } }),
            json!(null)
        ),
        word(7)
    );
    assert_eq!(
        call(
            json!({ at.to_string(): { "state": { slot: word(8) } } }),
            json!(null)
        ),
        word(8)
    );
    // NUMBER PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
    let number = json!({ at.to_string(): { "code": "0x435f5260205ff3" } });
    assert_eq!(call(number, json!({ "number": "0x1234" })), word(0x1234));
    let sender = json!({ "from": Address::repeat_byte(9), "to": at, "value": "0x1" });
    let poor = served.fault("eth_call", &json!([sender, "latest"]));
    assert!(poor.1.starts_with("insufficient funds"), "{poor:?}");
    let rich = json!({ Address::repeat_byte(9).to_string(): { "balance": "0x1" } });
    assert_eq!(served.call("eth_call", &json!([sender, "latest", rich])), word(0));
}

#[test]
fn a_revert_comes_with_its_octets() {
    let served = Served::development();
    let at = "0x00000000000000000000000000000000000000aa";
    // PUSH4 0xdeadbeef PUSH0 MSTORE PUSH1 4 PUSH1 28 REVERT: an error without a name.
    let code = json!({ at: { "code": "0x63deadbeef5f526004601cfd" } });
    for method in ["eth_call", "eth_estimateGas"] {
        let answer = served.ask(method, &json!([{ "to": at }, "latest", code]));
        let error = &answer["error"];
        assert_eq!(
            (&error["code"], &error["data"]),
            (&json!(3), &json!("0xdeadbeef")),
            "{method}"
        );
        assert_eq!(error["message"], "execution reverted");
    }
}

#[test]
fn an_estimate_is_enough_and_not_much_more() {
    let (served, at) = contract();
    let estimate = |request: Value| {
        let gas = served.call("eth_estimateGas", &json!([request]));
        u64::from_str_radix(gas.as_str().expect("hex").trim_start_matches("0x"), 16).expect("hex")
    };
    assert_eq!(
        estimate(json!({ "from": Key::new(1).address(), "to": Address::repeat_byte(5), "value": "0x1" })),
        21_000
    );
    let gas = estimate(json!({ "from": Key::new(1).address(), "to": at, "input": word(5) }));
    let used = store(&served, 1, at, 5)["gasUsed"].clone();
    let used = u64::from_str_radix(used.as_str().expect("hex").trim_start_matches("0x"), 16).expect("hex");
    assert!(
        (used..used + used / 10).contains(&gas),
        "estimated {gas}, used {used}"
    );
    let poor = json!({ "from": Key::new(1).address(), "to": at, "gas": "0x5300", "input": word(6) });
    let (_, words) = served.fault("eth_estimateGas", &json!([poor]));
    assert!(words.starts_with("gas required exceeds allowance"), "{words}");
}

#[test]
fn an_access_list_names_what_is_touched() {
    let (served, at) = contract();
    let list = served.call(
        "eth_createAccessList",
        &json!([{ "from": Key::new(1).address(), "to": at }, "latest"]),
    );
    assert_eq!(
        list["accessList"],
        json!([{ "address": at, "storageKeys": [word(0)] }])
    );
}

#[test]
fn transactions_are_traced_as_the_tracer_is_named() {
    let (served, at) = contract();
    let hash = store(&served, 1, at, 9)["transactionHash"].clone();
    let trace = |options: Value| served.call("debug_traceTransaction", &json!([hash, options]));
    let steps = trace(json!({}));
    assert_eq!(
        (&steps["failed"], &steps["structLogs"][0]["op"]),
        (&json!(false), &json!("CALLDATASIZE"))
    );
    let calls = trace(json!({ "tracer": "callTracer" }));
    assert_eq!((&calls["type"], &calls["to"]), (&json!("CALL"), &json!(at)));
    let before = trace(json!({ "tracer": "prestateTracer" }));
    let account = before
        .as_object()
        .expect("accounts")
        .keys()
        .any(|key| key.eq_ignore_ascii_case(&at.to_string()));
    assert!(account, "{before}");
    let diff = trace(json!({ "tracer": "prestateTracer", "tracerConfig": { "diffMode": true } }));
    assert!(diff["post"].is_object());
    assert!(trace(json!({ "tracer": "4byteTracer" })).is_object());
    let block = served.call(
        "debug_traceBlockByNumber",
        &json!(["0x2", { "tracer": "callTracer" }]),
    );
    assert_eq!(block[0]["txHash"], hash);
    let script = served.fault(
        "debug_traceTransaction",
        &json!([hash, { "tracer": "{ step: function() {} }" }]),
    );
    assert_eq!(script.0, -32_000);
}

#[test]
fn fees_are_suggested_and_told() {
    let served = Served::development();
    for nonce in 0..3 {
        served.receipt(&served.send(&Key::new(1).pay(nonce, Address::repeat_byte(1), 1)));
    }
    let history = served.call("eth_feeHistory", &json!(["0x2", "latest", [50.0]]));
    assert_eq!(history["oldestBlock"], "0x2");
    assert_eq!(history["baseFeePerGas"].as_array().map(Vec::len), Some(3));
    assert_eq!(history["reward"].as_array().map(Vec::len), Some(2));
    assert_eq!(history["blobGasUsedRatio"].to_string(), "[0,0]");
    let amount = |method: &str| {
        served
            .call(method, &json!([]))
            .as_str()
            .is_some_and(|text| text.starts_with("0x"))
    };
    for method in [
        "eth_gasPrice",
        "eth_maxPriorityFeePerGas",
        "eth_blobBaseFee",
        "eth_baseFee",
    ] {
        assert!(amount(method), "{method}");
    }
    let config = served.call("eth_config", &json!([]));
    assert_eq!(config["current"]["chainId"], "0x7a69");
    assert!(
        config["current"]["precompiles"]["P256VERIFY"].is_string(),
        "{config}"
    );
}

#[test]
fn a_proof_holds_account_and_slot() {
    let (served, at) = contract();
    store(&served, 1, at, 9);
    let proof = served.call("eth_getProof", &json!([at, ["0x0"], "latest"]));
    assert_eq!(proof["storageProof"][0]["value"], "0x9");
    assert_eq!(proof["storageProof"][0]["key"], "0x0");
    assert!(
        proof["accountProof"]
            .as_array()
            .is_some_and(|nodes| !nodes.is_empty())
    );
    let account = served.call("eth_getBalance", &json!([Key::new(2).address()]));
    assert_eq!(account, format!("{:#x}", U256::from(ETHER) * U256::from(1_000)));
}
