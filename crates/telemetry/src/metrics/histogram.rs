//! Histograms with fixed bounds: a plain value for one owner.

/// What is measured, as an integer; it decides how the value reads in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Recorded in nanoseconds, shown in seconds.
    Nanoseconds,
    /// Recorded and shown in octets, packets or anything else that is counted.
    Count,
}

impl Unit {
    /// The recorded integer in base units.
    #[must_use]
    pub fn base(self, value: u64) -> f64 {
        match self {
            Self::Nanoseconds => value as f64 / 1e9,
            Self::Count => value as f64,
        }
    }
}

/// Bounds for latencies from 10 us to 10 s, in nanoseconds.
pub static LATENCY_BOUNDS: &[u64] = &[
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    10_000_000_000,
];

/// Counts of values up to each of some ascending bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    unit: Unit,
    bounds: &'static [u64],
    /// One more than there are bounds; not cumulative.
    counts: Vec<u64>,
    sum: u128,
}

impl Histogram {
    /// An empty histogram; `bounds` ascend and are inclusive.
    #[must_use]
    pub fn new(unit: Unit, bounds: &'static [u64]) -> Self {
        debug_assert!(bounds.is_sorted(), "bounds ascend");
        Self {
            unit,
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0,
        }
    }

    /// Records one value.
    pub fn record(&mut self, value: u64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at] += 1;
        self.sum += u128::from(value);
    }

    /// Adds what another histogram of the same shape has recorded; another shape adds nothing.
    pub fn merge(&mut self, other: &Self) {
        if (self.bounds, self.unit) != (other.bounds, other.unit) {
            return;
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.sum += other.sum;
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all values in base units.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum as f64 * self.unit.base(1)
    }

    /// Upper bounds in base units with the number of values up to each; the last bound is infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let bounds = self
            .bounds
            .iter()
            .map(|bound| self.unit.base(*bound))
            .chain([f64::INFINITY]);
        bounds.zip(&self.counts).scan(0, |total, (bound, count)| {
            *total += count;
            Some((bound, *total))
        })
    }
}
