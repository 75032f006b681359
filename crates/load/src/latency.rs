//! How long steps take.

use hdrhistogram::Histogram;
use serde::Serialize;

/// 1 us to 10 minutes in nanoseconds.
const NANOS_MIN: u64 = 1_000;
const NANOS_MAX: u64 = 600_000_000_000;

/// The times of one step: counted in a fixed amount of memory (about 90 KiB), told with three digits. What took less
/// than 1 us counts as that, and so does what took more than 10 minutes.
#[derive(Debug, Clone)]
pub struct Times(Histogram<u32>);

impl Times {
    #[must_use]
    pub fn new() -> Self {
        Self(histogram(3))
    }

    /// Counts one step.
    pub fn record(&mut self, nanos: u64) {
        record(&mut self.0, nanos);
    }

    /// Adds what another thread has counted.
    ///
    /// # Panics
    /// Never: all have the same bounds and precision.
    pub fn absorb(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("same bounds and precision everywhere");
    }

    /// The time, in microseconds, within which this share (0.0 to 1.0) of the steps was over; 0 when there was none.
    #[must_use]
    pub fn quantile_us(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1e3
    }

    /// All figures for a report; `None` when the step never happened.
    #[must_use]
    pub fn latency(&self, step: &'static str) -> Option<Latency> {
        (!self.0.is_empty()).then(|| Latency {
            step,
            count: self.0.len(),
            mean_us: self.0.mean() / 1e3,
            p50_us: self.quantile_us(0.5),
            p90_us: self.quantile_us(0.9),
            p99_us: self.quantile_us(0.99),
            p999_us: self.quantile_us(0.999),
            max_us: self.0.max() as f64 / 1e3,
        })
    }
}

impl Default for Times {
    fn default() -> Self {
        Self::new()
    }
}

/// Time taken by one step, microseconds. In an open loop the first step of an operation counts from when it was due.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    /// The generator's name for the step.
    pub step: &'static str,
    /// How often it happened.
    pub count: u64,
    pub mean_us: f64,
    pub p50_us: f64,
    pub p90_us: f64,
    pub p99_us: f64,
    pub p999_us: f64,
    pub max_us: f64,
}

/// The last moments' 99th percentile, for progress displays.
#[derive(Debug)]
pub struct Recent(Histogram<u32>);

impl Recent {
    #[must_use]
    pub fn new() -> Self {
        Self(histogram(2))
    }

    /// Counts one step.
    pub fn record(&mut self, nanos: u64) {
        record(&mut self.0, nanos);
    }

    /// The percentile in nanoseconds since the last call; 0 when nothing happened.
    pub fn take_p99(&mut self) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        let p99 = self.0.value_at_quantile(0.99);
        self.0.reset();
        p99
    }
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

fn histogram(digits: u8) -> Histogram<u32> {
    Histogram::new_with_bounds(NANOS_MIN, NANOS_MAX, digits).expect("bounds are constants and valid")
}

fn record(histogram: &mut Histogram<u32>, nanos: u64) {
    histogram.saturating_record(nanos.max(NANOS_MIN));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(micros: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::new();
        micros.into_iter().for_each(|us| times.record(us * 1000));
        times
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let found = [0.5, 0.9, 0.99, 1.0].map(|share| times((1..=100).rev()).quantile_us(share) as u32);
        assert_eq!(found, [50, 90, 99, 100]);
    }

    #[test]
    fn a_step_that_never_happened_has_no_latency() {
        assert_eq!(times([]).latency("boot"), None);
        assert_eq!(times([]).quantile_us(0.99), 0.0);
    }

    #[test]
    fn threads_add_up() {
        let mut all = times([10]);
        all.absorb(&times([20, 30]));
        let latency = all.latency("boot").unwrap();
        assert_eq!((latency.step, latency.count), ("boot", 3));
        assert!(
            (latency.mean_us - 20.0).abs() < 0.5 && latency.max_us >= 30.0,
            "{latency:?}"
        );
    }

    #[test]
    fn what_takes_too_long_counts_as_the_longest() {
        let hours = times([36_000_000_000]);
        assert_eq!(hours.latency("boot").unwrap().count, 1);
        assert!(hours.quantile_us(1.0) >= 600e6);
    }

    #[test]
    fn recent_times_are_forgotten_once_told() {
        let mut recent = Recent::new();
        recent.record(5_000_000);
        assert!((4_900_000..5_100_000).contains(&recent.take_p99()));
        assert_eq!(recent.take_p99(), 0);
    }
}
