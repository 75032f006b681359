//! The services of a node: which of them this binary was built with, and what the node asks of each.
//!
//! Every seam between "built with" and "built without" is here, in `settings`, where sections meet, and at the nouns
//! of the command line. A service is one module below; the node knows it by [`Service`] only.

#[cfg(any(
    test,
    not(all(feature = "dhcp", feature = "tftp", feature = "ovn", feature = "chain"))
))]
#[cfg_attr(test, allow(dead_code))]
pub(crate) mod absent;
#[cfg(all(feature = "dhcp", feature = "tftp"))]
mod boot_profiles;
#[cfg(feature = "chain")]
pub(crate) mod chain;
#[cfg(feature = "dhcp")]
pub(crate) mod dhcp;
#[cfg(all(feature = "dhcp", feature = "tftp"))]
mod lease_facts;
#[cfg(feature = "ovn")]
pub(crate) mod ovn;
#[cfg(all(feature = "dhcp", feature = "ovn"))]
mod port_addresses;
mod settings;
#[cfg(feature = "tftp")]
pub(crate) mod tftp;

pub(crate) use settings::{Settings, demo, reasons, sections};

use crate::client::NodeFile;
use crate::cluster::Cluster;
use crate::exit::Failure;
use crate::settings::Settings as NodeSettings;
use futures_util::future::BoxFuture;
use purlin_accounts::Belongings;
use purlin_api::clock::Clock;
use purlin_api::events::EventSource;
use purlin_api::ledger::Ledger;
use purlin_api::revisions::Revisions;
use purlin_api::route::Routes;
use purlin_api::schema::Schema;
use purlin_api::story::Teller;
use purlin_fabric_runtime::Tenant;
use purlin_store_embedded::Embedded;
use purlin_telemetry::Registry;
use purlin_telemetry::health::Check;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[cfg(not(any(feature = "dhcp", feature = "tftp", feature = "ovn", feature = "chain")))]
compile_error!("a node without any service: build with --features dhcp, tftp, ovn or chain");

/// The services in this binary.
pub(crate) const BUILT_IN: &[&str] = &[
    #[cfg(feature = "dhcp")]
    "dhcp",
    #[cfg(feature = "tftp")]
    "tftp",
    #[cfg(feature = "ovn")]
    "ovn",
    #[cfg(feature = "chain")]
    "chain",
];

/// What services are started on.
pub(crate) struct Base<'a> {
    pub(crate) settings: &'a NodeSettings,
    pub(crate) data_dir: &'a Path,
    pub(crate) store: &'a Embedded,
    pub(crate) revisions: &'a Revisions,
    /// Whether the built-in demo runs.
    pub(crate) demo: bool,
    /// The nodes that this one shares its work with, if any.
    pub(crate) cluster: &'a Cluster,
    /// Records of the control plane, this node's or the cluster's.
    pub(crate) book: &'a Ledger,
    /// Whether other nodes write to them, too.
    pub(crate) shared: bool,
    pub(crate) clock: &'a Clock,
}

/// What a service adds to the API.
pub(crate) struct Face {
    pub(crate) events: Arc<dyn EventSource>,
    pub(crate) teller: Arc<dyn Teller>,
    /// What its teller adds to a story besides decisions.
    pub(crate) members: Vec<(&'static str, Schema)>,
    pub(crate) routes: Routes,
}

/// Tells what happens to a service: topic, kind and a sentence of an event.
pub(crate) type Tell<'a> = &'a (dyn Fn(&'static str, &'static str, &str) + Send + Sync);

/// How much a service has done since the start, and what it holds now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    pub(crate) requests: u64,
    /// Leases in the slots of this node; `None` for a service without leases.
    pub(crate) leases: Option<u64>,
}

/// A running service.
pub(crate) trait Service: Send + Sync + std::fmt::Debug {
    /// Shows its numbers.
    fn register(&self, registry: &Registry);

    /// Writes down where it listens.
    fn publish(&self, file: &mut NodeFile);

    /// Local segments it serves, in words.
    fn segments(&self) -> Vec<String> {
        Vec::new()
    }

    fn checks(&self) -> Vec<Check>;

    /// Its leases, when it has any.
    #[cfg(feature = "dhcp")]
    fn leases(&self) -> Option<purlin_dhcp_server::Handle> {
        None
    }

