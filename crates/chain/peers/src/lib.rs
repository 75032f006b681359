//! Authenticated connections between the nodes of one chain.
//!
//! ```text
//!   Peers ── Shared ── Table: one Line per node ── Lanes (small before big) ──► connection: frames in TLS 1.3
//!     │         │                                                          ◄──      │
//!     │         └── Event: Up, Message, Down, Refused ◄─────────────────────────────┘
//!     ├── listen: strangers, a bounded number at once ──┐
//!     ├── dial: a Keeper per wished node ───────────────┼──► meeting: TLS, hello, welcome ──► a Seat in the Table
//!     └── discovery: a Keeper per address of a name ────┘
//! ```
//!
//! Who somebody is, his secp256k1 key says: in TLS both sides sign what only the two ends of this one session know (see
//! `hello`). Nothing here knows blocks, votes and transactions: messages are octets, and what they mean is the
//! caller's. Nothing is promised to arrive, either: a connection may end at any time, and who meets again asks for what
//! he missed.
//!
//! Strangers are bounded in everything: connections that have not shown who they are, the time for it, the length of
//! each frame and message, and what waits for somebody who does not read.

mod address;
mod backoff;
mod connection;
mod dial;
mod discovery;
mod event;
mod frame;
mod hello;
mod identity;
mod lanes;
mod line;
mod listen;
mod meeting;
mod peers;
mod pending;
mod settings;
mod shared;
mod table;
#[cfg(test)]
mod testing;
mod throttle;
mod tls;
mod unmet;
mod wish;
mod words;

pub use address::{AddressFault, PeerAddress};
pub use event::{Counts, Direction, Event, Events, PeerInfo, Refused};
pub use identity::{Admission, Everybody, Identity};
pub use peers::{Peers, StartError};
pub use settings::{Network, Pace, Settings};
