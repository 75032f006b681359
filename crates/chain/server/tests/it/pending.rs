//! `pending`: the block that would come next, for whoever asks; and blocks that somebody wants to see built.

use crate::served::{ETHER, GWEI, Key, Served};
use alloy_primitives::{TxKind, U256};
use purlin_chain_proto::{Address, B256, Bytes};
use serde_json::{Value, json};

const TO: Address = Address::repeat_byte(0x55);

fn balance(served: &Served, tag: &str) -> Value {
    served.call("eth_getBalance", &json!([TO, tag]))
}

#[test]
fn what_waits_is_in_the_pending_block_and_in_no_other() {
    let served = Served::still();
    let hashes: Vec<Value> = (0..2)
        .map(|nonce| served.send(&Key::new(1).pay(nonce, TO, 7)))
        .collect();
    let latest = served.call("eth_getBlockByNumber", &json!(["latest", false]));
    let pending = served.call("eth_getBlockByNumber", &json!(["pending", false]));
    assert_eq!(
        (&latest["number"], &pending["number"]),
        (&json!("0x0"), &json!("0x1"))
    );
    assert_eq!(pending["parentHash"], latest["hash"]);
    assert_eq!(pending["transactions"], json!(hashes));
    assert_eq!(pending["gasUsed"], "0xa410");
    for open in ["hash", "nonce", "miner"] {
        assert!(pending[open].is_null(), "{open}: {}", pending[open]);
        assert!(!latest[open].is_null(), "{open}");
    }
    let count = |tag: &str| served.call("eth_getBlockTransactionCountByNumber", &json!([tag]));
    assert_eq!((count("latest"), count("pending")), (json!("0x0"), json!("0x2")));
    let second = json!(["pending", "0x1"]);
    let shown = served.call("eth_getTransactionByBlockNumberAndIndex", &second);
    assert_eq!(shown["hash"], hashes[1]);
    assert!(shown["blockHash"].is_null() && shown["transactionIndex"].is_null());
    assert_eq!(
        served.call("eth_getRawTransactionByBlockNumberAndIndex", &second),
        json!(Key::new(1).pay(1, TO, 7))
    );
    assert_eq!(
        (balance(&served, "latest"), balance(&served, "pending")),
        (json!("0x0"), json!("0xe"))
    );
    // Nothing of it has happened.
    assert!(served.call("eth_getBlockReceipts", &json!(["pending"])).is_null());
    assert!(
        served
            .call("eth_getTransactionReceipt", &json!([hashes[0]]))
            .is_null()
    );
    let (code, words) = served.fault("debug_traceBlockByNumber", &json!(["pending"]));
    assert_eq!(
        (code, words.contains("not there yet")),
        (-32_000, true),
        "{words}"
    );
    // What comes later is seen at once.
    served.send(&Key::new(2).pay(0, TO, 1));
    assert_eq!(balance(&served, "pending"), "0xf");
}

#[test]
fn calls_and_estimates_see_what_waits() {
    let served = Served::still();
    // Keeps 42 in slot 0 when it is made, and returns that slot when it is called.
    let code: Bytes = "0x602a5f55600880600d5f395ff35f545f5260205ff3"
        .parse()
        .expect("hex");
    let at = Key::new(1).address().create(0);
    served.send(&Key::new(1).deploy(0, code));
    let call = |tag: &str| served.call("eth_call", &json!([{ "to": at }, tag]));
    let code = |tag: &str| served.call("eth_getCode", &json!([at, tag]));
    let slot = |tag: &str| served.call("eth_getStorageAt", &json!([at, "0x0", tag]));
    assert_eq!((call("latest"), code("latest")), (json!("0x"), json!("0x")));
    assert_eq!(code("pending"), "0x5f545f5260205ff3");
    let word = format!("0x{:064x}", 0x2a);
    assert_eq!((call("pending"), slot("pending")), (json!(word), json!(word)));
    let gas = served.call("eth_estimateGas", &json!([{ "to": at }, "pending"]));
    assert!(gas.as_str().is_some_and(|gas| gas != "0x5208"), "{gas}");
    let traced = served.call(
        "debug_traceCall",
        &json!([{ "to": at }, "pending", { "tracer": "callTracer" }]),
    );
    assert_eq!(traced["output"], word);
    // What only a decided block has is read from the head.
    let proof = served.call("eth_getProof", &json!([at, [], "pending"]));
    assert_eq!(proof["nonce"], "0x0");
}

#[test]
fn an_empty_pool_has_an_empty_pending_block_after_each_head() {
    let served = Served::development();
    for number in 1..4u64 {
        let pending = served.call("eth_getBlockByNumber", &json!(["pending", true]));
        assert_eq!(
            (&pending["number"], &pending["transactions"]),
            (&json!(format!("{number:#x}")), &json!([]))
        );
        served.receipt(&served.send(&Key::new(1).pay(number - 1, TO, 1)));
        assert_eq!(balance(&served, "pending"), balance(&served, "latest"));
    }
}

/// `PayloadAttributesV3` for the block after the genesis of the development chain.
fn payload() -> Value {
    json!({
        "timestamp": format!("{:#x}", 1_700_000_100),
        "prevRandao": B256::repeat_byte(1),
        "suggestedFeeRecipient": Address::repeat_byte(2),
        "withdrawals": [],
        "parentBeaconBlockRoot": B256::ZERO,
    })
}

#[test]
fn a_block_of_named_transactions_is_built_whole_or_not_at_all() {
    let served = Served::still();
    let genesis = served.call("eth_getBlockByNumber", &json!(["0x0", false]))["hash"].clone();
    let build = |transactions: Value| json!([genesis, payload(), transactions, "0x1234"]);
    let tip = 2 * GWEI;
    let raw = Key::new(1).transaction(0, TxKind::Call(TO), U256::from(3), Bytes::new(), 10 * GWEI + tip);
    let built = served.call("testing_buildBlockV1", &build(json!([raw])));
    let block = &built["executionPayload"];
    assert_eq!(
        (&block["blockNumber"], &block["gasUsed"]),
        (&json!("0x1"), &json!("0x5208"))
    );
    assert_eq!(block["transactions"], json!([raw]));
    assert_eq!(
        (&block["extraData"], &block["parentHash"]),
        (&json!("0x1234"), &genesis)
    );
    let earned: U256 = serde_json::from_value(built["blockValue"].clone()).expect("a quantity");
    assert!(earned > U256::ZERO && earned < U256::from(ETHER), "{earned}");
    assert_eq!(earned % U256::from(21_000), U256::ZERO);
    let (code, words) = served.fault(
        "testing_buildBlockV1",
        &build(json!([raw, Key::new(2).pay(9, TO, 1)])),
    );
    assert_eq!(code, -32_000);
    assert!(words.starts_with("nonce too high: address "), "{words}");
    let unknown = json!([B256::repeat_byte(9), payload(), []]);
    assert_eq!(served.fault("testing_buildBlockV1", &unknown).0, -32_000);
    // Of what waits, whatever fits.
    served.send(&Key::new(3).pay(0, TO, 1));
    let built = served.call("testing_buildBlockV1", &json!([genesis, payload(), null]));
    assert_eq!(
        built["executionPayload"]["transactions"],
        json!([Key::new(3).pay(0, TO, 1)])
    );
    assert_eq!(
        served.call("eth_blockNumber", &json!([])),
        "0x0",
        "nothing was made of it"
    );
}
