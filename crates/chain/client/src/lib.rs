//! The other side of an EVM chain's JSON-RPC: keys that sign, a client, and a load generator that believes no answer.
//!
//! ```text
//!   keys ──► bench: senders funded ─► transactions signed ─► sent ─► blocks followed ─► everything verified
//!                                                             │            │                    │
//!   rpc  ◄────────────────────────────────────────────────────┴────────────┴────────────────────┘
//! ```
//!
//! [`keystore`] keeps a key under a password; [`light`] checks what a node says about an account against the genesis document
//! alone; [`votes`] changes who decides about a chain's blocks.
//!
//! Knows a node only by its JSON-RPC over HTTP/1.1, so that it loads any node of any maker. It refuses to know how the
//! node of this house is built.

pub mod bench;
mod endpoint;
mod keys;
pub mod keystore;
pub mod light;
pub mod rpc;
pub mod votes;

pub use endpoint::{Endpoint, EndpointError};
pub use keys::{Key, KeyError};
pub use keystore::{Format as KeystoreFormat, Kdf, Keystore, KeystoreError};
