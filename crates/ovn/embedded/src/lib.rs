//! An OVSDB server in the process, for machines without OVN: the northbound database of demonstrations and tests.
//!
//! ```text
//!   serve      sockets; one task has the server, and syncs before it answers
//!   server     sessions, monitors, locks, waiting transactions: no socket, no clock
//!   database   execute ─► check (references, garbage, indexes) ─► log ─► rows
//!   log        ovsdb(5), the standalone format: ovsdb-tool and ovsdb-server read it
//! ```
//!
//! It speaks RFC 7047 and the extensions of ovsdb-server(7) that clients of OVN use. It is not a cluster, knows no roles
//! (RBAC) and converts no schemas; a client that was away for a moment is told only what it missed, which the standalone
//! ovsdb-server cannot do.

mod change;
mod check;
mod database;
mod execute;
mod fault;
mod log;
mod monitor;
mod names;
mod rows;
mod serve;
mod server;

pub use log::{LogError, standalone};
pub use serve::{Door, serve};
pub use server::{NotRpc, Random, Server, SessionId};
