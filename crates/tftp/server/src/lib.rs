//! The boot file service around its core: sockets, packet threads, HTTP boot, and the handle that everything else
//! talks to.
//!
//! ```text
//!   start(ServerConfig) ─► Handle ──tasks──► packet thread 0: sockets, Engine ─┐
//!                      └─► Running           packet thread 1: ...              ├─► Library: roots, cache, I/O threads
//!                          HTTP boot (tokio) ─────────────────────────────────┘
//! ```
//!
//! The kernel keeps each client port at one packet thread, so a transfer has one owner. Nothing on the packet path
//! waits for a disk: what is not cached is fetched by the library's threads, which knock when it is there.

pub mod cluster;
mod error;
mod handle;
pub mod http;
mod inbox;
mod machines;
mod metrics;
mod ports;
pub mod routes;
mod running;
mod start;
mod status;
mod worker;

pub use error::StartError;
pub use handle::Handle;
pub use metrics::{TftpMetrics, ThreadReport};
pub use running::Running;
pub use start::{ServerConfig, start};
pub use status::ServerStatus;
pub use worker::ShellCounters;
