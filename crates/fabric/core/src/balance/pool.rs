//! Backends with their health, their open work and a rule of choice.

use super::{Algorithm, BackendView, Chooser, key};
use crate::health::{Condition, FULL_SHARE, Health, HealthSettings};
use purlin_types::BootTime;

/// A backend of a [`Balancer`]; never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BackendId(u32);

/// A backend as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendSpec {
    /// Unique in its balancer, and the same on all balancers: keys are spread by it.
    pub name: String,
    /// Relative share, 100 by default; 0 takes nothing.
    pub weight: u16,
}

/// How a piece of work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// By the backend's fault: no connection, no answer, an error of its own.
    Failed,
    /// Nothing can be said of the backend: the client left, or was served by another.
    Unknown,
}

/// A backend as an operator wants to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendStatus {
    pub id: BackendId,
    pub name: String,
    pub weight: u16,
    pub condition: Condition,
    /// Permille of its weight that it gets: less than 1000 in a slow start, 0 unless it is up. What it gets in a panic
    /// ([`HealthSettings::panics`]) is not shown here.
    pub share: u16,
    pub outstanding: u32,
    /// Pieces of work that it was ever given.
    pub given: u64,
}

#[derive(Debug)]
struct Backend {
    id: BackendId,
    spec: BackendSpec,
    health: Health,
    outstanding: u32,
    given: u64,
}

impl Backend {
    fn give(&mut self) {
        self.outstanding += 1;
        self.given += 1;
    }
}

/// Backends and the choice among them.
#[derive(Debug)]
pub struct Balancer {
    algorithm: Algorithm,
    settings: HealthSettings,
    seed: u64,
    /// Ascending by id.
    backends: Vec<Backend>,
    next_id: u32,
    chooser: Chooser,
    views: Vec<BackendView>,
}

impl Balancer {
    /// Probes of the first round are spread over an interval. `seed` makes ties and samples; two balancers should
    /// not have the same.
    #[must_use]
    pub fn new(
        algorithm: Algorithm,
        settings: HealthSettings,
        backends: &[BackendSpec],
        seed: u64,
        now: BootTime,
    ) -> Self {
        let mut balancer = Self {
            algorithm,
            settings,
            seed,
            backends: Vec::new(),
            next_id: 0,
            chooser: Chooser::new(algorithm, &[], seed),
            views: Vec::new(),
        };
        balancer.replace(backends, now);
        balancer
    }

    /// Takes a new list of backends. Those whose name stays keep their id, health and open work.
    pub fn replace(&mut self, specs: &[BackendSpec], now: BootTime) {
        self.backends
            .retain(|backend| specs.iter().any(|spec| spec.name == backend.spec.name));
        let new = specs
            .iter()
            .filter(|spec| !self.backends.iter().any(|old| old.spec.name == spec.name));
        let new: Vec<BackendSpec> = new.cloned().collect();
        let gap = self.settings.interval.as_millis() as u64 / new.len().max(1) as u64;
        for (spec, n) in new.into_iter().zip(0..) {
            let id = BackendId(self.next_id);
            self.next_id += 1;
            let health = Health::new(now.plus_millis(gap * n));
            self.backends.push(Backend {
                id,
                spec,
                health,
                outstanding: 0,
                given: 0,
            });
        }
        for backend in &mut self.backends {
            if let Some(spec) = specs.iter().find(|spec| spec.name == backend.spec.name) {
                backend.spec.weight = spec.weight;
            }
        }
        let full = |backend: &Backend| (key(backend.spec.name.as_bytes()), full(backend));
        let backends: Vec<(u64, u32)> = self.backends.iter().map(full).collect();
        self.chooser = Chooser::new(self.algorithm, &backends, self.seed);
    }

    /// The backend for new work, which counts as open until [`Balancer::finish`]. Those in `tried` are passed over:
    /// they were chosen for this very work and failed. `None` when nobody is left.
    pub fn choose(&mut self, now: BootTime, key: u64, tried: &[BackendId]) -> Option<BackendId> {
        self.look(now, tried);
        let index = self.chooser.choose(key, &self.views)?;
        let backend = &mut self.backends[index];
        backend.give();
        Some(backend.id)
    }

    /// More work for a backend that serves the client already; to be ended by [`Balancer::finish`].
    pub fn open(&mut self, id: BackendId) {
        if let Some(backend) = self.find(id) {
            backend.give();
        }
    }

    /// Work that [`Balancer::choose`] gave has ended. Backends that are gone are passed over.
    pub fn finish(&mut self, id: BackendId, now: BootTime, outcome: Outcome) {
        if let Some(backend) = self.find(id) {
            backend.outstanding = backend.outstanding.saturating_sub(1);
        }
        self.report(id, now, outcome);
    }

