//! The store on real PostgreSQL servers, started here and gone when the tests end.

mod claims;
mod connect;
mod contract;
mod failover;
mod outbox;
mod patience;
mod pool;
mod restart;
mod rig;
mod starting;
#[cfg(feature = "tls")]
mod tls;
