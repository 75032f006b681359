//! DHCP as a part of this node: started on the store's journals, watched, changed and told about.

mod condition;
mod impact;
mod losses;
mod pins;
mod restored;
mod settings;

pub(crate) use settings::{Settings, ports, subnets, wishes};

use super::{Base, Done, Face, Service, Tell};
use crate::client::NodeFile;
use crate::cluster::Cluster;
use crate::exit::{Failure, chain};
use crate::log;
use crate::settings::Settings as NodeSettings;
use condition::{as_json, dead, journal_check, tell_condition, watched};
use futures_util::future::{BoxFuture, FutureExt};
use losses::Losses;
use purlin_api::clock::Clock;
use purlin_api::revisions::Revisions;
use purlin_api::schema;
use purlin_config::Faults;
use purlin_dhcp_core::pin::Pin;
use purlin_dhcp_core::view::SubnetUse;
use purlin_dhcp_server::forecast::{Outlook, SAMPLE_EVERY, Uses, prospects};
use purlin_dhcp_server::routes::{DecisionEvents, LeaseTeller, routes};
use purlin_dhcp_server::{
    Condition, Handle, Health, Leases, RECEIVE_BUFFER, Running, ServerConfig, ServerStatus, Sharing,
};
use purlin_fabric_runtime::Tenant;
use purlin_netio::now;
use purlin_telemetry::Registry;
use purlin_telemetry::health::Check;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often subnets are asked how full they are, for telling when they will be full.
const USAGE_EVERY: Duration = Duration::from_secs(5);
/// The same among several nodes, where the store counts.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// How often it is asked whether replies were lost.
const LOSSES_EVERY: Duration = Duration::from_secs(2);

/// The running service.
#[derive(Debug)]
pub(crate) struct Dhcp {
    handle: Handle,
    /// Those of all nodes.
    leases: Leases,
    /// In a cluster: what follows the claims.
    sharing: Option<Arc<Sharing>>,
    /// Taken when it stops.
    threads: Mutex<Option<Running>>,
    health: watch::Receiver<Health>,
    losses: Losses,
    /// And over time, noted by the node that leads.
    uses: Uses,
    /// What that lets one expect, where this node leads.
    outlook: Outlook,
    cluster: Cluster,
    /// As they were bound at the start.
    bound: ServerStatus,
    /// What brings it the addresses of ports.
    #[cfg(feature = "ovn")]
    following: Mutex<Option<super::port_addresses::Following>>,
}

/// Packet threads. They may run on while the rest of the node is built around them anew.
#[derive(Debug)]
pub(crate) struct Packets {
    handle: Handle,
    threads: Running,
    /// As they were bound at the start.
    bound: ServerStatus,
    sharing: Option<Arc<Sharing>>,
}

impl Packets {
    /// The same threads, which are under claims now.
    pub(crate) fn shared(self, sharing: Arc<Sharing>) -> Self {
        Self {
            sharing: Some(sharing),
            ..self
        }
    }

    async fn start(base: &Base<'_>, pins: Arc<[Pin]>) -> Result<Self, Failure> {
        let own = &base.settings.services.dhcp;
        let share = base.cluster.share()?;
        let config = ServerConfig {
            settings: own.service.clone(),
            pins,
            switches: own.switches,
            journals: base.store.journals(),
            receive_buffer: RECEIVE_BUFFER,
            pin_threads: false,
            recovery: restored::recovery(base.store, base.revisions, base.settings).await,
            share: share.clone(),
        };
        // Reading a million leases back takes most of a second.
        let started = tokio::task::spawn_blocking(move || purlin_dhcp_server::start(config)).await;
        let started = started.map_err(|_| Failure::failed("starting the DHCP service panicked", ""))?;
        let (handle, threads) = started.map_err(|cause| {
            Failure::failed(
                chain(&cause),
                "purlin doctor; see dhcp.listen and dhcp.interfaces",
            )
        })?;
        let bound = handle.status().await;
        if let Some(hold) = bound.hold {
            log::warn(&restored::told(hold));
        }
        let sharing = share.map(|share| Sharing::start(&handle, &share));
        Ok(Self {
            handle,
            threads,
            bound,
            sharing,
        })
    }
}

