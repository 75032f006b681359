//! How far the store's second copy has what this thread recorded, in time: what the core asks for (`step::Log::copy`).
//!
//! After a failover that may have lost rows, time stands still: the new history's places say nothing of what the old one
//! lost. It goes on once everything that is held has been claimed anew and said again, and the store has that.

use super::ledger::Ledger;
use purlin_dhcp_core::step::Copied;
use purlin_fabric_runtime::Copied as Heard;
use purlin_store::Position;
use purlin_types::WallTime;

/// This thread's side of the copies.
#[derive(Debug)]
pub(crate) struct Copies {
    ledger: Ledger,
    /// The earliest history of all terms under which slots are held, or were when replies were decided that still wait.
    oldest: u32,
    /// The last frame in which something was said again.
    said_again: Position,
    /// How far the copy was when last asked, in a history that nothing was lost in.
    reached: Position,
    /// Since the last reply that was parked, somebody was told that no copy is behind.
    told_whole: bool,
    /// Replies that were decided so wait up to there.
    relied: Position,
}

impl Default for Copies {
    fn default() -> Self {
        Self {
            ledger: Ledger::default(),
            oldest: u32::MAX,
            said_again: Position(0),
            reached: Position(0),
            told_whole: false,
            relied: Position(0),
        }
    }
}

impl Copies {
    /// Records made at `at` are in the log up to `position`.
    pub(crate) fn note(&mut self, at: WallTime, position: Position) {
        self.ledger.note(at, position);
    }

    /// What is held changed: the earliest history among it. While replies wait for the copy, those of what is held no
    /// more count: a failover may lose their records as well.
    pub(crate) fn hold(&mut self, oldest: Option<u32>, waiting: bool) {
        let oldest = oldest.unwrap_or(u32::MAX);
        self.oldest = if waiting { self.oldest.min(oldest) } else { oldest };
    }

    /// All that is known of a slot was said again, up to there.
    pub(crate) fn said_again(&mut self, position: Position) {
        self.said_again = self.said_again.max(position);
    }

    /// Whether something may be lost that has not been said again, or not yet to where it is safe.
    fn has_lost(&self, heard: &Heard, durable: Position) -> bool {
        let safe = match heard.behind {
            Some(_) => Position(heard.position),
            None => durable,
        };
        heard.timeline > self.oldest || safe < self.said_again
    }

    /// For the core; `durable` was read before `heard`.
    pub(crate) fn state(&mut self, now: WallTime, heard: &Heard, durable: Position) -> Option<Copied> {
        let lost = self.has_lost(heard, durable);
        if !lost {
            self.reached = Position(heard.position);
        }
        let upto = self.ledger.durable(now, self.reached);
        match heard.behind {
            None if !lost => {
                self.told_whole = true;
                None
            }
            behind => Some(Copied {
                upto,
                follows: !lost && behind == Some(true),
            }),
        }
    }

    /// Replies are parked until `position` is durable: they may rest on what was told before.
    pub(crate) fn parked(&mut self, position: Position) {
        if std::mem::take(&mut self.told_whole) {
            self.relied = self.relied.max(position);
        }
    }

    /// Up to where replies may go that wait for the store alone, `durable` being how far that is, read before; and those
    /// that have to be forgotten, after the first position and up to the second. They were decided while no copy was
    /// behind: one that is by now may lack their records. While the store does not say, they wait.
    pub(crate) fn alone(&self, heard: &Heard, durable: Position) -> (Position, Option<(Position, Position)>) {
        let reached = Position(heard.position);
        let whole = heard.behind.is_none() || self.relied <= reached;
        match heard.silent {
            _ if whole => (durable, None),
            true => (durable.min(reached), None),
            false => (durable, Some((reached, self.relied))),
        }
    }

