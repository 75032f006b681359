//! Blocks, transactions, receipts and logs as JSON-RPC writes them: the same keys in the same cases as geth.

mod block;
mod log;
mod receipt;
mod transaction;

pub(crate) use block::{BlockShape, HeaderShape, Transactions};
pub(crate) use log::{LogPlace, LogShape};
pub(crate) use receipt::{BlockFacts, block_receipts};
pub(crate) use transaction::{TransactionPlace, TransactionShape};