impl Dhcp {
    /// On threads that run already, or new ones. These have what is pinned to machines from their first packet on.
    pub(super) async fn start(
        base: &Base<'_>,
        running: Option<Packets>,
        pins: Arc<[Pin]>,
    ) -> Result<Self, Failure> {
        let Packets {
            handle,
            threads,
            bound,
            sharing,
        } = match running {
            Some(running) => running,
            None => Packets::start(base, pins).await?,
        };
        Ok(Self {
            sharing,
            health: handle.health(),
            threads: Mutex::new(Some(threads)),
            losses: Losses::default(),
            uses: Uses::new(base.cluster.records().unwrap_or_else(|| base.store.records())),
            outlook: Outlook::default(),
            cluster: base.cluster.clone(),
            leases: Leases::new(&handle, base.cluster.others()),
            handle,
            bound,
            #[cfg(feature = "ovn")]
            following: Mutex::default(),
        })
    }

    /// Keeps what brings it the addresses of ports, for as long as it runs.
    #[cfg(feature = "ovn")]
    pub(super) fn follow(&self, following: super::port_addresses::Following) {
        *self.following.lock().unwrap_or_else(PoisonError::into_inner) = Some(following);
    }

    /// Takes no addresses of ports any more.
    fn unfollow(&self) {
        #[cfg(feature = "ovn")]
        drop(
            self.following
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
    }

    #[cfg(any(feature = "tftp", feature = "ovn"))]
    pub(super) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    fn tell_losses(&self, tell: Tell<'_>) {
        if let Some(text) = self.losses.look(Instant::now(), self.handle.metrics().replies()) {
            log::warn(text);
            tell("node.health", "replies-lost", text);
        }
    }

    async fn note_history(&self) {
        if !self.cluster.leads() {
            return;
        }
        let usage = self.leases.usage().await;
        // What is not all would look like a fall.
        if usage.partial.is_some() {
            return;
        }
        match self.uses.note(now().wall.secs().into(), &usage.subnets).await {
            Ok(()) => self.foresee(usage.subnets).await,
            Err(fault) => log::warn(&format!("the use of pools could not be noted: {fault}")),
        }
    }

    /// Only who leads tells what is to be expected.
    async fn foresee(&self, usage: Vec<SubnetUse>) {
        if !self.cluster.leads() {
            return self.outlook.set(Vec::new());
        }
        let Ok(known) = self.uses.read().await else {
            return;
        };
        // Many slopes for each of many pools: no work for a thread that answers others.
        let at = now().wall.secs().into();
        let seen = tokio::task::spawn_blocking(move || prospects(&usage, &known, at));
        self.outlook.set(seen.await.unwrap_or_default());
    }

    async fn note_usage(&self) {
        let usage = self.leases.usage().await;
        // Leadership came or went since the last sample.
        if usage.partial.is_none() && self.cluster.leads() == self.outlook.is_empty() {
            self.foresee(usage.subnets).await;
        }
    }
}

impl Service for Dhcp {
    fn register(&self, registry: &Registry) {
        registry.register(Arc::new(self.handle.metrics()));
        registry.register(Arc::new(self.outlook.clone()));
    }

    fn publish(&self, file: &mut NodeFile) {
        file.dhcp = self.bound.listen.iter().map(ToString::to_string).collect();
    }

    fn segments(&self) -> Vec<String> {
        let interfaces = self.bound.interfaces.iter();
        interfaces
            .map(|found| format!("{} ({})", found.name, found.address))
            .collect()
    }

    fn tenant(&self) -> Option<Arc<dyn Tenant>> {
        self.sharing.clone().map(|sharing| sharing as _)
    }

    fn leases(&self) -> Option<Handle> {
        Some(self.handle.clone())
    }

