//! One struct, built top to bottom: ground, DHCP, API. Taken apart so that nothing that was promised is lost.

mod growing;

use super::admin_token::{self, AdminToken, Beginning};
use super::boot::Boot;
use super::ground::Ground;
use super::health::{Life, NodeHealth, Stage};
use super::node_file::{self, Published};
use super::process::ProcessCollector;
use super::status::NodeFacts;
use super::web::{Face, Sources};
use super::{faults, ports};
use crate::balancer;
use crate::client::NodeFile;
use crate::cluster::{Book, Cluster, Handover, Waits};
#[cfg(feature = "dhcp")]
use crate::cluster::{GrowSources, Grower};
use crate::exit::Failure;
use crate::log;
use crate::services::{self, Base, RunningOn, Services};
use crate::settings::Settings;
use purlin_accounts::Desk;
use purlin_api::events::routes::Streams;
#[cfg(feature = "dhcp")]
use purlin_api::ledger::Ledger;
use purlin_api::revisions::Revisions;
use purlin_api::serve;
use purlin_api::tokens::Tokens;
use purlin_balancer::{BalancerMetrics, Fronts};
use purlin_fabric_server::{Books, ClusterMetrics, ScalingMetrics};
use purlin_store_embedded::Embedded;
use purlin_telemetry::{Event, EventLog, Registry};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// How long event streams may take to end when the node stops: a round trip to the database, and one to the client.
const PARTING: Duration = Duration::from_secs(5);

/// A running node.
pub(super) struct Node {
    pub(super) revisions: Revisions,
    pub(super) settings: Settings,
    pub(super) file: NodeFile,
    pub(super) token: AdminToken,
    pub(super) data_dir: PathBuf,
    pub(super) services: Services,
    cluster: Cluster,
    /// The way from one node to several; `None` for one that is.
    #[cfg(feature = "dhcp")]
    grower: Option<Grower>,
    pub(super) fronts: Fronts,
    events: Arc<EventLog>,
    /// What is this node's alone.
    #[cfg(feature = "dhcp")]
    ledger: Ledger,
    life: Life,
    streams: Streams,
    api: serve::Running,
    /// Removed when the node has stopped.
    _published: Published,
    /// Holds the lock of the data directory to the very end.
    store: Arc<Embedded>,
}

/// What is there before a node is built: all of it when the node goes on in another way.
#[derive(Default)]
struct Kept {
    store: Option<Arc<Embedded>>,
    cluster: Option<Cluster>,
    running: RunningOn,
}

impl Node {
    /// Builds everything and begins to serve. What has to be waited for is told to `waits`.
    ///
    /// # Errors
    /// With the part that could not be built; nothing keeps running then.
    pub(super) async fn build(boot: &Boot, started: Instant, waits: &Waits) -> Result<Self, Failure> {
        Self::build_around(Kept::default(), boot, started, waits).await
    }

