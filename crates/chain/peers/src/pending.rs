//! Strangers that have connected and not yet shown who they are: only so many at once.
//!
//! When one more comes, the oldest has to go. Were the new one refused instead, whoever opens connections and says
//! nothing would keep everybody out with a few connections each ten seconds; so he needs a few each millisecond.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::oneshot;

#[derive(Debug)]
pub(crate) struct Pending(Mutex<Places>);

#[derive(Debug)]
struct Places {
    most: usize,
    next: u64,
    taken: VecDeque<(u64, oneshot::Sender<()>)>,
}

/// A stranger's place; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pending: &'a Pending,
    number: u64,
    displaced: oneshot::Receiver<()>,
}

impl Pending {
    pub(crate) fn new(most: usize) -> Self {
        Self(Mutex::new(Places {
            most,
            next: 0,
            taken: VecDeque::new(),
        }))
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().expect("no thread panics with it")
    }

    /// Takes a place, from the oldest where all are taken. At least one is always there.
    pub(crate) fn enter(&self) -> Place<'_> {
        let (stays, displaced) = oneshot::channel();
        let mut places = self.places();
        while places.taken.len() >= places.most.max(1) {
            // Dropping the sender tells the task that waits.
            places.taken.pop_front();
        }
        let number = places.next;
        places.next += 1;
        places.taken.push_back((number, stays));
        Place {
            pending: self,
            number,
            displaced,
        }
    }

    pub(crate) fn set_most(&self, most: usize) {
        let mut places = self.places();
        places.most = most;
        while places.taken.len() > most.max(1) {
            places.taken.pop_front();
        }
    }

    pub(crate) fn taken(&self) -> usize {
        self.places().taken.len()
    }
}

impl Place<'_> {
    /// Returns when another has taken the place.
    pub(crate) async fn displaced(&mut self) {
        let _ = (&mut self.displaced).await;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let number = self.number;
        self.pending.places().taken.retain(|(one, _)| *one != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn has_to_go(place: &mut Place<'_>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(place.displaced()).poll(&mut context).is_ready()
    }

    #[test]
    fn the_oldest_gives_way() {
        let pending = Pending::new(2);
        let (mut first, mut second) = (pending.enter(), pending.enter());
        assert!(!has_to_go(&mut first));
        let mut third = pending.enter();
        assert!(has_to_go(&mut first) && !has_to_go(&mut second) && !has_to_go(&mut third));
        assert_eq!(pending.taken(), 2);
        drop(first);
        assert_eq!(pending.taken(), 2, "its place was not its own any more");
        drop(second);
        assert_eq!(pending.taken(), 1);
    }

    #[test]
    fn fewer_places_displace_at_once_and_one_always_stays() {
        let pending = Pending::new(3);
        let mut places = [pending.enter(), pending.enter(), pending.enter()];
        pending.set_most(0);
        assert_eq!(places.each_mut().map(has_to_go), [true, true, false]);
    }
}
