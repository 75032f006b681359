//! The state after a head as one portable stream, and a chain's file made from such a stream.
//!
//! ```text
//!   State ──► write ──► manifest │ body │ receipts │ section 0 │ section 1 │ ... │ end ──► restore ──► file
//!                           │                          │
//!   header ─ state root ─ subtrees ────────────────────┘ each section gives the hash of its own subtree
//! ```
//!
//! The head's header proves all the rest: its state root the hashes of the subtrees at one depth of the trie of accounts, each of
//! these the accounts below it with their storage and code, its other roots the body and the receipts of the block. So the
//! reader needs to trust nothing but that header, and that is what `accept` is asked: who decides about blocks, and how that is
//! proven, is not known here. A section is proven before the next one is read, with the memory of one section.
//!
//! `docs/formats/chain-snapshot.md` describes the stream octet by octet.

mod error;
mod frame;
mod manifest;
mod record;
mod restore;
mod section;
#[cfg(test)]
mod tests;
mod write;

pub use error::SnapshotError;
pub use manifest::{Manifest, read_manifest};
pub use restore::restore;
pub use write::write;

/// How far a stream is written or read: accounts and slots so far, and in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);
