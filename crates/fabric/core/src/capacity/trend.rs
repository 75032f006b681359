//! Forecasts that admit when there is nothing to see.
//!
//! The slope is the median of the slopes between all pairs of samples (Theil 1950, Sen 1968): a third of the samples may be
//! nonsense without bending it. Whether there is a trend at all is asked of the ranks alone (Mann 1945, Kendall
//! 1975): the samples that rise against those that fall. Sen's interval around the median becomes the earliest and the
//! latest time.

use std::time::Duration;

/// Fewer samples are no history.
const SAMPLES_MIN: usize = 8;

/// More are thinned out: the work grows with the square, and a slope does not become truer.
const SAMPLES_MAX: usize = 200;

/// Standard deviations of the normal law for 95 %, on both sides.
const Z: f64 = 1.96;

/// No forecast reaches further than this many times the history.
const REACH: f64 = 10.0;

/// How much was in use at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Seconds on any clock that does not jump.
    pub at: u64,
    pub used: u64,
}

/// What becomes of a pool.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Forecast {
    /// Nothing is free.
    Full,
    /// Too few samples, or all of the same moment.
    TooShort { samples: usize },
    /// Use goes up and down without a direction that 95 % certainty would call one.
    NoTrend,
    /// Use falls; so much a day.
    Shrinking { per_day: f64 },
    /// Use grows so slowly that the end lies further off than ten times the history: not before `after`.
    NotSoon { per_day: f64, after: Duration },
    /// Use grows and the end is in sight.
    Exhausted {
        per_day: f64,
        /// If it goes on as it went.
        after: Duration,
        /// With 95 % certainty not before.
        earliest: Duration,
        /// And not after; `None` when it may as well never happen.
        latest: Option<Duration>,
    },
}

/// When a pool of `capacity` will have nothing left, seen from the last of `history` (in order of time).
///
/// A line knows no days: a history of a morning sees the morning's rise go on for ever. Give it whole days.
#[must_use]
pub fn forecast(history: &[Sample], capacity: u64) -> Forecast {
    let Some(last) = history.last() else {
        return Forecast::TooShort { samples: 0 };
    };
    if last.used >= capacity {
        return Forecast::Full;
    }
    let samples = thinned(history);
    let mut slopes = slopes(&samples);
    if samples.len() < SAMPLES_MIN || slopes.is_empty() {
        return Forecast::TooShort {
            samples: samples.len(),
        };
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let Some((low, median, high)) = interval(&slopes, deviation(&samples)) else {
        return Forecast::NoTrend;
    };
    let per_day = median * 86_400.0;
    if median < 0.0 {
        return Forecast::Shrinking { per_day };
    }
    let free = (capacity - last.used) as f64;
    let span = last.at.saturating_sub(samples[0].at) as f64;
    let until = |slope: f64| seconds(free / slope);
    if free / median > span * REACH {
        return Forecast::NotSoon {
            per_day,
            after: seconds(span * REACH),
        };
    }
    Forecast::Exhausted {
        per_day,
        after: until(median),
        earliest: until(high),
        // A slope this flat means longer than anybody keeps a plan.
        latest: (low > 0.0 && free / low < 1e9).then(|| until(low)),
    }
}

/// Clocks may be wrong by any amount, and a duration holds less than a float.
fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count.min(1e15))
}

/// At most [`SAMPLES_MAX`], evenly taken, the last one among them.
fn thinned(history: &[Sample]) -> Vec<Sample> {
    let step = history.len().div_ceil(SAMPLES_MAX).max(1);
    let mut samples: Vec<Sample> = history.iter().rev().step_by(step).copied().collect();
    samples.reverse();
    samples
}

fn slopes(samples: &[Sample]) -> Vec<f64> {
    let pairs = samples
        .iter()
        .enumerate()
        .flat_map(|(n, a)| samples[n + 1..].iter().map(move |b| (a, b)));
    let apart = pairs.filter(|(a, b)| b.at > a.at);
    apart
        .map(|(a, b)| (b.used as f64 - a.used as f64) / (b.at - a.at) as f64)
        .collect()
}

/// Standard deviation of the Mann-Kendall statistic without a trend, corrected for equal values.
fn deviation(samples: &[Sample]) -> f64 {
    let term = |n: usize| (n * n.saturating_sub(1) * (2 * n + 5)) as f64;
    let mut used: Vec<u64> = samples.iter().map(|sample| sample.used).collect();
    used.sort_unstable();
    let ties: f64 = used.chunk_by(|a, b| a == b).map(|equal| term(equal.len())).sum();
    ((term(samples.len()) - ties) / 18.0).sqrt()
}

/// Lower end, median and upper end of the slope; `None` when the ranks see no trend. `slopes` are sorted.
fn interval(slopes: &[f64], deviation: f64) -> Option<(f64, f64, f64)> {
    let count = slopes.len();
    let rising = slopes.iter().filter(|slope| **slope > 0.0).count() as f64;
    let falling = slopes.iter().filter(|slope| **slope < 0.0).count() as f64;
    // One is taken off because the statistic is discrete.
    let score = ((rising - falling).abs() - 1.0).max(0.0);
    let median = slopes[count / 2];
    if deviation <= 0.0 || score / deviation < Z || median == 0.0 {
        return None;
    }
    let half = Z * deviation;
    let low = ((count as f64 - half) / 2.0).max(0.0) as usize;
    let high = ((count as f64 + half) / 2.0).ceil() as usize;
    Some((slopes[low.min(count - 1)], median, slopes[high.min(count - 1)]))
}
