//! The commands of `ovn-nbctl`, OVN's tool for its northbound database.
//!
//! ```text
//!   line      words ─► commands with their options, mistakes in the words that scripts know
//!   needs     which tables and columns the commands look at
//!   plan      commands over a snapshot ─► one transaction, and what is printed when it has happened
//!   ├ generic   on any table: list, find, get, set, add, remove, clear, create, destroy, wait-until
//!   └ commands  on what OVN knows: switches, routers, ports, ACLs, NAT, load balancers, ...
//!   shell     connections, daemon, the program's own options: the only part with sockets and a clock
//! ```
//!
//! All but `shell` know no socket, clock or runtime. The reference is `ovn-nbctl` of OVN 23.03: same commands, same
//! texts, same exit codes, so that scripts written for it need not know which one they call.

pub mod address;
pub mod commands;
pub mod context;
mod format;
pub mod generic;
pub mod line;
pub mod needs;
pub mod plan;
pub mod shell;
pub mod symbols;
pub mod syntax;
pub mod table;
pub mod warning;
pub mod work;
