//! From a configuration file and the environment to checked settings of every part of the node.
//!
//! The only place that knows all sections. Faults are collected over all of them before anything is refused.

use crate::exit::Failure;
use crate::services;
use purlin_config::sections::api::ApiSettings;
use purlin_config::sections::balancer::BalancerSettings;
use purlin_config::sections::cluster::ClusterSettings;
use purlin_config::sections::log::LogSettings;
use purlin_config::sections::node::NodeSettings;
use purlin_config::sections::oidc::OidcSettings;
use purlin_config::sections::sessions::SessionSettings;
use purlin_config::sections::store::{StoreEngine, StoreSettings};
use purlin_config::{Document, Fault, Faults, Input, Section, check_names, codes, sections};
use serde_json::Value;
use std::io::Read;
use std::path::Path;

/// The name under which standard input is read.
pub(crate) const STDIN: &str = "-";

/// Largest configuration that is read: 100,000 reservations are about 10 MiB.
const FILE_MAX: u64 = 256 << 20;

/// Everything a node is built from. A value of this type cannot be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) node: NodeSettings,
    pub(crate) api: ApiSettings,
    pub(crate) oidc: Option<OidcSettings>,
    pub(crate) log: LogSettings,
    pub(crate) store: StoreSettings,
    pub(crate) cluster: ClusterSettings,
    pub(crate) sessions: SessionSettings,
    pub(crate) balancer: BalancerSettings,
    pub(crate) services: services::Settings,
}

/// The sections of all parts.
pub(crate) fn all_sections() -> Vec<&'static Section> {
    let mut all = sections::common();
    all.extend(services::sections());
    all
}

/// Reads a file into a document. Only reading can fail here; faults of its content are collected.
pub(crate) fn parse_file(file: &Path, faults: &mut Faults) -> Result<Document, Failure> {
    let text = read_text(file)?;
    let name = if file.as_os_str() == STDIN {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    let mut document = Document::parse([Input::file(name, text)], faults);
    document.hide_secrets(&all_sections());
    Ok(document)
}

/// The text of a file, or of standard input for `-`.
pub(crate) fn read_text(file: &Path) -> Result<String, Failure> {
    let source: Box<dyn Read> = if file.as_os_str() == STDIN {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(|cause| unreadable(file, &cause))?)
    };
    let mut text = String::new();
    source
        .take(FILE_MAX)
        .read_to_string(&mut text)
        .map_err(|cause| unreadable(file, &cause))?;
    Ok(text)
}

fn unreadable(file: &Path, cause: &std::io::Error) -> Failure {
    let what = format!("cannot read {}: {cause}", file.display());
    Failure::failed(
        what,
        "check the path and its permissions; the file must be UTF-8 text",
    )
}

/// Lays `PURLIN__...` variables of this process over the document.
pub(crate) fn overlay_environment(document: &mut Document, faults: &mut Faults) {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let read = |path: &str| std::fs::read_to_string(path).map_err(|cause| cause.to_string());
    document.overlay_environment(variables, read, &all_sections(), faults);
}

/// Checks every section. `None` when anything is an error; all faults are then in `faults`.
pub(crate) fn check(document: &Document, faults: &mut Faults) -> Option<Settings> {
    check_names(document, &all_sections(), faults);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let node = sections::node::read(document, host.as_deref().map(str::trim), faults);
    let api = sections::api::read(document, faults);
    let oidc = sections::oidc::read(document, faults);
    let store = sections::store::read(document, faults);
    let log = sections::log::read(document, faults);
    let services = services::Settings::read(document, faults);
    let cluster = sections::cluster::read(document, faults);
    let sessions = sections::sessions::read(document, faults);
    let balancer = sections::balancer::read(document, &crate::balancer::defaults(document), faults);
    let (store, cluster, services) = (store?, cluster?, services?);
    among_others(&store, &cluster, &services, document, faults);
    let settings = Settings {
        store,
        cluster,
        sessions: sessions?,
        balancer: balancer?,
        node: node?,
        api: api?,
        oidc: oidc?,
        log: log?,
        services,
    };
    (!faults.has_errors()).then_some(settings)
}

/// What sections must say together for a node to be one of many.
fn among_others(
    store: &StoreSettings,
    cluster: &ClusterSettings,
    services: &services::Settings,
    document: &Document,
    faults: &mut Faults,
) {
    let shared = store.records != StoreEngine::Embedded;
    let mut refuse = |path: &str, message: &str, help: &str| {
        let at = document.get(path).or_else(|| document.get("cluster"));
        if let Some(node) = at {
            faults.push(Fault::error(codes::CONTRADICTION, path, node.span, message).help(help));
        }
    };
    if cluster.enabled && !shared {
        let message = "nodes of a cluster share one PostgreSQL, which [store] does not name";
        refuse(
            "cluster.enabled",
            message,
            "set store.engine = \"postgres\" and store.url",
        );
    }
    if shared && !cluster.enabled {
        let message = "a store that nodes share is for a node of a cluster";
        refuse(
            "store.engine",
            message,
            "set cluster.enabled = true, with node_ip and secret",
        );
    }
    if cluster.enabled && services.lacks_shared_identity() {
        let message = "nodes that serve the same clients answer under one server identifier";
        refuse(
            "dhcp.server_id",
            message,
            "set dhcp.server_id to the address that clients shall renew at, the same on every node",
        );
    }
    if cluster.enabled && services.owns_ovn() {
        let at = document.get("ovn.enabled").or_else(|| document.get("cluster"));
        let message = "every node of this cluster starts an OVN of its own: what is written at one is not seen at the others";
        let help =
            "name one OVN for all nodes in ovn.northbound and ovn.southbound, or set ovn.enabled = false";
        if let Some(node) = at {
            let fault = Fault::error(codes::CONTRADICTION, "ovn.northbound", node.span, message);
            faults.push(fault.as_warning().help(help));
        }
    }
}

/// The settings of a stored configuration, with the environment over it.
pub(crate) fn of_revision(config: &Value, faults: &mut Faults) -> Option<Settings> {
    let mut document = Document::from_json("revision", config, faults);
    document.hide_secrets(&all_sections());
    overlay_environment(&mut document, faults);
    if faults.has_errors() {
        return None;
    }
    check(&document, faults)
}
