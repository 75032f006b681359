//! Leases that change threads: no journal may forget them before the journal of their new thread is durable.
//!
//! A checkpoint drops what its thread no longer has. So from the moment that leases leave their threads, none is
//! begun anywhere until every thread has appended its new state to its own journal and that is durable. A power
//! cut before then finds them in the former journal, one after it in the new one; a start reads all.

use purlin_store::Position;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// One rewriting of the states of all threads.
#[derive(Debug)]
pub(crate) struct Rewrite {
    /// Threads whose new state is not durable yet.
    missing: AtomicU16,
}

impl Rewrite {
    pub(crate) fn of(threads: u16) -> Arc<Self> {
        Arc::new(Self {
            missing: AtomicU16::new(threads),
        })
    }

    fn is_done(&self) -> bool {
        self.missing.load(Ordering::Acquire) == 0
    }

    /// One thread more is done; true when that was the last.
    fn arrive(&self) -> bool {
        self.missing.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

/// How far one thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its leases may still change.
    Open,
    /// The journal has been given the new state, but may have refused some of it.
    Given,
    Accepted(Position),
    Durable,
}

/// One thread's part of a rewriting.
#[derive(Debug)]
pub(super) struct Part {
    all: Arc<Rewrite>,
    stage: Stage,
}

impl Part {
    pub(super) fn new(all: Arc<Rewrite>) -> Self {
        let stage = Stage::Open;
        Self { all, stage }
    }

    /// The new state was handed to the journal, or to what waits for room there.
    pub(super) fn given(&mut self) {
        self.stage = Stage::Given;
    }

    /// Follows the journal, of which `accepted` is the last position, if it has accepted everything. True when
    /// this made the rewriting complete.
    pub(super) fn follow(&mut self, accepted: Option<Position>, durable: Position) -> bool {
        if let (Stage::Given, Some(accepted)) = (self.stage, accepted) {
            self.stage = Stage::Accepted(accepted);
        }
        if !matches!(self.stage, Stage::Accepted(position) if position <= durable) {
            return false;
        }
        self.stage = Stage::Durable;
        self.all.arrive()
    }

    /// Whether every thread's new state is durable.
    pub(super) fn is_over(&self) -> bool {
        self.all.is_done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Position = Position(0);

    #[test]
    fn it_is_over_when_the_last_threads_state_is_durable() {
        let all = Rewrite::of(2);
        let mut parts = [Part::new(Arc::clone(&all)), Part::new(all)];
        // Nothing given yet, whatever else is durable.
        assert!(!parts[0].follow(Some(Position(5)), Position(5)));
        parts[0].given();
        assert!(!parts[0].follow(Some(Position(7)), Position(6)));
        // Later frames do not put it off.
        assert!(!parts[0].follow(Some(Position(9)), Position(7)));
        assert!(!parts[0].is_over());
        parts[1].given();
        assert!(parts[1].follow(Some(NONE), NONE));
        assert!(parts.iter().all(Part::is_over));
        // It counts once.
        assert!(!parts[1].follow(Some(NONE), NONE));
        assert!(parts[0].is_over());
    }

    #[test]
    fn what_the_journal_refused_is_waited_for() {
        let mut part = Part::new(Rewrite::of(1));
        part.given();
        assert!(!part.follow(None, Position(100)));
        assert!(!part.follow(Some(Position(101)), Position(100)));
        assert!(part.follow(Some(Position(102)), Position(101)));
    }
}
