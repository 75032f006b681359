//! The node's face: certificates, listeners, and the routes of every part on one router.

use super::attend::Entrance;
use super::node_file::Published;
use super::tls;
use crate::client::{NodeFile, life};
use crate::cluster::{Cluster, Waits};
use crate::exit::{Failure, chain};
use crate::reasons;
use crate::services::Services;
use crate::settings::Settings;
use futures_util::future::{BoxFuture, FutureExt};
use purlin_accounts::Desk;
use purlin_api::clock::Clock;
use purlin_api::events::routes::Streams;
use purlin_api::events::{Joined, LogSource};
use purlin_api::health::HealthSource;
use purlin_api::ledger::Ledger;
use purlin_api::metrics::MetricsSource;
use purlin_api::node::NodeSource;
use purlin_api::rates::{Rate, Rates};
use purlin_api::revisions::Revisions;
use purlin_api::serve::{self, Bound, Shutdown, Tally};
use purlin_api::shell::Limits;
use purlin_api::story::Tellers;
use purlin_api::{Shell, events, health, metrics, node, revisions, story};
use purlin_balancer::Fronts;
use purlin_fabric_server::Books;
use purlin_telemetry::{EventLog, Registry};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How often a silent event stream shows that it lives: below the usual timeouts of proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Sockets that are bound; nobody answers yet, unless to say what the node waits for.
pub(super) struct Face {
    entrance: Entrance,
    places: Places,
    limits: Limits,
    ca: Option<PathBuf>,
    tally: Arc<Tally>,
}

/// Where it is bound.
struct Places {
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    metrics: Vec<SocketAddr>,
}

impl Places {
    fn of(bound: &Bound) -> Self {
        Self {
            http: bound.http(),
            https: bound.https(),
            metrics: bound.metrics(),
        }
    }
}

/// What the routes ask.
pub(super) struct Sources {
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    pub(super) accounts: Desk,
    pub(super) revisions: Revisions,
    pub(super) events: Arc<EventLog>,
    pub(super) registry: Arc<Registry>,
    pub(super) node: Arc<dyn NodeSource>,
    pub(super) health: Arc<dyn HealthSource>,
    pub(super) services: Services,
    pub(super) cluster: Books,
    pub(super) fronts: Fronts,
    pub(super) cluster_events: Cluster,
}

/// A face that answers.
pub(super) struct Opened {
    pub(super) running: serve::Running,
    /// Ended before the rest.
    pub(super) streams: Streams,
    /// What was published while the node waited.
    pub(super) before: Option<Published>,
}

impl Face {
    /// Prepares the certificate and binds every address.
    ///
    /// # Errors
    /// When there is no certificate, or an address cannot be bound.
    pub(super) async fn bind(settings: &Settings, data_dir: &Path) -> Result<Self, Failure> {
        let certificate = tls::prepare(settings, data_dir)?;
        let (tls, ca) = certificate.map_or((None, None), |found| (Some(found.config), found.ca));
        let api = &settings.api;
        let only = |addresses: &[SocketAddr]| {
            if api.enabled {
                addresses.to_vec()
            } else {
                Vec::new()
            }
        };
        let plan = serve::Plan {
            http: only(&api.http),
            https: only(&api.https),
            metrics: only(&api.metrics),
            allow_remote_http: api.allow_remote_http,
            tls,
        };
        let bound = plan.bind().await;
        let fix = "set api.http, api.https or api.metrics to a free address";
        let bound = bound.map_err(|cause| Failure::failed(chain(&cause), fix))?;
        // Checked with the configuration.
        let proxies = api.trusted_proxies.iter().filter_map(|text| text.parse().ok());
        let limits = Limits {
            body_max: usize::try_from(api.max_body).unwrap_or(usize::MAX),
            request_timeout: api.request_timeout,
            rates: Rates {
                reads: rate(api.read_rate, burst(api.read_rate)),
                writes: rate(api.write_rate, burst(api.write_rate)),
                logins: rate(api.login_rate, api.login_rate),
            },
            origins: api.cors_origins.clone(),
        };
        let tally = Arc::new(Tally::new("api"));
        let bound = bound
            .connections_max(api.max_connections as usize)
            .count(Arc::clone(&tally))
            .trust(serve::Proxies::new(proxies));
        Ok(Self {
            places: Places::of(&bound),
            entrance: Entrance::new(bound),
            limits,
            ca,
            tally,
        })
    }

