//! From a signed transaction to its receipt, with gaps and replacements on the way.

use crate::served::{CHAIN_ID, ETHER, GWEI, Key, Served, development, settings};
use alloy_primitives::{TxKind, keccak256};
use purlin_chain_proto::{Address, Bytes, U256};
use purlin_chain_server::{Pace, Production, Settings};
use serde_json::{Value, json};
use std::time::Duration;

const TO: Address = Address::repeat_byte(0xee);

#[test]
fn s3_19_eth_block_number_is_answered_on_http() {
    let served = Served::development();
    assert_eq!(served.call("eth_blockNumber", &json!([])), "0x0");
    assert_eq!(served.call("eth_chainId", &json!([])), format!("{CHAIN_ID:#x}"));
    let hash = served.send(&Key::new(1).pay(0, TO, 1));
    assert_eq!(served.receipt(&hash)["status"], "0x1");
    assert_eq!(served.call("eth_blockNumber", &json!([])), "0x1");
}

#[test]
fn a_transaction_goes_from_octets_to_its_receipt() {
    let served = Served::development();
    let raw = Key::new(1).pay(0, TO, ETHER);
    let hash = served.send(&raw);
    assert_eq!(hash, json!(keccak256(&raw)));
    let receipt = served.receipt(&hash);
    assert_eq!(receipt["status"], "0x1");
    assert_eq!(receipt["gasUsed"], "0x5208");
    assert_eq!(receipt["from"], json!(Key::new(1).address()));
    assert_eq!(
        served.call("eth_getBalance", &json!([TO, "latest"])),
        format!("{ETHER:#x}")
    );
    assert_eq!(served.call("eth_getBalance", &json!([TO, "0x0"])), "0x0");
    assert_eq!(
        served.call(
            "eth_getTransactionCount",
            &json!([Key::new(1).address(), "latest"])
        ),
        "0x1"
    );
    assert_eq!(
        served.call("eth_getRawTransactionByHash", &json!([hash])),
        json!(raw)
    );
    let shown = served.call("eth_getTransactionByHash", &json!([hash]));
    assert_eq!(shown["blockHash"], receipt["blockHash"]);
    assert_eq!(shown["transactionIndex"], "0x0");
    let told = served.call("purlin_whyTransaction", &json!([hash]));
    assert_eq!(told["says"], "in block 1, place 0: executed");
}

#[test]
fn sending_and_waiting_gives_the_receipt() {
    let served = Served::development();
    let raw = Key::new(1).pay(0, TO, 1);
    let receipt = served.call("eth_sendRawTransactionSync", &json!([raw, 30_000]));
    assert_eq!(receipt["blockNumber"], "0x1");
    let gap = Key::new(2).pay(1, TO, 1);
    let (code, _) = served.fault("eth_sendRawTransactionSync", &json!([gap, 1]));
    assert_eq!(code, 4);
}

#[test]
fn a_transaction_behind_a_gap_waits_and_says_so() {
    let served = Served::still();
    let key = Key::new(1);
    let late = served.send(&key.pay(2, TO, 1));
    let status = |served: &Served| served.call("txpool_status", &json!([]));
    assert_eq!(status(&served), json!({ "pending": "0x0", "queued": "0x1" }));
    let why = |hash: &Value| served.call("purlin_whyTransaction", &json!([hash]))["says"].clone();
    assert_eq!(why(&late), "nonce 2 waits for 0");
    served.send(&key.pay(0, TO, 1));
    assert_eq!(why(&late), "nonce 2 waits for 1");
    let count = |tag: &str| served.call("eth_getTransactionCount", &json!([key.address(), tag]));
    assert_eq!((count("latest"), count("pending")), (json!("0x0"), json!("0x1")));
    served.send(&key.pay(1, TO, 1));
    assert_eq!(status(&served), json!({ "pending": "0x3", "queued": "0x0" }));
    assert_eq!(count("pending"), "0x3");
    let content = served.call("txpool_contentFrom", &json!([key.address()]));
    assert_eq!(content["pending"]["2"]["hash"], late);
    assert!(content["pending"]["2"]["blockHash"].is_null());
}

#[test]
fn a_replacement_must_pay_a_tenth_more() {
    let served = Served::still();
    let key = Key::new(1);
    let pay = |fee| key.transaction(0, TxKind::Call(TO), U256::from(1), Bytes::new(), fee);
    let old = served.send(&key.transaction(0, TxKind::Call(TO), U256::from(1), Bytes::new(), GWEI));
    let (code, words) = served.fault("eth_sendRawTransaction", &json!([pay(GWEI + 1)]));
    assert_eq!(
        (code, words.as_str()),
        (-32_000, "replacement transaction underpriced")
    );
    let again = served.fault("eth_sendRawTransaction", &json!([pay(GWEI)]));
    assert_eq!(again, (-32_000, "already known".to_owned()));
    assert!(!old.is_null());
}

#[test]
fn what_cannot_be_sent_is_refused_in_geths_words() {
    let served = Served::development();
    let refused = |raw: Value| served.fault("eth_sendRawTransaction", &json!([raw]));
    let poor = Key::new(9).pay(0, TO, 1);
    assert!(
        refused(json!(poor))
            .1
            .starts_with("insufficient funds for gas * price + value")
    );
    let first = served.send(&Key::new(1).pay(0, TO, 1));
    served.receipt(&first);
    assert!(
        refused(json!(Key::new(1).pay(0, TO, 2)))
            .1
            .starts_with("nonce too low")
    );
    assert_eq!(refused(json!("0x")).1, "typed transaction too short");
    assert!(refused(json!("0xc0")).1.starts_with("rlp: "));
    assert!(
        refused(json!("0x03c0"))
            .1
            .starts_with("transaction type not supported")
    );
    assert_eq!(refused(json!("12")).0, -32_602);
    let mut long = Key::new(1).pay(1, TO, 1).to_vec();
    long.push(0);
    assert!(refused(json!(Bytes::from(long))).1.starts_with("rlp: "));
}

#[test]
fn a_chain_with_a_period_makes_blocks_without_transactions_when_told() {
    let settings = Settings {
        production: Production {
            pace: Pace::Every {
                period: Duration::from_millis(10),
                empty: true,
            },
            ..Production::default()
        },
        ..settings()
    };
    let served = Served::new(settings, development());
    let mut ws = served.ws();
    ws.call("eth_subscribe", &json!(["newHeads"]));
    let number = |message: Value| message["params"]["result"]["number"].as_str().map(str::to_owned);
    let (first, second) = (number(ws.next()), number(ws.next()));
    assert!(first.is_some() && second.is_some() && first != second);
}
