//! Execution over durable state.

pub mod execute;
mod state;
mod store;
mod trie;

pub use state::{Account, Changes, StateRead};
pub use store::{
    AccountProof, Head, Mode, Pruned, Sealed, SlotProof, StateError, StateSettings, StoreError, StoreFigures,
    Stored, TableFigures, TrieUpdate,
};
