//! Waiting longer after each failure, and not all at the same time.

use crate::ring::mix;
use std::time::Duration;

/// Numbers that look random and come from a seed: the caller brings the entropy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jitter(u64);

impl Jitter {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A duration from 0 up to `most`.
    pub fn up_to(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_add(1);
        // 32 bits of fraction are finer than any timer.
        let fraction = f64::from((mix(self.0) >> 32) as u32) / f64::from(u32::MAX);
        most.mul_f64(fraction)
    }
}

/// Waits that double from `first` to `most`, each shortened by up to its half.
///
/// Half of the wait stays, so that a service in trouble gets its rest; half is thrown like dice, so that those who
/// failed together do not come back together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
    jitter: Jitter,
}

impl Backoff {
    #[must_use]
    pub const fn new(first: Duration, most: Duration, seed: u64) -> Self {
        Self {
            first,
            most,
            failures: 0,
            jitter: Jitter::new(seed),
        }
    }

    /// Another failure: how long to wait before the next try.
    pub fn wait(&mut self) -> Duration {
        let factor = 2_u32.checked_pow(self.failures).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(factor).min(self.most);
        self.failures = self.failures.saturating_add(1);
        whole / 2 + self.jitter.up_to(whole / 2)
    }

    /// It worked: the next failure is a first one.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn waits_double_up_to_the_most_and_start_anew() {
        let mut backoff = Backoff::new(100 * MS, 1000 * MS, 7);
        for whole in [100, 200, 400, 800, 1000, 1000] {
            let wait = backoff.wait();
            assert!(
                wait >= whole * MS / 2 && wait <= whole * MS,
                "{wait:?} of {whole} ms"
            );
        }
        for _ in 0..100 {
            assert!(backoff.wait() <= 1000 * MS, "no failure is too many");
        }
        backoff.reset();
        assert!(backoff.wait() <= 100 * MS);
    }

    #[test]
    fn those_who_failed_together_come_back_apart() {
        let waits = |seed| Backoff::new(1000 * MS, 1000 * MS, seed).wait();
        let mut all: Vec<Duration> = (0..64).map(waits).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 64);
        assert_eq!(waits(3), waits(3), "the seed decides");
        assert!(all[63] - all[0] > 400 * MS, "over the whole half");
    }
}
