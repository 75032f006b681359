//! The port over real servers: single, Sentinel, Cluster, each started here on free loopback ports and stopped again.

mod cluster;
mod contract;
mod listening;
mod outage;
mod rig;
mod sentinel;
mod single;
mod variables;
