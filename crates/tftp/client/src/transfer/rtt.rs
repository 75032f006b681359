//! How long an answer takes, measured: what is lost is then asked for again as soon as that makes sense.

use std::time::Duration;

/// Servers may be that much slower than the network for a moment (a disk that spins up).
const WAIT_MIN: Duration = Duration::from_millis(100);

/// Smoothed round trips (RFC 6298, section 2).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RoundTrips {
    /// Mean and deviation.
    smoothed: Option<(Duration, Duration)>,
}

impl RoundTrips {
    /// Takes the time from something said once to its answer; of what was said twice nobody knows which time was
    /// answered.
    pub(super) fn took(&mut self, trip: Duration) {
        self.smoothed = Some(match self.smoothed {
            None => (trip, trip / 2),
            Some((mean, deviation)) => ((mean * 7 + trip) / 8, (deviation * 3 + mean.abs_diff(trip)) / 4),
        });
    }

    /// Silence to bear before saying something again; at most `longest`, and that before anything was measured.
    pub(super) fn wait(&self, longest: Duration) -> Duration {
        self.smoothed.map_or(longest, |(mean, deviation)| {
            (mean + deviation * 4).max(WAIT_MIN).min(longest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_the_path_within_its_bounds() {
        let (second, millis) = (Duration::from_secs(1), Duration::from_millis);
        let mut trips = RoundTrips::default();
        assert_eq!(trips.wait(second), second);
        trips.took(millis(80));
        assert_eq!(trips.wait(second), millis(240));
        (0..50).for_each(|_| trips.took(millis(1)));
        assert_eq!(trips.wait(second), WAIT_MIN);
        (0..50).for_each(|_| trips.took(millis(5000)));
        assert_eq!(trips.wait(second), second);
    }
}
