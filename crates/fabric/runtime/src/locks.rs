//! Named locks across the nodes of a cluster.
//!
//! ```text
//!   LockManager::acquire(name, options) ──► LockGuard ── token() goes into what the lock protects
//!        │  one task of this node at a time asks          │  a task renews it; check() says whether it still holds
//!        ▼                                                ▼
//!   Advisory: Hints::lock                            release().await, or drop
//!   Fenced:   a claim, ClaimKey::Lock(name), epoch = token
//! ```

mod advisory;
pub mod desk;
mod fenced;
mod figures;
mod guard;
mod table;

pub use fenced::{FencedHolder, Fencing};
pub use figures::LockFigures;
pub use guard::LockGuard;

use crate::entropy;
use crate::local::ReadClock;
use advisory::Advisory;
use guard::Held;
use purlin_fabric::lock::{
    Attempt, Class, Hold, LockError, LockName, LockOptions, LockToken, LockView, Next,
};
use purlin_fabric::port::{Fault, Hints};
use purlin_types::BootTime;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use table::{Reservation, Table};

/// Gives locks. Cheap to clone; all clones know the same locks.
#[derive(Clone)]
pub struct LockManager(Arc<Inner>);

pub(crate) struct Inner {
    advisory: Advisory,
    fencing: Option<Fencing>,
    clock: ReadClock,
    table: Arc<Table>,
    figures: Mutex<LockFigures>,
}

/// What asking once gave.
pub(crate) enum Asked {
    Granted(LockToken),
    Busy,
    Away,
    /// Asking again is no use.
    Never(LockError),
}

impl LockManager {
    /// Without `fencing`, fenced locks are [`LockError::NoLease`].
    #[must_use]
    pub fn new(hints: Arc<dyn Hints>, fencing: Option<Fencing>, clock: ReadClock) -> Self {
        Self(Arc::new(Inner {
            advisory: Advisory(hints),
            fencing,
            clock,
            table: Arc::default(),
            figures: Mutex::default(),
        }))
    }

    /// Waits for the lock, trying `options.max_retries` times. The guard renews it until it is released, dropped or lost.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`LockError::Busy`] when others had it at each try; [`LockError::Away`]; [`LockError::NoLease`]; a name or options
    /// outside their ranges.
    pub async fn acquire(&self, name: &str, options: LockOptions) -> Result<LockGuard, LockError> {
        self.take(name, options, false).await
    }

    /// The same, but renewed by [`LockGuard::renew`] alone: it lapses after its ttl else.
    ///
    /// # Errors
    /// As [`Self::acquire`].
    pub async fn lease(&self, name: &str, options: LockOptions) -> Result<LockGuard, LockError> {
        self.take(name, options, true).await
    }

    async fn take(&self, name: &str, options: LockOptions, leased: bool) -> Result<LockGuard, LockError> {
        let name = LockName::parse(name)?;
        options.check()?;
        let mut attempt = Attempt::new(&options, entropy::seed(), self.0.now());
        let outcome = self.0.try_until(&name, &options, &mut attempt).await;
        let now = self.0.now();
        self.0
            .count(|figures| figures.asked(&outcome, now, attempt.waited(now)));
        let (reservation, token, asked) = outcome?;
        let hold = Hold::granted(options, asked, self.0.now());
        Ok(LockGuard::start(
            Arc::clone(&self.0),
            (name, token),
            (hold, leased),
            reservation,
        ))
    }

    /// The locks that this node holds, in order of their names.
    #[must_use]
    pub fn held(&self) -> Vec<LockView> {
        self.0.table.views(self.0.now())
    }

    /// How many wait on this node, by the name of the lock.
    #[must_use]
    pub fn waiting(&self) -> Vec<(String, usize)> {
        self.0.table.waiting()
    }

    /// Who holds which fenced lock, in the whole cluster.
    ///
    /// # Errors
    /// When the claim store does not answer.
    pub async fn fenced(&self) -> Result<Vec<FencedHolder>, Fault> {
        match &self.0.fencing {
            Some(fencing) => fencing.holders().await,
            None => Ok(Vec::new()),
        }
    }

    pub(crate) fn now(&self) -> BootTime {
        self.0.now()
    }

    /// Counted since the start.
    #[must_use]
    pub fn figures(&self) -> LockFigures {
        let mut figures = self
            .0
            .figures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        figures.held = self.0.table.count();
        figures
    }
}

impl Inner {
    pub(crate) fn now(&self) -> BootTime {
        (self.clock)().boot
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut LockFigures)) {
        count(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn try_until(
        &self,
        name: &LockName,
        options: &LockOptions,
        attempt: &mut Attempt,
    ) -> Result<(Reservation, LockToken, BootTime), LockError> {
        // The same at each try: one whose answer was lost may have succeeded.
        let token = entropy::token();
        let waiting = self.table.wait(name);
        loop {
            let asked = self.now();
            let outcome = match self.table.reserve(name) {
                Some(reservation) => match self.ask(name, options, token).await {
                    Asked::Granted(token) => return Ok((reservation, token, asked)),
                    outcome => outcome,
                },
                None => Asked::Busy,
            };
            let next = match outcome {
                Asked::Never(error) => return Err(error),
                Asked::Away => attempt.away(),
                _ => attempt.busy(self.now()),
            };
            match next {
                Next::GiveUp(error) => return Err(error),
                // A lock that is released on this node is asked for at once.
                Next::Wait(wait) => drop(tokio::time::timeout(wait, waiting.freed()).await),
            }
        }
    }

    async fn ask(&self, name: &LockName, options: &LockOptions, token: u128) -> Asked {
        match options.class {
            Class::Advisory => self.advisory.ask(name, token, options.ttl).await,
            Class::Fenced => match &self.fencing {
                Some(fencing) => fencing.ask(name, self.now()).await,
                None => Asked::Never(LockError::NoLease),
            },
        }
    }

    /// Renews at the service behind the lock, as far as the class has such a thing; whether that answered.
    pub(crate) async fn renew(&self, held: &Held) -> bool {
        let asked = self.now();
        match held.token {
            LockToken::Advisory(token) => self.advisory.renew(held, token, asked).await,
            LockToken::Fenced(_) => {
                held.hold().renewed(asked);
                true
            }
        }
    }

    /// Whether the node's own lease has covered the lock until now; always for advisory ones.
    pub(crate) fn covered(&self, held: &Held) -> bool {
        match (held.token, &self.fencing) {
            (LockToken::Fenced(_), Some(fencing)) => held.still_covered(self.now(), fencing.valid_until()),
            _ => true,
        }
    }

    pub(crate) async fn give_back(&self, held: &Held) {
        match (held.token, &self.fencing) {
            (LockToken::Advisory(token), _) => self.advisory.give_back(&held.name, token).await,
            (LockToken::Fenced(epoch), Some(fencing)) => fencing.give_back(&held.name, epoch).await,
            (LockToken::Fenced(_), None) => {}
        }
    }

    pub(crate) fn lease_until(&self) -> BootTime {
        self.fencing.as_ref().map_or(BootTime::MAX, Fencing::valid_until)
    }
}

impl fmt::Debug for LockManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockManager")
            .field("held", &self.table.count())
            .field("fencing", &self.fencing.is_some())
            .finish_non_exhaustive()
    }
}
