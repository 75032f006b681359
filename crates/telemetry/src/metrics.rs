//! Metrics and their text for Prometheus (exposition format 0.0.4).
//!
//! ```text
//!  Registry ─┬─ own families   Counter, Gauge, shared histograms: for what is not hot (HTTP, control)
//!            └─ Collectors     callbacks at a scrape: whoever counts on the packet path in plain integers
//!                  │
//!                  ▼
//!               Encoder        checks names, merges, keeps every family within its budget of series
//! ```
//!
//! Nothing on a packet path touches this module but [`Histogram`] and [`Summary`], which are plain values owned
//! by one thread. Units are base units (seconds, octets); a counter's name ends in `_total`. A family that would
//! exceed its budget of series gets the rest as one series whose labels all say `other`, and
//! `purlin_metric_series_folded_total` counts how often that happened.

mod encode;
mod histogram;
mod name;
mod process;
mod registry;
mod sketch;
mod summary;
#[cfg(test)]
mod tests;

pub use encode::{Encoder, Family, SERIES_MAX};
pub use histogram::{Histogram, LATENCY_BOUNDS, Unit};
pub use name::NameFault;
pub use process::{BuildFacts, ProcessFacts};
pub use registry::{Collector, Counter, Gauge, Registry, Shared, Vector};
pub use sketch::Sketch;
pub use summary::{QUANTILES, Summary};

/// What kind of family it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
    /// A gauge under a name that gauges should not have, because people's dashboards ask for it so.
    Untyped,
}

impl Kind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
            Self::Untyped => "untyped",
        }
    }
}
