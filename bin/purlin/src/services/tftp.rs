//! Boot files as a part of this node: the tree, packet threads and HTTP listeners, watched, changed and told about.

mod doors;
mod settings;

pub(crate) use purlin_tftp_core::settings::Settings;
pub(crate) use settings::{missing_trees, ports};

use super::{Base, Done, Face, Service, Tell};
use crate::client::NodeFile;
use crate::cluster::{Cluster, RedisLines};
use crate::exit::{Failure, chain};
use crate::settings::Settings as NodeSettings;
use crate::up::boot::DEMO_TREE;
use crate::up::prepare_data_dir;
use crate::up::web::first_url;
use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::clock::Clock;
use purlin_api::revisions::Revisions;
use purlin_api::serve::{self, Bound, Shutdown, Tally};
use purlin_telemetry::Registry;
use purlin_telemetry::health::{Bears, Check};
use purlin_tftp_files::{ClientFacts, Clock as FilesClock, Kernel, Library, Parts};
use purlin_tftp_server::http::{self, HttpRecords, Site};
use purlin_tftp_server::routes::{Books, BootTeller, RecordEvents, routes};
use purlin_tftp_server::{Handle, Running, ServerConfig};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// HTTP requests whose records are kept.
const HTTP_RECORDS: usize = 65_536;

/// The running service.
#[derive(Debug)]
pub(crate) struct BootFiles {
    handle: Handle,
    records: Arc<HttpRecords>,
    compression: http::Gzip,
    /// Where HTTP and HTTPS boot listen, as bound.
    http: Vec<SocketAddr>,
    https: Vec<SocketAddr>,
    /// To a Redis that is there for shared metadata alone.
    redis: Option<RedisLines>,
    tally: Arc<Tally>,
    /// Taken when it stops.
    running: Mutex<Option<(Running, serve::Running)>>,
}

impl BootFiles {
    /// Binds the HTTP listeners, opens the tree and begins to answer.
    pub(super) async fn start(base: &Base<'_>, facts: Arc<dyn ClientFacts>) -> Result<Self, Failure> {
        if base.demo {
            prepare_data_dir(&base.data_dir.join(DEMO_TREE))?;
        }
        let bound = doors::bind(base.settings, base.data_dir).await?;
        Self::open(bound, &base.settings.services.tftp, base.cluster, facts)
    }

    fn open(
        bound: Bound,
        settings: &Settings,
        cluster: &Cluster,
        facts: Arc<dyn ClientFacts>,
    ) -> Result<Self, Failure> {
        let plan = settings::plan(settings);
        let clock: FilesClock = Arc::new(|| purlin_netio::now().boot);
        let (shared, redis) = match cluster.shared_metadata(&settings.cache.shared)? {
            Some(shared) => (Some(shared.engine), shared.lines),
            None => (None, None),
        };
        let parts = Parts {
            plan: Arc::clone(&plan),
            facts,
            shared,
            clock,
            kernel: Kernel::default(),
        };
        let broken =
            |cause: &dyn std::error::Error| Failure::failed(chain(cause), "purlin doctor; see tftp.listen");
        let tree = Library::new(parts).map_err(|cause| broken(&cause))?;
        let started = purlin_tftp_server::start(ServerConfig {
            plan,
            tree: tree.clone(),
            neighbours: cluster.neighbours(),
        });
        let (handle, threads) = started.map_err(|cause| broken(&cause))?;
        let records = Arc::new(HttpRecords::new(HTTP_RECORDS));
        let compression = http::Gzip::new(settings.http.compression);
        let site = Site {
            tree,
            compression: compression.clone(),
            records: Arc::clone(&records),
        };
        let (http, https) = (bound.http(), bound.https());
        let router = http::router(site);
        let tally = Arc::new(Tally::new("boot"));
        let told = Arc::clone(&records);
        let listeners = bound
            .count(Arc::clone(&tally))
            .failed_handshakes(move |client, why| told.without_tls(client, why))
            .start_site(&router, Shutdown::default());
        Ok(Self {
            handle,
            records,
            compression,
            http,
            https,
            redis,
            tally,
            running: Mutex::new(Some((threads, listeners))),
        })
    }

    fn books(&self) -> Books {
        Books {
            handle: self.handle.clone(),
            http: Arc::clone(&self.records),
        }
    }
}

impl Service for BootFiles {
    fn register(&self, registry: &Registry) {
        registry.register(Arc::new(self.handle.metrics()));
        registry.register(Arc::clone(&self.records) as _);
        registry.register(Arc::clone(&self.tally) as _);
    }

    fn publish(&self, file: &mut NodeFile) {
        let listen = self.handle.status().listen;
        file.tftp = listen.iter().map(ToString::to_string).collect();
        file.boot_http = first_url("http", &self.http);
        file.boot_https = first_url("https", &self.https);
    }

    fn work(&self) -> Done {
        Done {
            requests: self.handle.metrics().requests(),
            leases: None,
        }
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = vec![boot_check(*self.handle.failure().borrow())];
        checks.extend(self.redis.as_ref().map(RedisLines::check));
        checks
    }

    fn status<'a>(&'a self, file: &'a NodeFile) -> BoxFuture<'a, (&'static str, Value)> {
        async move { ("boot", as_json(&self.handle.status(), file)) }.boxed()
    }

    fn face<'a>(&'a self, clock: &'a Clock, revisions: &'a Revisions) -> BoxFuture<'a, Face> {
        async move {
            let books = self.books();
            Face {
                events: Arc::new(RecordEvents::new(books.clone())),
                teller: Arc::new(BootTeller::new(books.clone(), clock.clone())),
                members: Vec::new(),
                routes: routes(&books, revisions),
            }
        }
        .boxed()
    }

    fn apply<'a>(&'a self, settings: &'a NodeSettings) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let settings = &settings.services.tftp;
            self.handle.apply(settings::plan(settings)).await;
            self.compression.set(settings.http.compression);
            if let Some((_, listeners)) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
                let http = &settings.http;
                listeners.change(
                    doors::conduct(http),
                    http.connections_max as usize,
                    http.per_ip as usize,
                );
            }
            Ok(())
        }
        .boxed()
    }

    fn watch<'a>(&'a self, _: Tell<'a>) -> BoxFuture<'a, Failure> {
        async move {
            let mut failure = self.handle.failure();
            // An error says that nobody can tell any more.
            let told = failure.changed().await;
            let cause = told.ok().and_then(|()| *failure.borrow_and_update());
            let cause = cause.unwrap_or("a packet thread has ended");
            let what = format!("boot files cannot be served: {cause}");
            Failure::failed(what, "see the log, then start again")
        }
        .boxed()
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'_, bool> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        async move {
            let Some((threads, listeners)) = running else {
                return true;
            };
            threads.stop(grace).await;
            listeners.stop(grace).await
        }
        .boxed()
    }
}

fn boot_check(failed: Option<&'static str>) -> Check {
    const NAME: &str = "boot.threads";
    match failed {
        None => Check::pass(NAME, Bears::Ready, "boot files are served"),
        Some(says) => Check::fail(
            NAME,
            Bears::Live,
            says,
            "start the node again; report it with the log",
        ),
    }
}

fn as_json(status: &purlin_tftp_server::ServerStatus, node: &NodeFile) -> Value {
    json!({
        "tftp": status.listen,
        "http": node.boot_http,
        "https": node.boot_https,
        "threads": status.threads,
        "transfers": status.transfers,
        "receive_buffer": status.receive_buffer,
        "send_buffer": status.send_buffer,
        "backend": status.backend,
        "notes": status.notes,
        "failed": status.failed,
    })
}
