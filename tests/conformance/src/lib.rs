//! A laboratory for real programs: network namespaces, a node inside one, clients inside others.
//!
//! ```text
//!   namespace "server"            namespace "client"
//!   purlin up ── s0 ═══ veth ═══ c0 ── dhclient, udhcpc, dhcpcd, perfdhcp ...
//! ```
//!
//! Everything a test makes (namespaces, processes, files) goes away when its [`Lab`] is dropped. A test that
//! cannot run on this machine says why and counts as skipped; with `CI=true` it fails.

mod balancing;
mod chart;
mod cluster;
mod judge;
mod lab;
mod machine;
mod need;
mod node;
mod ovn;
mod process;
mod space;
mod validators;
mod wait;

pub use balancing::{Front, Trio};
pub use chart::Chart;
pub use cluster::{
    Campus, Changes, Claims, Cluster, Cost, Crowd, Databases, Dice, Fault, Hints, Host, Member, Memory,
    Moment, Note, Orders, Outcome, Overlap, Part, Plan, Population, RELAY, Report, Slowness, Socket, Standby,
    Stay, Struck, Trial, Tried, Watcher, Wire, Wound, overlaps,
};
pub use judge::{Judge, constitution_compiled};
pub use lab::Lab;
pub use machine::{Firmware, MACHINE_MAC, Machine, machine_programs};
pub use need::{left_for_all, met_plainly, program, purlin};
pub use node::{Node, lab_config};
pub use ovn::{Guest, Lease, Ovn, northbound};
pub use process::{Process, kill, run, said};
pub use space::Space;
pub use validators::Validators;
pub use wait::{LIMIT, until, within};
