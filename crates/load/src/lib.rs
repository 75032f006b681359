//! What load generators share, whatever they load.
//!
//! ```text
//!   Load ──► Plan ──► Schedule::due(now)    when the next operation starts, by the clock or when one ends
//!                         │
//!                         ▼ it took ...     counted from when it was due
//!                       Times ──► Latency   percentiles, for the report
//!                       Recent              the last moments', for progress displays
//!   Usage ──► CpuTime                       what the generator or the server has used meanwhile
//! ```
//!
//! A schedule is asked with the caller's own clock. What an operation is, who sends it and how its answer is verified
//! is the business of the generators.

mod cost;
mod latency;
mod schedule;

pub use cost::{CpuTime, Usage};
pub use latency::{Latency, Recent, Times};
pub use schedule::{Due, Load, Plan, Schedule, UnknownLoad};
