//! How often the same is told: at once, then no more often than every few seconds, and the newest of it in the end.
//!
//! A peer that comes and goes ten times a second is told of when it first comes, and ten seconds later with how it stands
//! then and how often it changed in between. Nothing that lasts is lost by that.

use std::collections::BTreeMap;
use std::time::Duration;

/// Between two of the same.
const EVERY: Duration = Duration::from_secs(10);
/// Different things that are told of at the same time; more are not told.
const KEYS_MAX: usize = 256;

/// What makes two of them the same: the kind, and whom it is about.
pub(super) type Key = (&'static str, String);

#[derive(Debug)]
pub(super) struct Throttle<T> {
    said: BTreeMap<Key, Said<T>>,
}

#[derive(Debug)]
struct Said<T> {
    at: Duration,
    /// The newest that was not told, and how many were not.
    held: Option<T>,
    more: u64,
}

impl<T> Default for Throttle<T> {
    fn default() -> Self {
        Self {
            said: BTreeMap::new(),
        }
    }
}

impl<T> Throttle<T> {
    /// What to tell at once.
    pub(super) fn offer(&mut self, now: Duration, key: Key, it: T) -> Option<T> {
        if let Some(said) = self.said.get_mut(&key) {
            said.held = Some(it);
            said.more += 1;
            return None;
        }
        if self.said.len() >= KEYS_MAX {
            return None;
        }
        let (at, held, more) = (now, None, 0);
        self.said.insert(key, Said { at, held, more });
        Some(it)
    }

    /// What was held back long enough, each with how many before it were not told at all.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(T, u64)> {
        let mut due = Vec::new();
        self.said.retain(|_, said| {
            if said.at.saturating_add(EVERY) > now {
                return true;
            }
            let Some(held) = said.held.take() else {
                return false;
            };
            due.push((held, std::mem::take(&mut said.more) - 1));
            said.at = now;
            true
        });
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(whom: usize) -> Key {
        ("peer", whom.to_string())
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn s3_57_who_flaps_is_told_twice_in_ten_seconds_and_as_it_stands_in_the_end() {
        let mut throttle = Throttle::default();
        let told: Vec<u64> = (0..100)
            .filter_map(|n| throttle.offer(secs(0), key(1), n))
            .collect();
        assert_eq!(told, [0]);
        assert_eq!(throttle.offer(secs(1), key(2), 7), Some(7), "another is another");
        assert_eq!(throttle.due(secs(9)), []);
        assert_eq!(throttle.due(secs(10)), [(99, 98)]);
        assert_eq!(throttle.offer(secs(11), key(1), 100), None);
        assert_eq!(throttle.due(secs(20)), [(100, 0)]);
        assert_eq!(throttle.due(secs(30)), [], "nothing more");
        assert_eq!(
            throttle.offer(secs(31), key(1), 101),
            Some(101),
            "and it is forgotten"
        );
    }

    #[test]
    fn a_crowd_is_bounded() {
        let mut throttle = Throttle::default();
        let told = (0..10_000)
            .filter_map(|n| throttle.offer(secs(0), key(n), n))
            .count();
        assert_eq!(told, KEYS_MAX);
        assert_eq!(throttle.due(secs(10)), []);
        assert_eq!(
            throttle.offer(secs(10), key(5), 5),
            Some(5),
            "there is room again"
        );
    }
}
