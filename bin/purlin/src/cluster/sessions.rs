//! What this node does with the others for clients: sessions, locks, caches, signs of life.
//!
//! ```text
//!   open:  hints, outbox ─► the bus (services may take caches from it)
//!   start: fabric ─► locks over its lease, sessions, the herald, warmers ─► Work for the routes
//! ```

use super::engines::Engines;
use super::{Cluster, Inner};
use crate::log;
use purlin_api::events::{EventSource, LogSource, SessionKeeper};
use purlin_config::sections;
use purlin_fabric::invalidate::Freshness;
use purlin_fabric::port::Hints;
use purlin_fabric::session::SessionSettings;
use purlin_fabric_runtime::Fabric;
use purlin_fabric_runtime::cache::{
    BusSetup, CacheSettings, Invalidation, InvalidationBus, Tier, Warmer, Warmth,
};
use purlin_fabric_runtime::herald::{Herald, HeraldSetup};
use purlin_fabric_runtime::local::LocalHints;
use purlin_fabric_runtime::locks::desk::Desk;
use purlin_fabric_runtime::locks::{Fencing, LockManager};
use purlin_fabric_runtime::metrics::SharedWork;
use purlin_fabric_runtime::scaling::Scaler;
use purlin_fabric_runtime::sessions::SessionStore;
use purlin_fabric_server::{ClusterEvents, Keeper, Notices, Work, tell_changes};
use purlin_netio::now;
use purlin_telemetry::health::{Bears, Check};
use purlin_telemetry::{Event, EventLog};
use purlin_types::NodeId;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

/// How often the outbox is read while announcements do not arrive.
const POLL: Duration = Duration::from_secs(1);
/// A node that is not warm by then says why and goes on.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long notes are kept for nodes that were away, and how often older ones are taken out.
const NOTES_KEPT: Duration = Duration::from_secs(3600);
const TRIM_EVERY: Duration = Duration::from_secs(600);

/// One node's part.
#[derive(Debug)]
pub(super) struct Shared {
    bus: InvalidationBus,
    running: OnceLock<Running>,
}

#[derive(Debug)]
struct Running {
    work: Work,
    herald: Herald,
    warmth: Warmth,
    /// Of all nodes; `None` for one alone.
    events: Option<ClusterEvents>,
}

impl Shared {
    /// Starts to hear invalidations.
    pub(super) fn open(engines: &Engines, node: &NodeId) -> Self {
        // Without Redis what one node says is not heard at another: the outbox is all that they have in common.
        let apart = engines.rows.is_some() && engines.coordination != "redis";
        let (bus, _) = InvalidationBus::start(BusSetup {
            node: node.as_str().to_owned(),
            hints: (!apart).then(|| Arc::clone(&engines.hints)),
            outbox: Some(Arc::clone(&engines.outbox)),
            clock: Arc::new(now),
            poll: POLL,
        });
        Self {
            bus,
            running: OnceLock::new(),
        }
    }

    /// Starts everything that rests on the node's lease.
    pub(super) fn start(&self, inner: &Inner, fabric: &Fabric, scaler: &Scaler) -> Work {
        let (engines, node) = (&inner.engines, inner.me.id.clone());
        let fencing = Fencing::over(fabric, Arc::clone(&engines.claims));
        let locks = LockManager::new(Arc::clone(&engines.hints), Some(fencing), Arc::new(now));
        let registry: Arc<dyn Hints> = if inner.sessions.shared {
            Arc::clone(&engines.hints)
        } else {
            Arc::new(LocalHints::new(Arc::new(now)))
        };
        let sessions = SessionStore::new(of(&inner.sessions), node.clone(), registry, Arc::new(now));
        let work = Work {
            desk: Desk::new(node.clone(), locks, Arc::clone(&engines.hints), Arc::new(now)),
            sessions,
            cache: self.bus.cache(caching(inner)),
            bus: self.bus.clone(),
            hints: Arc::clone(&engines.hints),
            claims_only: engines.rows.is_some() && engines.coordination != "redis",
            node,
        };
        // They end with the process.
        let (_sweeping, _listening) = (work.sessions.start_sweeping(), work.sessions.start_listening());
        trim(engines, fabric);
        let (saying, scaler) = (work.clone(), scaler.clone());
        let herald = Herald::start(HeraldSetup {
            node: work.node.clone(),
            incarnation: inner.me.incarnation,
            hints: Arc::clone(&engines.hints),
            clock: Arc::new(now),
            interval: inner.settings.heartbeat_interval,
            timeout: inner.settings.node_timeout,
            say: Arc::new(move || {
                let mut says = saying.says();
                says["load"] = scaler.pulse().to_json();
                says
            }),
        });
        let outbox = engines.notes.is_some().then(|| Arc::clone(&engines.outbox));
        let events = outbox.map(|outbox| ClusterEvents::start(outbox, Arc::clone(&engines.hints)));
        let mut warmers = vec![("invalidations", hearing(&self.bus))];
        warmers.extend(events.clone().map(|events| ("events", reading(events))));
        let running = Running {
            work: work.clone(),
            herald,
            warmth: Warmth::start(warmers, PATIENCE),
            events,
        };
        // Started once.
        let _ = self.running.set(running);
        work
    }

    /// Others know at once that this node has left.
    pub(super) async fn leave(&self) {
        if let Some(running) = self.running.get() {
            // Nobody heard it: they see the silence soon enough.
            let _ = running.herald.leave().await;
        }
    }

