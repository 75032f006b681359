//! A lock that is held: renewed by a task of its own.

use super::Inner;
use super::table::Reservation;
use purlin_fabric::lock::{Class, Due, Hold, LockError, LockName, LockToken, LockView, Loss};
use purlin_types::BootTime;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How often the node's own lease is looked at under a fenced lock; far below any lease's length.
const LEASE_LOOK: Duration = Duration::from_millis(250);

/// Proof of a lock. Dropped without [`Self::release`], it gives the lock back in the background.
#[derive(Debug)]
pub struct LockGuard {
    held: Arc<Held>,
    manager: Arc<Inner>,
}

/// What the guard, its task and the table share.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) name: LockName,
    pub(super) token: LockToken,
    hold: Mutex<Hold>,
    /// The end of the node's lease as last looked at; a fenced lock is lost when it is found in the past.
    covered_until: AtomicU64,
    state: watch::Sender<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct State {
    /// Whether and how it ended.
    end: Option<End>,
    /// Given back, as far as that could be done.
    over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Released,
    Lost(Loss),
}

impl Held {
    pub(super) fn hold(&self) -> MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the node's lease. One that ended and began again in between has not covered the lock: others may have had it.
    pub(super) fn still_covered(&self, now: BootTime, valid_until: BootTime) -> bool {
        let covered_until = BootTime(self.covered_until.load(Ordering::Acquire));
        if now >= covered_until {
            return false;
        }
        self.covered_until.fetch_max(valid_until.0, Ordering::AcqRel);
        now < valid_until
    }

    pub(super) fn view(&self, now: BootTime, waiters: usize) -> LockView {
        let hold = self.hold();
        LockView {
            name: self.name.to_string(),
            class: hold.options().class,
            token: self.token,
            held: Duration::from_nanos(now.0.saturating_sub(hold.acquired().0)),
            left: hold.left(now),
            waiters,
        }
    }

    /// Ends it, once: true for the first.
    fn end(&self, end: End) -> bool {
        self.state.send_if_modified(|state| {
            let first = state.end.is_none();
            state.end.get_or_insert(end);
            first
        })
    }
}

impl LockGuard {
    pub(super) fn start(
        manager: Arc<Inner>,
        (name, token): (LockName, LockToken),
        hold: Hold,
        reservation: Reservation,
    ) -> Self {
        let held = Arc::new(Held {
            name,
            token,
            hold: Mutex::new(hold),
            covered_until: AtomicU64::new(manager.lease_until().0),
            state: watch::Sender::default(),
        });
        reservation.hold(&held);
        tokio::spawn(keep(Arc::clone(&manager), Arc::clone(&held), reservation));
        Self { held, manager }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.held.name.as_str()
    }

    /// What goes along with the writes that the lock protects.
    #[must_use]
    pub fn token(&self) -> LockToken {
        self.held.token
    }

    /// Whether the lock still holds, right now. A fenced one is checked by the resource too, by its token.
    ///
    /// # Errors
    /// [`LockError::Lost`]; released counts as lapsed.
    pub fn check(&self) -> Result<(), LockError> {
        let now = self.manager.now();
        match self.held.state.borrow().end {
            Some(End::Lost(loss)) => return Err(LockError::Lost(loss)),
            Some(End::Released) => return Err(LockError::Lost(Loss::Lapsed)),
            None => {}
        }
        if !self.manager.covered(&self.held) {
            return Err(LockError::Lost(Loss::Lapsed));
        }
        match self.held.hold().due(now) {
            Due::Lost(loss) => Err(LockError::Lost(loss)),
            Due::Nothing(_) | Due::Renew => Ok(()),
        }
    }

    /// Ends when the lock has been lost, or released.
    pub async fn ended(&self) {
        // The sender is in `held`, so that this cannot fail.
        let _ = self
            .held
            .state
            .subscribe()
            .wait_for(|state| state.end.is_some())
            .await;
    }

    /// Gives the lock back, unless that was done before or it is somebody else's by now.
    pub async fn release(&self) {
        self.held.end(End::Released);
        // Its task gives it back; the sender is in `held`, so that this cannot fail.
        let _ = self.held.state.subscribe().wait_for(|state| state.over).await;
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        self.held.end(End::Released);
    }
}

/// Renews until the end, then gives the lock back. The reservation goes after that, so that no other task of this node
/// asks before.
async fn keep(manager: Arc<Inner>, held: Arc<Held>, reservation: Reservation) {
    renew(&manager, &held).await;
    let released = held.state.borrow().end == Some(End::Released);
    manager.count(|figures| {
        figures.released += u64::from(released);
        figures.lost += u64::from(!released);
    });
    manager.give_back(&held).await;
    drop(reservation);
    held.state.send_modify(|state| state.over = true);
}

async fn renew(manager: &Inner, held: &Held) {
    let mut state = held.state.subscribe();
    let fenced = held.hold().options().class == Class::Fenced;
    while state.borrow_and_update().end.is_none() {
        let now = manager.now();
        let due = if manager.covered(held) {
            held.hold().due(now)
        } else {
            Due::Lost(Loss::Lapsed)
        };
        match due {
            Due::Renew => manager.renew(held).await,
            Due::Lost(loss) => {
                held.end(End::Lost(loss));
            }
            Due::Nothing(until) => {
                let mut wait = Duration::from_nanos(until.0.saturating_sub(now.0));
                if fenced {
                    wait = wait.min(LEASE_LOOK);
                }
                let _woken_or_due = tokio::time::timeout(wait, state.changed()).await;
            }
        }
    }
}
