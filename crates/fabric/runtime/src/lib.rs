//! Drives the fabric: timers, sockets and stores around the pure decisions of `purlin-fabric`.

pub mod cache;
pub mod drains;
mod drive;
mod entropy;
mod handle;
pub mod herald;
pub mod local;
pub mod locks;
pub mod metrics;
pub mod recent;
mod rowlog;
pub mod scaling;
pub mod sessions;
mod tenant;

pub use drive::{Clock, chain};
pub use handle::{Fabric, Setup, Snapshot, Told};
pub use rowlog::{Copied, LoggedRow, Refused, RowLog, RowLogHandle, RowReader, Setback, Terms};
pub use tenant::{SharedTenure, Tenant};
