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

/// Addresses that one client may take out of use by DECLINE within [`DECLINE_PERIOD`].
const DECLINES_MAX: u8 = 8;
/// One hour in nanoseconds of boot time.
const DECLINE_PERIOD: u64 = 3_600_000_000_000;
const DECLINERS: usize = 1024;

/// Who declined how often lately, in a fixed table: a client that finds every address in use is broken, and must
/// not empty the pools. Of two clients in one place the later one is remembered.
#[derive(Debug, Default)]
pub(crate) struct Declines {
    places: Vec<(u64, BootTime, u8)>,
}

impl Declines {
    /// Counts a decline; `false` when it is one too many.
    pub(crate) fn admit(&mut self, key: u64, now: BootTime) -> bool {
        if self.places.is_empty() {
            self.places = vec![(0, BootTime(0), 0); DECLINERS];
        }
        let place = &mut self.places[(key >> 20) as usize % DECLINERS];
        if place.0 != key || now.0.saturating_sub(place.1.0) > DECLINE_PERIOD {
            *place = (key, now, 0);
        }
        let admitted = place.2 < DECLINES_MAX;
        place.2 = place.2.saturating_add(1);
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
