//! How many validators must agree, said so that people can follow, and which change of their set is refused.
//!
//! With voting power n, a set stands up to f = (n - 1) / 3 of it failing or lying, and decides with the smallest power
//! that is more than two thirds: 2f + 1 when n = 3f + 1. Two such majorities share an honest validator, so that no two
//! blocks of one height are ever both decided. A smaller quorum is not a setting: it would give that up.

mod change;
mod set;

pub use change::{Accepted, Change, Policy, Refused, judge};
pub use set::{POWER_MAX, SetFault, Standing, ValidatorSet};

#[cfg(test)]
pub(crate) mod tests;
