//! Coordination hints over Redis: heartbeats, sessions, advisory locks, messages, cached values.
//!
//! Redis may be empty, stale, split or gone; nothing here is ever believed about ownership. What this crate promises
//! instead is manners: the start never waits for it, no call takes longer than its timeout, everything that is
//! written lapses by itself, and a server, a fail-over or a Cluster that comes back is used again without being told.
//!
//! ```text
//!   RedisHints ──► calls ──► Line<Pool>   N connections: single master, Sentinel's master, or Cluster
//!        └───────► ear   ──► Line<Heard>  1 connection: subscriptions, told about cuts
//!                              │
//!                              └─ dial: addresses, greeting, TLS, Sentinels
//! ```

mod back_off;
mod calls;
mod dial;
mod ear;
mod forget;
mod hints;
mod keys;
mod line;
mod pool;
mod script;
mod settings;
mod slots;
mod state;
mod trouble;

// Its features choose who does the cryptography of the TLS that the Redis client speaks.
use rustls as _;

pub use hints::RedisHints;
pub use settings::{Address, REDIS_PORT, SENTINEL_PORT, Secret, SettingFault, Settings, Tls, Topology};
pub use state::State;
pub use trouble::Trouble;
