//! Installed filters: no more than a place in the chain or in the list of arrivals, for what is final never changes.
//!
//! ```text
//! eth_newFilter ───────────► Logs     next block to look at
//! eth_newBlockFilter ──────► Blocks   next block to tell
//! eth_newPendingTransaction► Arrivals next arrival to tell
//! ```

use crate::log_filter::LogFilter;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a filter looks for, and where it goes on.
#[derive(Debug, Clone)]
pub(crate) enum Looks {
    Logs { filter: Box<LogFilter>, next: u64 },
    Blocks { next: u64 },
    Arrivals { next: u64, whole: bool },
}

#[derive(Debug)]
struct Installed {
    looks: Looks,
    asked: Instant,
}

/// All installed filters.
#[derive(Debug)]
pub(crate) struct Filters {
    max: usize,
    lapse: Duration,
    installed: Mutex<HashMap<String, Installed>>,
}

impl Filters {
    pub(crate) fn new(max: usize, lapse: Duration) -> Self {
        Self {
            max,
            lapse,
            installed: Mutex::default(),
        }
    }

    /// Installs a filter under a name; false when there are too many.
    pub(crate) fn install(&self, id: String, looks: Looks, now: Instant) -> bool {
        self.with(now, |installed| {
            if installed.len() >= self.max {
                return false;
            }
            installed.insert(id, Installed { looks, asked: now });
            true
        })
    }

    pub(crate) fn uninstall(&self, id: &str, now: Instant) -> bool {
        self.with(now, |installed| installed.remove(id).is_some())
    }

    /// The filter, which lives on because it was asked.
    pub(crate) fn find(&self, id: &str, now: Instant) -> Option<Looks> {
        self.with(now, |installed| {
            let filter = installed.get_mut(id)?;
            filter.asked = now;
            Some(filter.looks.clone())
        })
    }

    /// Takes what has come since the last time: the filter as it was; it goes on at `next`.
    pub(crate) fn advance(&self, id: &str, next: u64, now: Instant) {
        self.with(now, |installed| {
            if let Some(filter) = installed.get_mut(id) {
                match &mut filter.looks {
                    Looks::Logs { next: place, .. }
                    | Looks::Blocks { next: place }
                    | Looks::Arrivals { next: place, .. } => *place = next.max(*place),
                }
            }
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.installed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// Every look drops what nobody has asked for long enough.
    fn with<R>(&self, now: Instant, work: impl FnOnce(&mut HashMap<String, Installed>) -> R) -> R {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        installed.retain(|_, filter| now.saturating_duration_since(filter.asked) <= self.lapse);
        work(&mut installed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(next: u64) -> Looks {
        Looks::Blocks { next }
    }

    #[test]
    fn a_filter_lapses_when_nobody_asks() {
        let filters = Filters::new(8, Duration::from_secs(60));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(filters.install("a".into(), blocks(1), at(0)));
        assert!(filters.find("a", at(59)).is_some(), "and lives on from here");
        assert!(filters.find("a", at(118)).is_some());
        assert!(filters.find("a", at(179)).is_none());
        assert!(!filters.uninstall("a", at(180)));
    }

    #[test]
    fn there_are_never_more_filters_than_allowed() {
        let filters = Filters::new(2, Duration::from_secs(60));
        let start = Instant::now();
        assert!(filters.install("a".into(), blocks(1), start));
        assert!(filters.install("b".into(), blocks(1), start));
        assert!(!filters.install("c".into(), blocks(1), start));
        assert!(filters.uninstall("a", start));
        assert!(filters.install("c".into(), blocks(1), start));
        let later = start + Duration::from_secs(61);
        assert!(
            filters.install("d".into(), blocks(1), later),
            "lapsed ones make room"
        );
        assert_eq!(filters.len(), 1);
    }

    #[test]
    fn a_filter_never_goes_back() {
        let filters = Filters::new(2, Duration::from_secs(60));
        let now = Instant::now();
        filters.install("a".into(), blocks(5), now);
        filters.advance("a", 9, now);
        filters.advance("a", 7, now);
        assert!(matches!(filters.find("a", now), Some(Looks::Blocks { next: 9 })));
    }
}
