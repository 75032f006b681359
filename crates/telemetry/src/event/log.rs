//! The bounded row of the newest events, shared by all who write and read them.

use super::Event;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Called with the number of the newest event after it is in the log.
type Listener = Box<dyn Fn(u64) + Send + Sync>;

/// The newest events. Shared by `Arc`; the lock is held for a push or a copy of references only.
pub struct EventLog {
    capacity: usize,
    inner: Mutex<Inner>,
    listener: OnceLock<Listener>,
}

struct Inner {
    events: VecDeque<Arc<Event>>,
    next: u64,
}

impl fmt::Debug for EventLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventLog")
            .field("capacity", &self.capacity)
            .field("next", &self.next())
            .finish_non_exhaustive()
    }
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Oldest first.
    pub events: Vec<Arc<Event>>,
    /// How many were asked for that are no longer there; when it is not 0, read the present state afresh.
    pub missed: u64,
    /// Ask for this number next.
    pub next: u64,
}

impl EventLog {
    /// A log of at most `capacity` events whose first gets the number `first`.
    ///
    /// A `first` that grows over restarts (the wall clock in microseconds) keeps numbers in order, so that a
    /// reader's number from before a restart is recognised as missed and not taken for a coming one.
    #[must_use]
    pub fn new(capacity: usize, first: u64) -> Self {
        let inner = Mutex::new(Inner {
            events: VecDeque::new(),
            next: first,
        });
        Self {
            capacity: capacity.max(1),
            inner,
            listener: OnceLock::new(),
        }
    }

    /// Calls `listener` after every push, outside the lock. The first one stays; `false` for any other.
    pub fn listen(&self, listener: impl Fn(u64) + Send + Sync + 'static) -> bool {
        self.listener.set(Box::new(listener)).is_ok()
    }

    /// Adds an event and gives it its number.
    pub fn push(&self, mut event: Event) -> u64 {
        let mut inner = self.locked();
        let seq = inner.next;
        event.seq = seq;
        inner.next += 1;
        if inner.events.len() == self.capacity {
            inner.events.pop_front();
        }
        inner.events.push_back(Arc::new(event));
        drop(inner);
        if let Some(listener) = self.listener.get() {
            listener(seq);
        }
        seq
    }

    /// The number the next event will get.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.locked().next
    }

    /// At most `limit` events numbered `seq` and above. A number that has not been given yet, as after a clock
    /// that went back over a restart, gets everything there is, and the gap is reported as one missed event.
    #[must_use]
    pub fn since(&self, seq: u64, limit: usize) -> Page {
        let inner = self.locked();
        let oldest = inner.next - inner.events.len() as u64;
        let (from, missed) = if seq > inner.next {
            (oldest, 1)
        } else {
            (seq.max(oldest), oldest.saturating_sub(seq))
        };
        let events: Vec<_> = inner
            .events
            .iter()
            .skip((from - oldest) as usize)
            .take(limit)
            .cloned()
            .collect();
        let next = from + events.len() as u64;
        Page { events, missed, next }
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while the lock is held, so a poisoned one is as good as any.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_types::WallTime;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn filled(capacity: usize, first: u64, count: u64) -> EventLog {
        let log = EventLog::new(capacity, first);
        for i in 0..count {
            log.push(Event::new(WallTime(i), "node", "counted", i.to_string(), ""));
        }
        log
    }

    fn numbers(page: &Page) -> Vec<u64> {
        page.events.iter().map(|event| event.seq).collect()
    }

    #[test]
    fn a_reader_resumes_without_gap_or_repetition() {
        let log = filled(10, 100, 5);
        let page = log.since(100, 2);
        assert_eq!((numbers(&page), page.missed, page.next), (vec![100, 101], 0, 102));
        let page = log.since(page.next, 10);
        assert_eq!(
            (numbers(&page), page.missed, page.next),
            (vec![102, 103, 104], 0, 105)
        );
        let page = log.since(page.next, 10);
        assert_eq!((numbers(&page), page.missed, page.next), (vec![], 0, 105));
    }

    #[test]
    fn a_reader_that_was_away_too_long_is_told() {
        let log = filled(4, 0, 10);
        let page = log.since(2, 10);
        assert_eq!(
            (numbers(&page), page.missed, page.next),
            (vec![6, 7, 8, 9], 4, 10)
        );
    }

    #[test]
    fn numbers_of_another_life_are_no_future() {
        let log = filled(4, 1000, 2);
        assert_eq!(log.since(12, 10).missed, 988, "a number from before the restart");
        let page = log.since(5000, 10);
        assert_eq!(
            (numbers(&page), page.missed, page.next),
            (vec![1000, 1001], 1, 1002)
        );
    }

    #[test]
    fn a_listener_hears_of_every_event() {
        let log = EventLog::new(2, 7);
        let heard = Arc::new(AtomicU64::new(0));
        let there = Arc::clone(&heard);
        assert!(log.listen(move |seq| there.store(seq, Ordering::Relaxed)));
        assert!(!log.listen(|_| ()));
        log.push(Event::new(WallTime(0), "node", "up", "", ""));
        assert_eq!(heard.load(Ordering::Relaxed), 7);
    }
}
