//! Validators in the genesis document: what is read, what is refused, and which rules they bring.

use purlin_chain_proto::{
    Address, B256, ChainSpec, ConsensusSpec, Header, U256, roots,
    rules::{self, HeaderFault},
};
use serde_json::{Value, json};
use std::time::Duration;

const ONE: Address = Address::repeat_byte(0x11);
const TWO: Address = Address::repeat_byte(0x22);
const GAS_LIMIT: u64 = 30_000_000;

fn section() -> Value {
    json!({
        "validators": [{"address": TWO, "power": 3}, {"address": ONE, "power": "0x1"}],
        "blockPeriodMs": 250, "blockGasLimit": "0x1c9c380"
    })
}

/// A development genesis with `section` under `config.purlin`.
fn document(section: &Value) -> Value {
    let spec = ChainSpec::development(7, &[(ONE, U256::from(5))], 1_000);
    let mut document = serde_json::to_value(spec.genesis()).expect("a document");
    document["gasLimit"] = json!(GAS_LIMIT);
    document["config"]["purlin"] = section.clone();
    document
}

fn read(document: &Value) -> Result<ChainSpec, String> {
    ChainSpec::from_json(&document.to_string()).map_err(|error| error.to_string())
}

fn spec(section: &Value) -> ChainSpec {
    read(&document(section)).expect("a chain with validators")
}

#[test]
fn the_section_is_read_as_it_stands() {
    let read_back = spec(&section());
    let wanted = ConsensusSpec {
        validators: vec![(TWO, 3), (ONE, 1)],
        period: Duration::from_millis(250),
        gas_limit: GAS_LIMIT,
    };
    assert_eq!(read_back.consensus(), Some(&wanted));
    let short = spec(&json!({"validators": [{"address": ONE, "power": 1}]}));
    let short = short.consensus().expect("one validator");
    assert_eq!(
        (short.period, short.gas_limit),
        (Duration::from_secs(1), GAS_LIMIT)
    );
    assert_eq!(spec(&Value::Null).consensus(), None);
}

#[test]
fn what_is_written_is_read_again() {
    let first = spec(&section());
    let text = serde_json::to_string(first.genesis()).expect("a document");
    let again = ChainSpec::from_json(&text).expect("what we write we read");
    assert_eq!(again.consensus(), first.consensus());
    assert_eq!(again.genesis_header(B256::ZERO), first.genesis_header(B256::ZERO));
    let mut genesis = ChainSpec::development(7, &[], 0).genesis().clone();
    let consensus = first.consensus().expect("read above");
    consensus.write(&mut genesis.config);
    let made = ChainSpec::from_genesis(genesis).expect("a genesis made in the program");
    assert_eq!(made.consensus(), Some(consensus));
}

#[test]
fn other_validators_make_another_chain() {
    let hash = |section: &Value| spec(section).genesis_header(B256::ZERO).hash_slow();
    let first = hash(&section());
    let mut turned = section();
    turned["validators"].as_array_mut().expect("a list").reverse();
    assert_eq!(hash(&turned), first, "the order of the list means nothing");
    let changed = [
        ("/validators/0/power", json!(4)),
        ("/validators/0/address", json!(Address::repeat_byte(0x33))),
        ("/blockPeriodMs", json!(251)),
        ("/blockGasLimit", json!(GAS_LIMIT + 1)),
    ];
    for (at, value) in changed {
        let mut other = section();
        *other.pointer_mut(at).expect(at) = value;
        assert_ne!(hash(&other), first, "{at}");
    }
    assert_ne!(hash(&Value::Null), first);
}

#[test]
fn a_fault_in_the_section_names_the_field_and_what_would_be_right() {
    let check = |at: &str, value: Value, wanted: &str| {
        let mut section = section();
        let (object, key) = at.rsplit_once('/').expect("a path");
        section.pointer_mut(object).expect(at)[key] = value;
        let error = read(&document(&section)).expect_err(at);
        assert!(error.contains(wanted), "{at}: {error}\n does not say: {wanted}");
    };
    let list = "config.purlin.validators";
    check(
        "/validators",
        json!([]),
        &format!("{list} is []; it must be a list of one"),
    );
    check("/validators", Value::Null, &format!("{list} is missing"));
    check(
        "/validators",
        json!({}),
        &format!("{list} is {{}}; it must be a list"),
    );
    let twice = json!([{"address": ONE, "power": 1}, {"address": ONE, "power": 1}]);
    check("/validators", twice, &format!("{list}[1].address is 0x1111"));
    let heavy = json!([{"address": ONE, "power": 1_u64 << 59}, {"address": TWO, "power": 1_u64 << 59}]);
    check("/validators", heavy, "so low that all together stay below 2^60");
    let one = |key: &str, value: Value, wanted: &str| {
        let mut validator = json!({"address": ONE, "power": 1});
        validator[key] = value;
        check(
            "/validators",
            json!([validator]),
            &format!("{list}[0].{key} {wanted}"),
        );
    };
    one("power", json!(0), "is 0; it must be above 0");
    one("power", json!("x"), "is \"x\"; it must be a number");
    one("power", Value::Null, "is missing");
    one("address", json!("0x11"), "is \"0x11\"; it must be 20 octets");
    one("address", json!(5), "is 5; it must be 20 octets");
    one("address", json!(Address::ZERO), "is 0x0000");
    one("address", Value::Null, "is missing");
    one(
        "weight",
        json!(1),
        "is no key of this section; it must be one of address, power",
    );
    check(
        "/blockPeriodMs",
        json!(49),
        "blockPeriodMs is 49; it must be from 50",
    );
    check("/blockPeriodMs", json!(3_600_001), "blockPeriodMs is 3600001");
    check(
        "/blockGasLimit",
        json!(4_999),
        "blockGasLimit is 4999; it must be from 5000",
    );
    check(
        "/blockGasLimit",
        json!(u64::MAX),
        "blockGasLimit is 18446744073709551615",
    );
    check(
        "/blockPeriod",
        json!(5),
        "config.purlin.blockPeriod is no key of this section",
    );
    let error = read(&document(&json!(5))).expect_err("no object");
    assert!(
        error.contains("config.purlin is 5; it must be an object"),
        "{error}"
    );
}

