//! Why a block did not become the head, or a chain could not be opened.

use super::{ConstitutionFault, SenderFault, constitution::Unread};
use crate::execute::{ExecuteError, ExecutionRefusal};
use crate::store::StoreError;
use purlin_chain_proto::{B256, Bloom, Fork, rules::HeaderFault};

/// Why there is no chain to work with.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error(
        "the file holds the chain with genesis {found:?}, the genesis document says {wanted}: name the file's own document"
    )]
    OtherGenesis { wanted: B256, found: Option<B256> },
    #[error(transparent)]
    Constitution(#[from] ConstitutionFault),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unread> for CreateError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Store(error) => Self::Store(error),
            Unread::Fault(fault) => Self::Constitution(fault),
        }
    }
}

/// Why a prepared block did not become the head. The chain is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Prepare or check it again, if it is still of use.
    #[error("block {number} was executed on {parent}, but the head is block {head} {head_hash} now")]
    NotOnHead {
        number: u64,
        parent: B256,
        head: u64,
        head_hash: B256,
    },
    #[error("block {number} has no certificate: in this chain validators decide about every block")]
    NoCertificate { number: u64 },
    #[error(
        "block {number} has a certificate, but the genesis document names no validators (config.purlin) who could have given it"
    )]
    NoValidators { number: u64 },
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotOnHead {
                number,
                parent,
                head,
                head_hash,
            } => Self::NotOnHead {
                number,
                parent,
                head,
                head_hash,
            },
            other => Self::Store(other),
        }
    }
}

/// Why a block was not taken. The chain is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("block {number} does not follow the head, block {head} {head_hash}: its parent is {parent}")]
    NotOnHead {
        number: u64,
        parent: B256,
        head: u64,
        head_hash: B256,
    },
    #[error("block {number}: {fault}")]
    Header { number: u64, fault: HeaderFault },
    #[error("block {number}, transaction {index} ({hash}): {why}")]
    Sender {
        number: u64,
        index: usize,
        hash: B256,
        why: SenderFault,
    },
    #[error("block {number}, transaction {index} ({hash}): {refusal}")]
    Transaction {
        number: u64,
        index: usize,
        hash: B256,
        refusal: Box<ExecutionRefusal>,
    },
    #[error("block {number}: gasUsed is {got}, the transactions use {wanted}")]
    GasUsed { number: u64, wanted: u64, got: u64 },
    #[error("block {number}: receiptsRoot is {got}, the receipts give {wanted}")]
    ReceiptsRoot { number: u64, wanted: B256, got: B256 },
    #[error("block {number}: logsBloom is not the one of the receipts' logs")]
    LogsBloom {
        number: u64,
        wanted: Box<Bloom>,
        got: Box<Bloom>,
    },
    #[error("block {number}: requestsHash is {got:?}, the requests give {wanted:?}")]
    RequestsHash {
        number: u64,
        wanted: Option<B256>,
        got: Option<B256>,
    },
    #[error("block {number}: stateRoot is {got}, execution gives {wanted}")]
    StateRoot { number: u64, wanted: B256, got: B256 },
    #[error("block {number}: {fault}")]
    Constitution {
        number: u64,
        fault: Box<ConstitutionFault>,
    },
    #[error("block {number} could not be executed")]
    Execute {
        number: u64,
        #[source]
        source: Box<ExecuteError>,
    },
    #[error(transparent)]
    Commit(CommitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CommitError> for ImportError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Store(error),
            other => Self::Commit(other),
        }
    }
}

impl ImportError {
    /// Block `number`, after which nobody could say who decides.
    pub(super) fn unread(number: u64, unread: Unread) -> Self {
        match unread {
            Unread::Store(error) => Self::Store(error),
            Unread::Fault(fault) => Self::Constitution {
                number,
                fault: Box::new(fault),
            },
        }
    }

    /// The field of the header, or the part of the block, that is wrong; `None` where the fault is not the block's.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::NotOnHead { .. } => Some("parentHash"),
            Self::Header { fault, .. } => Some(fault.field()),
            Self::Sender { .. } => Some("signature"),
            Self::Transaction { .. } => Some("transactions"),
            Self::GasUsed { .. } => Some("gasUsed"),
            Self::ReceiptsRoot { .. } => Some("receiptsRoot"),
            Self::LogsBloom { .. } => Some("logsBloom"),
            Self::RequestsHash { .. } => Some("requestsHash"),
            Self::StateRoot { .. } | Self::Constitution { .. } => Some("stateRoot"),
            Self::Execute { .. } | Self::Commit(_) | Self::Store(_) => None,
        }
    }
}

/// Why no block was made. The chain is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    #[error("timestamp {got} is too early: after the head it must be {earliest} at least")]
    Timestamp { earliest: u64, got: u64 },
    #[error(
        "block {number} is under {fork}, before the merge: such blocks are mined elsewhere and only imported here"
    )]
    BeforeMerge { number: u64, fork: Fork },
    #[error("extraData has {got} octets, at most 32 are allowed")]
    ExtraData { got: usize },
    #[error("block {number} has withdrawals, but {fork} knows none")]
    Withdrawals { number: u64, fork: Fork },
    #[error(transparent)]
    Constitution(Box<ConstitutionFault>),
    #[error("the block could not be executed")]
    Execute(#[from] ExecuteError),
    #[error(transparent)]
    Commit(CommitError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CommitError> for ProduceError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Store(error),
            other => Self::Commit(other),
        }
    }
}

impl From<Unread> for ProduceError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Store(error) => Self::Store(error),
            Unread::Fault(fault) => Self::Constitution(Box::new(fault)),
        }
    }
}

/// Why there is nothing to call or trace on.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    #[error("block {number} has {transactions} transactions, there is none before {asked}")]
    NoTransaction {
        number: u64,
        transactions: usize,
        asked: usize,
    },
    #[error("block {number} could not be executed again")]
    Execute {
        number: u64,
        #[source]
        source: Box<ExecuteError>,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}
