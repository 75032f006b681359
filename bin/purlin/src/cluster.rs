//! This node among others: the engines that the configuration names, and the fabric over them.
//!
//! ```text
//!   [store], [coordination], [cluster] ─► open: engines ─► services take their shares ─► start: the fabric ─► leave
//! ```
//!
//! A node alone has the same fabric over engines within its process: it is a cluster of one.

use crate::exit::{Failure, chain};
use crate::log;
use crate::settings::Settings;
use purlin_config::sections::cluster::{ClusterSettings, Takeover};
use purlin_config::sections::store::{CoordinationEngine, StoreEngine};
use purlin_fabric::port::{Candidate, ClaimStore, Heartbeat, Hints, NodeFacts};
use purlin_fabric::{Coordinator, NotReady, Timing};
use purlin_fabric_redis::RedisHints;
use purlin_fabric_runtime::local::{LocalClaims, LocalHints};
use purlin_fabric_runtime::{Fabric, Setup, SharedTenure, Tenant};
use purlin_fabric_server::Books;
use purlin_netio::now;
use purlin_store::FencedRows;
use purlin_store_postgres::{Postgres, Settings as Database, Target};
use purlin_telemetry::health::{Bears, Check};
use purlin_types::Incarnation;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Connections for claims and for lease records.
const CLAIM_CONNECTIONS: usize = 2;
const ROW_CONNECTIONS: usize = 8;

/// Engines, identity, and the fabric once it runs. Clones share it.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<Inner>);

