//! An engine that may go away, with one that does not for the time without it.

use super::{Away, Forgotten, LocalMetadata, Metadata, MetadataCache, Place};
use crate::Clock;
use crate::stats::Count;
use purlin_types::BootTime;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// After a failed call the engine is left alone so long, then twice as long, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_LONGEST: Duration = Duration::from_secs(30);
/// Changes kept for the engine's return; of more the oldest are dropped, and end with their time.
const UNTOLD_MAX: usize = 4096;

/// Asks the far engine, and this process's own while that is away: no look at a name waits for a timeout twice in a
/// row. Changes that could not be told are told when the engine is back, before anything else.
pub struct FallbackMetadata {
    far: Arc<dyn MetadataCache>,
    near: Arc<LocalMetadata>,
    clock: Clock,
    state: Mutex<State>,
    listeners: Mutex<Vec<Forgotten>>,
    away: Count,
}

#[derive(Debug, Default)]
struct State {
    /// Until when the engine is left alone, and how long that pause was.
    until: BootTime,
    pause: Duration,
    untold: VecDeque<Place>,
}

impl FallbackMetadata {
    /// The engine `far`, with `near` for the time without it.
    #[must_use]
    pub fn new(far: Arc<dyn MetadataCache>, near: LocalMetadata, clock: Clock) -> Self {
        let near = Arc::new(near);
        let own = Arc::downgrade(&near);
        far.listen(Arc::new(move |place| {
            if let Some(own) = own.upgrade() {
                let _ = own.forget(place);
            }
        }));
        Self {
            far,
            near,
            clock,
            state: Mutex::default(),
            listeners: Mutex::default(),
            away: Count::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the far engine says, unless it is left alone or cannot be reached.
    fn far<T>(&self, call: impl FnOnce(&dyn MetadataCache) -> Result<T, Away>) -> Result<T, Away> {
        if (self.clock)() < self.state().until {
            return Err(Away);
        }
        let answer = self.tell_changes().and_then(|()| call(&*self.far));
        let mut state = self.state();
        if answer.is_ok() {
            state.pause = Duration::ZERO;
        } else {
            self.away.one();
            state.pause = (state.pause * 2).clamp(PAUSE, PAUSE_LONGEST);
            let millis = u64::try_from(state.pause.as_millis()).expect("half a minute");
            state.until = (self.clock)().plus_millis(millis);
        }
        answer
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Forgotten>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_changes(&self) -> Result<(), Away> {
        loop {
            // Not held while the engine is asked: it may call back.
            let Some(place) = self.state().untold.pop_front() else {
                return Ok(());
            };
            if self.far.forget(&place).is_err() {
                self.state().untold.push_front(place);
                return Err(Away);
            }
        }
    }
}

impl MetadataCache for FallbackMetadata {
    fn recall(&self, place: &Place) -> Result<Option<Metadata>, Away> {
        self.far(|far| far.recall(place))
            .or_else(|Away| self.near.recall(place))
    }

    fn keep(&self, place: &Place, found: Metadata, ttl: Duration) -> Result<(), Away> {
        // Also while the engine is there: what this node found is at hand when it goes.
        self.near.keep(place, found, ttl)?;
        let _ = self.far(|far| far.keep(place, found, ttl));
        Ok(())
    }

    fn forget(&self, place: &Place) -> Result<(), Away> {
        self.near.forget(place)?;
        if self.far(|far| far.forget(place)).is_err() {
            let mut state = self.state();
            if state.untold.len() >= UNTOLD_MAX {
                state.untold.pop_front();
            }
            state.untold.push_back(place.clone());
            drop(state);
            let listeners = self.listeners().clone();
            listeners.iter().for_each(|listener| listener(place));
        }
        Ok(())
    }

    fn listen(&self, listener: Forgotten) {
        self.listeners().push(Arc::clone(&listener));
        self.far.listen(listener);
    }

    fn times_away(&self) -> u64 {
        self.away.get()
    }
}

impl std::fmt::Debug for FallbackMetadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "FallbackMetadata({:?}, away {} times)",
            self.near,
            self.away.get()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    /// An engine that can be taken away, and counts who asks.
    struct Far {
        engine: LocalMetadata,
        there: AtomicBool,
        asked: AtomicU64,
    }

    impl Far {
        fn ask<T>(&self, call: impl FnOnce(&LocalMetadata) -> Result<T, Away>) -> Result<T, Away> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.there.load(Ordering::Relaxed) {
                call(&self.engine)
            } else {
                Err(Away)
            }
        }
    }

    impl MetadataCache for Far {
        fn recall(&self, place: &Place) -> Result<Option<Metadata>, Away> {
            self.ask(|engine| engine.recall(place))
        }
        fn keep(&self, place: &Place, found: Metadata, ttl: Duration) -> Result<(), Away> {
            self.ask(|engine| engine.keep(place, found, ttl))
        }
        fn forget(&self, place: &Place) -> Result<(), Away> {
            self.ask(|engine| engine.forget(place))
        }
        fn listen(&self, listener: Forgotten) {
            self.engine.listen(listener);
        }
    }

    struct Rig {
        time: Arc<AtomicU64>,
        far: Arc<Far>,
        both: FallbackMetadata,
    }

    fn rig() -> Rig {
        let time = Arc::new(AtomicU64::new(1));
        let clock = || -> Clock {
            let time = Arc::clone(&time);
            Arc::new(move || BootTime(time.load(Ordering::Relaxed)))
        };
        let far = Arc::new(Far {
            engine: LocalMetadata::new(1000, clock()),
            there: AtomicBool::new(true),
            asked: AtomicU64::new(0),
        });
        let both = FallbackMetadata::new(Arc::clone(&far) as _, LocalMetadata::new(1000, clock()), clock());
        Rig { time, far, both }
    }

    impl Rig {
        fn pass(&self, seconds: u64) {
            self.time.fetch_add(seconds * 1_000_000_000, Ordering::Relaxed);
        }
        fn asked(&self) -> u64 {
            self.far.asked.swap(0, Ordering::Relaxed)
        }
    }

    fn place(path: &str) -> Place {
        Place {
            root: "/a".to_owned(),
            path: path.to_owned(),
        }
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn while_the_engine_is_away_the_nodes_own_word_counts_and_nobody_waits() {
        let rig = rig();
        rig.both.keep(&place("x"), Metadata::Missing, LONG).unwrap();
        rig.far.there.store(false, Ordering::Relaxed);
        rig.asked();
        for _ in 0..100 {
            assert_eq!(rig.both.recall(&place("x")), Ok(Some(Metadata::Missing)));
            assert_eq!(rig.both.recall(&place("y")), Ok(None));
        }
        assert_eq!(
            (rig.asked(), rig.both.times_away()),
            (1, 1),
            "the rest did not wait"
        );
        rig.pass(1);
        assert_eq!(rig.both.recall(&place("x")), Ok(Some(Metadata::Missing)));
        rig.pass(1);
        assert_eq!(rig.both.recall(&place("x")), Ok(Some(Metadata::Missing)));
        assert_eq!(rig.asked(), 1, "the second pause is longer");
        rig.pass(1);
        rig.far.there.store(true, Ordering::Relaxed);
        rig.far.engine.forget(&place("x")).unwrap();
        assert_eq!(
            rig.both.recall(&place("x")),
            Ok(None),
            "the engine is asked again"
        );
    }

    #[test]
    fn with_the_engine_there_it_keeps_the_contract() {
        let rig = rig();
        super::super::contract::check(&rig.both, &|passes| rig.pass(passes.as_secs()));
    }

    #[test]
    fn what_others_forget_is_not_remembered_here_for_later() {
        let rig = rig();
        rig.both.keep(&place("x"), Metadata::Missing, LONG).unwrap();
        rig.far.engine.forget(&place("x")).unwrap();
        rig.far.there.store(false, Ordering::Relaxed);
        assert_eq!(rig.both.recall(&place("x")), Ok(None));
    }

    #[test]
    fn listeners_here_hear_of_changes_while_the_engine_is_away() {
        let rig = rig();
        let heard = Arc::new(AtomicU64::new(0));
        let ear = Arc::clone(&heard);
        rig.both.listen(Arc::new(move |_| {
            ear.fetch_add(1, Ordering::Relaxed);
        }));
        rig.both.forget(&place("x")).unwrap();
        rig.far.there.store(false, Ordering::Relaxed);
        rig.both.forget(&place("x")).unwrap();
        assert_eq!(heard.load(Ordering::Relaxed), 2, "each once");
    }

    #[test]
    fn changes_are_told_when_the_engine_is_back() {
        let rig = rig();
        rig.both.keep(&place("x"), Metadata::Missing, LONG).unwrap();
        rig.far.there.store(false, Ordering::Relaxed);
        rig.both.forget(&place("x")).unwrap();
        assert_eq!(rig.both.recall(&place("x")), Ok(None), "known here at once");
        assert_eq!(rig.far.engine.recall(&place("x")), Ok(Some(Metadata::Missing)));
        rig.far.there.store(true, Ordering::Relaxed);
        rig.pass(1);
        assert_eq!(rig.both.recall(&place("y")), Ok(None));
        assert_eq!(
            rig.far.engine.recall(&place("x")),
            Ok(None),
            "told before anything else"
        );
    }

    #[test]
    fn a_flood_of_untold_changes_takes_bounded_room() {
        let rig = rig();
        rig.far.there.store(false, Ordering::Relaxed);
        for number in 0..2 * UNTOLD_MAX {
            rig.both.forget(&place(&number.to_string())).unwrap();
        }
        assert_eq!(rig.both.state().untold.len(), UNTOLD_MAX);
    }
}
