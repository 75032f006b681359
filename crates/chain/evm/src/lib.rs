//! Execution over durable state.

pub mod chain;
pub mod execute;
pub mod snapshot;
mod state;
mod store;
mod trie;

pub use chain::{
    Attributes, Chain, CommitError, ConstitutionFault, CreateError, Draft, ImportError, Imported, NewHead,
    Prepared, ProduceError, Produced, Steps, View, ViewError,
};
pub use execute::ExecutionRefusal;
pub use state::{Account, Changes, StateRead};
pub use store::{
    AccountProof, Head, Mode, Pruned, Sealed, Shrunk, SlotProof, State, StateError, StateSettings, Store,
    StoreError, StoreFigures, Stored, TableFigures, TableSize, TrieUpdate, genesis_root,
};
