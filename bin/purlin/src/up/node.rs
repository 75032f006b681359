//! One struct, built top to bottom: store, revisions, DHCP, API. Taken apart in the opposite order.

use super::admin_token::{self, AdminToken};
use super::boot::Boot;
use super::health::{Life, NodeHealth, Stage};
use super::host::Host;
use super::node_file::{self, Published};
use super::process::ProcessCollector;
use super::status::NodeFacts;
use super::{data_dir, ports, tls};
use crate::client::NodeFile;
use crate::exit::{Exit, Failure, chain};
use crate::settings::Settings;
use crate::{log, reasons};
use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::clock::Clock;
use purlin_api::events::routes::Streams;
use purlin_api::events::{EventSource, Joined, LogSource};
use purlin_api::health::HealthSource;
use purlin_api::ledger::Ledger;
use purlin_api::metrics::MetricsSource;
use purlin_api::node::NodeSource;
use purlin_api::problem::{FaultView, Problem};
use purlin_api::revisions::{ConfigHost, Current, Revisions};
use purlin_api::serve::{self, Bound, Shutdown};
use purlin_api::tokens::Tokens;
use purlin_api::{Shell, events, health, metrics, node, revisions};
use purlin_dhcp_server::routes::DecisionEvents;
use purlin_dhcp_server::{Condition, Handle, Health, RECEIVE_BUFFER, ServerConfig};
use purlin_store::OpenError;
use purlin_store_embedded::{Embedded, Options};
use purlin_telemetry::{Event, EventLog, Registry};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;

/// Events that are kept for readers who were away: minutes at a thousand leases a second.
const EVENTS_KEPT: usize = 65_536;

/// How often a silent event stream shows that it lives: below the usual timeouts of proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A running node.
pub(super) struct Node {
    pub(super) revisions: Revisions,
    pub(super) settings: Settings,
    pub(super) file: NodeFile,
    pub(super) token: AdminToken,
    pub(super) interfaces: Vec<String>,
    pub(super) data_dir: PathBuf,
    pub(super) host: Arc<Host>,
    pub(super) dhcp: Handle,
    events: Arc<EventLog>,
    life: Life,
    dhcp_threads: purlin_dhcp_server::Running,
    api: serve::Running,
    /// Removed when the node has stopped.
    _published: Published,
    /// Holds the lock of the data directory to the very end.
    _store: Embedded,
}