struct Inner {
    settings: ClusterSettings,
    me: Candidate,
    timing: Timing,
    claims: Arc<dyn ClaimStore>,
    hints: Arc<dyn Hints>,
    /// Leases that nodes share; `None` for a node alone.
    rows: Option<Arc<dyn FencedRows>>,
    tenure: SharedTenure,
    fabric: OnceLock<Fabric>,
    store: &'static str,
    coordination: &'static str,
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
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let random = getrandom::u64()
            .map_err(|cause| Failure::failed(format!("asking for random numbers failed: {cause}"), ""))?;
        let me = Candidate {
            id: settings.node.id.clone(),
            incarnation: Incarnation(random),
        };
        let (claims, rows, store): (Arc<dyn ClaimStore>, Option<Arc<dyn FencedRows>>, _) =
            match &settings.store.records {
                StoreEngine::Embedded => (Arc::new(LocalClaims::new(Arc::new(now), 1)), None, "embedded"),
                // Apart, so that a renewal is never behind lease records.
                StoreEngine::Postgres(url) => (
                    Arc::new(database(url, CLAIM_CONNECTIONS).await?),
                    Some(Arc::new(database(url, ROW_CONNECTIONS).await?)),
                    "postgres",
                ),
            };
        let (hints, coordination): (Arc<dyn Hints>, _) = match &settings.store.coordination {
            CoordinationEngine::Embedded => (Arc::new(LocalHints::new(Arc::new(now))), "embedded"),
            // Without Redis every node has its own hints; ownership is in the database all the same.
            CoordinationEngine::Postgres => (Arc::new(LocalHints::new(Arc::new(now))), "postgres"),
            CoordinationEngine::Redis(url) => (Arc::new(redis(url)?), "redis"),
        };
        let cluster = &settings.cluster;
        Ok(Self(Arc::new(Inner {
            timing: timing(cluster, settings.services.lead_time()),
            settings: cluster.clone(),
            me,
            claims,
            hints,
            rows,
            tenure: SharedTenure::default(),
            fabric: OnceLock::new(),
            store,
            coordination,
        })))
    }

    /// What the DHCP service needs to serve a share; `None` when it serves everything.
    #[cfg(feature = "dhcp")]
    pub(crate) fn share(&self) -> Result<Option<purlin_dhcp_server::ShareConfig>, Failure> {
        let (Some(rows), Some(secret)) = (&self.0.rows, &self.0.settings.secret) else {
            return Ok(None);
        };
        let at = (std::net::Ipv4Addr::UNSPECIFIED, self.0.settings.peer_port);
        let peers = std::net::UdpSocket::bind(at).map_err(|cause| {
            let what = format!("listening for other nodes on UDP port {} failed: {cause}", at.1);
            Failure::failed(what, "set cluster.peer_port to a free port")
        })?;
        let key = purlin_dhcp_server::ForwardKey::new(secret.0.as_bytes())
            .map_err(|cause| Failure::failed(cause.to_string(), "set cluster.secret"))?;
        let (lost, mut lost_slots) = tokio::sync::mpsc::unbounded_channel();
        let cluster = self.clone();
        tokio::spawn(async move {
            while let Some(slots) = lost_slots.recv().await {
                if let Some(fabric) = cluster.0.fabric.get() {
                    fabric.fence_lost(slots).await;
                }
            }
        });
        let cluster = self.clone();
        Ok(Some(purlin_dhcp_server::ShareConfig {
            rows: Arc::clone(rows),
            tenure: self.0.tenure.clone(),
            lost,
            homes: Arc::new(move |slot| cluster.home(slot)),
            peers: Arc::new(peers),
            key,
            runtime: tokio::runtime::Handle::current(),
        }))
    }

    /// Where the node that holds a slot takes forwarded packets.
    #[cfg(feature = "dhcp")]
    fn home(&self, slot: purlin_types::Slot) -> Option<std::net::SocketAddrV4> {
        let fabric = self.0.fabric.get()?;
        let holdings = Arc::clone(&fabric.holdings().borrow());
        let home = holdings.home(slot)?;
        let snapshot = fabric.snapshot();
        let member = snapshot.members.iter().find(|member| member.id == *home)?;
        let address = member.facts.address.parse().ok()?;
        Some(std::net::SocketAddrV4::new(address, member.facts.peer_port))
    }

    /// Starts to take part, with the services that have shares. `port` is the API's.
    pub(crate) fn start(&self, tenants: Vec<Arc<dyn Tenant>>, port: u16) -> Books {
        let inner = &self.0;
        let coordinator = Coordinator::new(inner.timing, inner.me.clone(), self.facts(port));
        let setup = Setup {
            me: inner.me.clone(),
            timing: inner.timing,
            claims: Arc::clone(&inner.claims),
            tenants,
            tenure: inner.tenure.clone(),
            clock: Arc::new(now),
        };
        // The task ends with the last handle.
        let (fabric, _) = Fabric::start(setup, coordinator);
        let fabric = inner.fabric.get_or_init(|| fabric).clone();
        tokio::spawn(beat(self.clone()));
        Books {
            fabric,
            hints: Arc::clone(&inner.hints),
            store: inner.store,
            coordination: inner.coordination,
        }
    }

    /// Gives everything back in order, as far as that is done within `grace`.
    pub(crate) async fn leave(&self, grace: Duration) {
        let (Some(fabric), true) = (self.0.fabric.get(), self.0.rows.is_some()) else {
            return;
        };
        if tokio::time::timeout(grace, fabric.leave()).await.is_err() {
            log::warn(
                "this node's slots were not all given back within the grace period: other nodes take them over when its lease lapses",
            );
        }
        // Others see the silence soon enough.
        let _ = self.0.hints.hush(&self.0.me.id, self.0.me.incarnation).await;
    }

    /// Whether this node may own, and what is wrong with the store.
    pub(crate) fn checks(&self) -> Vec<Check> {
        let (Some(fabric), true) = (self.0.fabric.get(), self.0.rows.is_some()) else {
            return Vec::new();
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
        vec![ready, store]
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

/// Says now and then that this node is alive, for display; a service that is away is tried again at the next beat.
async fn beat(cluster: Cluster) {
    let inner = &cluster.0;
    let beat = Heartbeat {
        node: inner.me.id.to_string(),
        incarnation: inner.me.incarnation.0,
        body: String::new(),
    };
    let mut ticks = tokio::time::interval(inner.settings.heartbeat_interval);
    loop {
        ticks.tick().await;
        let _ = inner.hints.beat(&beat, inner.settings.node_timeout).await;
    }
}

async fn database(url: &str, connections: usize) -> Result<Postgres, Failure> {
    let target = Target::parse(url).map_err(|cause| {
        Failure::failed(
            format!("store.url: {cause}"),
            "for example postgresql://purlin@db.example.com/purlin",
        )
    })?;
    let waiting = |waiting: &purlin_store_postgres::Waiting| {
        log::warn(&format!(
            "waiting for the database for {} s: {}",
            waiting.waited.as_secs(),
            waiting.cause
        ));
    };
    let settings = Database {
        max_open: connections,
        ..Database::new(target)
    };
    Postgres::connect(settings, waiting)
        .await
        .map_err(|cause| Failure::failed(chain(&cause), "see store.url, and the rights of its user"))
}

fn redis(url: &str) -> Result<RedisHints, Failure> {
    let fault = |faults: Vec<purlin_fabric_redis::SettingFault>| {
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Failure::failed(
            format!("coordination.url: {}", all.join("; ")),
            "for example redis://redis.example.com:6379",
        )
    };
    let settings = purlin_fabric_redis::Settings::from_url(url).map_err(|one| fault(vec![one]))?;
    RedisHints::connect(settings).map_err(fault)
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
