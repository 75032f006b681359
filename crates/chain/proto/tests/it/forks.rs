//! Where each fork begins, and what changes there.

use purlin_chain_proto::{BlobParams, ChainSpec, Fork, Header, roots};
use serde_json::json;

/// A fork every three blocks, then one every thirty seconds.
pub(crate) fn spec() -> ChainSpec {
    let document = json!({
        "config": {
            "chainId": 7, "homesteadBlock": 3, "eip150Block": 6, "eip155Block": 9, "eip158Block": 9,
            "byzantiumBlock": 12, "constantinopleBlock": 15, "petersburgBlock": 18, "istanbulBlock": 21,
            "muirGlacierBlock": 24, "berlinBlock": 27, "londonBlock": 30, "arrowGlacierBlock": 33,
            "grayGlacierBlock": 36, "mergeNetsplitBlock": 39, "terminalTotalDifficulty": 9,
            "shanghaiTime": 1000, "cancunTime": 1030, "pragueTime": 1060, "osakaTime": 1090, "bpo1Time": 1120,
            "bpo2Time": 1150, "blobSchedule": {
                "bpo1": {"target": 10, "max": 15, "baseFeeUpdateFraction": 8346193},
                "bpo2": {"target": 14, "max": 21, "baseFeeUpdateFraction": 11684671}
            }
        },
        "gasLimit": 30_000_000, "difficulty": "0x20000", "alloc": {}
    });
    ChainSpec::from_json(&document.to_string()).expect("a genesis document")
}

#[test]
fn a_fork_holds_from_its_block_or_its_second_on() {
    let spec = spec();
    let check = |number: u64, timestamp: u64, before: Fork, after: Fork| {
        let (block, time) = if timestamp == 0 {
            (number - 1, 0)
        } else {
            (number, timestamp - 1)
        };
        assert_eq!(spec.fork_at(block, time), before, "just before {after}");
        assert_eq!(spec.fork_at(number, timestamp), after);
    };
    check(3, 0, Fork::Frontier, Fork::Homestead);
    check(6, 0, Fork::Homestead, Fork::Tangerine);
    check(9, 0, Fork::Tangerine, Fork::SpuriousDragon);
    check(12, 0, Fork::SpuriousDragon, Fork::Byzantium);
    check(15, 0, Fork::Byzantium, Fork::Constantinople);
    check(18, 0, Fork::Constantinople, Fork::Petersburg);
    check(21, 0, Fork::Petersburg, Fork::Istanbul);
    check(24, 0, Fork::Istanbul, Fork::MuirGlacier);
    check(27, 0, Fork::MuirGlacier, Fork::Berlin);
    check(30, 0, Fork::Berlin, Fork::London);
    check(33, 0, Fork::London, Fork::ArrowGlacier);
    check(36, 0, Fork::ArrowGlacier, Fork::GrayGlacier);
    check(39, 0, Fork::GrayGlacier, Fork::Paris);
    check(50, 1000, Fork::Paris, Fork::Shanghai);
    check(50, 1030, Fork::Shanghai, Fork::Cancun);
    check(50, 1060, Fork::Cancun, Fork::Prague);
    check(50, 1090, Fork::Prague, Fork::Osaka);
    check(50, 1120, Fork::Osaka, Fork::Bpo1);
    check(50, 1150, Fork::Bpo1, Fork::Bpo2);
    assert_eq!(
        spec.fork_at(29, 2000),
        Fork::MuirGlacier.max(Fork::Berlin),
        "times wait for London"
    );
}

#[test]
fn the_first_base_fee_is_a_gwei_and_then_follows_the_gas() {
    let spec = spec();
    let parent = |number, gas_used, base_fee| Header {
        number,
        gas_limit: 30_000_000,
        gas_used,
        base_fee_per_gas: base_fee,
        ..Header::default()
    };
    assert_eq!(spec.next_base_fee(&parent(28, 0, None), 0), None);
    assert_eq!(spec.next_base_fee(&parent(29, 0, None), 0), Some(1_000_000_000));
    assert_eq!(spec.parent_gas_limit(&parent(29, 0, None), 0), 60_000_000);
    let next = |used| spec.next_base_fee(&parent(30, used, Some(800)), 0);
    assert_eq!(
        [next(15_000_000), next(30_000_000), next(0)],
        [Some(800), Some(900), Some(700)]
    );
    assert_eq!(spec.parent_gas_limit(&parent(30, 0, Some(800)), 0), 30_000_000);
}

