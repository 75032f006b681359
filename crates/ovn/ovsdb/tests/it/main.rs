//! The crate from outside: laws of its values, a hostile server, and the real `ovsdb-server`.

mod ask;
mod cache;
mod cluster;
mod corpus;
mod grouping;
mod hostile;
mod kills;
mod large;
mod laws;
mod lost;
mod rig;
mod schemas;
mod standalone;
mod tls;
mod typed;
mod values;