    /// The same around what is there already.
    async fn build_around(kept: Kept, boot: &Boot, started: Instant, waits: &Waits) -> Result<Self, Failure> {
        let (ground, face) = settle(kept.store, boot, waits).await?;
        let settings = ground.settings.clone();
        let cluster = among_others(kept.cluster, &settings, &ground.data_dir, waits).await?;
        let base = Base {
            settings: &settings,
            data_dir: &ground.data_dir,
            store: &ground.store,
            revisions: &ground.revisions,
            demo: boot.file.is_none(),
            cluster: &cluster,
            book: &ground.book,
            shared: ground.shared.is_some(),
            clock: &ground.clock,
        };
        let services = services::start(&base, kept.running).await?;
        ground.host.attach(services.clone(), cluster.clone());
        let (accounts, token) = open_tokens(&ground, &services).await?;

        let (life, file) = (Life::new(), face.node_file(&settings, &services));
        let registry = Arc::new(Registry::new());
        services.iter().for_each(|service| service.register(&registry));
        registry.register(Arc::new(ProcessCollector::new(SystemTime::now())));
        let facts = NodeFacts {
            node: file.clone(),
            site: settings.node.site.clone(),
            data_dir: ground.data_dir.clone(),
            started,
            life: life.clone(),
            revisions: ground.revisions.clone(),
            services: services.clone(),
            store: Arc::clone(&ground.store),
        };
        #[cfg_attr(not(feature = "dhcp"), expect(unused_mut))]
        let mut books = take_part(&cluster, &ground, &services, face.port());
        #[cfg(feature = "dhcp")]
        let grower = way_to_others(&ground, &services, face.port(), &mut books);
        cluster.serve_mesh(&books, &settings, &ground.revisions)?;
        show(&registry, &books, &cluster);
        let fronts = balancer::start(&settings, &books.fabric).await?;
        registry.register(Arc::new(BalancerMetrics(fronts.clone())));
        let sources = Sources {
            cluster: books,
            fronts: fronts.clone(),
            cluster_events: cluster.clone(),
            ledger: ground.ledger.clone(),
            clock: ground.clock,
            accounts,
            revisions: ground.revisions.clone(),
            events: Arc::clone(&ground.events),
            registry,
            node: Arc::new(facts),
            health: Arc::new(NodeHealth {
                revisions: ground.revisions.clone(),
                life: life.clone(),
                services: services.clone(),
                cluster: cluster.clone(),
                fronts: fronts.clone(),
            }),
            services: services.clone(),
        };
        let opened = face.open(sources).await;
        let published = node_file::publish(&file, &ground.data_dir)?;
        opened.before.into_iter().for_each(Published::replaced);
        begin_to_serve(&life, &cluster, ground.shared.as_ref());
        Ok(Self {
            revisions: ground.revisions,
            settings,
            file,
            token,
            data_dir: ground.data_dir,
            services,
            cluster,
            #[cfg(feature = "dhcp")]
            grower,
            fronts,
            events: ground.events,
            #[cfg(feature = "dhcp")]
            ledger: ground.ledger,
            life,
            streams: opened.streams,
            api: opened.running,
            _published: published,
            store: ground.store,
        })
    }

    /// Puts something about the node itself into the event stream.
    pub(super) fn tell_event(&self, topic: &'static str, kind: &'static str, text: &str) {
        let at = purlin_netio::now().wall;
        self.events
            .push(Event::new(at, topic, kind, self.file.node.clone(), text));
    }

    /// Local segments that are served, in words.
    pub(super) fn segments(&self) -> Vec<String> {
        let services = self.services.iter();
        services.flat_map(|service| service.segments()).collect()
    }

    /// Waits until this node's leases are with the cluster but for a rest.
    pub(super) async fn grown(&self) -> Handover {
        #[cfg(feature = "dhcp")]
        if let Some(grower) = &self.grower {
            return grower.ready().await;
        }
        std::future::pending().await
    }

    /// Takes no more work, finishes what is under way within `grace`, makes everything durable.
    pub(super) async fn stop(self, grace: Duration) {
        self.life.enter(Stage::Draining);
        // While this node is still one of its cluster: a session's way on is kept where the others find it.
        let (parted, left) = tokio::join!(self.streams.end(grace.min(PARTING)), self.fronts.stop(grace));
        if !parted {
            log::warn(
                "some event streams did not end in time: their clients find another node by themselves",
            );
        }
        if !left {
            log::warn("some connections through the fronts did not end within the grace period");
        }
        self.cluster.leave(grace).await;
        // Packets first: replies wait for the disk, HTTP clients can wait for both.
        for service in &self.services {
            if !service.stop(grace).await {
                log::warn("some HTTP boot requests did not finish within the grace period");
            }
        }
        if !self.api.stop(grace).await {
            log::warn("some API requests did not finish within the grace period");
        }
    }
}

