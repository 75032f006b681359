//! A line that is opened, tried, lost and opened again, for ever.
//!
//! ```text
//!            open                    probe fails, or it lived long enough
//!   Connecting ──► Ready ──────────────────────────► Connecting ──► ...
//!        │                                               ▲
//!        └─ open fails ─► Away ─ pause with jitter ── open succeeds
//! ```
//!
//! One task tends a line. Callers never open anything: they take what is up, or learn that nothing is.

use crate::State;
use crate::back_off::{self, BackOff};
use crate::trouble::Trouble;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// What is particular to a kind of line.
pub(crate) trait Tend: Send + Sync + 'static {
    type Up: Send + Sync + 'static;

    /// Opens it. `suspect` is to be notified when the server is seen to hang up.
    fn open(&self, suspect: &Arc<Notify>) -> impl Future<Output = Result<Self::Up, Trouble>> + Send;

    /// Whether it is still what it should be connected to, and answers. Bounded in time.
    fn probe(&self, up: &Self::Up) -> impl Future<Output = Result<(), Trouble>> + Send;
}

/// Most probes in the time of one regular probe.
const PROBES_MAX: u32 = 20;

/// The times of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) probe_every: Duration,
    pub(crate) back_off: (Duration, Duration),
}

/// What callers see of it.
pub(crate) struct Line<U> {
    up: watch::Sender<Option<Arc<U>>>,
    state: watch::Sender<State>,
    suspect: Arc<Notify>,
}

impl<U: Send + Sync + 'static> Line<U> {
    pub(crate) fn new() -> Self {
        Self {
            up: watch::Sender::new(None),
            state: watch::Sender::new(State::Connecting),
            suspect: Arc::new(Notify::new()),
        }
    }

    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Something went wrong with a call: the line is tried now rather than at its next turn.
    pub(crate) fn suspect(&self) {
        self.suspect.notify_one();
    }

    /// Whether `up` is still what is up.
    pub(crate) fn is(&self, up: &Arc<U>) -> bool {
        self.up.borrow().as_ref().is_some_and(|now| Arc::ptr_eq(now, up))
    }

    /// Ends when nothing is up, now or later.
    pub(crate) fn down(&self) -> impl Future<Output = ()> + Send + use<U> {
        let mut up = self.up.subscribe();
        async move {
            // An error: nobody tends it any more.
            let _down = up.wait_for(Option::is_none).await;
        }
    }

    /// What is up. Waits while an attempt is under way; fails at once while it is away.
    pub(crate) async fn up(&self) -> Result<Arc<U>, Trouble> {
        if let Some(up) = self.up.borrow().clone() {
            return Ok(up);
        }
        let mut up = self.up.subscribe();
        let mut state = self.state.subscribe();
        loop {
            if let Some(up) = up.borrow_and_update().clone() {
                return Ok(up);
            }
            if let State::Away { why, .. } = &*state.borrow_and_update() {
                return Err(Trouble::Down(why.to_string()));
            }
            let changed = tokio::select! {
                changed = up.changed() => changed,
                changed = state.changed() => changed,
            };
            if changed.is_err() {
                return Err(Trouble::Closed);
            }
        }
    }

    /// Keeps the line for ever; to be run as a task.
    pub(crate) async fn keep<T: Tend<Up = U>>(&self, tend: &T, pace: Pace) {
        let mut back_off = BackOff::new(pace.back_off);
        let mut last = Instant::now();
        loop {
            let why = match tend.open(&self.suspect).await {
                Ok(up) => {
                    let opened = Instant::now();
                    let why = self.serve(tend, Arc::new(up), pace).await;
                    last = Instant::now();
                    if last.duration_since(opened) >= pace.probe_every {
                        back_off.reset();
                        self.state.send_replace(State::Connecting);
                        continue;
                    }
                    why
                }
                Err(why) => why,
            };
            self.state.send_replace(State::Away {
                since: last,
                why: why.to_string().into(),
            });
            tokio::time::sleep(back_off.next(back_off::random())).await;
        }
    }

    /// From the opening to the first probe that fails; gives why it did.
    async fn serve<T: Tend<Up = U>>(&self, tend: &T, up: Arc<U>, pace: Pace) -> Trouble {
        self.up.send_replace(Some(up.clone()));
        self.state.send_replace(State::Ready);
        let why = loop {
            tokio::select! {
                () = self.suspect.notified() => {}
                () = tokio::time::sleep(pace.probe_every) => {}
            }
            if let Err(why) = tend.probe(&up).await {
                break why;
            }
            // A server that refuses every call makes every call a suspicion: one probe answers many.
            tokio::time::sleep(pace.probe_every / PROBES_MAX).await;
        };
        self.up.send_replace(None);
        why
    }
}

impl<U> fmt::Debug for Line<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&*self.state.borrow()).finish()
    }
}

#[cfg(test)]
mod tests;
