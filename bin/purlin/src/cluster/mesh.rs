//! This node's place among nodes that call each other: its certificate, its listener, and who may join.

use super::engines::Engines;
use super::{Cluster, Inner};
use crate::exit::{Failure, chain};
use crate::log;
use crate::settings::Settings;
use purlin_api::revisions::Revisions;
use purlin_api::story::Tellers;
use purlin_config::sections::cluster::ClusterSettings;
use purlin_fabric::port::Candidate;
use purlin_fabric_mesh::{Admission, Clock, Mesh, Notice, Refusal, Serving, Setup};
use purlin_fabric_server::{Books, Neighbours, living, mesh_routes};
use purlin_netio::now;
use purlin_telemetry::health::{Bears, Check};
use purlin_types::{NodeId, WallTime};
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Refused callers that are told in the log per minute: a scanner must not fill it.
const TOLD_PER_MINUTE: u32 = 20;

/// A certificate and a port; answers once it is served.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) mesh: Mesh,
    listener: Mutex<Option<TcpListener>>,
    serving: OnceLock<Serving>,
}

impl Place {
    /// Takes part in the mesh; `None` for a node alone.
    ///
    /// # Errors
    /// When the port is taken, the secret is not the cluster's, or the store or the data directory cannot be used.
    pub(super) async fn take(
        engines: &Engines,
        settings: &ClusterSettings,
        me: &Candidate,
        data_dir: &Path,
    ) -> Result<Option<Self>, Failure> {
        let (Some(records), Some(secret)) = (&engines.records, &settings.secret) else {
            return Ok(None);
        };
        let at = (Ipv4Addr::UNSPECIFIED, settings.peer_port);
        let listener = TcpListener::bind(at).map_err(|cause| {
            let what = format!("listening for other nodes on TCP port {} failed: {cause}", at.1);
            Failure::failed(what, "set cluster.peer_port to a free port")
        })?;
        let teller = Teller::default();
        let setup = Setup {
            id: me.id.clone(),
            incarnation: me.incarnation,
            version: env!("CARGO_PKG_VERSION"),
            records: Arc::clone(records),
            secret: secret.0.as_bytes().to_vec(),
            folder: data_dir.join("mesh"),
            clock: Clock::new(|| now().wall),
            told: Arc::new(move |notice: &Notice| teller.tell(notice)),
        };
        let fix =
            "give every node the same cluster.secret; the store and the data directory must be writable";
        let mesh = Mesh::open(setup).await;
        Ok(Some(Self {
            mesh: mesh.map_err(|cause| Failure::failed(chain(&cause), fix))?,
            listener: Mutex::new(Some(listener)),
            serving: OnceLock::new(),
        }))
    }

    /// What is wrong with it, for the health of the node.
    pub(super) fn check(&self) -> Check {
        if self.mesh.is_revoked() {
            Check::warn(
                "cluster.certificate",
                Bears::Advice,
                "this node's certificate is revoked: it was removed, and other nodes refuse its calls",
                "start the node again to join anew",
            )
        } else {
            Check::pass(
                "cluster.certificate",
                Bears::Advice,
                "other nodes know this one by its certificate",
            )
        }
    }
}

impl Cluster {
    /// Calls to other nodes; `None` for a node alone.
    pub(crate) fn mesh(&self) -> Option<Mesh> {
        self.0.place.get().map(|place| place.mesh.clone())
    }

    /// Stories that begin here go on at other nodes, and theirs here.
    pub(crate) fn weave(&self, tellers: Tellers) -> Tellers {
        self.0.stories.tell(&tellers);
        match (self.mesh(), self.0.fabric.get()) {
            (Some(mesh), Some(fabric)) => {
                let fabric = fabric.clone();
                tellers.with_nodes(self.0.me.id.as_str(), Arc::new(Neighbours { fabric, mesh }))
            }
            _ => tellers,
        }
    }

    /// Answers other nodes from now on, and lets machines with a token join.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub(crate) fn serve_mesh(
        &self,
        books: &Books,
        settings: &Settings,
        revisions: &Revisions,
    ) -> Result<(), Failure> {
        let Inner { place, .. } = &*self.0;
        let Some(place) = place.get() else { return Ok(()) };
        let listener = place.listener.lock().expect("no thread panics with it").take();
        let Some(listener) = listener else { return Ok(()) };
        let porter = Porter {
            books: books.clone(),
            settings: settings.clone(),
            revisions: revisions.clone(),
        };
        let serving = place.mesh.serve(
            listener,
            mesh_routes(&books.fabric, &books.work, &self.0.stories),
            Arc::new(porter),
        );
        let serving = serving.map_err(|cause| {
            Failure::failed(format!("listening for other nodes failed: {cause}"), "try again")
        })?;
        // Served once.
        let _ = place.serving.set(serving);
        Ok(())
    }
}

/// Knows who may join, and what a new node runs with.
struct Porter {
    books: Books,
    settings: Settings,
    revisions: Revisions,
}

impl std::fmt::Debug for Porter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Porter")
    }
}

impl Admission for Porter {
    fn taken(&self, id: &NodeId) -> Option<Refusal> {
        let what = living(&self.books, id)?;
        let fix = format!("choose another --node-id, or take that one out first: purlin cluster remove {id}");
        Some(Refusal {
            status: 409,
            what,
            fix,
        })
    }

