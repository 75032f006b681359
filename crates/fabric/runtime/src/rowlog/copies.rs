//! How far the store's second copy is, in positions of this log.
//!
//! ```text
//!   position 40 durable ─► asked: written 0/5A00, copy at 0/5400 ─► mark (40, 0/5A00)
//!                          asked: written 0/6100, copy at 0/5B20 ─► copied: 40, mark (52, 0/6100)
//! ```

use super::Shared;
use purlin_store::{Copies, Standing};
use std::collections::VecDeque;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// While something is on its way to the copy, and while nothing is.
const PAUSES: (Duration, Duration) = (Duration::from_millis(25), Duration::from_millis(500));

/// How long the store may take to say how it stands before its last word counts no more.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a packet thread must know of the copies of what it has recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// The newest history of the store that may lack some of what was written in those before; 0 before the first. A
    /// failover between copies that every write waits for begins none: nothing can be lost in it, and claims go on.
    pub timeline: u32,
    /// Every frame up to this position outlives a failover, within its history. While nothing copies the store, that is
    /// every durable one, as of its commit.
    pub position: u64,
    /// Whether a copy that follows in its own time may take the store's place; then, whether it follows now.
    pub behind: Option<bool>,
    /// That is supposed, because the store has not said for a while how it stands; it was alone before.
    pub silent: bool,
}

/// Positions on their way to the copy.
#[derive(Debug)]
pub(super) struct Frontier {
    now: Copied,
    /// The newest history heard of, and whether all that was written before it was last heard of was on the copy.
    history: u32,
    synced: bool,
    /// A position, and the place in the store's history that it lies before.
    marks: VecDeque<(u64, u64)>,
}

impl Default for Frontier {
    /// Before the store has said anything there may be a copy, which has nothing.
    fn default() -> Self {
        Self {
            now: Copied {
                timeline: 0,
                position: 0,
                behind: Some(false),
                silent: false,
            },
            history: 0,
            synced: false,
            marks: VecDeque::new(),
        }
    }
}

impl Frontier {
    pub(super) fn now(&self) -> Copied {
        self.now
    }

    /// Takes in what the store says of itself; `durable` was read before it was asked. True when that is news.
    pub(super) fn heard(&mut self, durable: u64, standing: &Standing) -> bool {
        let before = self.now;
        // An old primary.
        if standing.timeline < self.history {
            return false;
        }
        self.now.silent = false;
        let waited_for = matches!(standing.copies, Copies::Synced { .. });
        if standing.timeline > self.history {
            // Places of another history say nothing in this one.
            self.marks.clear();
            let first = self.history == 0;
            self.history = standing.timeline;
            if !(waited_for && (self.synced || first)) {
                self.now.timeline = standing.timeline;
            }
        }
        self.synced = false;
        let (upto, follows) = match standing.copies {
            Copies::None => {
                self.all(durable);
                return self.now != before;
            }
            Copies::Synced { upto } => (upto, true),
            Copies::Behind { upto, follows } => (upto, follows),
        };
        if self.marks.back().map_or(self.now.position, |mark| mark.0) < durable {
            self.marks.push_back((durable, standing.written));
        }
        while let Some(&(position, place)) = self.marks.front()
            && place <= upto
        {
            self.marks.pop_front();
            self.now.position = position;
        }
        // Where every write waits for the copy, what was written before it began to has to be there, once.
        if waited_for && (self.now.behind.is_none() || self.marks.is_empty()) {
            self.all(durable);
            self.synced = true;
        } else {
            self.now.behind = Some(follows);
        }
        self.now != before
    }

    /// The store has not said for a while how it stands. Where it was alone there may be a copy by now, which nothing
    /// waits for; a store whose copies everything waits for stays that. True when that is news.
    pub(super) fn unheard(&mut self) -> bool {
        let alone = self.now.behind.is_none() && !self.synced;
        if alone {
            (self.now.behind, self.now.silent) = (Some(false), true);
        }
        alone
    }

