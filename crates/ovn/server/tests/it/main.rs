//! The platform over real databases: requests in, rows, flows and answers out.

mod backups;
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
#[path = "../../../../accounts/tests/it/postgres.rs"]
mod postgres;
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
