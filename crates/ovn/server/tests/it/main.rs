//! The platform over real databases: requests in, rows, flows and answers out.

mod journal;
mod pace;
mod pictures;
mod reachability;
mod reading;
mod telling;
mod tracing;
mod trying;
mod world;
mod writing;