impl Node {
    /// Builds everything and begins to serve.
    ///
    /// # Errors
    /// With the part that could not be built; nothing keeps running then.
    pub(super) async fn build(boot: &Boot, started: Instant) -> Result<Self, Failure> {
        data_dir::prepare(&boot.data_dir)?;
        let data_dir = std::path::absolute(&boot.data_dir)?;
        let store = Embedded::open(&data_dir, Options::default()).map_err(|cause| unopened(&cause, boot))?;
        let (ledger, clock) = (Ledger::new(store.records()), Clock::system());
        let log_of_events = Arc::new(EventLog::new(EVENTS_KEPT, wall_micros()));
        let host = Arc::new(Host::default());
        let watcher: Arc<dyn ConfigHost> = Arc::clone(&host) as _;
        let revisions = Revisions::open(
            ledger.clone(),
            clock.clone(),
            watcher,
            Some(Arc::clone(&log_of_events)),
        )
        .await;
        let revisions = revisions.map_err(|problem| broken("the revisions", &problem))?;
        let settings = settle(&revisions, boot).await?;
        log::configure(settings.log);
        ports::check(&ports::wanted(&settings))?;

        let certificate = tls::prepare(&settings, &data_dir)?;
        let (tls, ca) = certificate.map_or((None, None), |found| (Some(found.config), found.ca));
        let bound = bind(&settings, tls).await?;
        let (dhcp, dhcp_threads) = start_dhcp(&settings, &store).await?;
        host.attach(dhcp.clone());

        let tokens = Tokens::open(ledger.clone(), clock.clone()).await;
        let tokens = tokens.map_err(|problem| broken("the tokens", &problem))?;
        let token = admin_token::ensure(&tokens, &data_dir).await?;
        let status = dhcp.status().await;
        let file = node_file(&settings, &bound, ca, &status.listen);
        let life = Life::new();
        let registry = Arc::new(Registry::new());
        registry.register(Arc::new(dhcp.metrics()));
        registry.register(Arc::new(ProcessCollector::new(SystemTime::now())));

        let facts: Arc<dyn NodeSource> = Arc::new(NodeFacts {
            node: file.clone(),
            site: settings.node.site.clone(),
            data_dir: data_dir.clone(),
            started,
            life: life.clone(),
            revisions: revisions.clone(),
            dhcp: dhcp.clone(),
        });
        let shutdown = Shutdown::default();
        let decisions = DecisionEvents::new(dhcp.clone()).await;
        let sources: Vec<Arc<dyn EventSource>> = vec![
            Arc::new(LogSource::new(Arc::clone(&log_of_events))),
            Arc::new(decisions),
        ];
        let streams = Streams::new(Arc::new(Joined::new(sources)), shutdown.clone(), HEARTBEAT);
        let health: Arc<dyn HealthSource> = Arc::new(NodeHealth::new(life.clone(), dhcp.health()));
        let scrape: Arc<dyn MetricsSource> = Arc::new(Scrape(registry));
        let shell = Shell::new(&ledger, &tokens, &clock)
            .mount(node::routes(&facts))
            .mount(health::routes(&health))
            .mount(metrics::routes(&scrape))
            .mount(revisions::routes::routes(&revisions))
            .mount(events::routes::routes(&streams))
            .mount(purlin_dhcp_server::routes::routes(&dhcp, &revisions, &clock));
        let router = reasons::tables().into_iter().fold(shell, Shell::reasons).router();
        let api = bound.start(&router, &metrics::router(scrape), shutdown);
        let published = node_file::publish(&file, &data_dir)?;
        life.enter(Stage::Serving);
        let interfaces = status
            .interfaces
            .into_iter()
            .map(|found| format!("{} ({})", found.name, found.address));
        Ok(Self {
            interfaces: interfaces.collect(),
            revisions,
            settings,
            file,
            token,
            data_dir,
            host,
            dhcp,
            events: log_of_events,
            life,
            dhcp_threads,
            api,
            _published: published,
            _store: store,
        })
    }

    /// Changes of the condition of the packet threads.
    pub(super) fn condition(&self) -> watch::Receiver<Health> {
        self.dhcp.health()
    }

    /// Puts something about the node itself into the event stream.
    pub(super) fn tell_event(&self, topic: &'static str, kind: &'static str, text: &str) {
        let at = purlin_netio::now().wall;
        self.events
            .push(Event::new(at, topic, kind, self.file.node.clone(), text));
    }

    /// Takes no more work, finishes what is under way within `grace`, makes everything durable.
    pub(super) async fn stop(self, grace: Duration) {
        self.life.enter(Stage::Draining);
        // Packets first: replies wait for the disk, HTTP clients can wait for both.
        self.dhcp_threads.stop(grace).await;
        if !self.api.stop(grace).await {
            log::warn("some API requests did not finish within the grace period");
        }
    }
}

/// Which configuration runs: the file when it says something new, else the newest revision.
async fn settle(revisions: &Revisions, boot: &Boot) -> Result<Settings, Failure> {
    let before = revisions.current().number;
    let keeps = boot.file.is_none() && before > 0;
    let current = if keeps {
        revisions.current()
    } else {
        let booted = revisions.boot(boot.config.clone(), &boot.origin()).await;
        booted.map_err(|problem| broken("the revisions", &problem))?
    };
    tell_choice(before, &current, boot);
    Host::read(&current.config).map_err(|faults| {
        let details = faults
            .iter()
            .map(|fault| format!("  {}: {}", fault.path, fault.message))
            .collect();
        let what = format!("revision {} has faults in this environment", current.number);
        Failure::failed(
            what,
            "correct PURLIN__ variables, or start with a changed --config",
        )
        .with_details(details)
    })
}

