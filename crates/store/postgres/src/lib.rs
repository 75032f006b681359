//! PostgreSQL as the durable store of a cluster: claims, fenced rows, records, outbox.
//!
//! ```text
//!   ClaimStore ─┐
//!   FencedRows ─┼─► Work (one transaction) ─► breaker ─► pool ─► connection ─► primary ──► synchronous standby
//!   Records ────┤                                                                              │
//!   Outbox ─────┘        pages for display ─────────────────────────────────────► replica ◄────┘
//! ```
//!
//! What every call keeps:
//!
//! - One call, one transaction; claims and rows change by compare-and-set, many at once by `UNNEST`.
//! - `Ok` means committed, and where there is a synchronous standby confirmed by it. The server answers "done" to a
//!   commit whose wait for the standby was cancelled; the warning that goes before it turns that into "unknown".
//! - A call that is given up is cancelled on the server and its connection is never used again.
//! - The timeline is asked of the server with the very statement that uses it.
//!
//! The layout of the tables is in `docs/formats/postgres.md`. Settings that PostgreSQL and its operator owe are there too.

mod breaker;
mod claims;
mod failure;
mod fenced;
mod line;
mod metrics;
mod outbox;
mod pool;
mod postgres;
mod probe;
mod records;
mod schema;
mod session;
mod settings;
#[cfg(feature = "tls")]
mod tls;

pub use breaker::{Breaker, BreakerCounts, BreakerSettings, BreakerState};
pub use failure::{Obstacle, obstacle};
pub use metrics::DatabaseMetrics;
pub use outbox::{Cursor, News, Note, Outbox};
pub use pool::PoolUse;
pub use postgres::{Postgres, Waiting};
pub use probe::ServerFacts;
pub use records::PostgresRecords;
pub use settings::{BadUrl, Settings, Target};
#[cfg(feature = "tls")]
pub use tls::UrlFault;