    /// What the node waits for before it may be asked, and what it has waited for in vain.
    pub(super) fn checks(&self) -> Vec<Check> {
        let Some(running) = self.running.get() else {
            return Vec::new();
        };
        let waiting = running.warmth.waiting();
        let mut checks = vec![if waiting.is_empty() {
            Check::pass(
                "node.warm",
                Bears::Startup,
                "everything that is read ahead has been read",
            )
        } else {
            let says = format!("the node still reads ahead: {}", waiting.join(", "));
            Check::fail(
                "node.warm",
                Bears::Startup,
                says,
                "wait; it goes on without after 30 s",
            )
        }];
        for (name, end) in running.warmth.ends() {
            if let Err(why) = end {
                let says = format!("{name} were not read ahead: {why}");
                let fix = "see whether [store] and [coordination] answer";
                checks.push(Check::warn("node.warm", Bears::Advice, says, fix));
            }
        }
        if self.bus.freshness() == Freshness::Blind {
            let says = "invalidations of other nodes do not arrive: cached values are kept for 5 s at most";
            let fix = "see whether [store] and [coordination] answer";
            checks.push(Check::warn("cluster.caches", Bears::Advice, says, fix));
        }
        checks
    }
}

impl Cluster {
    /// The events of all nodes, this one's among them; its own log when it is alone. Called once, after the start.
    pub(crate) fn unite(&self, own: Arc<LogSource>, log: &Arc<EventLog>) -> Arc<dyn EventSource> {
        let (Some(running), Some(fabric)) = (self.0.shared.running.get(), self.0.fabric.get()) else {
            return own;
        };
        let (source, notices): (Arc<dyn EventSource>, _) = match &running.events {
            Some(events) => {
                events.relay(running.work.node.as_str().to_owned(), own);
                (Arc::new(events.clone()), Notices::Cluster(events.clone()))
            }
            None => (own, Notices::Alone(Arc::clone(log))),
        };
        tokio::spawn(tell_invalidations(running.work.clone(), Arc::clone(log)));
        let changes = running.herald.subscribe();
        tokio::spawn(tell_changes(changes, fabric.clone(), notices, || now().wall));
        source
    }

    /// Keeps the sessions of clients; they move where nodes have one registry.
    pub(crate) fn keeper(&self) -> Option<Arc<dyn SessionKeeper>> {
        let (running, fabric) = (self.0.shared.running.get()?, self.0.fabric.get()?);
        // Without Redis nodes have no registry in common.
        let shared = self.0.engines.coordination == "redis" && self.0.sessions.shared;
        let sessions = running.work.sessions.clone();
        Some(Arc::new(Keeper::new(sessions, fabric.clone(), shared)))
    }
}

fn of(settings: &sections::sessions::SessionSettings) -> SessionSettings {
    SessionSettings {
        ttl: settings.ttl,
        cleanup_interval: settings.cleanup_interval,
        close_spread: settings.close_spread,
        resume_ttl: settings.resume_ttl,
        sessions_max: settings.max as usize,
        ..SessionSettings::default()
    }
}

/// How values of clients are cached.
fn caching(inner: &Inner) -> CacheSettings {
    let shared = inner.engines.coordination == "redis" && inner.caching.cache_shared;
    CacheSettings {
        name: "clients",
        ttl: inner.caching.cache_ttl,
        tier: if shared {
            Tier::Shared(Arc::clone(&inner.engines.hints))
        } else {
            Tier::Memory
        },
        ..CacheSettings::default()
    }
}

/// Numbers of locks, sessions and caches.
pub(crate) fn metrics(work: &Work) -> SharedWork {
    SharedWork {
        node: work.node.clone(),
        locks: work.desk.manager().clone(),
        sessions: work.sessions.clone(),
        bus: work.bus.clone(),
    }
}

/// Puts what this node has published into its event log.
async fn tell_invalidations(work: Work, log: Arc<EventLog>) {
    let mut invalidations = work.bus.subscribe();
    loop {
        match invalidations.recv().await {
            Ok(Invalidation::Patterns { patterns, from }) if from.as_deref() == Some(work.node.as_str()) => {
                let patterns = patterns.join(" ");
                let text = format!("every node forgets what {patterns} names");
                log.push(Event::new(
                    now().wall,
                    "cache.invalidate",
                    "published",
                    patterns,
                    text,
                ));
            }
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// Ends when invalidations arrive, or are looked for.
fn hearing(bus: &InvalidationBus) -> Warmer {
    let mut freshness = bus.freshness_watch();
    Box::pin(async move {
        let heard = freshness
            .wait_for(|freshness| *freshness != Freshness::Blind)
            .await;
        heard
            .map(|freshness| freshness.as_str().to_owned())
            .map_err(|_| "the bus has ended".to_owned())
    })
}

/// Ends when the events of other nodes have been read.
fn reading(events: ClusterEvents) -> Warmer {
    Box::pin(async move { Ok(format!("{} events", events.read_once().await)) })
}

/// The leader takes old notes out of the database.
fn trim(engines: &Engines, fabric: &Fabric) {
    let Some(notes) = engines.notes.clone() else {
        return;
    };
    let fabric = fabric.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(TRIM_EVERY).await;
            if fabric.snapshot().leader.as_ref() != Some(&fabric.me().id) {
                continue;
            }
            if let Err(fault) = notes.trim(NOTES_KEPT).await {
                log::warn(&format!(
                    "old notes could not be taken out of the outbox: {fault}"
                ));
            }
        }
    });
}