    /// From when on something is waited for, says so to whoever asks how the node is.
    pub(super) fn attend(&mut self, waits: &Waits, settings: &Settings, data_dir: &Path) {
        let file = self.bare_file(settings);
        self.entrance.attend(waits, file, data_dir);
    }

    /// The API's first port, 0 without one.
    pub(super) fn port(&self) -> u16 {
        let bound = [&self.places.https[..], &self.places.http].concat();
        bound.first().map_or(0, SocketAddr::port)
    }

    /// How commands on this machine reach the node.
    pub(super) fn node_file(&self, settings: &Settings, services: &Services) -> NodeFile {
        let mut file = self.bare_file(settings);
        services.iter().for_each(|service| service.publish(&mut file));
        file
    }

    /// The same without services.
    fn bare_file(&self, settings: &Settings) -> NodeFile {
        NodeFile {
            node: settings.node.id.to_string(),
            url: first_url("http", &self.places.http),
            https: first_url("https", &self.places.https),
            metrics: first_url("http", &self.places.metrics).map(|url| format!("{url}/metrics")),
            ca: self.ca.clone(),
            pid: std::process::id(),
            life: life::own(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..NodeFile::default()
        }
    }

    /// Begins to answer.
    pub(super) async fn open(self, sources: Sources) -> Opened {
        let log = Arc::new(LogSource::new(Arc::clone(&sources.events)));
        let log = sources.cluster_events.unite(log, &sources.events);
        let (mut joined, mut tellers, mut members, mut routes) = (vec![log], vec![], vec![], vec![]);
        for service in &sources.services {
            let face = service.face(&sources.clock, &sources.revisions).await;
            joined.push(face.events);
            tellers.push(face.teller);
            members.extend(face.members);
            routes.push(face.routes);
        }
        let keeper = sources.cluster_events.keeper();
        // They end before everything else does, so they are told apart from it.
        let streams = Streams::new(Arc::new(Joined::new(joined)), Shutdown::default(), HEARTBEAT)
            .with_sessions(keeper.clone());
        let tellers = sources.cluster_events.weave(Tellers::new(tellers));
        sources.registry.register(self.tally);
        let scrape: Arc<dyn MetricsSource> = Arc::new(Scrape(sources.registry));
        let shell = Shell::new(&sources.ledger, sources.accounts.tokens(), &sources.clock)
            .limits(self.limits)
            .accounts(Arc::new(sources.accounts.clone()))
            .sessions(keeper)
            .mount(purlin_accounts::routes(&sources.accounts))
            .mount(node::routes(&sources.node))
            .mount(health::routes(&sources.health))
            .mount(metrics::routes(&scrape))
            .mount(revisions::routes::routes(&sources.revisions))
            .mount(events::routes::routes(&streams))
            .mount(story::routes(&tellers, &members))
            .mount(purlin_balancer::routes(&sources.fronts))
            .mount(purlin_fabric_server::routes(&sources.cluster));
        let shell = routes.into_iter().fold(shell, Shell::mount);
        let router = reasons::tables().into_iter().fold(shell, Shell::reasons).router();
        let beside = metrics::router(scrape).merge(health::router(&sources.health));
        let (running, before) = self.entrance.open(router, beside);
        Opened {
            running,
            streams,
            before,
        }
    }
}

/// So many requests a minute, and so many at once; none for 0.
fn rate(per_minute: u32, burst: u32) -> Option<Rate> {
    (per_minute > 0).then_some(Rate { per_minute, burst })
}

/// Two seconds' worth, and at least ten.
fn burst(per_minute: u32) -> u32 {
    (per_minute / 30).max(10)
}

/// The first listener as a URL.
pub(crate) fn first_url(scheme: &str, bound: &[SocketAddr]) -> Option<String> {
    bound.first().map(|at| format!("{scheme}://{}", reachable(*at)))
}

/// An address that a client on this machine can use.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

/// Writes metrics down for a scrape.
struct Scrape(Arc<Registry>);

impl MetricsSource for Scrape {
    fn render(&self) -> BoxFuture<'_, String> {
        async move { self.0.text() }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_reached_on_loopback() {
        assert_eq!(
            reachable("0.0.0.0:80".parse().unwrap()).to_string(),
            "127.0.0.1:80"
        );
        assert_eq!(reachable("[::]:80".parse().unwrap()).to_string(), "[::1]:80");
        assert_eq!(
            reachable("10.0.0.1:80".parse().unwrap()).to_string(),
            "10.0.0.1:80"
        );
    }
}
