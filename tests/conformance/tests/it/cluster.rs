//! Nodes that share one database: what their clients notice of it.

mod losing;
mod removing;
mod sharing;
