//! This node among others: the engines that the configuration names, and the fabric over them.
//!
//! ```text
//!   [store], [coordination], [cluster] ─► open: engines ─► services take their shares ─► start: the fabric ─► leave
//! ```
//!
//! A node alone has the same fabric over engines within its process: it is a cluster of one.

mod book;
#[cfg(feature = "tftp")]
mod boot;
mod dial;
mod engines;
#[cfg(feature = "dhcp")]
mod grow;
mod hook;
mod mesh;
mod redis;
pub(crate) mod scaling;
pub(crate) mod sessions;
#[cfg(feature = "dhcp")]
mod share;
mod waits;

pub(crate) use book::Book;
pub(crate) use dial::redis_places;
#[cfg(feature = "dhcp")]
pub(crate) use grow::{Grower, Handover, Possessions, Sources as GrowSources, others_done};
#[cfg(feature = "tftp")]
pub(crate) use redis::Lines as RedisLines;
pub(crate) use waits::{Wait, Waits};

/// A node without leases has none to hand over.
#[cfg(not(feature = "dhcp"))]
pub(crate) type Handover = std::convert::Infallible;

use crate::exit::Failure;
use crate::log;
use crate::services::Services;
use crate::settings::Settings;
use engines::Engines;
use purlin_config::sections::cluster::{ClusterSettings, Takeover};
use purlin_config::sections::coordination::RedisSettings;
use purlin_config::sections::sessions::SessionSettings;
use purlin_fabric::port::{Candidate, NodeFacts};
use purlin_fabric::{Coordinator, NotReady, Timing};
use purlin_fabric_runtime::drains::Drains;
use purlin_fabric_runtime::scaling::Scaler;
use purlin_fabric_runtime::{Fabric, Setup, SharedTenure, Tenant};
use purlin_fabric_server::{Books, Stories};
use purlin_netio::now;
use purlin_store::Records;
use purlin_store_postgres::DatabaseMetrics;
use purlin_telemetry::health::{Bears, Check};
use purlin_types::Incarnation;
use scaling::{NodeGauge, Wishes};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Engines, identity, and the fabric once it runs. Clones share it.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<Inner>);

struct Inner {
    settings: ClusterSettings,
    me: Candidate,
    timing: Timing,
    engines: Engines,
    tenure: SharedTenure,
    fabric: OnceLock<Fabric>,
    scaler: OnceLock<Scaler>,
    shared: sessions::Shared,
    sessions: SessionSettings,
    caching: RedisSettings,
    /// Among nodes that call each other; `None` for a node alone.
    place: OnceLock<mesh::Place>,
    /// What other nodes are told about machines.
    stories: Stories,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("me", &self.0.me)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects to the engines. Waits, and says so, for a database that is not there yet.
    ///
    /// # Errors
    /// When waiting will not help: a URL that cannot be read, a wrong password, a schema of a newer version.
    pub(crate) async fn open(settings: &Settings, data_dir: &Path, waits: &Waits) -> Result<Self, Failure> {
        let cluster = Self::over(settings, Engines::open(settings, waits).await?)?;
        cluster.admitted(data_dir).await?;
        cluster.find_place(data_dir).await?;
        Ok(cluster)
    }

    /// A new life of this node over these engines, not among others yet.
    fn over(settings: &Settings, engines: Engines) -> Result<Self, Failure> {
        let random = getrandom::u64()
            .map_err(|cause| Failure::failed(format!("asking for random numbers failed: {cause}"), ""))?;
        let me = Candidate {
            id: settings.node.id.clone(),
            incarnation: Incarnation(random),
        };
        let cluster = &settings.cluster;
        Ok(Self(Arc::new(Inner {
            place: OnceLock::new(),
            stories: Stories::default(),
            shared: sessions::Shared::open(&engines, &me.id),
            timing: timing(cluster, settings.services.lead_time()),
            settings: cluster.clone(),
            sessions: settings.sessions.clone(),
            caching: settings.store.redis.clone(),
            me,
            engines,
            tenure: SharedTenure::default(),
            fabric: OnceLock::new(),
            scaler: OnceLock::new(),
        })))
    }

    /// Waits, and says so, while another node moves its leases into the database.
    ///
    /// # Errors
    /// When this node was to move its own and has not, or the database cannot be read.
    pub(crate) async fn admitted(&self, data_dir: &Path) -> Result<(), Failure> {
        #[cfg(feature = "dhcp")]
        if let Some(records) = &self.0.engines.records {
            grow::admitted(records, &self.0.me.id, crate::up::grown::is_there(data_dir)).await?;
        }
        #[cfg(not(feature = "dhcp"))]
        let _ = data_dir;
        Ok(())
    }

    /// What makes other nodes know this one.
    async fn find_place(&self, data_dir: &Path) -> Result<(), Failure> {
        let Inner {
            engines,
            me,
            settings,
            place,
            ..
        } = &*self.0;
        if let Some(found) = mesh::Place::take(engines, settings, me, data_dir).await? {
            // Found once.
            let _ = place.set(found);
        }
        Ok(())
    }

    /// Begins to claim for these tenants. `port` is the API's. Only the first call counts.
    fn take_part(&self, port: u16, tenants: Vec<Arc<dyn Tenant>>) -> &Fabric {
        let inner = &self.0;
        inner.fabric.get_or_init(|| {
            let coordinator = Coordinator::new(inner.timing, inner.me.clone(), self.facts(port));
            let setup = Setup {
                me: inner.me.clone(),
                timing: inner.timing,
                claims: Arc::clone(&inner.engines.claims),
                tenants,
                tenure: inner.tenure.clone(),
                clock: Arc::new(now),
            };
            // The task ends with the last handle.
            Fabric::start(setup, coordinator).0
        })
    }