    /// Everything up to `end` is written, and nothing copied the store afterwards if `alone`. False when the store has to
    /// be asked first: it was alone when it was asked last, and whoever relied on that must not hear that `end` is durable
    /// before it is known whether it still was.
    pub(super) fn written(&mut self, end: u64, alone: bool) -> bool {
        let relied_on = self.now.silent || self.now.behind.is_none();
        if !relied_on || self.synced {
            return true;
        }
        if alone {
            self.now.silent = false;
            self.all(end);
        }
        alone
    }

    fn all(&mut self, durable: u64) {
        self.marks.clear();
        self.now.position = self.now.position.max(durable);
        self.now.behind = None;
    }
}

/// Asks the store until the log is gone.
pub(super) async fn follow(shared: Weak<Shared>) {
    loop {
        let Some(log) = shared.upgrade() else { return };
        let asked = ask_with_patience(&log).await;
        let waits = log.copies().now.position < log.accepted.load(Ordering::SeqCst);
        let pause = if asked && waits { PAUSES.0 } else { PAUSES.1 };
        drop(log);
        tokio::time::sleep(pause).await;
    }
}

/// Asks once, and says when no answer comes in time that the last one counts no more. The question is not taken back.
async fn ask_with_patience(shared: &Shared) -> bool {
    let mut asked = std::pin::pin!(ask(shared));
    let unheard = || {
        if shared.copies().unheard() {
            (shared.wake)();
        }
    };
    let answered = match tokio::time::timeout(PATIENCE, &mut asked).await {
        Ok(answered) => answered,
        Err(_) => {
            unheard();
            asked.await
        }
    };
    if !answered {
        unheard();
    }
    answered
}

/// Asks how the store stands after everything up to `end` was written.
pub(super) async fn look_again(shared: &Shared, end: u64) {
    let answered = tokio::time::timeout(PATIENCE, ask_after(shared, end)).await;
    if answered != Ok(true) && shared.copies().unheard() {
        (shared.wake)();
    }
}

/// Asks once; false when the store did not answer.
pub(super) async fn ask(shared: &Shared) -> bool {
    let durable = *shared.durable.borrow();
    ask_after(shared, durable).await
}

async fn ask_after(shared: &Shared, durable: u64) -> bool {
    let Ok(standing) = shared.rows.standing().await else {
        return false;
    };
    if shared.copies().heard(durable, &standing) {
        (shared.wake)();
    }
    true
}

