//! The store itself: primary, replica, breaker, and how a call is made.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use purlin_fabric::port::Fault;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::breaker::{Breaker, BreakerCounts, BreakerState};
use crate::failure::Failure;
use crate::fenced::Proof;
use crate::line::Lines;
use crate::pool::{Lent, Pool, PoolUse};
use crate::schema;
use crate::session::Session;
use crate::settings::{Access, Settings};

/// Calls that lost to a neighbour (deadlock, serialization) are made this often in all.
const TRIES: u32 = 4;

/// How much longer than the server's own limit a call may take, so that the server's better message comes first.
const GRACE: Duration = Duration::from_millis(500);

/// Between attempts to reach a server at the start; doubles up to the second.
const START_PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// PostgreSQL as a cluster's store: [`purlin_fabric::port::ClaimStore`], [`purlin_store::FencedRows`],
/// and by [`Postgres::records`] and [`Postgres::outbox`] the rest. Cheap to clone.
///
/// Clones share connections and breaker. A node's lease is renewed beside thousands of row writes: connect once for
/// claims (two connections are enough) and once for rows, so that a renewal never waits for rows to get a connection.
#[derive(Clone)]
pub struct Postgres {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    primary: Arc<Pool>,
    bell: watch::Receiver<u64>,
    replica: Option<Arc<Pool>>,
    breaker: Mutex<Breaker>,
    /// The claims under which rows were written last.
    proof: Mutex<Option<Arc<Proof>>>,
    /// The server had no standby when it was asked last.
    alone: AtomicBool,
    runtime: Handle,
}

/// Said while [`Postgres::connect`] or [`Postgres::patient_records`] wait for a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// From 1.
    pub attempt: u32,
    /// Since the first one.
    pub waited: Duration,
    /// Until the next one.
    pub pause: Duration,
    /// What was wrong, in one line.
    pub cause: String,
}

/// What a call does on a connection. It leaves no transaction open when it gives `Ok`.
pub(crate) trait Work: Sync {
    type Done: Send;

    fn on<'s>(&'s self, session: &'s Session) -> Doing<'s, Self::Done>;
}

/// A [`Work`] under way.
pub(crate) type Doing<'s, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 's>>;

impl Postgres {
    /// Connects, waiting for a server that is not there yet and calling `told` before every pause, and brings the schema
    /// up to date. Connections live on the runtime that this is called on.
    ///
    /// # Errors
    /// [`Fault::Unusable`] when waiting will not help: a schema of a newer version, a wrong password, missing rights,
    /// TLS demanded but not possible, a certificate that is not believed; [`crate::obstacle`] tells which. [`Fault::Unknown`] when [`Settings::start_patience`] is over.
    pub async fn connect(settings: Settings, told: impl Fn(&Waiting)) -> Result<Self, Fault> {
        let store = Self::new(settings)?;
        let (start, mut pause) = (Instant::now(), START_PAUSES.0);
        for attempt in 1.. {
            let failure = match store.attempt(&schema::Migrate).await {
                Ok(()) => break,
                Err(failure) if failure.is_unusable() => {
                    let places = store.inner.settings.primary.places();
                    return Err(failure.refused_at(places.join(", ")).into());
                }
                Err(failure) if failure.distrust().is_some() => {
                    return Err(Fault::Unusable(Box::new(failure)));
                }
                Err(failure) => failure,
            };
            let waited = start.elapsed();
            if store
                .inner
                .settings
                .start_patience
                .is_some_and(|patience| waited + pause > patience)
            {
                return Err(failure.into());
            }
            told(&Waiting {
                attempt,
                waited,
                pause,
                cause: failure.to_string(),
            });
            sleep(pause).await;
            pause = (pause * 2).min(START_PAUSES.1);
        }
        Ok(store)
    }

    fn new(settings: Settings) -> Result<Self, Failure> {
        let runtime = Handle::current();
        let lines = Lines::new(runtime.clone(), &settings)?;
        let bell = lines.bell();
        let primary = Pool::new(lines.clone(), &settings.primary, &settings, Access::Write);
        let replica = settings
            .replica
            .as_ref()
            .map(|target| Pool::new(lines, target, &settings, Access::Read));
        Ok(Self {
            inner: Arc::new(Inner {
                breaker: Mutex::new(Breaker::new(settings.breaker)),
                proof: Mutex::default(),
                alone: AtomicBool::new(false),
                settings,
                primary,
                bell,
                replica,
                runtime,
            }),
        })
    }

