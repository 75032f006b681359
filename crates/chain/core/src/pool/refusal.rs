//! Why a transaction is not taken in, in geth's words: clients match on them.

use alloy_primitives::{Address, U256, U512};

/// Why [`Pool::insert`](super::Pool::insert) refuses a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The same transaction is in the pool.
    #[error("already known")]
    AlreadyKnown,
    /// Blob transactions need a blob network, which this chain has not.
    #[error(
        "transaction type not supported: tx type 3 not supported by this pool: this chain carries no blobs"
    )]
    Blobs,
    /// The chain's rules do not know this type yet.
    #[error("transaction type not supported: type {kind} rejected, pool not yet in {fork}")]
    TypeNotYet { kind: u8, fork: &'static str },
    /// Larger than the pool takes.
    #[error("oversized data: transaction size {bytes}, limit {limit}")]
    Oversized { bytes: usize, limit: usize },
    /// More init code than EIP-3860 allows.
    #[error("max initcode size exceeded: code size {bytes}, limit {limit}")]
    InitCode { bytes: usize, limit: usize },
    /// More gas than EIP-7825 allows.
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas})")]
    GasCap { cap: u64, gas: u64 },
    /// More gas than a block has.
    #[error("exceeds block gas limit")]
    BlockGasLimit { gas: u64, limit: u64 },
    /// The tip is above the fee cap.
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveFeeCap { tip: u128, fee_cap: u128 },
    /// Signed for another chain.
    #[error("invalid sender: invalid chain id for signer: have {have} want {want}")]
    ChainId { have: u64, want: u64 },
    /// Signed for any chain.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// The nonce cannot be counted up any more (EIP-2681).
    #[error("nonce has max value")]
    NonceMax,
    /// Less gas than the transaction costs before anything runs.
    #[error("intrinsic gas too low: gas {gas}, minimum needed {needed}")]
    IntrinsicGas { gas: u64, needed: u64 },
    /// Less gas than the floor of its data (EIP-7623).
    #[error("insufficient gas for floor data gas cost: gas {gas}, minimum needed {needed}")]
    FloorDataGas { gas: u64, needed: u64 },
    /// A tip below the least that the pool takes.
    #[error("transaction gas price below minimum: gas tip cap {tip}, minimum needed {least}")]
    TipTooLow { tip: u128, least: u128 },
    /// A set-code transaction that sets nothing.
    #[error("set code tx must have at least one authorization tuple")]
    NoAuthorizations,
    /// The nonce is used.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow { next: u64, nonce: u64 },
    /// The nonce is further ahead than the pool keeps.
    #[error("nonce too high: tx nonce {nonce}, next nonce {next}, at most {gap_max} ahead")]
    NonceTooHigh { next: u64, nonce: u64, gap_max: u64 },
    /// The balance does not cover this transaction.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}",
        cost - U512::from(*balance)
    )]
    Funds { balance: U256, cost: U512 },
    /// The balance does not cover this transaction and those that go before it.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx cost {cost}, \
         overshot {}",
        U512::from(*queued) + U512::from(*cost) - U512::from(*balance)
    )]
    FundsQueued { balance: U256, queued: U256, cost: U256 },
    /// The balance does not cover what the replacement costs more.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx bumped {bump}, \
         overshot {}",
        U512::from(*queued) + U512::from(*bump) - U512::from(*balance)
    )]
    FundsBumped { balance: U256, queued: U256, bump: U256 },
    /// Of a delegated account, or one about to be, one is in flight already (EIP-7702).
    #[error("in-flight transaction limit reached for delegated accounts")]
    DelegatedLimit,
    /// Such an account can have nothing waiting behind a gap.
    #[error("gapped-nonce tx from delegated accounts: next nonce {next}, tx nonce {nonce}")]
    DelegatedGap { next: u64, nonce: u64 },
    /// The set-code transaction would delegate an account that has several transactions here.
    #[error("authority already reserved: {authority} has more than one transaction in the pool")]
    AuthorityReserved { authority: Address },
    /// The sender has as much in the pool as one sender may.
    #[error("account limit exceeded: pooled {pooled} txs")]
    AccountLimit { pooled: usize },
    /// Another transaction with this nonce is there, and this one does not pay enough more.
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced { fee_cap_min: U256, tip_min: U256 },
    /// The pool is full of transactions that pay at least as much.
    #[error("transaction underpriced")]
    Underpriced,
    /// The pool is full, and nothing in it may make room for this one.
    #[error("txpool is full")]
    Full,
}

impl Refusal {
    /// A short name that stays the same: for metrics and decisions.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AlreadyKnown => "already-known",
            Self::Blobs => "blobs",
            Self::TypeNotYet { .. } => "type-not-yet",
            Self::Oversized { .. } => "oversized",
            Self::InitCode { .. } => "init-code",
            Self::GasCap { .. } => "gas-cap",
            Self::BlockGasLimit { .. } => "block-gas-limit",
            Self::TipAboveFeeCap { .. } => "tip-above-fee-cap",
            Self::ChainId { .. } => "chain-id",
            Self::Unprotected => "unprotected",
            Self::NonceMax => "nonce-max",
            Self::IntrinsicGas { .. } => "intrinsic-gas",
            Self::FloorDataGas { .. } => "floor-data-gas",
            Self::TipTooLow { .. } => "tip-too-low",
            Self::NoAuthorizations => "no-authorizations",
            Self::NonceTooLow { .. } => "nonce-too-low",
            Self::NonceTooHigh { .. } => "nonce-too-high",
            Self::Funds { .. } | Self::FundsQueued { .. } | Self::FundsBumped { .. } => "insufficient-funds",
            Self::DelegatedLimit => "delegated-limit",
            Self::DelegatedGap { .. } => "delegated-gap",
            Self::AuthorityReserved { .. } => "authority-reserved",
            Self::AccountLimit { .. } => "account-limit",
            Self::ReplacementUnderpriced { .. } => "replacement-underpriced",
            Self::Underpriced => "underpriced",
            Self::Full => "full",
        }
    }
}
