//! The client, the load generator and the proxy against a small server on loopback, and against installed ones.

mod bench;
mod get;
mod peers;
mod proxy;
mod put;
mod server;