    /// Starts to take part, with the services that have shares. `port` is the API's, `records` are this node's own.
    pub(crate) fn start(
        &self,
        services: &Services,
        wishes: Wishes,
        port: u16,
        records: Arc<dyn Records>,
    ) -> Books {
        let inner = &self.0;
        let tenants = services.iter().filter_map(|service| service.tenant()).collect();
        let fabric = self.take_part(port, tenants).clone();
        let gauge = NodeGauge::new(services.clone());
        let scaler = scaling::start(inner, &fabric, Arc::clone(&gauge), wishes, records);
        let scaler = inner.scaler.get_or_init(|| scaler).clone();
        let work = inner.shared.start(inner, &fabric, &scaler);
        gauge.count_sessions(&work.sessions);
        Books {
            drains: Drains::start(&fabric, &scaler, Arc::new(now)),
            fabric,
            work,
            scaler,
            mesh: self.mesh(),
            grow: None,
            store: inner.engines.store,
            coordination: inner.engines.coordination,
        }
    }

    /// This node serves: what needs the database from now on says so when it is away, instead of waiting.
    pub(crate) fn started(&self) {
        self.0.engines.started();
    }

    /// Gives everything back in order, as far as that is done within `grace`.
    pub(crate) async fn leave(&self, grace: Duration) {
        let (Some(fabric), true) = (self.0.fabric.get(), self.0.engines.rows.is_some()) else {
            return;
        };
        if tokio::time::timeout(grace, fabric.leave()).await.is_err() {
            log::warn(
                "this node's slots were not all given back within the grace period: other nodes take them over when its lease lapses",
            );
        }
        self.0.shared.leave().await;
    }

    /// Whether this node may own, and what is wrong with the store.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let mut checks = self.0.shared.checks();
        let (Some(fabric), true) = (self.0.fabric.get(), self.0.engines.rows.is_some()) else {
            return checks;
        };
        let ready = match &fabric.snapshot().readiness {
            Ok(()) => Check::pass(
                "cluster.member",
                Bears::Ready,
                "the node takes part in its cluster",
            ),
            Err(why) => Check::fail("cluster.member", Bears::Ready, why.to_string(), fix(why)),
        };
        let store = match fabric.trouble() {
            None => Check::pass("cluster.store", Bears::Advice, "the database answers"),
            Some(what) => Check::warn(
                "cluster.store",
                Bears::Advice,
                what,
                "see whether the database runs and is reached",
            ),
        };
        checks.extend([ready, store]);
        checks.extend(self.0.engines.redis.as_ref().map(redis::Lines::check));
        checks.extend(self.strangers());
        checks.extend(self.0.place.get().map(mesh::Place::check));
        checks
    }

    /// Whether somebody with another secret is in the same Redis.
    fn strangers(&self) -> Option<Check> {
        let strange = self.0.engines.sealed.as_ref()?.strange();
        (strange > 0).then(|| {
            Check::warn(
                "cluster.hints",
                Bears::Advice,
                format!("{strange} times something in Redis was not sealed with this cluster's secret"),
                "give every node the same cluster.secret, and every cluster in one Redis a coordination.key_prefix of its own",
            )
        })
    }

    /// Whether this node is the one that does what one of them does for all.
    pub(crate) fn leads(&self) -> bool {
        let fabric = self.0.fabric.get();
        fabric.is_some_and(|fabric| fabric.snapshot().leadership.is_some())
    }

    /// The records that nodes share; `None` for a node alone.
    pub(crate) fn records(&self) -> Option<Arc<dyn Records>> {
        self.0.engines.records.clone()
    }

    /// Connections to the database in numbers; none for a node alone.
    pub(crate) fn databases(&self) -> DatabaseMetrics {
        DatabaseMetrics(self.0.engines.databases.clone())
    }

    fn facts(&self, port: u16) -> NodeFacts {
        let settings = &self.0.settings;
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        NodeFacts {
            hostname: settings
                .hostname
                .clone()
                .unwrap_or_else(|| host().trim().to_owned()),
            address: settings.node_ip.map(|ip| ip.to_string()).unwrap_or_default(),
            port,
            peer_port: settings.peer_port,
            zone: settings.zone.clone(),
            weight: settings.weight,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn timing(settings: &ClusterSettings, lead_time: Option<Duration>) -> Timing {
    let base = match settings.takeover {
        Takeover::Normal => Timing::default(),
        Takeover::Fast => Timing::fast(),
    };
    Timing {
        // A quarantine shorter than the promises of the former owner would be none.
        mclt: lead_time.unwrap_or(base.mclt).max(base.ttl),
        heartbeat: settings.heartbeat_interval,
        node_timeout: settings.node_timeout.max(base.ttl + base.guard),
        ..base
    }
}

fn fix(why: &NotReady) -> &'static str {
    match why {
        NotReady::Starting | NotReady::FormerLife { .. } => {
            "wait: a former life of this node must lapse first, some 20 seconds"
        }
        NotReady::DuplicateId { .. } => "give one of the two nodes another node.id",
        NotReady::Lapsed => "see whether the database runs and is reached",
        NotReady::WallClock { .. } => "synchronise the clocks of this machine and the database",
        NotReady::TimelineBehind { .. } => "stop the old primary, or point store.url at the new one",
        NotReady::Draining | NotReady::Left => "send new work to another node",
        NotReady::Superseded => "start the node again to join anew",
    }
}
