//! Rate limits per client and per relay: token buckets in fixed tables, so that a flood costs no memory.
//!
//! A bucket is found by hash; two keys that share a bucket share its tokens. With 64 Ki buckets that is rare and
//! errs on the side of silence for one second.

use purlin_types::BootTime;

const BUCKETS: usize = 1 << 16;

/// Token buckets of one kind; `rate` packets a second with a burst of as many.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: u32,
    /// Thousandths of a token left, and the millisecond (wrapping) they were counted at.
    buckets: Vec<(u32, u32)>,
}

impl Limiter {
    pub(crate) fn new(rate: u32) -> Self {
        let buckets = if rate == 0 {
            Vec::new()
        } else {
            vec![(u32::MAX, 0); BUCKETS]
        };
        Self { rate, buckets }
    }

    pub(crate) fn rate(&self) -> u32 {
        self.rate
    }

    /// Takes a token for `key`; false when there is none.
    pub(crate) fn admit(&mut self, key: u64, now: BootTime) -> bool {
        if self.rate == 0 {
            return true;
        }
        let full = self.rate.saturating_mul(1000);
        let now_ms = (now.0 / 1_000_000) as u32;
        let bucket = &mut self.buckets[(key >> 20) as usize % BUCKETS];
        let gained = now_ms
            .wrapping_sub(bucket.1)
            .min(60_000)
            .saturating_mul(self.rate);
        let tokens = bucket.0.saturating_add(gained).min(full);
        let admitted = tokens >= 1000;
        *bucket = (if admitted { tokens - 1000 } else { tokens }, now_ms);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let mut limiter = Limiter::new(5);
        let start = BootTime(1_000_000_000);
        let admitted = (0..20).filter(|_| limiter.admit(7 << 20, start)).count();
        assert_eq!(admitted, 5);
        let later = start.plus_millis(1000);
        let admitted = (0..20).filter(|_| limiter.admit(7 << 20, later)).count();
        assert_eq!(admitted, 5);
        assert!(limiter.admit(8 << 20, later), "another client is not held back");
    }

    #[test]
    fn no_limit_admits_all() {
        let mut limiter = Limiter::new(0);
        assert!((0..1000).all(|_| limiter.admit(1, BootTime(0))));
    }
}
