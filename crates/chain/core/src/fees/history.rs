//! `eth_feeHistory`: which blocks are asked for, and what is answered about them.

use super::summary::BlockFees;
use std::ops::RangeInclusive;

/// The most blocks that one request gets.
pub const BLOCKS_MAX: u64 = 1024;
/// The most percentiles that one request may name.
pub const PERCENTILES_MAX: usize = 100;

/// What is wrong with a request, in geth's words.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum HistoryFault {
    #[error("invalid reward percentile: over the query limit {PERCENTILES_MAX}")]
    TooMany,
    #[error("invalid reward percentile: {0:.6}")]
    Percentile(f64),
    #[error("invalid reward percentile: #{}:{before:.6} >= #{at}:{percentile:.6}", at - 1)]
    Descending { at: usize, before: f64, percentile: f64 },
    #[error("request beyond head block: requested {newest}, head {head}")]
    BeyondHead { newest: u64, head: u64 },
}

/// The blocks that a request for `count` blocks up to `newest` is answered with; `None` when it asks for none.
pub fn range(
    count: u64,
    newest: u64,
    head: u64,
    percentiles: &[f64],
) -> Result<Option<RangeInclusive<u64>>, HistoryFault> {
    if count == 0 {
        return Ok(None);
    }
    if percentiles.len() > PERCENTILES_MAX {
        return Err(HistoryFault::TooMany);
    }
    let mut before = None;
    for (at, percentile) in percentiles.iter().copied().enumerate() {
        if !(0.0..=100.0).contains(&percentile) {
            return Err(HistoryFault::Percentile(percentile));
        }
        if let Some(before) = before.filter(|before| percentile <= *before) {
            return Err(HistoryFault::Descending {
                at,
                before,
                percentile,
            });
        }
        before = Some(percentile);
    }
    if newest > head {
        return Err(HistoryFault::BeyondHead { newest, head });
    }
    Ok(Some((newest + 1).saturating_sub(count.min(BLOCKS_MAX))..=newest))
}

/// What the block after the newest one of a history demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NextFees {
    /// Base fee per gas in wei; zero before London.
    pub base_fee: u64,
    /// Base fee per blob gas in wei; zero before Cancun.
    pub blob_base_fee: u128,
}

/// The answer; the two lists of base fees have one entry more than there are blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct FeeHistory {
    pub oldest_block: u64,
    pub base_fee_per_gas: Vec<u64>,
    pub gas_used_ratio: Vec<f64>,
    pub base_fee_per_blob_gas: Vec<u128>,
    pub blob_gas_used_ratio: Vec<f64>,
    /// For each block, the tip at each percentile; `None` when no percentile was asked for.
    pub reward: Option<Vec<Vec<u128>>>,
}

/// Answers for these blocks, the oldest first and without a gap; `None` when there are none.
#[must_use]
pub fn history(blocks: &[&BlockFees], percentiles: &[f64], next: NextFees) -> Option<FeeHistory> {
    let oldest_block = blocks.first()?.number;
    let base_fees = blocks.iter().map(|block| block.base_fee).chain([next.base_fee]);
    let blob_fees = blocks
        .iter()
        .map(|block| block.blobs.base_fee)
        .chain([next.blob_base_fee]);
    let rewards = || blocks.iter().map(|block| block.rewards(percentiles)).collect();
    Some(FeeHistory {
        oldest_block,
        base_fee_per_gas: base_fees.collect(),
        gas_used_ratio: blocks.iter().map(|block| block.used_ratio()).collect(),
        base_fee_per_blob_gas: blob_fees.collect(),
        blob_gas_used_ratio: blocks.iter().map(|block| block.blobs.used_ratio()).collect(),
        reward: (!percentiles.is_empty()).then(rewards),
    })
}
