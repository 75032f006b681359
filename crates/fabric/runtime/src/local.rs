//! Coordination within one process: both ports without a service.
//!
//! One node alone needs nothing else. Several coordinators of one process, as tests have them, share the engines and
//! behave as nodes of a cluster; what a database or Redis can do wrong, these can be told to do.

mod claims;
mod hints;
mod lapsing;
mod outbox;

pub use claims::LocalClaims;
pub use hints::LocalHints;
pub use outbox::LocalOutbox;

use purlin_types::Now;
use std::fmt;
use std::sync::Arc;

/// Reads both clocks. Tests give one that they move themselves.
pub type ReadClock = Arc<dyn Fn() -> Now + Send + Sync>;

/// A fault that was asked for.
#[derive(Debug)]
struct Unreachable;

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was made unreachable")
    }
}

impl std::error::Error for Unreachable {}
