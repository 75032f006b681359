//! The chain as a part of this node: its directory, JSON-RPC, blocks, watched and told about.

pub(crate) mod accounts;
mod beginning;
pub(crate) mod home;
mod membership;
pub(crate) mod trust;

pub(crate) use purlin_chain_server::section::ChainSettings as Settings;

use super::{Base, Done, Face, Service, Tell};
use crate::client::NodeFile;
use crate::exit::{Failure, chain as words};
use crate::log;
use crate::ports::{Port, Transport};
use crate::settings::Settings as NodeSettings;
use futures_util::future::{BoxFuture, FutureExt};
use home::Home;
use membership::Part;
use purlin_api::clock::Clock;
use purlin_api::events::{EventSource, Joined};
use purlin_api::revisions::Revisions;
use purlin_chain_server::api::{BlockEvents, ConstitutionEvents, DecisionEvents, InForce, TransactionTeller};
use purlin_chain_server::section::Origin;
use purlin_chain_server::{Handle, Pace, Running, Sockets};
use purlin_telemetry::Registry;
use purlin_telemetry::health::Check;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::broadcast::error::RecvError;

/// The running service.
#[derive(Debug)]
pub(crate) struct ChainNode {
    handle: Handle,
    /// Taken when it stops.
    running: Mutex<Option<Running>>,
}

/// The ports it wants.
pub(super) fn ports(settings: &Settings) -> Vec<Port> {
    let port = |address: Option<SocketAddr>, key| {
        address.map(|address| Port {
            transport: Transport::Tcp,
            address,
            key,
        })
    };
    let wanted = [
        port(settings.service.http, "chain.http"),
        port(settings.service.ws, "chain.websocket"),
        port(settings.among.peers.listen, "chain.listen"),
    ];
    let on = wanted.into_iter().filter(|_| settings.enabled);
    on.flatten().collect()
}

impl ChainNode {
    /// Opens the chain, or makes it, and begins to answer; `None` when this node has none.
    pub(super) async fn start(base: &Base<'_>) -> Result<Option<Self>, Failure> {
        let settings = &base.settings.services.chain;
        if !settings.enabled {
            return Ok(None);
        }
        warn_of_known_keys(settings);
        let home = Home::of(base.data_dir);
        if let Some(from) = settings.begin.as_ref().filter(|_| !home.is_settled()) {
            let begun = beginning::begin(from, &settings.origin, settings.state, &home).await?;
            // It is opened again below, like every other.
            drop(begun);
        }
        let (origin, state) = (settings.origin.clone(), settings.state);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // What a crash has left is read again before the file opens.
        let (home, chain) = tokio::task::spawn_blocking(move || {
            let chain = home.found(&origin, state, now.as_secs());
            (home, chain)
        })
        .await
        .map_err(|_| Failure::failed("opening the chain panicked", "see the log"))?;
        let chain = chain?;
        let part = membership::of(settings, &chain, &home)?;
        if base.settings.cluster.enabled && !matches!(part, Part::Among(_)) {
            log::warn(
                "the chain is this node's alone; nodes agree on one where its genesis document names validators",
            );
        }
        let mut service = settings.service.clone();
        service.data_dir = Some(home.path().to_owned());
        if !matches!(part, Part::Solo) {
            service.production.pace = Pace::Off;
        }
        let (handle, mut running) =
            purlin_chain_server::start(service, chain, Sockets::default()).map_err(|cause| {
                Failure::failed(
                    words(&cause),
                    "set chain.http and chain.websocket to free addresses",
                )
            })?;
        if let Part::Among(membership) = part {
            running.join(*membership).await.map_err(|cause| {
                Failure::failed(
                    words(&cause),
                    "set chain.listen to a free address of this machine",
                )
            })?;
        }
        Ok(Some(Self {
            handle,
            running: Mutex::new(Some(running)),
        }))
    }
}

/// Whoever reaches a development chain can spend what its accounts have.
fn warn_of_known_keys(settings: &Settings) {
    let listeners = [settings.service.http, settings.service.ws];
    let reached = listeners
        .iter()
        .flatten()
        .find(|address| !address.ip().is_loopback());
    if let (Origin::Development { .. }, Some(address)) = (&settings.origin, reached) {
        log::warn(&format!(
            "the development chain is reached at {address}, and anybody knows the keys of its accounts; name a genesis document in chain.genesis for a chain of your own"
        ));
    }
}

/// Says in the log what every version of the constitution changed, when it has decided its first block.
async fn tell_of_changes(handle: &Handle) -> Failure {
    let mut heads = handle.heads();
    let mut next = handle.next_version();
    // One that lags has only missed heads; the versions are all there.
    while !matches!(heads.recv().await, Err(RecvError::Closed)) {
        for InForce { version, from, says } in handle.in_force_since(next) {
            let says = says.join("; ");
            log::info(&format!(
                "the chain's constitution {version} is in force from block {from}: {says}"
            ));
            next = version + 1;
        }
    }
    std::future::pending().await
}

impl ChainNode {
    fn events(&self) -> Vec<Arc<dyn EventSource>> {
        vec![
            Arc::new(BlockEvents::new(self.handle.clone())),
            Arc::new(ConstitutionEvents::new(self.handle.clone())),
            Arc::new(DecisionEvents::new(&self.handle)),
        ]
    }
}

impl Service for ChainNode {
    fn register(&self, registry: &Registry) {
        registry.register(Arc::new(self.handle.metrics()));
    }

    fn publish(&self, file: &mut NodeFile) {
        file.chain_http = self.handle.http().map(|address| format!("http://{address}"));
        file.chain_websocket = self.handle.ws().map(|address| format!("ws://{address}"));
    }

    fn work(&self) -> Done {
        Done::default()
    }

    fn checks(&self) -> Vec<Check> {
        self.handle.health()
    }

    fn status<'a>(&'a self, _: &'a NodeFile) -> BoxFuture<'a, (&'static str, Value)> {
        async { ("chain", purlin_chain_server::api::status(&self.handle)) }.boxed()
    }

    fn face<'a>(&'a self, _: &'a Clock, _: &'a Revisions) -> BoxFuture<'a, Face> {
        async move {
            Face {
                events: Arc::new(Joined::new(self.events())),
                teller: Arc::new(TransactionTeller::new(self.handle.clone())),
                members: Vec::new(),
                routes: purlin_chain_server::api::routes(&self.handle),
            }
        }
        .boxed()
    }

    /// Every other key of the section is for the start.
    fn apply<'a>(&'a self, settings: &'a NodeSettings) -> BoxFuture<'a, Result<(), String>> {
        let limit = settings.services.chain.service.storage_max;
        async move {
            self.handle.limit_storage(limit);
            Ok(())
        }
        .boxed()
    }

    fn watch<'a>(&'a self, _: Tell<'a>) -> BoxFuture<'a, Failure> {
        // What is wrong with it is in the health; it tries again by itself.
        tell_of_changes(&self.handle).boxed()
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, bool> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            if let Some(running) = running {
                running.stop(grace).await;
            }
            true
        }
        .boxed()
    }
}