/// What the node stands on, and where it is asked. Where the API is stands in this node's own configuration: it tells
/// there what the cluster's is waited for.
async fn settle(store: Option<Arc<Embedded>>, boot: &Boot, waits: &Waits) -> Result<(Ground, Face), Failure> {
    let first = store.is_none();
    let mut ground = Ground::lay(boot, store).await?;
    log::configure(ground.settings.log);
    let mut ports = ports::Wanted::default();
    if first {
        ports.check(&ground.settings)?;
    }
    let mut face = Face::bind(&ground.settings, &ground.data_dir).await?;
    face.attend(waits, &ground.settings, &ground.data_dir);
    ground.share(boot, waits).await?;
    if first {
        ports.check(&ground.settings)?;
    }
    Ok((ground, face))
}

/// Everything runs: whoever needs the database from now on is told when it is away, and does not wait.
fn begin_to_serve(life: &Life, cluster: &Cluster, shared: Option<&Book>) {
    cluster.started();
    shared.into_iter().for_each(Book::started);
    life.enter(Stage::Serving);
}

/// The node's part among others, unless it has one already.
async fn among_others(
    cluster: Option<Cluster>,
    settings: &Settings,
    data_dir: &Path,
    waits: &Waits,
) -> Result<Cluster, Failure> {
    match cluster {
        Some(cluster) => {
            cluster.admitted(data_dir).await?;
            Ok(cluster)
        }
        None => Cluster::open(settings, data_dir, waits).await,
    }
}

/// Starts the node's part in its cluster. `port` is the API's.
fn take_part(cluster: &Cluster, ground: &Ground, services: &Services, port: u16) -> Books {
    let wishes = ground.settings.services.wishes();
    let books = cluster.start(services, wishes, port, ground.store.records());
    cluster.tell_scaling(&ground.events);
    books
}

/// The numbers of that part.
fn show(registry: &Registry, books: &Books, cluster: &Cluster) {
    registry.register(Arc::new(cluster.databases()));
    registry.register(Arc::new(ClusterMetrics(books.fabric.clone())));
    registry.register(Arc::new(ScalingMetrics(books.scaler.clone())));
    registry.register(Arc::new(crate::cluster::sessions::metrics(&books.work)));
}

/// The tokens of the API and the accounts, which nodes of a cluster share, and the first of the tokens.
async fn open_tokens(ground: &Ground, services: &Services) -> Result<(Desk, AdminToken), Failure> {
    let tokens = Tokens::open(ground.book.clone(), ground.clock.clone()).await;
    let tokens = tokens.map_err(|problem| faults::broken("the tokens", &problem))?;
    let in_cluster = ground.shared.is_some().then_some(Beginning::InCluster);
    let restored = ground.store.restored().map(|from| Beginning::Restored(from.id));
    let beginnings: Vec<Beginning> = in_cluster.into_iter().chain(restored).collect();
    let token = admin_token::ensure(&tokens, &ground.data_dir, &ground.ledger, &beginnings).await?;
    let belongings = services.iter().filter_map(|service| service.belongings());
    let (book, clock) = (ground.book.clone(), ground.clock.clone());
    let accounts = Desk::open(book, clock, tokens.clone(), belongings.collect()).await;
    let accounts = accounts.map_err(|problem| faults::broken("the accounts", &problem))?;
    if let Some(oidc) = &ground.settings.oidc {
        let trusted = accounts.trust(oidc);
        trusted.map_err(|why| Failure::failed(why, "name a PEM file with the provider's authority"))?;
    }
    if let Some(book) = &ground.shared {
        book.follow(&ground.revisions, &tokens, &accounts);
    }
    Ok((accounts, token))
}

/// What it takes to become the first of several, for a node that is alone.
#[cfg(feature = "dhcp")]
fn way_to_others(ground: &Ground, services: &Services, port: u16, books: &mut Books) -> Option<Grower> {
    let leases = services.iter().find_map(|service| service.leases())?;
    let grower = ground.shared.is_none().then(|| {
        Grower::new(GrowSources {
            settings: ground.settings.clone(),
            revisions: ground.revisions.clone(),
            leases,
            port,
        })
    });
    books.grow = grower.clone().map(|grower| Arc::new(grower) as _);
    grower
}
