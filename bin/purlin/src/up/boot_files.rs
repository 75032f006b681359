//! Boot files put together: the tree, packet threads, HTTP listeners; taken apart in the same order as DHCP.

use super::process::machine_bytes;
use super::tls;
use crate::exit::{Failure, chain};
use crate::log;
use crate::settings::Settings;
use purlin_api::serve::{self, Bound, Conduct, Shutdown};
use purlin_tftp_core::settings::Http;
use purlin_tftp_core::{Facts, Plan};
use purlin_tftp_files::{ClientFacts, Kernel, Library, Parts};
use purlin_tftp_server::http::{self, HttpRecords, Site};
use purlin_tftp_server::{Handle, Running, ServerConfig};
use purlin_types::ByteSize;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// HTTP requests whose records are kept.
const HTTP_RECORDS: usize = 65_536;

/// Listeners that are bound before anything answers.
pub(super) struct Doors {
    bound: Bound,
}

/// The running service.
pub(super) struct BootFiles {
    pub(super) handle: Handle,
    pub(super) records: Arc<HttpRecords>,
    /// Where HTTP and HTTPS boot listen, as bound.
    pub(super) http: Vec<SocketAddr>,
    pub(super) https: Vec<SocketAddr>,
    threads: Running,
    listeners: serve::Running,
}

impl Doors {
    /// Binds the HTTP listeners.
    ///
    /// # Errors
    /// When one cannot be bound, or there is no certificate for HTTPS.
    pub(super) async fn bind(settings: &Settings, data_dir: &Path) -> Result<Self, Failure> {
        let wanted = &settings.tftp.http;
        let none = Http {
            listen: Vec::new(),
            https: Vec::new(),
            ..wanted.clone()
        };
        let wanted = if settings.tftp.enabled { wanted } else { &none };
        let certificate = if wanted.https.is_empty() {
            None
        } else {
            tls::prepare(settings, data_dir)?
        };
        let plan = serve::Plan {
            http: wanted.listen.clone(),
            https: wanted.https.clone(),
            metrics: Vec::new(),
            // Boot files are for whoever asks: no token travels here.
            allow_remote_http: true,
            tls: certificate.map(|found| found.config),
        };
        let bound = plan.bind().await.map_err(|cause| {
            Failure::failed(
                chain(&cause),
                "set tftp.http.listen or tftp.http.https to a free address",
            )
        })?;
        let conduct = Conduct {
            nodelay: wanted.nodelay,
            keepalive: wanted.keepalive,
            idle: wanted.idle.min(wanted.request),
            lifetime: wanted.lifetime,
        };
        let room = wanted.connections_max as usize;
        Ok(Self {
            bound: bound.conduct(conduct).connections_max(room),
        })
    }

    /// Opens the tree and begins to answer.
    ///
    /// # Errors
    /// When threads or sockets cannot be had.
    pub(super) async fn open(
        self,
        settings: &Settings,
        facts: Arc<dyn ClientFacts>,
    ) -> Result<BootFiles, Failure> {
        let plan = Plan::compile(&fitted(settings));
        let parts = Parts {
            plan: Arc::clone(&plan),
            facts,
            clock: Arc::new(|| purlin_netio::now().boot),
            shared: None,
            kernel: Kernel::default(),
        };
        let broken =
            |cause: &dyn std::error::Error| Failure::failed(chain(cause), "purlin doctor; see tftp.listen");
        let tree = Library::new(parts).map_err(|cause| broken(&cause))?;
        let started = purlin_tftp_server::start(ServerConfig {
            plan,
            tree: tree.clone(),
        });
        let (handle, threads) = started.map_err(|cause| broken(&cause))?;
        let records = Arc::new(HttpRecords::new(HTTP_RECORDS));
        let site = Site {
            tree,
            compression: settings.tftp.http.compression,
            records: Arc::clone(&records),
        };
        let (http, https) = (self.bound.http(), self.bound.https());
        let router = http::router(site);
        let listeners = self.bound.start_site(&router, Shutdown::default());
        Ok(BootFiles {
            handle,
            records,
            http,
            https,
            threads,
            listeners,
        })
    }
}

impl BootFiles {
    /// Takes no new requests and lets open transfers end within `grace`; whether all of them did.
    pub(super) async fn stop(self, grace: Duration) -> bool {
        self.threads.stop(grace).await;
        self.listeners.stop(grace).await
    }
}

/// A plan for these settings on this machine.
pub(super) fn plan(settings: &Settings) -> Arc<Plan> {
    Plan::compile(&fitted(settings))
}

/// The settings as this machine can honour them. The cache takes a quarter of the memory unless told otherwise, and
/// three quarters at most: a bigger one would only make the machine swap.
fn fitted(settings: &Settings) -> purlin_tftp_core::settings::Settings {
    let mut fitted = settings.tftp.clone();
    if !fitted.enabled {
        // Nothing is asked then, but the service is there to be asked about.
        fitted.listen.clear();
        fitted.io.threads = 1;
    }
    if let Some(memory) = machine_bytes() {
        let most = ByteSize(memory / 4 * 3);
        let wanted = fitted.cache.size_max.unwrap_or(ByteSize(memory / 4));
        if wanted > most {
            log::warn(&format!(
                "tftp.cache.size_max = {wanted} is more than this machine can spare; {} MiB are used",
                most.0 >> 20
            ));
        }
        fitted.cache.size_max = Some(wanted.min(most));
    }
    fitted
}

/// What DHCP on this node knows of a client, asked from threads that may wait.
pub(super) struct LeaseFacts {
    dhcp: purlin_dhcp_server::Handle,
    runtime: tokio::runtime::Handle,
}

impl LeaseFacts {
    pub(super) fn new(dhcp: purlin_dhcp_server::Handle) -> Self {
        Self {
            dhcp,
            runtime: tokio::runtime::Handle::current(),
        }
    }
}

impl ClientFacts for LeaseFacts {
    fn facts(&self, client: IpAddr) -> Option<Facts> {
        let IpAddr::V4(address) = client else { return None };
        let known = self.runtime.block_on(self.dhcp.facts(address))?;
        Some(Facts {
            mac: Some(known.mac),
            hostname: known.hostname,
            architecture: known.architecture,
            user_class: known.user_class,
            subnet: known.subnet,
            uuid: known.uuid,
        })
    }
}
