//! OVN as a part of this node: the platform over databases that are given, or that the node starts by itself.

mod lines;
mod own;

pub(crate) use purlin_ovn_server::settings::OvnSettings as Settings;

use super::{Base, Done, Face, Service, Tell};
use crate::client::NodeFile;
use crate::exit::{Failure, chain};
use crate::settings::Settings as NodeSettings;
use futures_util::future::{BoxFuture, FutureExt};
use own::OwnDatabases;
use purlin_accounts::Belongings;
use purlin_api::Problem;
use purlin_api::clock::Clock;
use purlin_api::revisions::Revisions;
use purlin_api::schema;
use purlin_ovn_nbctl::shell::Served;
use purlin_ovn_server::settings::Source;
use purlin_ovn_server::{History, Operating, OvnMetrics, Platform, PortTeller, Tools, events, routes};
use purlin_ovsdb::client::{Config, Endpoint, Tls};
use purlin_telemetry::Registry;
use purlin_telemetry::health::{Bears, Check};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;

const NORTHBOUND: &str = "OVN_Northbound";
const SOUTHBOUND: &str = "OVN_Southbound";

/// The running service.
#[derive(Debug)]
pub(crate) struct Ovn {
    platform: Platform,
    /// Those that this node has started.
    own: Option<OwnDatabases>,
    northbound: Vec<String>,
    /// Takes command lines of `purlin nbctl`, until it is dropped.
    _lines: Option<Served>,
    /// The node does nothing else: without its databases it should get no work.
    alone: bool,
}

impl Ovn {
    /// Starts the node's own databases, if it has such, and begins to connect; `None` when the platform is off.
    pub(super) async fn start(base: &Base<'_>) -> Result<Option<Self>, Failure> {
        let settings = &base.settings.services.ovn;
        if !settings.enabled {
            return Ok(None);
        }
        let (own, north, south, origin) = match &settings.source {
            Source::Given(north, south) => (None, north.clone(), south.clone(), "given"),
            Source::Own(which) => {
                let own = OwnDatabases::start(*which, &base.data_dir.join("ovn")).await?;
                let (north, south, origin) = (own.northbound(), own.southbound(), own.origin());
                (Some(own), north, south, origin)
            }
        };
        let tls = settings.tls.as_ref().map(read_tls).transpose()?;
        let config = |database: &str, endpoints: Vec<Endpoint>| Config {
            tls: tls.clone(),
            connect_timeout: settings.connect_timeout,
            probe: settings.probe_interval,
            write_timeout: settings.write_timeout,
            group: settings.group,
            ..Config::new(database, endpoints)
        };
        let northbound = north.iter().map(ToString::to_string).collect();
        let platform = Platform::start(purlin_ovn_server::Settings {
            northbound: config(NORTHBOUND, north),
            southbound: (!south.is_empty()).then(|| config(SOUTHBOUND, south)),
            origin,
            unattended: own.as_ref().is_some_and(OwnDatabases::is_in_process),
            tools: Tools {
                folder: base.data_dir.join("ovn").join("scratch"),
                tls: settings.tls.clone(),
            },
        });
        platform.keep(History {
            ledger: base.book.clone(),
            clock: base.clock.clone(),
            shared: base.shared,
            bounds: settings.bounds,
        });
        let mut operating = Operating {
            controls: settings.control_sockets.clone(),
            northd_lag_max: settings.northd_lag_max,
            chassis_stale_after: settings.chassis_stale_after,
            ..Operating::default()
        };
        if let Some(own) = &own {
            operating.controls.extend(own.controls());
            operating.files = own.files();
        }
        platform.operate(operating);
        let alone = !base.settings.services.serve_else();
        let lines = lines::take(&platform, base.data_dir);
        Ok(Some(Self {
            platform,
            own,
            northbound,
            _lines: lines,
            alone,
        }))
    }
}

