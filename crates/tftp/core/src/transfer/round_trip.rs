//! How long an answer takes, and how long to wait for one (RFC 6298; callers settle what of repeated blocks was answered).

use purlin_types::BootTime;

/// Smoothed round trip in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RoundTrip {
    /// 0 while nothing was measured.
    smoothed: u32,
    deviation: u32,
    shortest: u32,
}

impl RoundTrip {
    /// An answer came at `now` to what was sent once, at `sent`.
    pub(crate) fn sample(&mut self, sent: BootTime, now: BootTime) -> u32 {
        let micros = now.0.saturating_sub(sent.0) / 1000;
        let sample = u32::try_from(micros).unwrap_or(u32::MAX).max(1);
        self.take(sample);
        sample
    }

    /// RFC 6298, 2.2 and 2.3.
    pub(crate) fn take(&mut self, sample: u32) {
        if self.smoothed == 0 {
            (self.smoothed, self.deviation, self.shortest) = (sample, sample / 2, sample);
            return;
        }
        let away = u64::from(self.smoothed.abs_diff(sample));
        self.deviation = ((3 * u64::from(self.deviation) + away) / 4) as u32;
        self.smoothed = ((7 * u64::from(self.smoothed) + u64::from(sample)) / 8).max(1) as u32;
        self.shortest = self.shortest.min(sample);
    }

    /// Nanoseconds, 0 while unknown.
    pub(crate) fn smoothed(&self) -> u64 {
        u64::from(self.smoothed) * 1000
    }

    /// The least that was measured, in nanoseconds; 0 while unknown.
    pub(crate) fn shortest(&self) -> u64 {
        u64::from(self.shortest) * 1000
    }

    /// Nanoseconds after which an answer is missing (RFC 6298, 2.3); `None` while unknown.
    pub(crate) fn patience(&self) -> Option<u64> {
        (self.smoothed != 0).then(|| self.smoothed() + 4 * u64::from(self.deviation) * 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_the_samples() {
        let mut round = RoundTrip::default();
        assert_eq!(round.patience(), None);
        round.sample(BootTime(0), BootTime(10_000_000));
        assert_eq!(
            (round.smoothed(), round.patience()),
            (10_000_000, Some(30_000_000))
        );
        for _ in 0..60 {
            round.take(10_000);
        }
        let patience = round.patience().unwrap();
        assert!((10_000_000..10_100_000).contains(&patience), "{patience}");
        round.take(2_000);
        assert_eq!(round.shortest(), 2_000_000);
        assert!(round.patience().unwrap() > 15_000_000);
    }

    #[test]
    fn extremes_do_not_overflow() {
        let mut round = RoundTrip::default();
        round.sample(BootTime(5), BootTime(5));
        round.sample(BootTime(0), BootTime::MAX);
        round.sample(BootTime(9), BootTime(3));
        assert!(round.patience().is_some());
    }
}
