//! What a server tells of blocks and receipts, as far as it is looked at.

use alloy_primitives::{B256, U64, U128};
use serde::Deserialize;

/// A block with the hashes of its transactions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BlockFacts {
    pub(crate) number: U64,
    pub(crate) hash: B256,
    pub(crate) parent_hash: B256,
    pub(crate) gas_limit: U64,
    pub(crate) gas_used: U64,
    pub(crate) timestamp: U64,
    #[serde(default)]
    pub(crate) base_fee_per_gas: Option<U128>,
    pub(crate) transactions: Vec<B256>,
}

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptFacts {
    pub(crate) transaction_hash: B256,
    pub(crate) block_hash: B256,
    pub(crate) block_number: U64,
    pub(crate) transaction_index: U64,
    pub(crate) status: U64,
    pub(crate) gas_used: U64,
    pub(crate) effective_gas_price: U128,
}

impl ReceiptFacts {
    /// Wei that the sender paid for it.
    pub(crate) fn fee(&self) -> u128 {
        self.gas_used.to::<u128>() * self.effective_gas_price.to::<u128>()
    }
}

/// Everything that was asked when the load was over.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// For each transaction of the plan.
    pub(crate) receipts: Vec<Option<ReceiptFacts>>,
    /// One after the other, from the first that may hold a transaction of ours.
    pub(crate) blocks: Vec<BlockFacts>,
    /// For each sender: transactions that went out of it, wei, units of the token.
    pub(crate) nonces: Vec<u64>,
    pub(crate) balances: Vec<alloy_primitives::U256>,
    /// Empty where no token was used.
    pub(crate) tokens: Vec<alloy_primitives::U256>,
    /// For each transaction that writes a slot, by its number in the plan.
    pub(crate) slots: Vec<(u32, alloy_primitives::U256)>,
}
