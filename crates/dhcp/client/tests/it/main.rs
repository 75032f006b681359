//! The client and the load generator against a small server on loopback, honest and otherwise.

mod bench;
mod ledger;
mod probe;
mod responder;
mod segment;