#[test]
fn blobs_follow_the_schedule() {
    let spec = spec();
    let at = |timestamp| {
        spec.blob_params_at(timestamp)
            .map(|params| (params.target_blob_count, params.max_blob_count))
    };
    assert_eq!(at(1029), None);
    assert_eq!(
        [at(1030), at(1060), at(1090)],
        [Some((3, 6)), Some((6, 9)), Some((6, 9))]
    );
    assert_eq!(
        [at(1120), at(1150), at(u64::MAX)],
        [Some((10, 15)), Some((14, 21)), Some((14, 21))]
    );
    let per_transaction = |timestamp| {
        spec.blob_params_at(timestamp)
            .map(|params: BlobParams| params.max_blobs_per_tx)
    };
    assert_eq!([per_transaction(1060), per_transaction(1150)], [Some(9), Some(6)]);
}

#[test]
fn excess_blob_gas_falls_by_the_target_until_the_reserve_price_holds_it() {
    const BLOB: u64 = 131_072;
    let spec = spec();
    let parent = |excess: Option<u64>, used, base_fee| Header {
        number: 50,
        excess_blob_gas: excess,
        blob_gas_used: excess.map(|_| used),
        base_fee_per_gas: Some(base_fee),
        ..Header::default()
    };
    let next = |timestamp, excess, used, base_fee| {
        spec.next_excess_blob_gas(&parent(excess, used, base_fee), timestamp)
    };
    assert_eq!(next(1029, None, 0, 7), None);
    assert_eq!(next(1030, None, 0, 7), Some(0), "the first block with blobs");
    assert_eq!(next(1031, Some(0), 6 * BLOB, 7), Some(3 * BLOB));
    assert_eq!(
        next(1060, Some(BLOB), 6 * BLOB, 7),
        Some(BLOB),
        "measured by the child's schedule"
    );
    assert_eq!(
        next(1090, Some(BLOB), 6 * BLOB, 7),
        Some(BLOB),
        "the reserve price is below the fee"
    );
    // EIP-7918: 2^13 * base fee above 2^17 * blob fee; a third of what was used is added.
    assert_eq!(next(1090, Some(BLOB), 6 * BLOB, 1_000), Some(BLOB + 2 * BLOB));
    assert_eq!(next(1090, Some(0), BLOB, 1_000), Some(0));
}

#[test]
fn difficulty_follows_the_formula_of_each_age() {
    let check = |fork, number, difficulty: u64, passed: u64, ommers: bool, wanted: u64| {
        let parent = Header {
            number,
            difficulty: purlin_chain_proto::U256::from(difficulty),
            timestamp: 1_000,
            ommers_hash: if ommers {
                purlin_chain_proto::B256::ZERO
            } else {
                roots::EMPTY_OMMERS
            },
            ..Header::default()
        };
        let next = purlin_chain_proto::rules::next_difficulty(fork, &parent, 1_000 + passed);
        assert_eq!(
            next,
            purlin_chain_proto::U256::from(wanted),
            "{fork} after {passed} s"
        );
    };
    // Mainnet's first block.
    check(
        Fork::Frontier,
        0,
        17_179_869_184,
        1_438_269_988,
        false,
        17_171_480_576,
    );
    check(Fork::Frontier, 1, 2_048_000, 12, false, 2_049_000);
    check(Fork::Homestead, 1, 2_048_000, 9, false, 2_049_000);
    check(Fork::Homestead, 1, 2_048_000, 25, false, 2_047_000);
    check(Fork::Homestead, 1, 2_048_000, 100_000, false, 1_949_000);
    check(Fork::Byzantium, 1, 2_048_000, 8, true, 2_050_000);
    check(Fork::Byzantium, 1, 2_048_000, 9, false, 2_048_000);
    check(Fork::London, 1, 131_072, 1_000, false, 131_072);
    // The ice age: 2^(period - 2), moved back by EIP-649 and its successors.
    check(Fork::Homestead, 399_999, 2_048_000, 9, false, 2_049_000 + 4);
    check(Fork::Byzantium, 3_399_999, 2_048_000, 9, false, 2_048_000 + 4);
    check(Fork::GrayGlacier, 11_799_999, 2_048_000, 9, false, 2_048_000 + 4);
}
