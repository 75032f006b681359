//! What a configuration means: the revisions engine asks, the parts of the node answer.

use crate::cluster::Cluster;
use crate::log;
use crate::services::Services;
use crate::settings::{self, Settings};
use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::problem::FaultView;
use purlin_api::revisions::ConfigHost;
use purlin_config::schema::Effect;
use purlin_config::{Document, Faults};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// Impact sentences at most.
const IMPACT_MAX: usize = 20;

/// Knows every part that a configuration changes.
#[derive(Debug, Default)]
pub(super) struct Host {
    /// Set once they run; before that nothing is applied.
    running: OnceLock<(Services, Cluster)>,
}

impl Host {
    /// From now on changes go to these services, and to the node's part in its cluster.
    pub(super) fn attach(&self, services: Services, cluster: Cluster) {
        // They are started once.
        let _ = self.running.set((services, cluster));
    }

    /// The checked settings of a stored configuration, with the environment over it.
    pub(super) fn read(config: &Value) -> Result<Settings, Vec<FaultView>> {
        let mut faults = Faults::new();
        let settings = settings::of_revision(config, &mut faults);
        settings.ok_or_else(|| views(&faults))
    }
}

fn views(faults: &Faults) -> Vec<FaultView> {
    faults.in_text_order().into_iter().map(FaultView::from).collect()
}

impl ConfigHost for Host {
    fn check(&self, config: &Value) -> Vec<FaultView> {
        let mut faults = Faults::new();
        let _ = settings::of_revision(config, &mut faults);
        views(&faults)
    }

    fn impact(&self, from: &Value, to: &Value) -> Vec<String> {
        let services = self.running.get().into_iter().flat_map(|(services, _)| services);
        let mut impact: Vec<String> = services.flat_map(|service| service.impact(from, to)).collect();
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
            let (services, cluster) = self.running.get().ok_or("the services are still starting")?;
            for service in services {
                service.apply(&settings).await?;
            }
            cluster.apply(&settings);
            log::configure(settings.log);
            Ok(())
        }
        .boxed()
    }
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
    fn keys_that_need_a_restart_say_so() {
        let told = restarts(&json!({}), &json!({"api": {"http": ["127.0.0.1:1"]}}));
        assert_eq!(told.len(), 1, "{told:?}");
        let told = restarts(&json!({}), &json!({"dhcp": {"threads": 2}}));
        assert_eq!(told, ["dhcp.threads takes effect with the next start"]);
    }

    #[test]
    fn where_dhcp_listens_changes_at_once() {
        let now = json!({"dhcp": {"enabled": true, "listen": ["10.0.0.1:67"], "interfaces": ["eth0"]}});
        let then = json!({"dhcp": {"enabled": false, "listen": ["10.0.0.1:6767"], "interfaces": ["eth1"]}});
        assert_eq!(restarts(&now, &then), [""; 0]);
    }
}
