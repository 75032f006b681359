//! The crate from outside: laws of its values, a hostile server, and the real `ovsdb-server`.

mod cache;
mod laws;
mod schemas;
mod values;
