//! What a configuration means: the revisions engine asks, the parts of the node answer.

use super::boot_files;
use crate::exit::chain;
use crate::log;
use crate::settings::{self, Settings};
use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::problem::FaultView;
use purlin_api::revisions::ConfigHost;
use purlin_config::schema::Effect;
use purlin_config::{Document, Faults};
use purlin_dhcp_core::view::SubnetUse;
use purlin_dhcp_server::Handle;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Impact sentences at most.
const IMPACT_MAX: usize = 20;

/// Knows every part that a configuration changes.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// Set once the service runs; before that nothing is applied.
    dhcp: OnceLock<Handle>,
    boot: OnceLock<purlin_tftp_server::Handle>,
    /// How full subnets were a moment ago, for telling what a change would do.
    usage: Mutex<Vec<SubnetUse>>,
}

impl Host {
    /// From now on changes go to these services.
    pub(super) fn attach(&self, dhcp: Handle, boot: purlin_tftp_server::Handle) {
        // There is one of each per process.
        let _ = self.dhcp.set(dhcp);
        let _ = self.boot.set(boot);
    }

    pub(super) fn note_usage(&self, usage: Vec<SubnetUse>) {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
    }

    /// The checked settings of a stored configuration, with the environment over it.
    pub(super) fn read(config: &Value) -> Result<Settings, Vec<FaultView>> {
        let mut faults = Faults::new();
        let settings = read(config, &mut faults);
        settings.ok_or_else(|| views(&faults))
    }
}

fn read(config: &Value, faults: &mut Faults) -> Option<Settings> {
    let mut document = Document::from_json("revision", config, faults);
    settings::overlay_environment(&mut document, faults);
    if faults.has_errors() {
        return None;
    }
    settings::check(&document, faults)
}

fn views(faults: &Faults) -> Vec<FaultView> {
    faults.in_text_order().into_iter().map(FaultView::from).collect()
}

impl ConfigHost for Host {
    fn check(&self, config: &Value) -> Vec<FaultView> {
        let mut faults = Faults::new();
        let _ = read(config, &mut faults);
        views(&faults)
    }

    fn impact(&self, from: &Value, to: &Value) -> Vec<String> {
        let usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let mut impact = lost_subnets(from, to, &usage);
        impact.extend(restarts(from, to));
        impact.truncate(IMPACT_MAX);
        impact
    }

    fn redact(&self, config: &Value) -> Value {
        let mut config = config.clone();
        purlin_config::redact(&mut config, &settings::all_sections());
        config
    }

    fn apply<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let settings = Self::read(config).map_err(|_| "the configuration has faults".to_owned())?;
            let services = self.dhcp.get().zip(self.boot.get());
            let (dhcp, boot) = services.ok_or("the services are still starting")?;
            let plan = boot_files::plan(&settings);
            let applied = dhcp.apply(settings.dhcp).await.map_err(|cause| chain(&cause))?;
            dhcp.switch(settings.switches).await;
            boot.apply(plan).await;
            log::configure(settings.log);
            for key in applied.restart_needed {
                log::warn(&format!("{key} takes effect with the next start"));
            }
            Ok(())
        }
        .boxed()
    }
}

/// Subnets with leases that would no longer be served.
fn lost_subnets(from: &Value, to: &Value, usage: &[SubnetUse]) -> Vec<String> {
    let (before, after) = (subnet_names(from), subnet_names(to));
    let bound = |name: &str| {
        usage
            .iter()
            .find(|used| used.subnet == name)
            .map_or(0, |used| used.bound)
    };
    let gone = before.difference(&after).map(|name| (name, bound(name)));
    gone.filter(|(_, bound)| *bound > 0)
        .map(|(name, bound)| format!("{bound} leases of subnet {name:?} are no longer served"))
        .collect()
}

fn subnet_names(config: &Value) -> BTreeSet<String> {
    let list = |parent: &Value, key: &str| {
        parent
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let dhcp = config.get("dhcp").unwrap_or(&Value::Null);
    let mut subnets = list(dhcp, "subnets");
    subnets.extend(
        list(dhcp, "networks")
            .iter()
            .flat_map(|network| list(network, "subnets")),
    );
    subnets
        .iter()
        .filter_map(|subnet| Some(subnet.get("name")?.as_str()?.to_owned()))
        .collect()
}

/// Keys that are read at start only.
fn restarts(from: &Value, to: &Value) -> Vec<String> {
    let sections = settings::all_sections();
    let (document, empty) = (Document::empty(), json!({}));
    let late = |path: &str| {
        let explained = purlin_config::explain(&document, &sections, path);
        explained.is_some_and(|explained| explained.effect == Some(Effect::Restart))
    };
    let mut told = Vec::new();
    for section in &sections {
        // A section that comes or goes is all its keys.
        let side = |config: &Value| config.get(section.name).unwrap_or(&empty).clone();
        let changes = purlin_config::diff(&side(from), &side(to));
        let paths = changes
            .iter()
            .map(|change| format!("{}.{}", section.name, change.path));
        told.extend(
            paths
                .filter(|path| late(path))
                .map(|path| format!("{path} takes effect with the next start")),
        );
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_with_their_paths() {
        let faults = Host::default().check(&json!({"dhcp": {"ack": "never"}}));
        assert!(
            faults
                .iter()
                .any(|fault| fault.path == "dhcp.ack" && fault.is_error()),
            "{faults:?}"
        );
    }

    #[test]
    fn a_lost_subnet_is_told_with_its_leases() {
        let used = SubnetUse {
            network: "a".into(),
            subnet: "a".into(),
            size: 10,
            bound: 7,
            offered: 0,
            declined: 0,
            reusable: 0,
            reserved: 0,
        };
        let from = json!({"dhcp": {"networks": [{"name": "n", "subnets": [{"name": "a"}]}]}});
        let told = lost_subnets(&from, &json!({}), std::slice::from_ref(&used));
        assert_eq!(told, ["7 leases of subnet \"a\" are no longer served"]);
        assert!(lost_subnets(&from, &from, &[used]).is_empty());
    }

    #[test]
    fn keys_that_need_a_restart_say_so() {
        let told = restarts(&json!({}), &json!({"api": {"http": ["127.0.0.1:1"]}}));
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
