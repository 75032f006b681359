//! What past blocks paid, and what to offer for the next one: geth's gas price oracle and `eth_feeHistory`.
//!
//! Both work on [`BlockFees`], a summary of a block that the shell makes once and keeps for as long as it likes. Fees are
//! wei per gas.

mod history;
mod oracle;
mod summary;

pub use history::{BLOCKS_MAX, FeeHistory, HistoryFault, NextFees, PERCENTILES_MAX, history, range};
pub use oracle::{Oracle, OracleSettings};
pub use summary::{BlobFees, BlockFees, Tip};

/// What a transaction pays per gas in a block with this base fee (EIP-1559); `None` when it does not cover it.
#[must_use]
pub fn effective_gas_price(fee_cap: u128, tip_cap: u128, base_fee: u64) -> Option<u128> {
    let base_fee = u128::from(base_fee);
    (fee_cap >= base_fee).then(|| fee_cap.min(base_fee.saturating_add(tip_cap)))
}

/// `eth_gasPrice`: the suggested tip on top of the head's base fee.
#[must_use]
pub fn gas_price(tip: u128, base_fee: u64) -> u128 {
    tip.saturating_add(base_fee.into())
}
