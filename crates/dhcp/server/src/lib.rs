//! The DHCP service around its core: sockets, packet threads, journals, and the handle that everything else
//! talks to.
//!
//! ```text
//!   start(ServerConfig) ─► Handle ──tasks──► packet thread 0: sockets, Engine, Journal
//!                      └─► Running           packet thread 1: ...      (a network belongs to one thread)
//! ```
//!
//! Architecture invariant: nothing on the packet path takes a lock, allocates per packet or waits for anything
//! but packets. What a packet means is decided by `purlin-dhcp-core`; here it is only carried, recorded and sent.

mod error;
mod export;
pub mod forecast;
mod handle;
mod handover;
mod leases;
mod marker;
mod metrics;
mod ports;
pub mod routes;
mod running;
mod share;
mod start;
mod status;
mod switches;
mod worker;

pub use error::{ApplyError, ControlError, StartError};
pub use export::{RowCursor, SharedRow, bound_in_journals};
pub use handle::{Applied, DecisionPage, Handle};
pub use leases::{Away, Found, Holder, Holders, Leases, Others, ReleaseError, Usage};
pub use metrics::{DhcpMetrics, ThreadReport};
pub use running::Running;
pub use share::{ForwardKey, ForwardKeyError, Homes, Prepared, ShareConfig, Sharing};
pub use start::{RECEIVE_BUFFER, ServerConfig, start};
pub use status::{Condition, Health, InterfaceStatus, JournalStatus, ServerStatus};
pub use switches::Switches;
pub use worker::ShellCounters;
