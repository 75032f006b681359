//! Packet traces: questions as arguments of `ovn-trace`, its answer as hops with our objects.
//!
//! The question is built from checked values and handed over as an argument vector; no text of a user is ever part of a
//! shell line or of an expression without quotes. The answer is text for people; it is read line by line, and what is not
//! known in it is kept as it is.

mod hops;
mod query;
mod read;

pub use hops::{Decision, Hop, Object, Outcome, Story, story};
pub use query::{Conntrack, Given, Protocol, Query, QueryError, Target};
pub use read::{Section, Step, Trace, TraceError, read};
