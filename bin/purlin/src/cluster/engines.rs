//! The engines that `[store]` and `[coordination]` name: claims, lease records, hints.

use super::redis::{COORDINATION, Lines};
use super::waits::Waits;
use super::{book, dial};
use crate::exit::Failure;

use crate::settings::Settings;
use purlin_config::sections::store::{CoordinationEngine, StoreEngine};
use purlin_fabric::invalidate::Outbox;
use purlin_fabric::port::{ClaimStore, Hints};
use purlin_fabric_mesh::SealedHints;
use purlin_fabric_redis::SettingFault;
#[cfg(feature = "tftp")]
use purlin_fabric_redis::{RedisHints, Topology};
use purlin_fabric_runtime::local::{LocalClaims, LocalHints, LocalOutbox};
use purlin_netio::now;
use purlin_store::{FencedRows, Records};
use purlin_store_postgres::{Postgres, PostgresRecords};
use std::sync::Arc;

/// Connections for claims; lease records have what these and the book leave.
const CLAIM_CONNECTIONS: usize = 2;

/// What the cluster stands on.
#[derive(Debug)]
pub(super) struct Engines {
    pub(super) claims: Arc<dyn ClaimStore>,
    pub(super) hints: Arc<dyn Hints>,
    /// The same, where others than nodes could read them.
    pub(super) sealed: Option<SealedHints>,
    /// How the lines to Redis stand, where there is one.
    pub(super) redis: Option<Lines>,
    /// Leases that nodes share; `None` for a node alone.
    pub(super) rows: Option<Arc<dyn FencedRows>>,
    /// Small state that nodes share; `None` for a node alone.
    pub(super) records: Option<Arc<dyn Records>>,
    /// The same, until this node has started.
    starting: Option<PostgresRecords>,
    /// Notes to all nodes; in the database when there is one.
    pub(super) outbox: Arc<dyn Outbox>,
    /// The same, where old ones have to be taken out.
    pub(super) notes: Option<purlin_store_postgres::Outbox>,
    /// The pools of connections, by what they are for.
    pub(super) databases: Vec<(&'static str, Postgres)>,
    /// Names of the engines, as the configuration has them.
    pub(super) store: &'static str,
    pub(super) coordination: &'static str,
}

impl Engines {
    /// Connects to them. Waits, and says so to `waits`, for a database that is not there yet. Nobody waits for Redis.
    ///
    /// # Errors
    /// When waiting will not help: a URL that cannot be read, a wrong password, a schema of a newer version.
    pub(super) async fn open(settings: &Settings, waits: &Waits) -> Result<Self, Failure> {
        let pool = &settings.store.pool;
        let others = usize::from(pool.max_open).saturating_sub(CLAIM_CONNECTIONS + book::CONNECTIONS);
        let (claims, database, store, databases): (Arc<dyn ClaimStore>, Option<Postgres>, _, _) =
            match &settings.store.records {
                StoreEngine::Embedded => {
                    let claims = LocalClaims::new(Arc::new(now), 1);
                    (Arc::new(claims), None, "embedded", Vec::new())
                }
                // Apart, so that a renewal is never behind lease records.
                StoreEngine::Postgres(url) => {
                    let claims = dial::database(url, CLAIM_CONNECTIONS, pool, waits).await?;
                    let rows = dial::database(url, others, pool, waits).await?;
                    let databases = vec![("claims", claims.clone()), ("records", rows.clone())];
                    (Arc::new(claims), Some(rows), "postgres", databases)
                }
            };
        let notes = database.as_ref().map(Postgres::outbox);
        let outbox: Arc<dyn Outbox> = match notes.clone() {
            Some(notes) => Arc::new(notes),
            None => Arc::new(LocalOutbox::default()),
        };
        let starting = database
            .as_ref()
            .map(|database| database.patient_records(waits.teller()));
        let records = starting
            .clone()
            .map(|records| Arc::new(records) as Arc<dyn Records>);
        let rows = database.map(|database| Arc::new(database) as Arc<dyn FencedRows>);
        let mut redis = None;
        let (hints, coordination): (Arc<dyn Hints>, _) = match &settings.store.coordination {
            CoordinationEngine::Embedded => (Arc::new(LocalHints::new(Arc::new(now))), "embedded"),
            // Without Redis every node has its own hints; ownership is in the database all the same.
            CoordinationEngine::Postgres => (Arc::new(LocalHints::new(Arc::new(now))), "postgres"),
            CoordinationEngine::Redis(url) => {
                let hints = dial::redis(url, &settings.store.redis)?;
                let lines = redis.insert(Lines::of(&hints, &COORDINATION));
                tokio::spawn(lines.clone().tell());
                (Arc::new(hints), "redis")
            }
        };
        // Redis is a third party: what it has is for nodes of this cluster only.
        let sealed = match (&settings.cluster.secret, coordination) {
            (Some(secret), "redis") => Some(SealedHints::new(secret.0.as_bytes(), Arc::clone(&hints))),
            _ => None,
        };
        let hints = match &sealed {
            Some(sealed) => Arc::new(sealed.clone()) as Arc<dyn Hints>,
            None => hints,
        };
        Ok(Self {
            claims,
            hints,
            sealed,
            redis,
            rows,
            records,
            starting,
            outbox,
            notes,
            databases,
            store,
            coordination,
        })
    }

    /// From now on nobody waits for records that cannot be read or written.
    pub(super) fn started(&self) {
        if let Some(records) = &self.starting {
            records.started();
        }
    }
}

/// A Redis by its addresses (`redis-1:6379`), without a password.
#[cfg(feature = "tftp")]
pub(super) fn redis_at(nodes: &[String], cluster: bool) -> Result<RedisHints, Failure> {
    let url = format!("redis://{}", nodes.join(","));
    let mut settings = purlin_fabric_redis::Settings::from_url(&url)
        .map_err(|fault| unusable("cache.redis.nodes", &[fault]))?;
    if let (true, Topology::Single(addresses)) = (cluster, &settings.topology) {
        settings.topology = Topology::Cluster(addresses.clone());
    }
    RedisHints::connect(settings).map_err(|faults| unusable("cache.redis", &faults))
}

pub(super) fn unusable(key: &str, faults: &[SettingFault]) -> Failure {
    let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Failure::failed(
        format!("{key}: {}", all.join("; ")),
        "for example redis://redis.example.com:6379",
    )
}
