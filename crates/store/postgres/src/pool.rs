//! Connections to one server, lent out one call at a time.
//!
//! Our own, because a call that was given up must never be lent again half done: its connection is cancelled and
//! dropped, whatever the caller was in the middle of.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_postgres::Config;

use crate::failure::Failure;
use crate::line::Lines;
use crate::session::Session;
use crate::settings::{Access, Settings, Target, place};

/// Handshake and session settings beyond the time to connect.
const HANDSHAKE: Duration = Duration::from_secs(2);

pub(crate) struct Pool {
    lines: Lines,
    hosts: Vec<Config>,
    /// The host that took the last connection is asked first.
    preferred: AtomicUsize,
    idle: Mutex<VecDeque<Session>>,
    /// Rises whenever connections are let go of because their server was not there.
    generation: AtomicUsize,
    permits: Arc<Semaphore>,
    max_open: usize,
    max_idle: usize,
    lifetime: Duration,
    connect_timeout: Duration,
    statement_timeout: Duration,
    listens: bool,
}

/// How many connections there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolUse {
    /// Lent out.
    pub busy: usize,
    /// Kept for the next call.
    pub idle: usize,
    /// The most there may be.
    pub max_open: usize,
}

impl Pool {
    pub(crate) fn new(lines: Lines, target: &Target, settings: &Settings, access: Access) -> Arc<Self> {
        Arc::new(Self {
            lines,
            hosts: target.hosts(settings, access),
            preferred: AtomicUsize::new(0),
            idle: Mutex::default(),
            generation: AtomicUsize::new(0),
            permits: Arc::new(Semaphore::new(settings.max_open.max(1))),
            max_open: settings.max_open.max(1),
            max_idle: settings.max_idle,
            lifetime: settings.lifetime,
            connect_timeout: settings.connect_timeout,
            statement_timeout: settings.statement_timeout,
            // A standby has nobody to listen to.
            listens: settings.listen && access == Access::Write,
        })
    }

    /// A connection of one's own, kept or new.
    pub(crate) async fn lend(self: &Arc<Self>) -> Result<Lent, Failure> {
        let permit = timeout(self.connect_timeout, self.permits.clone().acquire_owned())
            .await
            .map_err(|_| Failure::Timeout("all connections are in use"))?
            .expect("never closed");
        let generation = self.generation.load(Ordering::Acquire);
        let session = match self.kept() {
            Some(session) => session,
            None => self.open().await?,
        };
        Ok(Lent {
            session: Some(session),
            whole: false,
            generation,
            pool: self.clone(),
            _permit: permit,
        })
    }

    fn kept(&self) -> Option<Session> {
        let mut idle = self.idle();
        while let Some(session) = idle.pop_back() {
            if !session.is_closed() && session.age() < self.lifetime {
                return Some(session);
            }
        }
        None
    }

    async fn open(&self) -> Result<Session, Failure> {
        let first = self.preferred.load(Ordering::Relaxed);
        let (mut reasons, mut unusable) = (Vec::new(), None);
        let mut distrusts = Vec::new();
        for step in 0..self.hosts.len() {
            let index = (first + step) % self.hosts.len();
            let config = &self.hosts[index];
            let opening = Session::open(&self.lines, config, self.statement_timeout, self.listens);
            match timeout(self.connect_timeout + HANDSHAKE, opening).await {
                Ok(Ok(session)) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(session);
                }
                Ok(Err(failure)) => {
                    reasons.push(format!("{}: {}", place(config), cause(&failure)));
                    distrusts.extend(failure.distrust());
                    if failure.is_unusable() {
                        unusable = Some(failure.refused_at(place(config)));
                    }
                }
                Err(_) => reasons.push(format!("{}: no answer", place(config))),
            }
        }
        let why = reasons.join("; ");
        Err(unusable.unwrap_or(match distrusts.first() {
            // One that is away may have what the others lack.
            Some(distrust) if distrusts.len() == self.hosts.len() => Failure::Distrusted(*distrust, why),
            _ => Failure::Unreachable(why),
        }))
    }

    /// Lets go of all connections, those that are lent out when they come back: they lead to a server that is not the one
    /// any more. An old primary that is alive would go on answering by them.
    pub(crate) fn forget(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.idle().clear();
    }

    pub(crate) fn in_use(&self) -> PoolUse {
        PoolUse {
            busy: self.max_open - self.permits.available_permits(),
            idle: self.idle().len(),
            max_open: self.max_open,
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Session>> {
        self.idle.lock().expect("no thread panics with it")
    }
}

/// The innermost reason: "connection refused" rather than "error connecting to server".
fn cause(failure: &Failure) -> String {
    let mut innermost: &dyn std::error::Error = failure;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<_> = self.hosts.iter().map(place).collect();
        f.debug_struct("Pool")
            .field("hosts", &hosts)
            .field("use", &self.in_use())
            .finish_non_exhaustive()
    }
}

/// A connection lent out. It goes back only when [`Lent::whole`] was said of it.
pub(crate) struct Lent {
    session: Option<Session>,
    whole: bool,
    generation: usize,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lent {
    /// No transaction is open and no answer outstanding.
    pub(crate) fn whole(&mut self) {
        self.whole = true;
    }
}

impl Deref for Lent {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.session.as_ref().expect("there until dropped")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        if session.is_closed() {
            return;
        }
        if !self.whole {
            self.pool.lines.cancel(session.into_client());
            return;
        }
        let mut idle = self.pool.idle();
        let of_now = self.generation == self.pool.generation.load(Ordering::Acquire);
        if of_now && idle.len() < self.pool.max_idle && session.age() < self.pool.lifetime {
            idle.push_back(session);
        }
    }
}
