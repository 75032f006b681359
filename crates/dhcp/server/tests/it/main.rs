//! The service over real sockets, with a journal under the tests' hand.

mod api;
mod client;
mod control;
mod durability;
mod exchange;
mod journal;
mod moves;
mod neighbours;
mod segment;
mod server;
mod share;
mod threads;
