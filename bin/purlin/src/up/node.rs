//! One struct, built top to bottom: ground, DHCP, API. Taken apart so that nothing that was promised is lost.

use super::admin_token::{self, AdminToken};
use super::boot::{Boot, DEMO_TREE};
use super::boot_files::{BootFiles, Doors, LeaseFacts};
use super::ground::Ground;
use super::health::{Life, NodeHealth, Stage};
use super::host::Host;
use super::losses::Losses;
use super::node_file::{self, Published};
use super::process::ProcessCollector;
use super::status::NodeFacts;
use super::web::{Face, Sources};
use super::{data_dir, faults, ports, restored};
use crate::client::NodeFile;
use crate::exit::{Failure, chain};
use crate::log;
use crate::settings::Settings;
use purlin_api::revisions::Revisions;
use purlin_api::serve;
use purlin_api::tokens::Tokens;
use purlin_dhcp_server::{Handle, RECEIVE_BUFFER, Running, ServerConfig};
use purlin_store_embedded::Embedded;
use purlin_telemetry::{Event, EventLog, Registry};
use purlin_tftp_server::routes::Books;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

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
    pub(super) losses: Losses,
    threads: Running,
    pub(super) boot: BootFiles,
    api: serve::Running,
    /// Removed when the node has stopped.
    _published: Published,
    /// Holds the lock of the data directory to the very end.
    _store: Arc<Embedded>,
}

impl Node {
    /// Builds everything and begins to serve.
    ///
    /// # Errors
    /// With the part that could not be built; nothing keeps running then.
    pub(super) async fn build(boot: &Boot, started: Instant) -> Result<Self, Failure> {
        let ground = Ground::lay(boot).await?;
        let settings = ground.settings;
        log::configure(settings.log);
        ports::check(&ports::wanted(&settings))?;
        let face = Face::bind(&settings, &ground.data_dir).await?;
        let (dhcp, threads) = start_dhcp(&settings, &ground.store, &ground.revisions).await?;
        if boot.file.is_none() {
            data_dir::prepare(&ground.data_dir.join(DEMO_TREE))?;
        }
        let doors = Doors::bind(&settings, &ground.data_dir).await?;
        let facts = Arc::new(LeaseFacts::new(dhcp.clone()));
        let boot_files = doors.open(&settings, facts).await?;
        ground.host.attach(dhcp.clone(), boot_files.handle.clone());
        let tokens = Tokens::open(ground.ledger.clone(), ground.clock.clone()).await;
        let tokens = tokens.map_err(|problem| faults::broken("the tokens", &problem))?;
        let token = admin_token::ensure(&tokens, &ground.data_dir).await?;

        let (life, losses, bound) = (Life::new(), Losses::default(), dhcp.status().await);
        let file = face.node_file(&settings, &bound.listen, &boot_files);
        let registry = Arc::new(Registry::new());
        registry.register(Arc::new(dhcp.metrics()));
        registry.register(Arc::new(boot_files.handle.metrics()));
        registry.register(Arc::clone(&boot_files.records) as _);
        registry.register(Arc::new(ProcessCollector::new(SystemTime::now())));
        let facts = NodeFacts {
            node: file.clone(),
            site: settings.node.site.clone(),
            data_dir: ground.data_dir.clone(),
            started,
            life: life.clone(),
            revisions: ground.revisions.clone(),
            dhcp: dhcp.clone(),
            boot: boot_files.handle.clone(),
            store: Arc::clone(&ground.store),
        };
        let sources = Sources {
            ledger: ground.ledger,
            clock: ground.clock,
            tokens,
            revisions: ground.revisions.clone(),
            events: Arc::clone(&ground.events),
            registry,
            node: Arc::new(facts),
            health: Arc::new(NodeHealth::new(
                life.clone(),
                dhcp.clone(),
                &boot_files.handle,
                losses.clone(),
            )),
            dhcp: dhcp.clone(),
            books: Books {
                handle: boot_files.handle.clone(),
                http: Arc::clone(&boot_files.records),
            },
        };
        let api = face.open(sources).await;
        let published = node_file::publish(&file, &ground.data_dir)?;
        life.enter(Stage::Serving);
        if let Some(hold) = bound.hold {
            log::warn(&restored::told(hold));
        }
        let interfaces = bound
            .interfaces
            .into_iter()
            .map(|found| format!("{} ({})", found.name, found.address));
        Ok(Self {
            revisions: ground.revisions,
            settings,
            file,
            token,
            interfaces: interfaces.collect(),
            data_dir: ground.data_dir,
            host: ground.host,
            dhcp,
            events: ground.events,
            life,
            losses,
            threads,
            boot: boot_files,
            api,
            _published: published,
            _store: ground.store,
        })
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
        self.threads.stop(grace).await;
        if !self.boot.stop(grace).await {
            log::warn("some HTTP boot requests did not finish within the grace period");
        }
        if !self.api.stop(grace).await {
            log::warn("some API requests did not finish within the grace period");
        }
    }
}

async fn start_dhcp(
    settings: &Settings,
    store: &Embedded,
    revisions: &Revisions,
) -> Result<(Handle, Running), Failure> {
    let config = ServerConfig {
        settings: settings.dhcp.clone(),
        switches: settings.switches,
        journals: store.journals(),
        receive_buffer: RECEIVE_BUFFER,
        pin_threads: false,
        recovery: restored::recovery(store, revisions, settings).await,
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
