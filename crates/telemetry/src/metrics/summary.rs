//! Summaries: quantiles of the recent past with the count and sum of all time.

use super::{Sketch, Unit};

/// The quantiles that are shown.
pub static QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// Quantiles over the last one to two periods, count and sum since the start. A plain value for one owner.
///
/// The owner calls [`Summary::turn`] once per period (five minutes, say); time is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    unit: Unit,
    newer: Sketch,
    older: Sketch,
    count: u64,
    sum: u128,
}

impl Summary {
    #[must_use]
    pub fn new(unit: Unit) -> Self {
        Self {
            unit,
            newer: Sketch::default(),
            older: Sketch::default(),
            count: 0,
            sum: 0,
        }
    }

    /// Records one value.
    pub fn record(&mut self, value: u64) {
        self.newer.record(value);
        self.count += 1;
        self.sum += u128::from(value);
    }

    /// Begins a new period: what was recorded before the last turn no longer shapes the quantiles.
    pub fn turn(&mut self) {
        std::mem::swap(&mut self.newer, &mut self.older);
        self.newer.clear();
    }

    /// Adds what another summary has recorded; one of another unit adds nothing.
    pub fn merge(&mut self, other: &Self) {
        if self.unit != other.unit {
            return;
        }
        self.newer.merge(&other.newer);
        self.older.merge(&other.older);
        self.count += other.count;
        self.sum += other.sum;
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The sum of all values in base units.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum as f64 * self.unit.base(1)
    }

    /// [`QUANTILES`] in base units; not a number while the last periods saw nothing.
    #[must_use]
    pub fn quantiles(&self) -> [(f64, f64); 4] {
        let mut both = self.newer.clone();
        both.merge(&self.older);
        QUANTILES.map(|q| {
            (
                q,
                both.quantile(q).map_or(f64::NAN, |value| self.unit.base(value)),
            )
        })
    }
}
