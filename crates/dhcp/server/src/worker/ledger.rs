//! From positions to time: up to which millisecond everything this thread recorded is durable.
//!
//! The core asks by time, because that is what its records carry (rule R1 in lead mode: how much more than what is
//! durable may be promised); the journal answers in positions.

use purlin_store::Position;
use purlin_types::WallTime;
use std::collections::VecDeque;

/// Milliseconds told apart at most; what a slow disk owes beyond them counts as one late one.
const OPEN_MAX: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// The last position of each millisecond that is not known durable, oldest first.
    open: VecDeque<(WallTime, Position)>,
}

impl Ledger {
    /// Records made at `at` are in the journal up to `position`.
    pub(crate) fn note(&mut self, at: WallTime, position: Position) {
        let full = self.open.len() >= OPEN_MAX;
        if self.open.back().is_some_and(|last| last.0 > at) {
            // The wall clock went back: what is open may hold records as young as this one.
            self.open.iter_mut().for_each(|open| open.0 = open.0.min(at));
        }
        match self.open.back_mut() {
            Some(last) if last.0 >= at || full => last.1 = position,
            _ => self.open.push_back((at, position)),
        }
    }

    /// Every record made in an earlier millisecond than the result is durable.
    pub(crate) fn durable(&mut self, now: WallTime, durable: Position) -> WallTime {
        while self.open.front().is_some_and(|(_, last)| *last <= durable) {
            self.open.pop_front();
        }
        self.open.front().map_or(now, |(at, _)| (*at).min(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_time_that_is_not_durable_bounds_the_promise() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.durable(WallTime(100), Position(0)), WallTime(100));
        ledger.note(WallTime(100), Position(1));
        ledger.note(WallTime(100), Position(2));
        ledger.note(WallTime(101), Position(3));
        assert_eq!(ledger.durable(WallTime(101), Position(1)), WallTime(100));
        assert_eq!(ledger.durable(WallTime(101), Position(2)), WallTime(101));
        assert_eq!(ledger.durable(WallTime(105), Position(3)), WallTime(105));
    }

    #[test]
    fn a_long_stall_and_a_clock_that_went_back_stay_on_the_safe_side() {
        let mut ledger = Ledger::default();
        for secs in 0..1000 {
            ledger.note(WallTime(secs), Position(secs + 1));
        }
        ledger.note(WallTime(5), Position(2000));
        assert_eq!(ledger.open.len(), OPEN_MAX);
        assert_eq!(ledger.durable(WallTime(2000), Position(1999)), WallTime(5));
        assert_eq!(ledger.durable(WallTime(2000), Position(2000)), WallTime(2000));
    }
}
