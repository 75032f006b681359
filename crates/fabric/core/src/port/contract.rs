//! The contract suites of both ports: run them over every engine.
//!
//! An engine's tests give a closure that makes a rig: fresh storage, ways to it for several nodes, and the faults that
//! it can simulate. A check whose fault the rig cannot simulate is left out, so that an engine within one process and
//! a real server with a standby run the same suite. No runtime is needed: the rig lets time pass, the engine's test
//! brings the executor.
//!
//! ```text
//! #[tokio::test]
//! async fn it_keeps_the_contract() {
//!     contract::claims::all(async || PostgresRig::fresh().await).await;
//! }
//! ```

pub mod claims;
pub mod hints;

mod together;
