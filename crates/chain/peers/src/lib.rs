//! Authenticated connections between the nodes of one chain.
//!
//! Knows nothing of blocks, votes and transactions: messages are octets, and what they mean is the caller's.

mod address;
mod event;
mod identity;
mod peers;
mod settings;

pub use address::{AddressFault, PeerAddress};
pub use event::{Counts, Direction, Event, Events, PeerInfo, Refused};
pub use identity::{Admission, Everybody, Identity};
pub use peers::{Peers, StartError};
pub use settings::{Network, Pace, Settings};
