//! Durations of the recent past.

use purlin_telemetry::metrics::{Summary, Unit};
use purlin_types::BootTime;
use std::time::Duration;

/// Quantiles cover one to two of these.
const PERIOD_MILLIS: u64 = 5 * 60 * 1000;

/// Quantiles of the last five to ten minutes, count and sum since the start.
#[derive(Debug, Clone)]
pub struct Recent {
    summary: Summary,
    turned: BootTime,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            summary: Summary::new(Unit::Nanoseconds),
            turned: BootTime::default(),
        }
    }
}

impl Recent {
    pub(crate) fn record(&mut self, now: BootTime, duration: Duration) {
        self.turn(now);
        self.summary
            .record(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX));
    }

    /// As of `now`.
    #[must_use]
    pub fn summary(&mut self, now: BootTime) -> &Summary {
        self.turn(now);
        &self.summary
    }

    fn turn(&mut self, now: BootTime) {
        let periods = now.millis_since(self.turned) / PERIOD_MILLIS;
        if periods > 0 {
            self.turned = now;
            // Two turns forget everything.
            for _ in 0..periods.min(2) {
                self.summary.turn();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_ten_minutes_shapes_no_quantile() {
        let mut recent = Recent::default();
        let at = |minutes: u64| BootTime(0).plus_millis(minutes * 60_000);
        recent.record(at(1), Duration::from_secs(1));
        assert!(recent.summary(at(6)).quantiles()[0].1 > 0.5);
        assert!(recent.summary(at(12)).quantiles()[0].1.is_nan());
        assert_eq!(recent.summary(at(60)).count(), 1, "counted for ever");
    }
}
