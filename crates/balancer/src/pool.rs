//! The backends of one front, shared by its tasks.

use crate::Clock;
use crate::check::Check;
use purlin_fabric::balance::{Algorithm, BackendId, BackendSpec, BackendStatus, Balancer, Outcome};
use purlin_fabric::health::{Condition, FULL_SHARE, HealthSettings};
use purlin_types::BootTime;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A backend and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontBackend {
    /// Unique in its front; keys are spread by it.
    pub name: String,
    /// Where work is sent.
    pub address: SocketAddr,
    /// Where probes are sent: for UDP services a TCP port of the same node.
    pub check: SocketAddr,
    /// Relative share, 100 by default.
    pub weight: u16,
}

/// How work is spread over which backends.
#[derive(Debug, Clone)]
pub struct PoolSettings {
    pub algorithm: Algorithm,
    pub health: HealthSettings,
    pub check: Check,
    pub backends: Vec<FrontBackend>,
    /// Makes ties and samples; random, so that two fronts do not run in step.
    pub seed: u64,
}

/// Backends with their health and open work.
pub struct Pool {
    clock: Clock,
    pub(crate) timeout: Duration,
    pub(crate) check: Check,
    errors: u16,
    inner: Mutex<Inner>,
}

struct Inner {
    balancer: Balancer,
    backends: BTreeMap<BackendId, FrontBackend>,
    /// Why the last probe failed; gone with the next that passes.
    faults: BTreeMap<BackendId, String>,
}

/// A backend as an operator wants to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendView {
    pub backend: FrontBackend,
    pub status: BackendStatus,
    /// Why it gets less than its share, in words; empty when it does not.
    pub why: String,
}

impl Pool {
    pub(crate) fn new(settings: &PoolSettings, clock: Clock) -> Arc<Self> {
        let PoolSettings {
            algorithm,
            health,
            seed,
            ..
        } = *settings;
        let balancer = Balancer::new(algorithm, health, &[], seed, clock().boot);
        let pool = Self {
            clock,
            timeout: health.timeout,
            check: settings.check.clone(),
            inner: Mutex::new(Inner {
                balancer,
                backends: BTreeMap::new(),
                faults: BTreeMap::new(),
            }),
            errors: health.errors,
        };
        pool.replace(&settings.backends);
        Arc::new(pool)
    }

    /// Takes a new list of backends. Those whose name stays keep their health; open work is never cut.
    pub fn replace(&self, backends: &[FrontBackend]) {
        let spec = |backend: &FrontBackend| BackendSpec {
            name: backend.name.clone(),
            weight: backend.weight,
        };
        let specs: Vec<BackendSpec> = backends.iter().map(spec).collect();
        let now = self.now();
        let mut inner = self.inner();
        inner.balancer.replace(&specs, now);
        let found = |backend: &FrontBackend| Some((inner.balancer.id(&backend.name)?, backend.clone()));
        inner.backends = backends.iter().filter_map(found).collect();
        let Inner { backends, faults, .. } = &mut *inner;
        faults.retain(|id, _| backends.contains_key(id));
    }

    /// Gives the backend of that name no new work, or work again; false when there is none. What it has goes on: it is
    /// done when [`BackendStatus::outstanding`] is 0.
    pub fn drain(&self, name: &str, draining: bool) -> bool {
        let now = self.now();
        let mut inner = self.inner();
        let Some(id) = inner.balancer.id(name) else {
            return false;
        };
        inner.balancer.drain(id, now, draining);
        true
    }

    /// All backends, as they are now.
    #[must_use]
    pub fn status(&self) -> Vec<BackendStatus> {
        let now = self.now();
        self.inner().balancer.status(now)
    }

    /// All backends with where they are and what keeps them from work.
    #[must_use]
    pub fn views(&self) -> Vec<BackendView> {
        let now = self.now();
        let inner = self.inner();
        let view = |status: BackendStatus| {
            let fault = inner.faults.get(&status.id).map_or("", String::as_str);
            Some(BackendView {
                backend: inner.backends.get(&status.id)?.clone(),
                why: why(&status, fault, self.errors, now),
                status,
            })
        };
        inner.balancer.status(now).into_iter().filter_map(view).collect()
    }

    /// A backend for new work, to be ended by [`Pool::finish`].
    pub(crate) fn choose(&self, key: u64, tried: &[BackendId]) -> Option<(BackendId, SocketAddr)> {
        let now = self.now();
        let mut inner = self.inner();
        let id = inner.balancer.choose(now, key, tried)?;
        let backend = inner
            .backends
            .get(&id)
            .expect("balancer and backends are replaced together");
        Some((id, backend.address))
    }

    /// More work for a backend that has the client already.
    pub(crate) fn open(&self, id: BackendId) {
        self.inner().balancer.open(id);
    }

    pub(crate) fn finish(&self, id: BackendId, outcome: Outcome) {
        let now = self.now();
        self.inner().balancer.finish(id, now, outcome);
    }

    pub(crate) fn report(&self, id: BackendId, outcome: Outcome) {
        let now = self.now();
        self.inner().balancer.report(id, now, outcome);
    }

    pub(crate) fn keeps(&self, id: BackendId) -> bool {
        let now = self.now();
        self.inner().balancer.keeps(id, now)
    }

    pub(crate) fn is_backend(&self, address: SocketAddr) -> bool {
        self.inner()
            .backends
            .values()
            .any(|backend| backend.address == address)
    }

    /// The backends to probe now, and how long until the next ones; no time when no probes are sent.
    pub(crate) fn probes(&self) -> (Vec<(BackendId, SocketAddr)>, Option<Duration>) {
        let now = self.now();
        let mut inner = self.inner();
        let due = inner.balancer.probes(now);
        let due = due
            .into_iter()
            .filter_map(|id| Some((id, inner.backends.get(&id)?.check)))
            .collect();
        let next = inner
            .balancer
            .next_probe()
            .map(|next| Duration::from_millis(next.millis_since(now)));
        (due, next)
    }

    pub(crate) fn probed(&self, id: BackendId, result: Result<(), String>) {
        let now = self.now();
        let mut inner = self.inner();
        inner.balancer.probed(id, now, result.is_ok());
        match result {
            Ok(()) => drop(inner.faults.remove(&id)),
            Err(why) if inner.backends.contains_key(&id) => drop(inner.faults.insert(id, why)),
            Err(_) => {}
        }
    }

    pub(crate) fn now(&self) -> BootTime {
        (self.clock)().boot
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Nothing under this lock leaves a half-made change behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn why(status: &BackendStatus, fault: &str, errors: u16, now: BootTime) -> String {
    let seconds = |until: BootTime| until.millis_since(now).div_ceil(1000);
    match status.condition {
        Condition::Down => format!("probes fail: {fault}"),
        Condition::Ejected { until } => {
            format!("{errors} failures in a row; back in {} s", seconds(until))
        }
        Condition::Draining => "draining: told to take nothing new".to_owned(),
        Condition::Up if status.weight == 0 => "its weight is 0".to_owned(),
        Condition::Up if status.share < FULL_SHARE => "slow start".to_owned(),
        Condition::Up if !fault.is_empty() => format!("its last probe failed: {fault}"),
        Condition::Up => String::new(),
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("backends", &self.inner().backends)
            .finish_non_exhaustive()
    }
}
