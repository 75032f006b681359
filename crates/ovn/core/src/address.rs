//! Addresses of ports: their grammar, the pools they come from, and who collides with whom.

mod book;
mod gather;
mod grammar;
mod network;
mod pool;

pub use book::{Book, Collision, Holder, Role};
pub(crate) use gather::vip_address;
pub use gather::{book, follow, holder};
pub use grammar::{Allowed, Element, Owned, parse_addresses, parse_port_security};
pub use network::Network;
pub use pool::{Pool, eui64};
