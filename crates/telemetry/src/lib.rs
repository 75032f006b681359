//! What Purlin says about itself: decision records, reasons, metrics, health and events.
//!
//! Decisions are the heart (`decision`): every hot-path choice becomes a small value in a bounded ring, with a
//! stable reason code (`reason`). Metrics, the event stream, `purlin why` and tests all read the same values.
//! This crate knows no service: reasons are tables that services hand in.

pub mod decision;
pub mod event;
pub mod health;
mod json;
pub mod metrics;
pub mod reason;

pub use decision::{Decision, DecisionRing, Outcome};
pub use event::{Event, EventLog};
pub use health::Health;
pub use metrics::Registry;
pub use reason::{Reason, ReasonCode};
