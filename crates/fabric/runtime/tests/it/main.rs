//! The engines of one process against the contracts, and the handles over them with time stepped.

mod cache;
mod contract;
mod desk;
mod guide;
mod herald;
mod locks;
mod metrics;
mod nodes;
mod rowlog;
mod scaling;
mod sessions;
mod world;
