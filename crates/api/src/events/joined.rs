//! Several sources as one: their lanes side by side.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all, select_all};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Batch, EventSource};

/// Sources side by side.
pub struct Joined {
    sources: Vec<Arc<dyn EventSource>>,
    /// Who is asked first, in turn: a busy source must not keep the others from being heard.
    turn: AtomicUsize,
}

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Joined({} sources)", self.sources.len())
    }
}

impl Joined {
    /// # Panics
    /// Without any source.
    #[must_use]
    pub fn new(sources: Vec<Arc<dyn EventSource>>) -> Self {
        assert!(!sources.is_empty(), "a stream needs a source");
        Self {
            sources,
            turn: AtomicUsize::new(0),
        }
    }

    /// First lane of every source.
    fn firsts(&self) -> impl Iterator<Item = usize> {
        self.sources.iter().scan(0, |lane, source| {
            let first = *lane;
            *lane += source.lanes();
            Some(first)
        })
    }
}

impl EventSource for Joined {
    fn lanes(&self) -> usize {
        self.sources.iter().map(|source| source.lanes()).sum()
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        join_all(self.sources.iter().map(|source| source.tail()))
            .map(|all| all.concat())
            .boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        join_all(self.sources.iter().map(|source| source.oldest()))
            .map(|all| all.concat())
            .boxed()
    }

    fn shares_places(&self) -> bool {
        self.sources.iter().any(|source| source.shares_places())
    }

    fn own_topics(&self) -> Vec<&'static str> {
        let topics = self.sources.iter().map(|source| source.own_topics());
        topics.collect::<Vec<_>>().concat()
    }

    fn shared_place(&self, at: &[u64]) -> String {
        // One of them at most knows what other nodes know.
        let place = |(source, first): (&Arc<dyn EventSource>, usize)| {
            source.shared_place(&at[first..first + source.lanes()])
        };
        let mut places = self.sources.iter().zip(self.firsts()).map(place);
        places.find(|place| !place.is_empty()).unwrap_or_default()
    }

    fn position_at<'a>(&'a self, place: &'a str) -> BoxFuture<'a, Vec<u64>> {
        join_all(self.sources.iter().map(|source| source.position_at(place)))
            .map(|all| all.concat())
            .boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        let ask = |(source, first): (&'a Arc<dyn EventSource>, usize)| {
            let own = &from[first..first + source.lanes()];
            source.next(own, limit).map(move |batch| (first, batch)).boxed()
        };
        let mut asked: Vec<_> = self.sources.iter().zip(self.firsts()).map(ask).collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % asked.len();
        asked.rotate_left(turn);
        // The first source that has something is enough: what the others have stays where it is.
        let waiting = select_all(asked);
        waiting
            .map(|((first, batch), _, _)| {
                let mut next = from.to_vec();
                next[first..first + batch.next.len()].copy_from_slice(&batch.next);
                let mut events = batch.events;
                events.iter_mut().for_each(|event| event.lane += first);
                Batch {
                    events,
                    next,
                    missed: batch.missed,
                }
            })
            .boxed()
    }
}
