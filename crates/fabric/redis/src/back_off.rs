//! Pauses between attempts: doubling, bounded, and jittered so that nodes do not return in step.

use std::time::Duration;

#[derive(Debug)]
pub(crate) struct BackOff {
    bounds: (Duration, Duration),
    failures: u32,
}

impl BackOff {
    pub(crate) fn new(bounds: (Duration, Duration)) -> Self {
        Self { bounds, failures: 0 }
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next pause: between half and the whole of a span that doubles with each failure. `random` is any number.
    pub(crate) fn next(&mut self, random: u64) -> Duration {
        let (shortest, longest) = self.bounds;
        let doubled = shortest.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let span = doubled.min(longest);
        // 16 bits are jitter enough, and exact in a `f64`.
        let part = f64::from(u16::try_from(random & 0xffff).unwrap_or(0)) / f64::from(u16::MAX);
        span.mul_f64(0.5 + part / 2.0)
    }
}

/// Only jitter depends on it: without the system's randomness all nodes wait the same time.
pub(crate) fn random() -> u64 {
    getrandom::u64().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_anew() {
        let mut back_off = BackOff::new((Duration::from_millis(100), Duration::from_secs(1)));
        let whole = [0; 6].map(|_| back_off.next(u64::MAX).as_millis());
        assert_eq!(whole, [100, 200, 400, 800, 1000, 1000]);
        back_off.reset();
        assert_eq!(back_off.next(u64::MAX).as_millis(), 100);
    }

    #[test]
    fn jitter_takes_away_at_most_half() {
        let mut back_off = BackOff::new((Duration::from_millis(100), Duration::from_secs(1)));
        assert_eq!(back_off.next(0).as_millis(), 50);
        for random in 0..100_000_u64 {
            let pause = back_off.next(random.wrapping_mul(0x9e37_79b9));
            assert!(pause <= Duration::from_secs(1) && pause >= Duration::from_millis(100));
        }
    }
}
