//! From positions to seconds: up to which second everything this thread recorded is durable.
//!
//! The core asks in seconds, because that is what its records carry (rule R1 in lead mode: how much more than
//! what is durable may be promised); the journal answers in positions.

use purlin_store::Position;
use std::collections::VecDeque;

/// Seconds told apart at most; a disk that stalls longer is told of as one old second.
const SECONDS_MAX: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The last position of each second that is not known durable, oldest first.
    open: VecDeque<(u32, Position)>,
}

impl Ledger {
    /// Records made in second `secs` are in the journal up to `position`.
    pub(crate) fn note(&mut self, secs: u32, position: Position) {
        let full = self.open.len() >= SECONDS_MAX;
        match self.open.back_mut() {
            // A wall clock that went back counts to the second already open; so does what there is no room for.
            Some(last) if last.0 >= secs || full => last.1 = position,
            _ => self.open.push_back((secs, position)),
        }
    }

    /// Every record made in an earlier second than the result is durable.
    pub(crate) fn durable_secs(&mut self, now_secs: u32, durable: Position) -> u32 {
        while self.open.front().is_some_and(|(_, last)| *last <= durable) {
            self.open.pop_front();
        }
        self.open
            .front()
            .map_or(now_secs, |(secs, _)| (*secs).min(now_secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_second_that_is_not_durable_bounds_the_promise() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.durable_secs(100, Position(0)), 100);
        ledger.note(100, Position(1));
        ledger.note(100, Position(2));
        ledger.note(101, Position(3));
        assert_eq!(ledger.durable_secs(101, Position(1)), 100);
        assert_eq!(ledger.durable_secs(101, Position(2)), 101);
        assert_eq!(ledger.durable_secs(105, Position(3)), 105);
    }

    #[test]
    fn a_long_stall_and_a_clock_that_went_back_stay_on_the_safe_side() {
        let mut ledger = Ledger::default();
        for secs in 0..1000 {
            ledger.note(secs, Position(u64::from(secs) + 1));
        }
        ledger.note(5, Position(2000));
        assert_eq!(ledger.open.len(), SECONDS_MAX);
        assert_eq!(ledger.durable_secs(2000, Position(1999)), SECONDS_MAX as u32 - 1);
        assert_eq!(ledger.durable_secs(2000, Position(2000)), 2000);
    }
}
