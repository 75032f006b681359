//! Drives the fabric: timers, sockets and stores around the pure decisions of `purlin-fabric`.

mod drive;
mod handle;
pub mod local;
mod tenant;

pub use drive::Clock;
pub use handle::{Fabric, Setup, Snapshot, Told};
pub use tenant::{SharedTenure, Tenant};
