//! What a genesis document may say, and the words for what it may not.

use purlin_chain_proto::{Address, B256, ChainSpec, Fork, U256, roots};
use serde_json::{Value, json};

fn document() -> Value {
    json!({
        "config": {
            "chainId": 1337, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 10,
            "pragueTime": 20,
            "blobSchedule": {"cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477}}
        },
        "gasLimit": "0x1c9c380", "difficulty": "0x0", "extraData": "0x",
        "alloc": {"0x00000000000000000000000000000000000000aa": {"balance": "1000"}}
    })
}

/// The document with `value` at a dotted path; `Value::Null` in the middle of a path is made an object.
fn with(path: &str, value: Value) -> Value {
    let mut document = document();
    let mut at = &mut document;
    for key in path.split('.') {
        at = &mut at[key];
    }
    *at = value;
    document
}

fn read(document: &Value) -> Result<ChainSpec, String> {
    ChainSpec::from_json(&document.to_string()).map_err(|error| error.to_string())
}

/// The document with `value` at `path` is refused with words that hold `wanted`.
fn refused(path: &str, value: Value, wanted: &str) {
    let error = read(&with(path, value)).expect_err(path);
    assert!(error.contains(wanted), "{path}: {error}\n does not say: {wanted}");
}

#[test]
fn a_fault_in_the_header_names_the_field_and_what_would_be_right() {
    refused(
        "gasLimit",
        json!("12x"),
        "gasLimit is \"12x\"; it must be a number from 0 to",
    );
    refused(
        "gasLimit",
        json!("0x10"),
        "gasLimit is 16; it must be at least 5000",
    );
    refused("gasLimit", Value::Null, "gasLimit is missing");
    refused(
        "coinbase",
        json!("0x00"),
        "coinbase is \"0x00\"; it must be 20 octets",
    );
    refused("number", json!(4), "number is 4; it must be 0");
    refused("config", json!(7), "config is 7; it must be an object");
}

#[test]
fn a_fault_in_the_forks_names_the_key_and_what_would_be_right() {
    let check = |key: &str, value: Value, wanted: &str| refused(&format!("config.{key}"), value, wanted);
    check(
        "chainId",
        Value::Null,
        "config.chainId is missing; it must be a number",
    );
    check("chainId", json!(0), "config.chainId is 0; it must be above 0");
    check(
        "londonBlock",
        json!(-1),
        "config.londonBlock is -1; it must be a number",
    );
    check(
        "verkleTime",
        json!(99),
        "config.verkleTime names a fork that this chain does not have",
    );
    check("amsterdamTime", json!(99), "config.amsterdamTime names a fork");
    check(
        "berlinBlock",
        json!(5),
        "config.londonBlock (0) comes before config.berlinBlock (5)",
    );
    check(
        "istanbulBlock",
        Value::Null,
        "config.berlinBlock (0) comes before config.istanbulBlock (not set)",
    );
    check(
        "pragueTime",
        json!(5),
        "config.pragueTime (5) comes before config.cancunTime (10)",
    );
    let london = "config.terminalTotalDifficulty (0) comes before config.londonBlock (not set)";
    check("londonBlock", Value::Null, london);
    check("bpo1Time", json!(30), "config.osakaTime (not set)");
    check(
        "eip155Block",
        json!(3),
        "config.eip155Block is 3; it must be the same block as eip158Block",
    );
    check(
        "blobSchedule.cancun.max",
        json!(2),
        "config.blobSchedule.cancun.max is 2; it must be above 0",
    );
    check(
        "blobSchedule.cancun.target",
        Value::Null,
        "config.blobSchedule.cancun.target is missing",
    );
}

#[test]
fn a_fault_in_an_account_names_the_field_and_what_would_be_right() {
    let account = "alloc.0x00000000000000000000000000000000000000aa";
    let field = |field: &str| format!("{account}.{field}");
    refused(account, json!({}), "aa.balance is missing");
    refused(
        &field("balance"),
        json!("0xzz"),
        "aa.balance is \"0xzz\"; it must be a number below 2^256",
    );
    refused(
        &field("code"),
        json!("0x123"),
        "aa.code is \"0x123\"; it must be octets in hexadecimal",
    );
    let storage = "aa.storage.0x01 is 5; it must be at most 32 octets";
    refused(&field("storage"), json!({"0x01": 5}), storage);
    let key = "a key of alloc is \"0x12\"; it must be an address of 20 octets";
    refused("alloc.0x12", json!({"balance": "1"}), key);
}

#[test]
fn text_that_is_no_json_is_named_by_line_and_column() {
    let error = ChainSpec::from_json("{\n  \"config\": }")
        .expect_err("no JSON")
        .to_string();
    assert!(
        error.starts_with("genesis document, line 2, column 13: no JSON"),
        "{error}"
    );
}

#[test]
fn proof_of_work_needs_the_block_of_the_merge() {
    let mut document = with("config.terminalTotalDifficulty", json!(4_732_352));
    document["config"]["shanghaiTime"] = Value::Null;
    document["config"]["cancunTime"] = Value::Null;
    document["config"]["pragueTime"] = Value::Null;
    document["difficulty"] = json!("0x20000");
    let error = read(&document).expect_err("no mergeNetsplitBlock");
    assert!(error.contains("accompanied by mergeNetsplitBlock"), "{error}");
    document["config"]["mergeNetsplitBlock"] = json!(36);
    document["config"]["clique"] = json!({"period": 5, "epoch": 9});
    assert!(
        read(&document)
            .expect_err("clique")
            .contains("config.clique is set; it must be absent")
    );
    document["config"]["clique"] = Value::Null;
    let spec = read(&document).expect("a chain with a merge");
    assert_eq!(
        (spec.fork_at(35, 0), spec.fork_at(36, 0)),
        (Fork::London, Fork::Paris)
    );
}

#[test]
fn the_genesis_header_has_the_fields_of_its_fork() {
    let fields = |path: &str, value: Value| {
        let header = read(&with(path, value))
            .expect("a document")
            .genesis_header(B256::ZERO);
        let there = [
            header.base_fee_per_gas.is_some(),
            header.withdrawals_root.is_some(),
            header.excess_blob_gas.is_some(),
            header.blob_gas_used.is_some(),
            header.parent_beacon_block_root.is_some(),
            header.requests_hash.is_some(),
        ];
        there.map(u8::from)
    };
    assert_eq!(fields("timestamp", json!(0)), [1, 1, 0, 0, 0, 0]);
    assert_eq!(fields("timestamp", json!(10)), [1, 1, 1, 1, 1, 0]);
    assert_eq!(fields("timestamp", json!(20)), [1, 1, 1, 1, 1, 1]);
    let header = read(&with("baseFeePerGas", json!("0x7")))
        .expect("a document")
        .genesis_header(B256::ZERO);
    assert_eq!(header.base_fee_per_gas, Some(7));
    let header = read(&document()).expect("a document").genesis_header(B256::ZERO);
    assert_eq!(header.base_fee_per_gas, Some(1_000_000_000));
}

/// The genesis hash of mainnet's document needs all its accounts; the empty state has a known root.
#[test]
fn the_root_of_an_empty_alloc_is_the_empty_root() {
    let spec = read(&with("alloc", json!({}))).expect("a document");
    assert_eq!(roots::state(&spec.genesis().alloc), roots::EMPTY);
}

#[test]
fn a_development_chain_has_every_fork_from_the_start() {
    let funded = [
        (Address::repeat_byte(1), U256::from(5)),
        (Address::repeat_byte(2), U256::from(6)),
    ];
    let spec = ChainSpec::development(1337, &funded, 1_700_000_000);
    assert_eq!(spec.chain_id(), 1337);
    assert_eq!(spec.fork_at(0, 1_700_000_000), Fork::Osaka);
    assert_eq!(spec.genesis().alloc[&funded[1].0].balance, funded[1].1);
    assert_eq!(spec.genesis().alloc.len(), 2 + 4);
    let header = spec.genesis_header(B256::ZERO);
    assert_eq!((header.difficulty, header.timestamp), (U256::ZERO, 1_700_000_000));
    assert!(header.requests_hash.is_some());
    let text = serde_json::to_string(spec.genesis()).expect("a document");
    let again = ChainSpec::from_json(&text).expect("what we write we read");
    assert_eq!(again.genesis_header(B256::ZERO), header);
}