    fn packets(&self) -> Option<Packets> {
        self.unfollow();
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        Some(Packets {
            handle: self.handle.clone(),
            threads: threads?,
            bound: self.bound.clone(),
            sharing: self.sharing.clone(),
        })
    }

    fn work(&self) -> Done {
        let metrics = self.handle.metrics();
        Done {
            requests: metrics.received(),
            leases: Some(metrics.bound()),
        }
    }

    fn shortage(&self) -> Option<String> {
        self.outlook.shortage()
    }

    fn checks(&self) -> Vec<Check> {
        let health = self.health.borrow();
        let mut checks = vec![
            journal_check(health.condition(), health.cause),
            self.losses.check(Instant::now()),
            restored::check(self.handle.hold()),
        ];
        checks.extend(pins::check(&self.handle.plan()));
        checks
    }

    fn status<'a>(&'a self, _: &'a NodeFile) -> BoxFuture<'a, (&'static str, Value)> {
        async move {
            let usage = self.leases.usage().await;
            let total = |pick: fn(&SubnetUse) -> u64| usage.subnets.iter().map(pick).sum::<u64>();
            let mut dhcp = as_json(&self.handle.status().await);
            dhcp["subnets"] = usage.subnets.len().into();
            dhcp["addresses"] = total(|used| used.size).into();
            dhcp["bound"] = total(|used| used.bound).into();
            dhcp["partial"] = usage.partial.clone().into();
            ("dhcp", dhcp)
        }
        .boxed()
    }

    fn face<'a>(&'a self, clock: &'a Clock, revisions: &'a Revisions) -> BoxFuture<'a, Face> {
        async move {
            Face {
                events: Arc::new(DecisionEvents::new(self.handle.clone()).await),
                teller: Arc::new(LeaseTeller::new(self.leases.clone(), clock.clone())),
                members: vec![(LeaseTeller::LEASES, schema::array(schema::reference("Lease")))],
                routes: routes(&self.leases, revisions, &self.uses),
            }
        }
        .boxed()
    }

    fn apply<'a>(&'a self, settings: &'a NodeSettings) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let own = settings.services.dhcp.clone();
            let applied = self.handle.apply(own.service).await;
            let applied = applied.map_err(|cause| chain(&cause))?;
            self.handle.switch(own.switches).await;
            for key in applied.restart_needed {
                log::warn(&format!("{key} takes effect with the next start"));
            }
            Ok(())
        }
        .boxed()
    }

    fn impact(&self, _: &Value, to: &Value) -> Vec<String> {
        let Some(to) = crate::settings::of_revision(to, &mut Faults::new()) else {
            return Vec::new();
        };
        let counting = self.handle.outside(&to.services.dhcp.service);
        // Packet threads look at their leases in pieces, some 100 ms for a million.
        let outside = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(counting));
        impact::told(outside, self.sharing.is_some())
    }

    fn watch<'a>(&'a self, tell: Tell<'a>) -> BoxFuture<'a, Failure> {
        async move {
            let is_well = |health: &Health| health.condition() == Condition::Serving;
            let mut health = watched(self.handle.health(), is_well);
            let mut usage = tokio::time::interval(if self.sharing.is_some() {
                COUNT_EVERY
            } else {
                USAGE_EVERY
            });
            let mut losses = tokio::time::interval(LOSSES_EVERY);
            let mut samples = tokio::time::interval(SAMPLE_EVERY);
            loop {
                tokio::select! {
                    _ = losses.tick() => self.tell_losses(tell),
                    _ = usage.tick() => self.note_usage().await,
                    _ = samples.tick() => self.note_history().await,
                    changed = health.changed() => {
                        let health = health.borrow_and_update().clone();
                        if changed.is_err() || health.condition() == Condition::Failed {
                            return dead(&health);
                        }
                        tell_condition(health.condition(), tell);
                    }
                }
            }
        }
        .boxed()
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, bool> {
        self.unfollow();
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            if let Some(threads) = threads {
                threads.stop(grace).await;
            }
            true
        }
        .boxed()
    }
}
