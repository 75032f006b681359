//! A lock that is held: renewed by a task of its own.

use super::Inner;
use super::table::Reservation;
use purlin_fabric::lock::{Class, Due, Hold, LockError, LockName, LockOptions, LockToken, LockView, Loss};
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
    /// Whoever holds it renews it: it lapses when that does not happen.
    leased: bool,
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
        (hold, leased): (Hold, bool),
        reservation: Reservation,
    ) -> Self {
        let held = Arc::new(Held {
            name,
            token,
            hold: Mutex::new(hold),
            covered_until: AtomicU64::new(manager.lease_until().0),
            leased,
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

    /// How it was asked for.
    #[must_use]
    pub fn options(&self) -> LockOptions {
        self.held.hold().options().clone()
    }

    /// Makes it good for its ttl from now on. Needed for one that was leased only.
    ///
    /// # Errors
    /// [`LockError::Lost`], [`LockError::Away`] when nobody answered: it holds for what is left of it.
    pub async fn renew(&self) -> Result<(), LockError> {
        self.check()?;
        let answered = self.manager.renew(&self.held).await;
        self.check()?;
        if answered {
            Ok(())
        } else {
            Err(LockError::Away { tries: 1 })
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
    let lapsed = held.state.borrow().end == Some(End::Lost(Loss::Lapsed));
    // A lease on an advisory lock may have been renewed through another node.
    if !(lapsed && held.leased && matches!(held.token, LockToken::Advisory(_))) {
        manager.give_back(&held).await;
    }
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
            Due::Renew if !held.leased => {
                let _or_soon_again = manager.renew(held).await;
            }
            Due::Lost(loss) => {
                held.end(End::Lost(loss));
            }
            due => {
                let mut wait = match due {
                    Due::Nothing(until) => Duration::from_nanos(until.0.saturating_sub(now.0)),
                    _ => held.hold().left(now),
                };
                if fenced {
                    wait = wait.min(LEASE_LOOK);
                }
                let _woken_or_due = tokio::time::timeout(wait, state.changed()).await;
            }
        }
    }
}
