//! Blocks, transactions and rules of an EVM chain, as values.
//!
//! ```text
//!   genesis document ──> ChainSpec ──> which fork, which fees, which header fields
//!   octets ──codec──> Block ──rules(parent, spec, now)──> nothing, or the HeaderFault
//!                       └───roots──> transactions, receipts, withdrawals, requests, bloom
//! ```
//!
//! It knows no state, so it cannot say what a transaction does or which state root is right; it knows no clock, file or
//! peer. The seal of proof-of-work blocks (`mixHash`, `nonce`) is not checked: chains that begin before the merge come
//! from files that their owner trusts.

pub mod codec;
mod fork;
mod genesis;
pub mod roots;
pub mod rules;
mod spec;

pub use alloy_consensus::{Header, TxReceipt, transaction::SignerRecoverable};
pub use alloy_eips::{
    eip4895::{Withdrawal, Withdrawals},
    eip7685::Requests,
    eip7840::BlobParams,
};
pub use alloy_genesis::{ChainConfig, Genesis, GenesisAccount};
pub use alloy_primitives::{Address, B64, B256, Bloom, Bytes, Log, TxKind, U256};
pub use fork::Fork;
pub use genesis::GenesisError;
pub use spec::{Activation, ChainSpec, ConsensusSpec, DEVELOPMENT_GAS_LIMIT};

/// A signed transaction of type 0 to 4; one with blobs (type 3) is without its sidecar, as blocks hold it.
pub type Transaction = alloy_consensus::EthereumTxEnvelope<alloy_consensus::TxEip4844>;

/// A transaction with the sender that its signature names.
pub type Recovered = alloy_consensus::transaction::Recovered<Transaction>;

/// Header, transactions, ommers and, since Shanghai, withdrawals.
pub type Block = alloy_consensus::Block<Transaction>;

/// Everything of a block but its header.
pub type Body = alloy_consensus::BlockBody<Transaction>;

/// A consensus receipt: type, status (before Byzantium the state root after the transaction), cumulative gas, bloom, logs.
pub type Receipt = alloy_consensus::ReceiptEnvelope;
