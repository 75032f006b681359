//! Filling a cache beside invalidations: what was loaded before an invalidation must not be kept after it.

use crate::glob;
use std::collections::VecDeque;
use std::time::Duration;

/// Invalidations remembered for fills under way; older fills are not kept.
const RECENT_MAX: usize = 256;

/// What a cache may be kept for while invalidations may be missed.
const DEGRADED_TTL: Duration = Duration::from_secs(5);

/// Counts invalidations, so that a fill knows whether one has passed it.
///
/// The version is read *before* the load. What is loaded is kept only if no invalidation since then names its key:
/// otherwise the load may have read what was there before the change.
#[derive(Debug, Clone, Default)]
pub struct Fills {
    version: u64,
    /// Each with the version that it made; the newest last.
    recent: VecDeque<(u64, Vec<String>)>,
    /// Fills from before this version are not kept.
    floor: u64,
}

impl Fills {
    /// To be read before a load.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// These patterns were cleared.
    pub fn cleared(&mut self, patterns: &[String]) {
        if patterns.is_empty() {
            return;
        }
        self.version += 1;
        if self.recent.len() == RECENT_MAX
            && let Some((version, _)) = self.recent.pop_front()
        {
            self.floor = version;
        }
        self.recent.push_back((self.version, patterns.to_vec()));
    }

    /// Everything was cleared.
    pub fn flushed(&mut self) {
        self.version += 1;
        self.floor = self.version;
        self.recent.clear();
    }

    /// Whether what was loaded for `key`, after reading `version`, may be kept.
    #[must_use]
    pub fn may_keep(&self, key: &str, version: u64) -> bool {
        let since = self.recent.iter().rev().take_while(|(made, _)| *made > version);
        let mut patterns = since.flat_map(|(_, patterns)| patterns);
        version >= self.floor && !patterns.any(|pattern| glob::matches(pattern, key))
    }
}

/// How far a cache may be trusted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Freshness {
    /// Invalidations arrive.
    Live,
    /// Announcements do not arrive; the outbox is polled.
    Polling,
    /// Neither announcements nor the outbox: what is cached may be old without anybody's word.
    #[default]
    Blind,
}

impl Freshness {
    /// For how long a value may be kept that would be kept for `ttl` in good times.
    #[must_use]
    pub fn bound(self, ttl: Duration) -> Duration {
        match self {
            Self::Live => ttl,
            Self::Polling | Self::Blind => ttl.min(DEGRADED_TTL),
        }
    }

    /// For logs and health.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Polling => "polling",
            Self::Blind => "blind",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fill_that_an_invalidation_passed_is_dropped() {
        let mut fills = Fills::default();
        let version = fills.version();
        assert!(fills.may_keep("switch:1", version));
        fills.cleared(&["switch:*".into(), "topology:*".into()]);
        assert!(!fills.may_keep("switch:1", version) && !fills.may_keep("topology:x", version));
        assert!(fills.may_keep("port:1", version), "it names another key");
        assert!(
            fills.may_keep("switch:1", fills.version()),
            "loaded after the invalidation"
        );
        fills.flushed();
        assert!(!fills.may_keep("port:1", version));
        assert!(fills.may_keep("port:1", fills.version()));
    }

    #[test]
    fn a_fill_slower_than_what_is_remembered_is_dropped() {
        let mut fills = Fills::default();
        let version = fills.version();
        for n in 0..RECENT_MAX {
            fills.cleared(&[format!("other:{n}")]);
        }
        assert!(fills.may_keep("switch:1", version));
        fills.cleared(&["other".into()]);
        assert!(!fills.may_keep("switch:1", version), "nobody knows any more");
        assert!(fills.may_keep("switch:1", version + 1));
    }

    #[test]
    fn degraded_caches_keep_for_5_seconds_at_most() {
        let (long, short) = (Duration::from_secs(300), Duration::from_secs(1));
        assert_eq!(Freshness::Live.bound(long), long);
        assert_eq!(Freshness::Polling.bound(long), Duration::from_secs(5));
        assert_eq!(Freshness::Blind.bound(short), short);
    }
}
