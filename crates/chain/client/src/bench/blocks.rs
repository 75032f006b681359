//! From the blocks that were followed to their figures.

use super::ledger::SeenBlock;
use super::report::BlocksReport;

/// Figures of the blocks that came while the load ran.
pub(crate) fn blocks_report(blocks: &[SeenBlock], taken_back: u64) -> BlocksReport {
    let ours: Vec<&SeenBlock> = blocks.iter().filter(|block| !block.ours.is_empty()).collect();
    let transactions: u64 = ours.iter().map(|block| block.ours.len() as u64).sum();
    let seconds = |block: Option<&&SeenBlock>| block.map_or(0.0, |block| block.seen_ns as f64 / 1e9);
    let (first_seconds, last_seconds) = (seconds(ours.first()), seconds(ours.last()));
    let interval = |pair: &[&SeenBlock]| pair[1].seen_ns.saturating_sub(pair[0].seen_ns);
    let interval_max = ours.windows(2).map(interval).max().unwrap_or(0);
    BlocksReport {
        count: blocks.len() as u64,
        without_ours: (blocks.len() - ours.len()) as u64,
        transactions_mean: ratio(transactions as f64, ours.len() as f64),
        transactions_max: ours
            .iter()
            .map(|block| block.ours.len() as u64)
            .max()
            .unwrap_or(0),
        fullest: blocks.iter().map(fullness).fold(0.0, f64::max),
        interval_ms_mean: ratio(
            (last_seconds - first_seconds) * 1e3,
            ours.len().saturating_sub(1) as f64,
        ),
        interval_ms_max: interval_max as f64 / 1e6,
        first_seconds,
        last_seconds,
        taken_back,
    }
}

fn fullness(block: &SeenBlock) -> f64 {
    ratio(block.gas_used as f64, block.gas_limit as f64)
}

/// 0 where there is nothing to divide by.
pub(crate) fn ratio(of: f64, by: f64) -> f64 {
    if by > 0.0 { of / by } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::B256;

    fn block(ours: usize, seen_ms: u64, gas_used: u64) -> SeenBlock {
        SeenBlock {
            hash: B256::ZERO,
            seen_ns: seen_ms * 1_000_000,
            gas_used,
            gas_limit: 100,
            ours: vec![0; ours],
        }
    }

    #[test]
    fn only_blocks_with_ours_are_timed() {
        let blocks = [
            block(0, 500, 0),
            block(6, 1000, 60),
            block(2, 2500, 20),
            block(0, 4000, 0),
        ];
        let found = blocks_report(&blocks, 1);
        assert_eq!((found.count, found.without_ours, found.taken_back), (4, 2, 1));
        assert_eq!((found.transactions_mean, found.transactions_max), (4.0, 6));
        assert_eq!((found.interval_ms_mean, found.interval_ms_max), (1500.0, 1500.0));
        assert_eq!(
            (found.first_seconds, found.last_seconds, found.fullest),
            (1.0, 2.5, 0.6)
        );
    }

    #[test]
    fn no_blocks_have_no_figures() {
        let found = blocks_report(&[], 0);
        assert_eq!(
            (found.transactions_mean, found.interval_ms_mean, found.fullest),
            (0.0, 0.0, 0.0)
        );
    }
}