    /// Something was learnt of a backend while its work goes on: a first answer, a long silence.
    pub fn report(&mut self, id: BackendId, now: BootTime, outcome: Outcome) {
        if outcome == Outcome::Unknown {
            return;
        }
        let eligible = |backend: &&Backend| backend.health.condition(now) != Condition::Draining;
        let all = self.backends.iter().filter(eligible).count();
        let out = |b: &&Backend| matches!(b.health.condition(now), Condition::Ejected { .. });
        let room = self
            .settings
            .may_eject(self.backends.iter().filter(out).count(), all);
        let settings = self.settings;
        if let Some(backend) = self.find(id) {
            backend
                .health
                .worked(&settings, now, outcome == Outcome::Succeeded, room);
        }
    }

    /// The backends to probe now. Each must be answered by [`Balancer::probed`], at the latest after
    /// [`HealthSettings::timeout`].
    pub fn probes(&mut self, now: BootTime) -> Vec<BackendId> {
        let settings = self.settings;
        let due = self
            .backends
            .iter_mut()
            .filter_map(|b| b.health.probe_due(&settings, now).then_some(b.id));
        due.collect()
    }

    /// When to ask [`Balancer::probes`] next; `None` when no probes are sent.
    #[must_use]
    pub fn next_probe(&self) -> Option<BootTime> {
        let next = self
            .backends
            .iter()
            .map(|backend| backend.health.next_probe())
            .min();
        next.filter(|_| self.settings.active)
    }

    /// What a probe said.
    pub fn probed(&mut self, id: BackendId, now: BootTime, passed: bool) {
        let settings = self.settings;
        if let Some(backend) = self.find(id) {
            backend.health.probed(&settings, now, passed);
        }
    }

    /// Gives a backend no new work, or work again. Open work is not touched.
    pub fn drain(&mut self, id: BackendId, now: BootTime, draining: bool) {
        if let Some(backend) = self.find(id) {
            backend.health.drain(draining, now);
        }
    }

    /// Whether work of a client that this backend served before should still go to it: yes while it drains, no once
    /// it is down, ejected or gone.
    #[must_use]
    pub fn keeps(&self, id: BackendId, now: BootTime) -> bool {
        let found = self.backends.iter().find(|backend| backend.id == id);
        let condition = found.map(|backend| backend.health.condition(now));
        matches!(condition, Some(Condition::Up | Condition::Draining))
    }

    /// The id of a name.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<BackendId> {
        self.backends
            .iter()
            .find(|backend| backend.spec.name == name)
            .map(|backend| backend.id)
    }

    /// All backends, as they are now.
    #[must_use]
    pub fn status(&self, now: BootTime) -> Vec<BackendStatus> {
        let status = |backend: &Backend| BackendStatus {
            id: backend.id,
            name: backend.spec.name.clone(),
            weight: backend.spec.weight,
            condition: backend.health.condition(now),
            share: backend.health.share(&self.settings, now),
            outstanding: backend.outstanding,
            given: backend.given,
        };
        self.backends.iter().map(status).collect()
    }

    /// Brings the views up to date. In a panic everybody who does not drain is taken for up.
    fn look(&mut self, now: BootTime, tried: &[BackendId]) {
        let share = |backend: &Backend| backend.health.share(&self.settings, now);
        let eligible = |b: &Backend| b.spec.weight > 0 && b.health.condition(now) != Condition::Draining;
        let all = self.backends.iter().filter(|b| eligible(b)).count();
        let usable = self
            .backends
            .iter()
            .filter(|b| eligible(b) && share(b) > 0)
            .count();
        let panic = self.settings.panics(usable, all);
        let view = |backend: &Backend| {
            let out = tried.contains(&backend.id) || !eligible(backend);
            let share = if panic { FULL_SHARE } else { share(backend) };
            BackendView {
                full: full(backend),
                weight: if out {
                    0
                } else {
                    u32::from(backend.spec.weight) * u32::from(share)
                },
                outstanding: backend.outstanding,
            }
        };
        let views = self.backends.iter().map(view);
        self.views.clear();
        self.views.extend(views);
    }

    fn find(&mut self, id: BackendId) -> Option<&mut Backend> {
        let index = self
            .backends
            .binary_search_by_key(&id, |backend| backend.id)
            .ok()?;
        Some(&mut self.backends[index])
    }
}

fn full(backend: &Backend) -> u32 {
    u32::from(backend.spec.weight) * u32::from(FULL_SHARE)
}