    fn configuration(&self, id: &NodeId, address: IpAddr) -> Value {
        let current = self.revisions.current();
        newcomer(&current.config, &self.settings, id, address)
    }
}

/// This node's configuration, as another node of the same cluster needs it: what is this node's own goes out, secrets
/// that came from the environment go in.
fn newcomer(config: &Value, settings: &Settings, id: &NodeId, address: IpAddr) -> Value {
    use purlin_config::sections::store::{CoordinationEngine, StoreEngine};
    let mut config = config.clone();
    for (section, keys) in [
        ("node", &["id", "data_dir"][..]),
        ("cluster", &["node_ip", "hostname", "zone", "weight"]),
        ("api", &["tls_cert", "tls_key", "tls_names"]),
    ] {
        if let Some(table) = config.get_mut(section).and_then(Value::as_object_mut) {
            keys.iter().for_each(|key| drop(table.remove(*key)));
        }
    }
    if let Some(own) = settings.cluster.node_ip {
        move_listeners(&mut config, &own.to_string(), &address.to_string());
    }
    config["node"]["id"] = json!(id.as_str());
    if let StoreEngine::Postgres(url) = &settings.store.records {
        config["store"]["engine"] = json!("postgres");
        config["store"]["url"] = json!(url);
    }
    match &settings.store.coordination {
        CoordinationEngine::Embedded => {}
        CoordinationEngine::Postgres => config["coordination"]["engine"] = json!("postgres"),
        CoordinationEngine::Redis(url) => {
            config["coordination"]["engine"] = json!("redis");
            config["coordination"]["url"] = json!(url);
        }
    }
    let cluster = &settings.cluster;
    config["cluster"]["enabled"] = json!(true);
    config["cluster"]["node_ip"] = json!(address.to_string());
    config["cluster"]["peer_port"] = json!(cluster.peer_port);
    if let Some(secret) = &cluster.secret {
        config["cluster"]["secret"] = json!(secret.0);
    }
    config
}

/// Listeners at one node's own address are at the other's on the other.
fn move_listeners(value: &mut Value, own: &str, theirs: &str) {
    const LISTENERS: [&str; 4] = ["listen", "http", "https", "metrics"];
    let Some(table) = value.as_object_mut() else {
        return;
    };
    for (key, value) in table {
        match value {
            Value::Object(_) => move_listeners(value, own, theirs),
            Value::Array(items) if LISTENERS.contains(&key.as_str()) => {
                for item in items {
                    let moved = item.as_str().and_then(|text| text.strip_prefix(own));
                    if let Some(rest) = moved.filter(|rest| rest.is_empty() || rest.starts_with(':')) {
                        *item = json!(format!("{theirs}{rest}"));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Puts what happens into the log, refused callers not too often.
#[derive(Debug, Default)]
struct Teller(Mutex<Option<(Instant, u32)>>);

impl Teller {
    fn tell(&self, notice: &Notice) {
        match notice {
            Notice::Founded => log::info("this node made the certificate authority of its cluster"),
            Notice::Issued { until } => log::info(&format!(
                "this node has a new certificate for the other nodes, good until {}; it is replaced in time",
                date(*until)
            )),
            Notice::Refused { from, why } if self.again() => {
                log::warn(&format!("a caller at {from} was refused by the mesh: {why}"));
            }
            Notice::Refused { .. } => {}
            Notice::Joined { node, from, token } => {
                log::info(&format!("{node} has joined from {from} with the token {token}"));
            }
            Notice::Revoked => {
                log::warn("this node was removed: its certificate is revoked; start it again to join anew");
            }
            Notice::Trouble(cause) => log::warn(&format!(
                "the mesh goes on with the certificates it knows: {cause}"
            )),
        }
    }

    /// Whether one more may be told in this minute.
    fn again(&self) -> bool {
        let mut told = self.0.lock().expect("no thread panics with it");
        let (since, count) = match *told {
            Some((since, count)) if since.elapsed() < Duration::from_secs(60) => (since, count + 1),
            _ => (Instant::now(), 1),
        };
        *told = Some((since, count));
        count <= TOLD_PER_MINUTE
    }
}

fn date(at: WallTime) -> String {
    purlin_api::clock::rfc3339_secs(at.secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_at_the_own_address_move_and_nothing_else_does() {
        let mut config = json!({
            "api": { "http": ["127.0.0.1:8080"], "https": ["10.0.0.1:8081"] },
            "dhcp": { "listen": ["10.0.0.1:67", "10.0.0.10:67"], "server_id": "10.0.0.1",
                      "subnets": [{ "dns_servers": ["10.0.0.1"] }] },
        });
        move_listeners(&mut config, "10.0.0.1", "10.0.0.2");
        let expected = json!({
            "api": { "http": ["127.0.0.1:8080"], "https": ["10.0.0.2:8081"] },
            "dhcp": { "listen": ["10.0.0.2:67", "10.0.0.10:67"], "server_id": "10.0.0.1",
                      "subnets": [{ "dns_servers": ["10.0.0.1"] }] },
        });
        assert_eq!(config, expected);
    }

    #[test]
    fn a_scanner_does_not_fill_the_log() {
        let teller = Teller::default();
        let told = (0..1000).filter(|_| teller.again()).count();
        assert_eq!(told, TOLD_PER_MINUTE as usize);
    }
}