    /// How many connections to the primary there are.
    #[must_use]
    pub fn pool_use(&self) -> PoolUse {
        self.inner.primary.in_use()
    }

    /// The same of the replica, where there is one.
    #[must_use]
    pub fn replica_use(&self) -> Option<PoolUse> {
        self.inner.replica.as_ref().map(|replica| replica.in_use())
    }

    /// What the breaker has done.
    #[must_use]
    pub fn breaker_counts(&self) -> BreakerCounts {
        self.breaker_mut().counts()
    }

    /// Changes within milliseconds after another node, or this one, has committed records, as long as a connection to the
    /// primary is open and [`Settings::listen`] was said. A word to look at once, and no more: whoever follows notes looks
    /// now and then without it, too.
    #[must_use]
    pub fn bell(&self) -> watch::Receiver<u64> {
        self.inner.bell.clone()
    }

    /// Whether calls pass, or fail at once because the server has not answered lately.
    #[must_use]
    pub fn breaker(&self) -> BreakerState {
        self.breaker_mut().state()
    }

    pub(crate) fn proof(&self) -> Option<Arc<Proof>> {
        self.inner.proof.lock().expect("no thread panics with it").clone()
    }

    pub(crate) fn keep_proof(&self, proof: Option<Arc<Proof>>) {
        *self.inner.proof.lock().expect("no thread panics with it") = proof;
    }

    pub(crate) fn was_alone(&self) -> bool {
        self.inner.alone.load(Ordering::Relaxed)
    }

    pub(crate) fn note_alone(&self, alone: bool) {
        self.inner.alone.store(alone, Ordering::Relaxed);
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.inner.runtime
    }

    /// Makes a call on the primary, again if it only lost to a neighbour.
    pub(crate) async fn call<W: Work>(&self, work: &W) -> Result<W::Done, Failure> {
        let mut tries = 1;
        loop {
            let ticket = Ticket::buy(self)?;
            let outcome = self.attempt(work).await;
            ticket.used(&outcome);
            match outcome {
                Err(failure) if failure.is_passing() && tries < TRIES => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// Reads from a replica when there is one that answers, else from the primary.
    pub(crate) async fn read<W: Work>(&self, work: &W) -> Result<W::Done, Failure> {
        if let Some(replica) = &self.inner.replica
            && let Ok(done) = self.attempt_on(replica, work).await
        {
            return Ok(done);
        }
        self.call(work).await
    }

    async fn attempt<W: Work>(&self, work: &W) -> Result<W::Done, Failure> {
        self.attempt_on(&self.inner.primary, work).await
    }

    async fn attempt_on<W: Work>(&self, pool: &Arc<Pool>, work: &W) -> Result<W::Done, Failure> {
        let mut lent = pool.lend().await?;
        let limit = self.inner.settings.statement_timeout + GRACE;
        let outcome = timeout(limit, work.on(&lent))
            .await
            .unwrap_or(Err(Failure::Timeout("a statement or a commit")));
        match &outcome {
            Ok(_) => lent.whole(),
            Err(failure) if failure.is_answer() => rolled_back(&mut lent).await,
            Err(failure) if failure.is_absence() => pool.forget(),
            Err(_) => {}
        }
        outcome
    }

    fn breaker_mut(&self) -> MutexGuard<'_, Breaker> {
        self.inner.breaker.lock().expect("no thread panics with it")
    }
}

/// The server declined a statement: its connection is as good as before once the transaction is ended.
async fn rolled_back(lent: &mut Lent) {
    if matches!(timeout(GRACE, lent.run("ROLLBACK")).await, Ok(Ok(()))) {
        lent.whole();
    }
}

/// The breaker's leave to call. A call that is dropped on the way counts as failed: somebody lost patience.
struct Ticket<'a> {
    store: &'a Postgres,
    open: bool,
}

impl<'a> Ticket<'a> {
    fn buy(store: &'a Postgres) -> Result<Self, Failure> {
        if store.breaker_mut().admit(Instant::now()) {
            Ok(Self { store, open: true })
        } else {
            Err(Failure::Resting)
        }
    }

    fn used<T>(mut self, outcome: &Result<T, Failure>) {
        self.open = false;
        let mut breaker = self.store.breaker_mut();
        match outcome {
            Err(failure) if failure.is_absence() => breaker.failed(Instant::now()),
            _ => breaker.worked(),
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if self.open {
            self.store.breaker_mut().failed(Instant::now());
        }
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("primary", &self.inner.primary)
            .field("replica", &self.inner.replica)
            .field("breaker", &self.breaker())
            .finish_non_exhaustive()
    }
}
