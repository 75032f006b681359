//! `eth_feeHistory` and the oracle.

use super::forge::{Draft, GWEI, draft, who};
use crate::fees::{
    BlobFees, BlockFees, HistoryFault, NextFees, Oracle, OracleSettings, effective_gas_price, gas_price,
    history, range,
};
use proptest::prelude::*;
use purlin_chain_proto::{BlobParams, Header};

/// A block at 1 gwei of base fee whose transactions tip so many gwei and use so much gas; the beneficiary is sender 9.
fn block(number: u64, transactions: &[(u8, u128, u64)]) -> BlockFees {
    let header = Header {
        number,
        base_fee_per_gas: Some(1_000_000_000),
        gas_used: transactions.iter().map(|(_, _, gas)| gas).sum(),
        gas_limit: 100_000,
        beneficiary: who(9),
        ..Header::default()
    };
    let sign = |(sender, tip, gas): &(u8, u128, u64)| {
        (
            Draft {
                fee_cap: 100 * GWEI,
                tip: *tip,
                ..draft(*sender, 0)
            }
            .sign(),
            *gas,
        )
    };
    let signed: Vec<_> = transactions.iter().map(sign).collect();
    let with_gas = signed.iter().map(|(one, gas)| (one.inner(), one.signer(), *gas));
    BlockFees::of(&header, BlobFees::default(), with_gas)
}

#[test]
fn rewards_are_weighted_by_gas() {
    let block = block(1, &[(1, 30, 20_000), (2, 10, 60_000), (3, 20, 20_000)]);
    let rewards = block.rewards(&[0.0, 10.0, 60.0, 60.1, 80.0, 80.1, 100.0]);
    assert_eq!(rewards, [10, 10, 10, 20, 20, 30, 30]);
    assert!((block.used_ratio() - 1.0).abs() < f64::EPSILON);
}

#[test]
fn a_block_without_transactions_rewards_zero() {
    assert_eq!(block(1, &[]).rewards(&[5.0, 50.0]), [0, 0]);
}

#[test]
fn a_history_has_one_base_fee_more_than_blocks() {
    let blocks = [block(7, &[(1, 5, 50_000)]), block(8, &[])];
    let blocks: Vec<_> = blocks.iter().collect();
    let next = NextFees {
        base_fee: 900_000_000,
        blob_base_fee: 1,
    };
    let all = history(&blocks, &[50.0], next).expect("blocks");
    assert_eq!(all.oldest_block, 7);
    assert_eq!(all.base_fee_per_gas, [1_000_000_000, 1_000_000_000, 900_000_000]);
    assert_eq!(all.gas_used_ratio, [0.5, 0.0]);
    assert_eq!(all.base_fee_per_blob_gas, [0, 0, 1]);
    assert_eq!(all.blob_gas_used_ratio, [0.0, 0.0]);
    assert_eq!(all.reward, Some(vec![vec![5], vec![0]]));
    assert_eq!(history(&blocks, &[], next).expect("blocks").reward, None);
    assert_eq!(history(&[], &[], next), None);
}

#[test]
fn a_range_is_cut_at_genesis_and_at_the_limit() {
    for (count, newest, head, expected) in [
        (0, 5, 5, None),
        (1, 5, 5, Some(5..=5)),
        (3, 5, 9, Some(3..=5)),
        (100, 5, 9, Some(0..=5)),
        (5000, 5000, 5000, Some(3977..=5000)),
        (5000, 4000, 5000, Some(2977..=4000)),
        (10, 100, 5000, Some(91..=100)),
    ] {
        assert_eq!(
            range(count, newest, head, &[]),
            Ok(expected),
            "{count} up to {newest} of {head}"
        );
    }
}

#[test]
fn faults_of_a_request_have_geths_words() {
    let text = |percentiles: &[f64]| range(1, 1, 1, percentiles).map_err(|fault| fault.to_string());
    let err = |text: &str| Err(text.to_owned());
    assert_eq!(text(&[0.0, 50.5, 100.0]), Ok(Some(1..=1)));
    assert_eq!(text(&[101.0]), err("invalid reward percentile: 101.000000"));
    assert_eq!(text(&[-0.5]), err("invalid reward percentile: -0.500000"));
    assert_eq!(
        text(&[50.0, 10.0]),
        err("invalid reward percentile: #0:50.000000 >= #1:10.000000")
    );
    assert_eq!(
        text(&[5.0, 5.0]),
        err("invalid reward percentile: #0:5.000000 >= #1:5.000000")
    );
    assert_eq!(
        text(&[1.0; 101]),
        err("invalid reward percentile: over the query limit 100")
    );
    let beyond = range(1, 30, 27, &[]).expect_err("beyond");
    assert_eq!(beyond, HistoryFault::BeyondHead { newest: 30, head: 27 });
    assert_eq!(
        beyond.to_string(),
        "request beyond head block: requested 30, head 27"
    );
}

