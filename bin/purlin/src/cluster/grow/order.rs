//! What `purlin cluster grow` wants: the keys that this node gets, checked like any configuration.

use super::super::engines::Engines;
use super::super::waits::Waits;
use crate::settings::{self, Settings};
use crate::up::grown;
use purlin_api::Problem;
use purlin_api::problem::FaultView;
use purlin_config::Faults;
use purlin_config::sections::store::{CoordinationEngine, StoreEngine};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::time::Duration;

/// How long a database may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// URL of the database.
    store: String,
    /// URL of a Redis; without, nodes meet in the database.
    coordination: Option<String>,
    node_ip: Option<String>,
    peer_port: Option<u16>,
}

/// A node as it will be.
#[derive(Debug)]
pub(super) struct Order {
    /// Laid over the node's file from then on.
    pub(super) overlay: Value,
    pub(super) settings: Settings,
}

impl Order {
    /// # Errors
    /// 422 with all faults of the configuration as it would be.
    pub(super) fn read(order: &Value, config: &Value) -> Result<Self, Problem> {
        let wanted: Wanted =
            serde_json::from_value(order.clone()).map_err(|cause| Problem::wrong_shape(cause.to_string()))?;
        let mut cluster = json!({ "enabled": true });
        if let Some(ip) = &wanted.node_ip {
            cluster["node_ip"] = json!(ip);
        }
        if let Some(port) = wanted.peer_port {
            cluster["peer_port"] = json!(port);
        }
        let has_secret = config.pointer("/cluster/secret").is_some()
            || std::env::var_os("PURLIN__CLUSTER__SECRET_FILE").is_some();
        if !has_secret {
            cluster["secret"] = json!(secret()?);
        }
        let coordination = match &wanted.coordination {
            Some(url) => json!({ "engine": "redis", "url": url }),
            None => json!({ "engine": "postgres" }),
        };
        let overlay = json!({
            "store": { "engine": "postgres", "url": wanted.store },
            "coordination": coordination,
            "cluster": cluster,
        });
        let mut whole = config.clone();
        grown::lay(&mut whole, &overlay);
        let mut faults = Faults::new();
        let settings = settings::of_revision(&whole, &mut faults);
        let views: Vec<FaultView> = faults.in_text_order().into_iter().map(FaultView::from).collect();
        let settings = settings.ok_or_else(|| Problem::faults(views))?;
        if settings.cluster.node_ip.is_some_and(|ip| ip.is_unspecified()) {
            let what = "node_ip must be an address at which other nodes reach this one";
            return Err(Problem::wrong_shape(what));
        }
        free(settings.cluster.peer_port)?;
        Ok(Self { overlay, settings })
    }

    /// Connects to the engines, without waiting for one that is not there.
    pub(super) async fn engines(&self) -> Result<Engines, Problem> {
        match tokio::time::timeout(PATIENCE, Engines::open(&self.settings, &Waits::default())).await {
            Ok(opened) => opened
                .inspect(Engines::started)
                .map_err(|failure| Problem::not_ready(failure.what)),
            Err(_) => Err(Problem::not_ready(format!(
                "the database has not answered for {} s",
                PATIENCE.as_secs()
            ))),
        }
    }

    /// What would be done, in words.
    pub(super) fn steps(&self) -> Vec<String> {
        let settings = &self.settings;
        let ip = settings
            .cluster
            .node_ip
            .map(|ip| ip.to_string())
            .unwrap_or_default();
        let meet = match &settings.store.coordination {
            CoordinationEngine::Redis(_) => "Redis",
            _ => "the database",
        };
        let database = match &settings.store.records {
            StoreEngine::Postgres(_) => "PostgreSQL",
            StoreEngine::Embedded => "its own store",
        };
        vec![
            format!("claim all slots in {database}, which nobody else uses"),
            "copy leases there while packets are answered, again and again until little is left".to_owned(),
            "copy revisions of the configuration, and tokens".to_owned(),
            "have packets wait for a moment, copy the rest, and write down that this node is one of several"
                .to_owned(),
            format!(
                "go on under the cluster: other nodes reach this one at {ip}:{} and meet in {meet}",
                settings.cluster.peer_port
            ),
        ]
    }
}

/// After the move it would be too late to find the port taken.
fn free(port: u16) -> Result<(), Problem> {
    let at = (Ipv4Addr::UNSPECIFIED, port);
    let bound = TcpListener::bind(at)
        .map(drop)
        .and_then(|()| UdpSocket::bind(at).map(drop));
    bound.map_err(|cause| {
        Problem::not_possible(format!(
            "port {port} for other nodes cannot be used ({cause}): name another one with --peer-port"
        ))
    })
}

fn secret() -> Result<String, Problem> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)
        .map_err(|cause| Problem::broken(format!("asking for random numbers failed: {cause}")))?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}
