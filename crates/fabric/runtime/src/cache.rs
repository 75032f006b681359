//! Cached values, and the bus that invalidates them on all nodes.
//!
//! ```text
//!   a change ──commit──► InvalidationBus::publish(["switch:*"]) ──► outbox (durable), own caches, announcement
//!                                                                                                   │
//!   every other node's bus ◄──────────── heard, or found in the outbox by looking ◄─────────────────┘
//!        └──► its caches forget what the patterns name; subscribers are told
//! ```

mod bus;
mod figures;
mod listen;
mod own;
mod replace;
mod values;
mod warm;

pub use bus::{BusSetup, Invalidation, InvalidationBus, Past, PublishFault};
pub use figures::{BusFigures, CacheFigures};
pub use values::{Cache, CacheSettings, Tier};
pub use warm::{Warmer, Warmth};