fn suggested(blocks: &[BlockFees]) -> u128 {
    Oracle::new(OracleSettings::default()).suggest(blocks.iter().rev())
}

#[test]
fn the_oracle_takes_the_60th_percentile_of_the_three_lowest() {
    let tips = |tips: &[u128]| tips.iter().map(|tip| (1, *tip, 21_000)).collect::<Vec<_>>();
    assert_eq!(suggested(&[]), 1_000_000);
    assert_eq!(suggested(&[block(1, &[])]), 1_000_000);
    assert_eq!(suggested(&[block(1, &tips(&[100, 50, 400, 300]))]), 100);
    // Five values of 3 + 2: the one at (5 - 1) * 60 / 100.
    assert_eq!(
        suggested(&[block(1, &tips(&[10, 20, 30, 99])), block(2, &tips(&[40, 50]))]),
        30
    );
}

#[test]
fn the_oracle_ignores_the_beneficiary_and_almost_nothing() {
    let own = block(
        1,
        &[(9, 777, 21_000), (1, 1, 21_000), (1, 10, 21_000), (1, 20, 21_000)],
    );
    assert_eq!(suggested(&[own]), 10);
    let genesis = block(0, &[(1, 777, 21_000)]);
    assert_eq!(suggested(&[genesis]), 1_000_000);
}

#[test]
fn blocks_that_say_little_make_the_oracle_look_further() {
    let mut blocks: Vec<_> = (1..=30)
        .map(|n| block(n, &[(1, 500, 21_000), (1, 500, 21_000)]))
        .collect();
    blocks.extend((31..=49).map(|n| block(n, &[])));
    // 19 empty blocks count as the last suggestion; the search goes on beyond 20 until 40 values are in sight.
    let mut oracle = Oracle::new(OracleSettings {
        price_first: 7,
        ..OracleSettings::default()
    });
    assert_eq!(oracle.suggest(blocks.iter().rev()), 500);
    assert_eq!(oracle.last(), 500);
    // Nothing new: the last suggestion stays.
    let empty: Vec<_> = (50..=100).map(|n| block(n, &[])).collect();
    assert_eq!(oracle.suggest(empty.iter().rev()), 500);
}

#[test]
fn the_oracle_has_a_ceiling() {
    let dear = block(1, &[(1, 99 * GWEI, 21_000)]);
    let mut oracle = Oracle::new(OracleSettings {
        price_max: GWEI,
        ..OracleSettings::default()
    });
    assert_eq!(oracle.suggest([&dear].into_iter()), GWEI);
}

#[test]
fn prices_follow_the_base_fee() {
    for (fee_cap, tip_cap, base_fee, expected) in [
        (10, 2, 5, Some(7)),
        (6, 2, 5, Some(6)),
        (5, 0, 5, Some(5)),
        (4, 4, 5, None),
        (9, 9, 0, Some(9)),
    ] {
        assert_eq!(effective_gas_price(fee_cap, tip_cap, base_fee), expected);
    }
    assert_eq!(gas_price(3, 4), 7);
}

#[test]
fn blob_fees_are_zero_before_cancun_and_a_part_of_the_most_after() {
    let params = BlobParams::cancun();
    assert_eq!(
        BlobFees::of(&Header::default(), Some(&params)),
        BlobFees::default()
    );
    let header = Header {
        excess_blob_gas: Some(0),
        blob_gas_used: Some(3 * 131_072),
        ..Header::default()
    };
    let blobs = BlobFees::of(&header, Some(&params));
    assert_eq!((blobs.base_fee, blobs.used_ratio()), (1, 0.5));
    assert_eq!(BlobFees::of(&header, None), BlobFees::default());
}

proptest! {
    /// A reward is somebody's tip, rewards ascend with their percentiles, and at each so much gas has paid no more.
    #[test]
    fn rewards_stand_where_the_gas_is(
        transactions in proptest::collection::vec((1..5_u8, 0..50_u128, 1..9_u64), 1..20),
        mut percentiles in proptest::collection::vec(0..=100_u32, 1..9),
    ) {
        percentiles.sort_unstable();
        let block = block(1, &transactions);
        let asked: Vec<f64> = percentiles.iter().map(|percentile| f64::from(*percentile)).collect();
        let rewards = block.rewards(&asked);
        prop_assert!(rewards.is_sorted());
        for (reward, percentile) in rewards.iter().zip(&percentiles) {
            let up_to = block.tips().iter().filter(|tip| tip.per_gas <= *reward).map(|tip| tip.gas).sum::<u64>();
            prop_assert!(up_to >= block.gas_used * u64::from(*percentile) / 100);
            let below = block.tips().iter().filter(|tip| tip.per_gas < *reward).map(|tip| tip.gas).sum::<u64>();
            prop_assert!(below == 0 || below < block.gas_used * u64::from(*percentile) / 100);
        }
    }
}
