//! How long to wait before the next try.

use std::time::Duration;

/// Doubles from a least wait up to a longest one; jitter keeps nodes that lost each other at once from all coming back
/// at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most: most.max(least),
            next: least,
        }
    }

    /// The next try is as good as a first one.
    pub(crate) fn reset(&mut self) {
        self.next = self.least;
    }

    /// Between half of the wait that is due and the whole.
    pub(crate) fn wait(&mut self) -> Duration {
        // Without random numbers everybody waits the same: worse, and no reason to fail.
        let chance = getrandom::u64().unwrap_or(0);
        self.wait_by(chance)
    }

    fn wait_by(&mut self, chance: u64) -> Duration {
        let due = self.next;
        self.next = due.saturating_mul(2).min(self.most);
        let part = (chance >> 11) as f64 / (1_u64 << 53) as f64;
        due.mul_f64(0.5 + part / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew() {
        let millis = Duration::from_millis;
        let mut backoff = Backoff::new(millis(200), millis(1000));
        let waits: Vec<_> = (0..5).map(|_| backoff.wait_by(0)).collect();
        assert_eq!(waits, [100, 200, 400, 500, 500].map(millis));
        backoff.reset();
        let longest = backoff.wait_by(u64::MAX);
        assert!(longest > millis(199) && longest <= millis(200), "{longest:?}");
    }
}
