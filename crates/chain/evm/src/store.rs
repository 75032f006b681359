//! The durable state of a chain in one file.

mod error;
mod values;

pub use self::error::{StateError, StoreError};
pub use self::values::{
    AccountProof, Head, Mode, Pruned, Sealed, SlotProof, StateSettings, StoreFigures, Stored, TableFigures,
    TrieUpdate,
};
