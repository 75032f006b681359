//! Drives the fabric: timers, sockets and stores around the pure decisions of `purlin-fabric`.

mod drive;
mod entropy;
mod handle;
pub mod local;
pub mod locks;
mod tenant;

pub use drive::Clock;
pub use handle::{Fabric, Setup, Snapshot, Told};
pub use tenant::{SharedTenure, Tenant};
