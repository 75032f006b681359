//! What can be wrong with a header.

use crate::{B64, B256, Fork, U256};
use std::fmt::Debug;

/// A rule that a header or its block breaks: the field, what would be right, what stands there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    #[error("parentHash is {got}, the parent is {wanted}")]
    ParentHash { wanted: B256, got: B256 },
    #[error("number is {got}, it must be {wanted}")]
    Number { wanted: u64, got: u64 },
    #[error("timestamp is {got}, after the parent it must be {earliest} at least")]
    TimestampTooEarly { earliest: u64, got: u64 },
    #[error("timestamp is {got}, more than 15 s after the time here, {now}")]
    TimestampInFuture { now: u64, got: u64 },
    #[error("extraData has {got} octets, at most {max} are allowed")]
    ExtraData { max: usize, got: usize },
    #[error("gasLimit is {got}, it must be from {min} to {max}")]
    GasLimitRange { min: u64, max: u64, got: u64 },
    #[error("gasLimit is {got}, it must be less than {step} away from {parent}")]
    GasLimitStep { parent: u64, step: u64, got: u64 },
    #[error("gasLimit is {got}, on the way to what the chain's validators decided it must be {wanted}")]
    GasLimitDecided { wanted: u64, got: u64 },
    #[error("gasUsed is {got}, above the gasLimit {limit}")]
    GasUsedAboveLimit { limit: u64, got: u64 },
    #[error("baseFeePerGas is {}, it must be {}", shown(.got), shown(.wanted))]
    BaseFee { wanted: Option<u64>, got: Option<u64> },
    #[error("difficulty is {got}, it must be {wanted}")]
    Difficulty { wanted: U256, got: U256 },
    #[error("nonce is {got}, after the merge it must be 0")]
    Nonce { got: B64 },
    #[error("sha3Uncles is {got}, it must be {wanted}")]
    OmmersHash { wanted: B256, got: B256 },
    #[error("the block names {got} ommers, at most {max} are allowed")]
    Ommers { max: usize, got: usize },
    #[error("ommer {index}: {why}")]
    Ommer { index: usize, why: OmmerFault },
    #[error("transactionsRoot is {got}, the transactions give {wanted}")]
    TransactionsRoot { wanted: B256, got: B256 },
    #[error("{} under {fork}: they belong into blocks from shanghai on and nowhere else",
        if *.got { "the block has withdrawals" } else { "the block has no list of withdrawals" })]
    Withdrawals { fork: Fork, got: bool },
    #[error("withdrawalsRoot is {}, it must be {}", shown(.got), shown(.wanted))]
    WithdrawalsRoot { wanted: Option<B256>, got: Option<B256> },
    #[error("blobGasUsed is {}, it must be {}", shown(.got), shown(.wanted))]
    BlobGasUsed { wanted: Option<u64>, got: Option<u64> },
    #[error("blobGasUsed is {got}, at most {max} is allowed")]
    BlobGasAboveLimit { max: u64, got: u64 },
    #[error("excessBlobGas is {}, it must be {}", shown(.got), shown(.wanted))]
    ExcessBlobGas { wanted: Option<u64>, got: Option<u64> },
    #[error("{field} {} under {fork}: it belongs into headers from {since} on and nowhere else",
        if *.got { "is there" } else { "is missing" })]
    Presence {
        field: &'static str,
        fork: Fork,
        since: Fork,
        got: bool,
    },
    #[error("{field} belongs to a fork that this chain does not have")]
    UnknownField { field: &'static str },
    #[error("the block has {got} octets, at most {max} are allowed (EIP-7934)")]
    Size { max: usize, got: usize },
}

/// Why a header may not be named as an ommer (yellow paper, section 11.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OmmerFault {
    #[error("it was named before")]
    Twice,
    #[error("it is an ancestor of the block")]
    Ancestor,
    #[error("its parent is the block's own parent or none of the seven ancestors")]
    Dangling,
    #[error("{0}")]
    Header(Box<HeaderFault>),
}

impl HeaderFault {
    /// The header's field as JSON-RPC names it.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::ParentHash { .. } => "parentHash",
            Self::Number { .. } => "number",
            Self::TimestampTooEarly { .. } | Self::TimestampInFuture { .. } => "timestamp",
            Self::ExtraData { .. } => "extraData",
            Self::GasLimitRange { .. } | Self::GasLimitStep { .. } | Self::GasLimitDecided { .. } => {
                "gasLimit"
            }
            Self::GasUsedAboveLimit { .. } => "gasUsed",
            Self::BaseFee { .. } => "baseFeePerGas",
            Self::Difficulty { .. } => "difficulty",
            Self::Nonce { .. } => "nonce",
            Self::OmmersHash { .. } | Self::Ommers { .. } | Self::Ommer { .. } => "sha3Uncles",
            Self::TransactionsRoot { .. } => "transactionsRoot",
            Self::Withdrawals { .. } | Self::WithdrawalsRoot { .. } => "withdrawalsRoot",
            Self::BlobGasUsed { .. } | Self::BlobGasAboveLimit { .. } => "blobGasUsed",
            Self::ExcessBlobGas { .. } => "excessBlobGas",
            Self::Presence { field, .. } | Self::UnknownField { field } => field,
            Self::Size { .. } => "size",
        }
    }
}

/// A value that may be absent.
fn shown<T: Debug>(value: &Option<T>) -> String {
    value
        .as_ref()
        .map_or_else(|| "absent".to_owned(), |value| format!("{value:?}"))
}
