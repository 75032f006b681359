//! What can go wrong with the store, in the words of somebody who has to do something about it.

use alloy_primitives::B256;

/// Why state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file could not be read.
    #[error("reading the chain's store failed")]
    Failed(#[source] Box<redb::Error>),
    /// What was read cannot be true.
    #[error("the chain's store is damaged: {0}; restore the file from a backup, or import the chain anew")]
    Damaged(String),
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Geth's words first: clients look for them.
    #[error("required historical state unavailable: block {wanted} is pruned, the oldest kept is {oldest}")]
    Pruned { wanted: u64, oldest: u64 },
    /// The chain has not come that far.
    #[error("block {wanted} is not known; the newest is {head}")]
    Ahead { wanted: u64, head: u64 },
    /// A block must follow the head.
    #[error("block {number} with parent {parent} does not extend the head, block {head} {head_hash}")]
    NotOnHead {
        number: u64,
        parent: B256,
        head: u64,
        head_hash: B256,
    },
    /// The trie update was made for another head: `root_after` must be asked again.
    #[error("the state root was computed on block {base}, but the head is block {head}")]
    OtherBase { base: u64, head: u64 },
    /// The header says one state root, the changes give another.
    #[error("block {number} says state root {header}, its changes give {computed}")]
    WrongRoot {
        number: u64,
        header: B256,
        computed: B256,
    },
    /// A block whose parts do not belong together is a mistake of the caller.
    #[error("block {number} is not whole: {what}")]
    NotWhole { number: u64, what: &'static str },
    /// There is a file, but no chain in it.
    #[error("there is no chain in {path}: initialise it from a genesis document")]
    NoChain { path: String },
    /// There is a chain already, and it is not this one.
    #[error(
        "the store holds the chain with genesis {found}, not {wanted}: name another folder, or its genesis"
    )]
    OtherChain { found: B256, wanted: B256 },
    /// A process has the file open.
    #[error("{path} is in use by another process: stop it first, one file serves one node")]
    InUse { path: String },
    /// The file is of a later (or no) format.
    #[error("the store has format {found}, this program reads format {known}: use the program that wrote it")]
    Format { found: u64, known: u64 },
    /// Nothing of the block was written; reading goes on.
    #[error("the disk is full: nothing was written; make room, the block can then be committed again")]
    Full,
    /// After this the page cache may lie about what is on the disk.
    #[error("a sync of the store failed before: see to the disk, then start the node again")]
    SyncFailed,
    /// The engine or the disk said no.
    #[error("the chain's store failed")]
    Failed(#[source] Box<redb::Error>),
    #[error("the chain's store is damaged: {0}; restore the file from a backup, or import the chain anew")]
    Damaged(String),
    /// A file could not be made, moved or looked at.
    #[error("{what} {path} failed")]
    Io {
        what: &'static str,
        path: String,
        #[source]
        source: std::io::Error,
    },
}

impl From<StateError> for StoreError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Failed(source) => Self::Failed(source),
            StateError::Damaged(what) => Self::Damaged(what),
        }
    }
}

impl From<redb::Error> for StateError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Corrupted(what) => Self::Damaged(what),
            other => Self::Failed(Box::new(other)),
        }
    }
}

impl From<redb::Error> for StoreError {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(cause) if cause.kind() == std::io::ErrorKind::StorageFull => Self::Full,
            other => StateError::from(other).into(),
        }
    }
}

/// The engine has an error type for each kind of operation; all of them say the same to us.
macro_rules! engine_errors {
    ($($kind:ident),*) => {$(
        impl From<redb::$kind> for StateError {
            fn from(error: redb::$kind) -> Self {
                redb::Error::from(error).into()
            }
        }
        impl From<redb::$kind> for StoreError {
            fn from(error: redb::$kind) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}

engine_errors!(
    StorageError,
    TableError,
    TransactionError,
    CommitError,
    SetDurabilityError,
    DatabaseError,
    CompactionError
);
