//! A copy of the monitored rows, which readers look at while it changes.
//!
//! ```text
//!   update ─► Cache::apply ─► new Database ─► published; old ones live as long as someone holds them
//!                  │             │
//!                  ▼             └─ shares every node of its tries that the update did not touch
//!               Changes
//! ```
//!
//! A reader takes a [`Database`] (a few pointers) and sees one transaction's state for as long as it likes. The writer
//! copies only the path to what it changes: O(change), not O(database).

mod apply;
mod changes;
mod database;
mod index;
mod layout;
mod relation;
mod row_data;
mod trie;

pub use apply::{Cache, CacheError};
pub use changes::{Changes, RowChange};
pub use database::{Database, RowRef, TableRef, differences};
pub use layout::{ColumnLayout, Index, Layout, TableLayout};
pub use relation::Relation;
pub use row_data::RowData;
pub use trie::{Iter, Trie};