    /// Its packet threads, to run on while everything else is built anew; it has none any more then.
    #[cfg(feature = "dhcp")]
    fn packets(&self) -> Option<dhcp::Packets> {
        None
    }

    /// What it knows about what tenants have.
    fn belongings(&self) -> Option<Arc<dyn Belongings>> {
        None
    }

    /// How much it has done and holds.
    fn work(&self) -> Done;

    /// What is short and no further node would help against, at the node that leads.
    fn shortage(&self) -> Option<String> {
        None
    }

    /// Its part that has a share of the slots, in a cluster.
    fn tenant(&self) -> Option<Arc<dyn Tenant>> {
        None
    }

    /// Its part of `/api/v1/status`, by name.
    fn status<'a>(&'a self, file: &'a NodeFile) -> BoxFuture<'a, (&'static str, Value)>;

    fn face<'a>(&'a self, clock: &'a Clock, revisions: &'a Revisions) -> BoxFuture<'a, Face>;

    /// Puts new settings into effect; why not, when that failed.
    fn apply<'a>(&'a self, settings: &'a NodeSettings) -> BoxFuture<'a, Result<(), String>>;

    /// What a change of the configuration would do to its clients.
    fn impact(&self, _from: &Value, _to: &Value) -> Vec<String> {
        Vec::new()
    }

    /// Looks after it; ends when it cannot go on.
    fn watch<'a>(&'a self, tell: Tell<'a>) -> BoxFuture<'a, Failure>;

    /// Takes no more work and lets what is under way end within `grace`; whether all of it did.
    fn stop(&self, grace: Duration) -> BoxFuture<'_, bool>;
}

/// All of them.
pub(crate) type Services = Vec<Arc<dyn Service>>;

/// What runs on from before the node was built.
#[derive(Debug, Default)]
pub(crate) struct RunningOn {
    #[cfg(feature = "dhcp")]
    packets: Option<dhcp::Packets>,
}

impl RunningOn {
    /// What of these can run on while everything else is built anew.
    pub(crate) fn of(services: &Services) -> Self {
        #[cfg(not(feature = "dhcp"))]
        let _ = services;
        Self {
            #[cfg(feature = "dhcp")]
            packets: services.iter().find_map(|service| service.packets()),
        }
    }

    /// The same under claims.
    #[cfg(feature = "dhcp")]
    pub(crate) fn shared(self, sharing: Arc<purlin_dhcp_server::Sharing>) -> Self {
        Self {
            packets: self.packets.map(|packets| packets.shared(sharing)),
        }
    }
}

/// Starts every service of this binary.
///
/// # Errors
/// With what kept one from starting; the process ends then.
pub(crate) async fn start(base: &Base<'_>, running: RunningOn) -> Result<Services, Failure> {
    let mut services = Services::new();
    #[cfg(all(feature = "dhcp", feature = "ovn"))]
    let kept = port_addresses::recall(base).await?;
    #[cfg(all(feature = "dhcp", feature = "ovn"))]
    let pins = kept.pins();
    #[cfg(all(feature = "dhcp", not(feature = "ovn")))]
    let pins = Arc::from([]);
    #[cfg(feature = "dhcp")]
    let dhcp = dhcp::Dhcp::start(base, running.packets, pins).await?;
    #[cfg(not(feature = "dhcp"))]
    let RunningOn {} = running;
    #[cfg(feature = "tftp")]
    {
        #[cfg(feature = "dhcp")]
        let facts = Arc::new(lease_facts::LeaseFacts::new(dhcp.handle()));
        #[cfg(not(feature = "dhcp"))]
        let facts = Arc::new(purlin_tftp_files::NoFacts);
        services.push(Arc::new(tftp::BootFiles::start(base, facts).await?));
    }
    #[cfg(feature = "ovn")]
    if let Some(ovn) = ovn::Ovn::start(base).await? {
        #[cfg(feature = "dhcp")]
        dhcp.follow(port_addresses::follow(base, kept, ovn.platform(), dhcp.handle()));
        services.push(Arc::new(ovn));
    }
    #[cfg(feature = "chain")]
    if let Some(chain) = chain::ChainNode::start(base).await? {
        services.push(Arc::new(chain));
    }
    #[cfg(feature = "dhcp")]
    // DHCP first wherever they are asked in turn: what may be refused comes before what may not.
    services.insert(0, Arc::new(dhcp));
    Ok(services)
}
