//! How agreement went, height by height, as one node saw it: what was kept of it, what it comes to, and what is wrong.
//!
//! ```text
//!   engine (chain/bft) ─► News ─► Window: the last heights ─┬─► Summary: times, and figures of each validator
//!                                                           ├─► Turn: a validator is missing, late, back
//!                                   who is up, round trips ─┴─► findings: what is wrong, in words, with what helps
//! ```
//!
//! A vote counts here when the validator's own connection brought it, signatures unchecked: whoever lies about its own votes
//! tells lies about itself alone. Nothing here decides a block. Times are arguments, and what a window holds is bounded.

mod attention;
mod figures;
mod findings;
mod height;
mod stall;
#[cfg(test)]
mod tests;
mod window;
mod words;

pub use attention::{Turn, Way};
pub use figures::{Figures, Spread, Summary};
pub use findings::{Facts, Finding, Grade, findings};
pub use height::{FailedRound, Failure, Height, News, Roll, Seen, Times};
pub use stall::{Said, Stall, Voice};
pub use window::{HEIGHTS_MAX, Window};
