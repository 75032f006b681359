//! Settings of sessions.

use crate::resume::RingLimits;
use std::time::Duration;

/// How long sessions live, and how they are moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSettings {
    /// A session lapses when nothing was heard of it for so long; defaults to 30 min, at least 1 s.
    pub ttl: Duration,
    /// Lapsed ones are swept out so often; defaults to 5 min.
    pub cleanup_interval: Duration,
    /// A draining node closes its sessions within this time, evenly spread; defaults to 10 s.
    pub close_spread: Duration,
    /// A resume token is good for so long after the close; defaults to 2 min.
    pub resume_ttl: Duration,
    /// Sessions of one node; defaults to 100 000. Each keeps up to `ring.octets` of events.
    pub sessions_max: usize,
    pub ring: RingLimits,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30 * 60),
            cleanup_interval: Duration::from_secs(5 * 60),
            close_spread: Duration::from_secs(10),
            resume_ttl: Duration::from_secs(120),
            sessions_max: 100_000,
            ring: RingLimits::default(),
        }
    }
}

impl SessionSettings {
    /// The registry hears of a session at most so often, however busy it is.
    #[must_use]
    pub fn refresh_after(&self) -> Duration {
        self.ttl / 10
    }
}
