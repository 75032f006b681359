//! What is remembered of a block's fees.

use alloy_consensus::Transaction as _;
use alloy_primitives::Address;
use purlin_chain_proto::{BlobParams, Header, Transaction};

/// What one transaction paid the block's producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Effective tip per gas in wei.
    pub per_gas: u128,
    /// Gas that it used.
    pub gas: u64,
    /// Whether the block's beneficiary sent it: what one pays oneself says nothing about prices.
    pub own: bool,
}

/// The blob side of a block (EIP-4844); all zero before Cancun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlobFees {
    /// Base fee per blob gas in wei.
    pub base_fee: u128,
    pub gas_used: u64,
    /// The most blob gas that a block may use at its time; zero when there are no blobs.
    pub gas_max: u64,
}

impl BlobFees {
    /// Of a block with this header, under the parameters of its time.
    #[must_use]
    pub fn of(header: &Header, params: Option<&BlobParams>) -> Self {
        let (Some(params), Some(excess)) = (params, header.excess_blob_gas) else {
            return Self::default();
        };
        Self {
            base_fee: params.calc_blob_fee(excess),
            gas_used: header.blob_gas_used.unwrap_or_default(),
            gas_max: params.max_blob_gas_per_block(),
        }
    }

    /// Used gas as a part of the most, 0 to 1.
    #[must_use]
    pub fn used_ratio(&self) -> f64 {
        ratio(self.gas_used, self.gas_max)
    }
}

/// The fees of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockFees {
    pub number: u64,
    /// Zero before London.
    pub base_fee: u64,
    pub gas_used: u64,
    pub gas_limit: u64,
    pub blobs: BlobFees,
    tips: Vec<Tip>,
}

impl BlockFees {
    /// Of a block: its transactions in order, each with its sender and the gas that it used.
    #[must_use]
    pub fn of<'a>(
        header: &Header,
        blobs: BlobFees,
        transactions: impl Iterator<Item = (&'a Transaction, Address, u64)>,
    ) -> Self {
        let base_fee = header.base_fee_per_gas.unwrap_or_default();
        let tip = |(transaction, sender, gas): (&Transaction, Address, u64)| Tip {
            per_gas: transaction.effective_tip_per_gas(base_fee).unwrap_or_default(),
            gas,
            own: sender == header.beneficiary,
        };
        let mut tips: Vec<Tip> = transactions.map(tip).collect();
        tips.sort_by_key(|tip| tip.per_gas);
        Self {
            number: header.number,
            base_fee,
            gas_used: header.gas_used,
            gas_limit: header.gas_limit,
            blobs,
            tips,
        }
    }

    /// What its transactions paid, the least first.
    #[must_use]
    pub fn tips(&self) -> &[Tip] {
        &self.tips
    }

    /// Used gas as a part of the limit, 0 to 1.
    #[must_use]
    pub fn used_ratio(&self) -> f64 {
        ratio(self.gas_used, self.gas_limit)
    }

    /// The tips that stand at these percentiles of the used gas, which must ascend: the first transaction, in the order of
    /// tips, at which so much of the block's gas is used. All zero for a block without transactions.
    #[must_use]
    pub fn rewards(&self, percentiles: &[f64]) -> Vec<u128> {
        let Some((first, _)) = self.tips.split_first() else {
            return vec![0; percentiles.len()];
        };
        let (mut at, mut used) = (0, first.gas);
        let mut reward = |percentile: &f64| {
            let threshold = (self.gas_used as f64 * percentile / 100.0) as u64;
            while used < threshold && at + 1 < self.tips.len() {
                at += 1;
                used += self.tips[at].gas;
            }
            self.tips[at].per_gas
        };
        percentiles.iter().map(&mut reward).collect()
    }
}

fn ratio(used: u64, most: u64) -> f64 {
    if most == 0 { 0.0 } else { used as f64 / most as f64 }
}