/// The store's history by its own word, or the newest known when it does not answer.
pub(super) async fn newest_history(shared: &Shared) -> u32 {
    ask(shared).await;
    shared.copies().now.timeline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(timeline: u32, written: u64, copies: Copies) -> Standing {
        Standing {
            timeline,
            written,
            copies,
        }
    }

    fn behind(upto: u64) -> Copies {
        Copies::Behind { upto, follows: true }
    }

    #[test]
    fn before_the_store_has_spoken_nothing_outlives_a_failover() {
        let frontier = Frontier::default();
        assert_eq!((frontier.now().position, frontier.now().behind), (0, Some(false)));
    }

    #[test]
    fn a_position_is_copied_when_the_copy_has_passed_its_place() {
        let mut frontier = Frontier::default();
        frontier.heard(3, &standing(1, 100, behind(90)));
        assert_eq!(frontier.now().position, 0);
        frontier.heard(5, &standing(1, 120, behind(100)));
        assert_eq!(frontier.now().position, 3);
        frontier.heard(5, &standing(1, 130, behind(119)));
        assert_eq!(frontier.now().position, 3);
        frontier.heard(5, &standing(1, 140, behind(120)));
        assert_eq!(frontier.now().position, 5);
    }

    #[test]
    fn places_of_a_former_history_confirm_nothing() {
        let mut frontier = Frontier::default();
        frontier.heard(3, &standing(1, 100, behind(90)));
        frontier.heard(3, &standing(2, 95, behind(99)));
        assert_eq!(frontier.now().position, 3, "by a place of the new history");
        frontier.heard(7, &standing(2, 200, behind(150)));
        frontier.heard(8, &standing(3, 160, behind(159)));
        assert_eq!((frontier.now().position, frontier.now().timeline), (3, 3));
        assert!(
            !frontier.heard(9, &standing(2, 900, Copies::None)),
            "an old primary"
        );
    }

    #[test]
    fn a_copy_that_becomes_waited_for_has_to_have_what_came_before() {
        let mut frontier = Frontier::default();
        frontier.heard(3, &standing(1, 100, behind(50)));
        frontier.heard(4, &standing(1, 110, Copies::Synced { upto: 60 }));
        assert_eq!((frontier.now().position, frontier.now().behind), (0, Some(true)));
        frontier.heard(4, &standing(1, 110, Copies::Synced { upto: 110 }));
        assert_eq!((frontier.now().position, frontier.now().behind), (4, None));
        frontier.heard(6, &standing(1, 130, Copies::Synced { upto: 110 }));
        assert_eq!((frontier.now().position, frontier.now().behind), (6, None));
    }

    #[test]
    fn between_copies_that_are_waited_for_no_history_ends() {
        let synced = |timeline| standing(timeline, 100, Copies::Synced { upto: 100 });
        let mut frontier = Frontier::default();
        frontier.heard(1, &synced(4));
        frontier.heard(2, &synced(5));
        let now = frontier.now();
        assert_eq!((now.timeline, now.position, now.behind), (0, 2, None));
        frontier.heard(3, &standing(6, 120, Copies::None));
        assert_eq!(frontier.now().timeline, 6, "the new one has no copy");
        frontier.heard(3, &synced(7));
        assert_eq!(frontier.now().timeline, 7, "the one before had none");
        assert!(!frontier.heard(3, &synced(6)), "an old primary");
    }

    #[test]
    fn a_store_alone_that_falls_silent_may_have_a_copy_by_now() {
        let mut frontier = Frontier::default();
        frontier.heard(3, &Standing::ALONE);
        assert!(frontier.unheard() && !frontier.unheard());
        assert_eq!((frontier.now().position, frontier.now().behind), (3, Some(false)));
        frontier.heard(5, &Standing::ALONE);
        assert_eq!((frontier.now().position, frontier.now().behind), (5, None));
    }

    #[test]
    fn a_store_whose_copy_is_waited_for_may_fall_silent() {
        let mut frontier = Frontier::default();
        frontier.heard(3, &standing(1, 100, Copies::Synced { upto: 100 }));
        assert!(!frontier.unheard());
        assert_eq!(frontier.now().behind, None);
    }

    #[test]
    fn a_store_that_may_not_be_alone_any_more_is_asked_before_anybody_relies_on_it() {
        let mut frontier = Frontier::default();
        assert!(frontier.written(1, false), "nobody does yet");
        frontier.heard(1, &Standing::ALONE);
        assert!(frontier.written(2, true));
        assert_eq!((frontier.now().position, frontier.now().behind), (2, None));
        assert!(!frontier.written(3, false));
        assert_eq!(frontier.now().position, 2, "not before it was asked");
        frontier.heard(3, &standing(1, 110, behind(100)));
        assert_eq!((frontier.now().position, frontier.now().behind), (2, Some(true)));
        assert!(frontier.written(4, false), "what is known is no less than this");
        frontier.heard(4, &standing(1, 120, Copies::Synced { upto: 120 }));
        assert!(frontier.written(5, false), "every write waits");
    }

    #[test]
    fn a_commit_that_finds_the_store_alone_ends_its_silence() {
        let mut frontier = Frontier::default();
        frontier.heard(1, &Standing::ALONE);
        assert!(frontier.unheard() && frontier.now().silent);
        assert!(!frontier.written(2, false), "it has to be asked");
        assert_eq!((frontier.now().position, frontier.now().behind), (1, Some(false)));
        assert!(frontier.written(2, true));
        let now = frontier.now();
        assert_eq!((now.position, now.behind, now.silent), (2, None, false));
        frontier.unheard();
        frontier.heard(2, &standing(1, 110, behind(100)));
        assert!(!frontier.now().silent, "by its word");
    }

    #[test]
    fn a_store_alone_is_all_there_is() {
        let mut frontier = Frontier::default();
        assert!(frontier.heard(3, &Standing::ALONE));
        assert_eq!((frontier.now().position, frontier.now().behind), (3, None));
    }
}
