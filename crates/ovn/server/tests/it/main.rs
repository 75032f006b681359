//! The platform over real databases: requests in, rows, flows and answers out.

mod chosen;
mod dhcp;
mod documents;
mod hostile;
mod journal;
mod must_not;
mod must_not_explain;
mod operating;
mod ovncp;
mod pace;
mod pictures;
mod reachability;
mod reading;
mod schema;
mod south;
mod stories;
mod streaming;
mod telling;
mod templates;
mod tenants;
mod tracing;
mod transactions;
mod trying;
mod typed;
mod world;
mod writing;