impl Ovn {
    #[cfg(feature = "dhcp")]
    pub(super) const fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Alarms of the databases as events of this node.
    async fn tell_alarms(&self, tell: Tell<'_>) -> std::convert::Infallible {
        let mut news = self.platform.news();
        loop {
            match news.recv().await {
                Ok(news) => tell(
                    "ovn.alarm",
                    if news.raised { "raised" } else { "over" },
                    &news.text,
                ),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

fn read_tls(files: &[std::path::PathBuf; 3]) -> Result<Tls, Failure> {
    let mut texts = Vec::with_capacity(files.len());
    for file in files {
        let text = std::fs::read(file).map_err(|cause| {
            let what = format!("cannot read {}: {cause}", file.display());
            Failure::failed(
                what,
                "check ovn.certificate, ovn.private_key and ovn.ca_certificate",
            )
        })?;
        texts.push(text);
    }
    Tls::from_pem(&texts[0], &texts[1], &texts[2]).map_err(|cause| {
        Failure::failed(
            chain(&cause),
            "check ovn.certificate, ovn.private_key and ovn.ca_certificate: PEM files that belong together",
        )
    })
}

/// The rows of the northbound, as what tenants have.
struct Rows(Platform);

impl Belongings for Rows {
    fn usage<'a>(&'a self, tenant: &'a str) -> BoxFuture<'a, Result<BTreeMap<String, u64>, Problem>> {
        async move {
            let usage = self.0.usage(tenant).await?.into_iter();
            Ok(usage
                .map(|(what, count)| (what.to_owned(), count as u64))
                .collect())
        }
        .boxed()
    }
}

impl Service for Ovn {
    fn register(&self, registry: &Registry) {
        registry.register(Arc::new(OvnMetrics(self.platform.clone())));
    }

    fn publish(&self, file: &mut NodeFile) {
        file.ovn.clone_from(&self.northbound);
        file.ovn_origin = self.own.as_ref().map(|own| own.origin().to_owned());
    }

    fn checks(&self) -> Vec<Check> {
        const NAME: &str = "ovn.databases";
        let bears = if self.alone { Bears::Ready } else { Bears::Advice };
        let check = match self.platform.readiness() {
            Ok(()) => Check::pass(NAME, bears, "the databases of OVN are followed"),
            Err(why) => Check::fail(
                NAME,
                bears,
                why,
                "see /api/v1/ovn for the members; what was read last can still be read",
            ),
        };
        let mut checks = vec![check];
        checks.extend(self.platform.operation_checks());
        checks
    }

    fn belongings(&self) -> Option<Arc<dyn Belongings>> {
        Some(Arc::new(Rows(self.platform.clone())))
    }

    fn work(&self) -> Done {
        Done::default()
    }

    fn status<'a>(&'a self, _: &'a NodeFile) -> BoxFuture<'a, (&'static str, Value)> {
        async { ("ovn", self.platform.status()) }.boxed()
    }

    fn face<'a>(&'a self, _: &'a Clock, _: &'a Revisions) -> BoxFuture<'a, Face> {
        async {
            Face {
                events: events(&self.platform),
                teller: Arc::new(PortTeller::new(self.platform.clone())),
                members: vec![(
                    PortTeller::PORTS,
                    schema::array(schema::open_object(&["name", "uuid"], &[])),
                )],
                routes: routes(&self.platform),
            }
        }
        .boxed()
    }

    /// Every key of the section is for the start.
    fn apply<'a>(&'a self, _: &'a NodeSettings) -> BoxFuture<'a, Result<(), String>> {
        async { Ok(()) }.boxed()
    }

    fn watch<'a>(&'a self, tell: Tell<'a>) -> BoxFuture<'a, Failure> {
        async move {
            let alarms = self.tell_alarms(tell);
            let own = async {
                match &self.own {
                    Some(own) => own.watch(tell).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                failure = own => failure,
                never = alarms => match never {},
            }
        }
        .boxed()
    }

    fn stop(&self, _: Duration) -> BoxFuture<'_, bool> {
        async {
            if let Some(own) = &self.own {
                own.stop().await;
            }
            true
        }
        .boxed()
    }
}