    /// Up to where replies may go that wait for the copy; `None` when those that wait have to be forgotten.
    pub(crate) fn due(&self, heard: &Heard, durable: Position) -> Option<Position> {
        match heard.behind {
            _ if self.has_lost(heard, durable) => None,
            Some(true) => Some(Position(heard.position)),
            Some(false) => None,
            None => Some(durable),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(timeline: u32, position: u64, behind: Option<bool>) -> Heard {
        Heard {
            timeline,
            position,
            behind,
            silent: false,
        }
    }

    /// Frames 1 to 3 at 100, 200, 300 ms, all with the store; slots of the first history are held.
    fn copies() -> Copies {
        let mut copies = Copies::default();
        copies.hold(Some(1), false);
        for n in 1..=3 {
            copies.note(WallTime(n * 100), Position(n));
        }
        copies
    }

    fn upto(copies: &mut Copies, heard: Heard) -> Option<(u64, bool)> {
        let state = copies.state(WallTime(900), &heard, Position(3));
        state.map(|copied| (copied.upto.0, copied.follows))
    }

    #[test]
    fn what_the_copy_has_not_got_is_not_counted() {
        let mut copies = copies();
        assert_eq!(upto(&mut copies, heard(1, 1, Some(true))), Some((200, true)));
        assert_eq!(upto(&mut copies, heard(1, 3, Some(false))), Some((900, false)));
        assert_eq!(
            upto(&mut copies, heard(1, 3, None)),
            None,
            "no copy, or one that is waited for"
        );
    }

    #[test]
    fn after_a_failover_nothing_more_counts_until_all_is_said_again() {
        let mut copies = copies();
        assert_eq!(upto(&mut copies, heard(1, 1, Some(true))), Some((200, true)));
        // Frames 2 and 3 are lost; the new history has no copy, or one that has all of it.
        assert_eq!(upto(&mut copies, heard(2, 3, None)), Some((200, false)));
        assert_eq!(upto(&mut copies, heard(2, 3, Some(true))), Some((200, false)));
        assert_eq!(copies.due(&heard(2, 3, None), Position(3)), None);
        copies.note(WallTime(400), Position(4));
        copies.said_again(Position(4));
        copies.hold(Some(2), false);
        assert_eq!(
            upto(&mut copies, heard(2, 3, None)),
            Some((200, false)),
            "not written yet"
        );
        let mut written = |heard| copies.state(WallTime(900), &heard, Position(4));
        let still = written(heard(2, 3, Some(true))).expect("there is a copy");
        assert_eq!(
            (still.upto.0, still.follows),
            (200, false),
            "written, and not copied yet"
        );
        let copied = written(heard(2, 4, Some(true))).expect("there is a copy");
        assert_eq!((copied.upto.0, copied.follows), (900, true));
        assert_eq!(written(heard(2, 4, None)), None);
    }

    #[test]
    fn a_failover_ends_replies_about_what_is_held_no_more() {
        let mut copies = copies();
        copies.hold(None, true);
        assert_eq!(
            copies.due(&heard(1, 2, Some(true)), Position(3)),
            Some(Position(2))
        );
        assert_eq!(copies.due(&heard(2, 3, None), Position(3)), None);
        copies.hold(None, false);
        assert_eq!(copies.due(&heard(2, 3, None), Position(3)), Some(Position(3)));
    }

    #[test]
    fn a_copy_that_appears_overtakes_replies_that_no_copy_had_to_have() {
        let mut copies = copies();
        assert_eq!(upto(&mut copies, heard(1, 3, None)), None);
        copies.parked(Position(4));
        let alone = |copies: &Copies, heard| copies.alone(&heard, Position(4));
        let all = (Position(4), None);
        assert_eq!(alone(&copies, heard(1, 4, None)), all);
        assert_eq!(
            alone(&copies, heard(1, 3, Some(true))),
            (Position(4), Some((Position(3), Position(4))))
        );
        assert_eq!(
            alone(&copies, heard(1, 4, Some(false))),
            all,
            "written before it came"
        );
        let silent = Heard {
            silent: true,
            ..heard(1, 3, Some(false))
        };
        assert_eq!(
            alone(&copies, silent),
            (Position(3), None),
            "nobody knows of a copy"
        );
        // Decided with that copy in mind.
        assert!(upto(&mut copies, heard(1, 4, Some(true))).is_some());
        copies.parked(Position(5));
        assert_eq!(alone(&copies, heard(1, 4, Some(true))), all);
    }

    #[test]
    fn replies_go_as_far_as_the_copy_and_are_forgotten_when_it_stops() {
        let copies = copies();
        assert_eq!(
            copies.due(&heard(1, 2, Some(true)), Position(3)),
            Some(Position(2))
        );
        assert_eq!(copies.due(&heard(1, 2, Some(false)), Position(3)), None);
        assert_eq!(copies.due(&heard(1, 2, None), Position(3)), Some(Position(3)));
    }
}
