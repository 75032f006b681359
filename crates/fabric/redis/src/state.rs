//! How the line to Redis stands, for readiness and display.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// How the line to Redis stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The first attempt, or the first after a cut. Calls wait for it, at most their timeout.
    Connecting,
    Ready,
    /// An attempt failed; more follow by themselves. Calls fail at once.
    Away {
        /// When it was ready last, or when the first attempt began.
        since: Instant,
        why: Arc<str>,
    },
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting => f.write_str("connecting"),
            Self::Ready => f.write_str("ready"),
            Self::Away { since, why } => write!(f, "away for {} s: {why}", since.elapsed().as_secs()),
        }
    }
}
