//! Where the places of clients are kept between two connections, and who is connected now.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::Follower;
use super::keeper::SessionKeeper;

/// Clients whose connections broke and whose places are kept.
const PARKED_MAX: usize = 4096;
/// How long the former connection of a client may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Clones share it.
#[derive(Clone, Default)]
pub(super) struct Lounge {
    seats: Arc<Mutex<HashMap<String, Seat>>>,
    /// Somebody has left a connection.
    left: Arc<Notify>,
}

enum Seat {
    /// Connected; told when the client is back over another connection.
    Taken(Arc<Notify>),
    /// Where the client stood, and in which generation of its session.
    Parked(u64, Box<Follower>),
}

impl fmt::Debug for Lounge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lounge({} seats)", self.seats().len())
    }
}

impl Lounge {
    fn seats(&self) -> MutexGuard<'_, HashMap<String, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of the session begins.
    pub(super) fn enter(&self, id: &str) -> Arc<Notify> {
        let called = Arc::new(Notify::new());
        self.seats()
            .insert(id.to_owned(), Seat::Taken(Arc::clone(&called)));
        called
    }

    /// The session is no more, or elsewhere.
    pub(super) fn leave(&self, id: &str) {
        self.seats().remove(id);
        self.left.notify_waiters();
    }

    /// The connection broke: the place is kept for as long as the session lives here.
    pub(super) fn park(
        &self,
        keeper: &dyn SessionKeeper,
        (id, generation): (String, u64),
        follower: Follower,
    ) {
        {
            let mut seats = self.seats();
            seats.remove(&id);
            let lives = |id: &str, generation| keeper.check(id, generation);
            seats.retain(|id, seat| match seat {
                Seat::Taken(_) => true,
                Seat::Parked(generation, _) => lives(id, *generation),
            });
            if seats.len() < PARKED_MAX && lives(&id, generation) {
                seats.insert(id, Seat::Parked(generation, Box::new(follower)));
            }
        }
        self.left.notify_waiters();
    }

    /// Ends the former connection of a client that is back, if it has one here.
    pub(super) async fn call_back(&self, id: &str) {
        let ended = async {
            loop {
                let mut left = std::pin::pin!(self.left.notified());
                left.as_mut().enable();
                match self.seats().get(id) {
                    Some(Seat::Taken(called)) => called.notify_one(),
                    _ => return,
                }
                left.await;
            }
        };
        // One that does not end keeps its place: the client is told of a gap then.
        let _ = timeout(PATIENCE, ended).await;
    }

    /// Where the client stood.
    pub(super) fn take(&self, id: &str) -> Option<Follower> {
        let mut seats = self.seats();
        match seats.remove(id) {
            Some(Seat::Parked(_, follower)) => Some(*follower),
            Some(taken) => {
                seats.insert(id.to_owned(), taken);
                None
            }
            None => None,
        }
    }
}
