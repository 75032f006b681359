//! Nodes that share one database: what their clients notice of it.

mod chaos;
mod deciding;
mod losing;
mod pinning;
mod removing;
mod scaling;
mod segment;
mod sharing;
mod showing;
mod starting;
mod working;
