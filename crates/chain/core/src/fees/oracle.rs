//! The suggested tip (`eth_maxPriorityFeePerGas`), as geth finds it.
//!
//! Of each of the last 20 blocks the three lowest tips count, without those of the beneficiary itself and those below 2
//! wei; a block with nothing to count counts as the last suggestion. When a block gave one value only, another block is
//! looked at, until there are twice as many values as blocks. The 60th percentile of all is the suggestion.

use super::summary::BlockFees;

/// How many tips of one block count.
const SAMPLES: usize = 3;

/// How the suggestion is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OracleSettings {
    /// How many blocks are looked at first; at least 1.
    pub blocks: usize,
    /// Which percentile of the tips is suggested, 0 to 100.
    pub percentile: usize,
    /// Nothing above this is ever suggested, in wei per gas.
    pub price_max: u128,
    /// Tips below this do not count, in wei per gas.
    pub price_ignored: u128,
    /// What is suggested while no block says anything, in wei per gas.
    pub price_first: u128,
}

impl Default for OracleSettings {
    fn default() -> Self {
        Self {
            blocks: 20,
            percentile: 60,
            price_max: 500_000_000_000,
            price_ignored: 2,
            price_first: 1_000_000,
        }
    }
}

/// The oracle remembers its last suggestion: empty blocks do not change it.
#[derive(Debug, Clone)]
pub struct Oracle {
    settings: OracleSettings,
    last: u128,
}

impl Oracle {
    #[must_use]
    pub const fn new(settings: OracleSettings) -> Self {
        Self {
            last: settings.price_first,
            settings,
        }
    }

    /// The last suggestion, in wei per gas: the answer for as long as the head is the same.
    #[must_use]
    pub const fn last(&self) -> u128 {
        self.last
    }

    /// Suggests anew, from the head back. At most twice [`OracleSettings::blocks`] blocks are taken from the iterator, so
    /// that it can be lazy; the genesis block does not count.
    pub fn suggest<'a>(&mut self, newest_first: impl Iterator<Item = &'a BlockFees>) -> u128 {
        let mut blocks = newest_first.take_while(|block| block.number > 0);
        let wanted = self.settings.blocks.max(1);
        let mut left = wanted;
        let mut values = Vec::new();
        while left > 0 {
            left -= 1;
            let Some(block) = blocks.next() else {
                break;
            };
            let sample = self.sample(block);
            if sample.len() == 1 && values.len() + 1 + left < 2 * wanted {
                left += 1;
            }
            values.extend(sample);
        }
        values.sort_unstable();
        let at = values.len().saturating_sub(1) * self.settings.percentile.min(100) / 100;
        self.last = values
            .get(at)
            .copied()
            .unwrap_or(self.last)
            .min(self.settings.price_max);
        self.last
    }

    fn sample(&self, block: &BlockFees) -> Vec<u128> {
        let counts = block
            .tips()
            .iter()
            .filter(|tip| !tip.own && tip.per_gas >= self.settings.price_ignored);
        let sample: Vec<u128> = counts.map(|tip| tip.per_gas).take(SAMPLES).collect();
        if sample.is_empty() {
            vec![self.last]
        } else {
            sample
        }
    }
}