#[test]
fn the_genesis_leaves_room_for_validators() {
    let mut mixed = document(&section());
    mixed["mixHash"] = json!(B256::repeat_byte(1));
    let error = read(&mixed).expect_err("a mixHash");
    assert!(
        error.contains("mixHash is 0x0101") && error.contains("absent"),
        "{error}"
    );
    let mut mined = document(&section());
    for key in [
        "terminalTotalDifficulty",
        "shanghaiTime",
        "cancunTime",
        "pragueTime",
        "osakaTime",
    ] {
        mined["config"][key] = Value::Null;
    }
    mined["config"]["terminalTotalDifficultyPassed"] = json!(false);
    mined["difficulty"] = json!("0x20000");
    let error = read(&mined).expect_err("proof of work");
    assert!(
        error.contains("config.purlin is set; it must be absent while"),
        "{error}"
    );
}

/// What the document decides.
fn decided(spec: &ChainSpec) -> Option<u64> {
    spec.consensus().map(|consensus| consensus.gas_limit)
}

/// A parent and its child `seconds` later, right in every point.
fn pair(spec: &ChainSpec, seconds: u64) -> (Header, B256, Header) {
    let parent = spec.genesis_header(B256::ZERO);
    let (hash, timestamp) = (parent.hash_slow(), parent.timestamp + seconds);
    let child = Header {
        parent_hash: hash,
        number: 1,
        timestamp,
        gas_limit: rules::gas_limit_towards(parent.gas_limit, decided(spec).unwrap_or(parent.gas_limit)),
        base_fee_per_gas: spec.next_base_fee(&parent, timestamp),
        excess_blob_gas: spec.next_excess_blob_gas(&parent, timestamp),
        blob_gas_used: Some(0),
        withdrawals_root: Some(roots::EMPTY),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(B256::ZERO),
        ..Header::default()
    };
    (parent, hash, child)
}

#[test]
fn blocks_of_validators_may_share_a_second() {
    let with = spec(&section());
    let (parent, hash, child) = pair(&with, 0);
    let check = |header: &Header, now| rules::check_header(&with, &parent, hash, header, decided(&with), now);
    assert_eq!(check(&child, 1_000), Ok(()));
    let early = Header {
        timestamp: 999,
        ..child
    };
    let wanted = HeaderFault::TimestampTooEarly {
        earliest: 1_000,
        got: 999,
    };
    assert_eq!(check(&early, 1_000), Err(wanted));
    let (parent, hash, later) = pair(&with, 16);
    let fault = rules::check_header(&with, &parent, hash, &later, decided(&with), 1_000);
    assert_eq!(
        fault,
        Err(HeaderFault::TimestampInFuture {
            now: 1_000,
            got: 1_016
        })
    );
    let without = spec(&Value::Null);
    let (parent, hash, child) = pair(&without, 0);
    let fault = rules::check_header(&without, &parent, hash, &child, None, 1_000);
    assert_eq!(
        fault,
        Err(HeaderFault::TimestampTooEarly {
            earliest: 1_001,
            got: 1_000
        })
    );
}

#[test]
fn no_proposer_moves_the_gas_limit_elsewhere() {
    let mut higher = section();
    higher["blockGasLimit"] = json!(2 * GAS_LIMIT);
    let (up, still) = (spec(&higher), spec(&section()));
    for (spec, target) in [(&up, GAS_LIMIT + GAS_LIMIT / 1024 - 1), (&still, GAS_LIMIT)] {
        let (parent, hash, child) = pair(spec, 1);
        assert_eq!(child.gas_limit, target);
        assert_eq!(
            rules::check_header(spec, &parent, hash, &child, decided(spec), 2_000),
            Ok(())
        );
        let got = target - 1;
        let moved = Header {
            gas_limit: got,
            ..child
        };
        let fault = rules::check_header(spec, &parent, hash, &moved, decided(spec), 2_000);
        assert_eq!(fault, Err(HeaderFault::GasLimitDecided { wanted: target, got }));
    }
    let free = spec(&Value::Null);
    let (parent, hash, child) = pair(&free, 1);
    let moved = Header {
        gas_limit: GAS_LIMIT - 5,
        ..child
    };
    assert_eq!(
        rules::check_header(&free, &parent, hash, &moved, None, 2_000),
        Ok(())
    );
}