fn tell_choice(before: u64, current: &Current, boot: &Boot) {
    let (number, origin) = (current.number, boot.origin());
    if number > before && before > 0 {
        log::info(&format!(
            "{origin} has changed since it was last applied: it is now revision {number}"
        ));
    } else if before > 0 {
        log::info(&format!(
            "{origin} has not changed: going on with revision {number}"
        ));
    }
}

async fn bind(
    settings: &Settings,
    tls: Option<Arc<tokio_rustls::rustls::ServerConfig>>,
) -> Result<Bound, Failure> {
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
    plan.bind().await.map_err(|cause| {
        Failure::failed(
            chain(&cause),
            "set api.http, api.https or api.metrics to a free address",
        )
    })
}

async fn start_dhcp(
    settings: &Settings,
    store: &Embedded,
) -> Result<(Handle, purlin_dhcp_server::Running), Failure> {
    let config = ServerConfig {
        settings: settings.dhcp.clone(),
        journals: store.journals(),
        receive_buffer: RECEIVE_BUFFER,
        pin_threads: false,
    };
    // Reading a million leases back takes most of a second.
    let started = tokio::task::spawn_blocking(move || purlin_dhcp_server::start(config)).await;
    let started = started.map_err(|_| Failure::failed("starting the DHCP service panicked", ""))?;
    started.map_err(|cause| {
        Failure::failed(
            chain(&cause),
            "purlin doctor; see dhcp.listen and dhcp.interfaces",
        )
    })
}

fn node_file(
    settings: &Settings,
    bound: &Bound,
    ca: Option<PathBuf>,
    dhcp: &[std::net::SocketAddrV4],
) -> NodeFile {
    let first = |scheme: &str, addresses: &[SocketAddr]| {
        addresses
            .first()
            .map(|at| format!("{scheme}://{}", reachable(*at)))
    };
    NodeFile {
        node: settings.node.id.to_string(),
        url: first("http", &bound.http()),
        https: first("https", &bound.https()),
        metrics: first("http", &bound.metrics()).map(|url| format!("{url}/metrics")),
        dhcp: dhcp.iter().map(ToString::to_string).collect(),
        ca,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// An address that a client on this machine can use.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        };
        address.set_ip(loopback);
    }
    address
}

fn unopened(cause: &OpenError, boot: &Boot) -> Failure {
    let dir = boot.data_dir.display();
    match cause {
        OpenError::Locked { .. } => {
            let node = NodeFile::read(&boot.data_dir).filter(NodeFile::is_alive);
            let who = node.map_or_else(
                || "another process".to_owned(),
                |node| format!("process {}", node.pid),
            );
            let mut failure = Failure::new(
                Exit::Failed,
                format!("the data directory {dir} is in use by {who}"),
                "stop it, or give this node its own with --data-dir",
            );
            failure.code = Some(purlin_telemetry::reason::general::STORE_IN_USE.to_string());
            failure
        }
        other => Failure::failed(
            format!("cannot open the store in {dir}: {}", chain(other)),
            "purlin doctor",
        ),
    }
}

fn broken(what: &str, problem: &Problem) -> Failure {
    let mut failure = Failure::failed(
        format!("cannot read {what}: {}", problem.detail()),
        problem.reason().fix,
    );
    failure.code = Some(problem.reason().code.to_string());
    failure
}

/// Event numbers grow over restarts, so that an old reader's number is recognised.
fn wall_micros() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0)
}

/// Writes metrics down for a scrape.
struct Scrape(Arc<Registry>);

impl MetricsSource for Scrape {
    fn render(&self) -> BoxFuture<'_, String> {
        async move { self.0.text() }.boxed()
    }
}

/// Whether the packet threads are beyond repair.
pub(super) fn is_dead(health: &Health) -> bool {
    health.condition() == Condition::Failed
}

/// One line for the log about faults of a configuration.
pub(super) fn fault_line(fault: &FaultView) -> String {
    format!("{}: {}", fault.path, fault.message)
}
