//! How the node is, from what each part says about itself.

use crate::balancer;
use crate::cluster::Cluster;
use crate::services::Services;
use purlin_api::health::HealthSource;
use purlin_api::revisions::{Revisions, Standing};
use purlin_balancer::Fronts;
use purlin_telemetry::Health;
use purlin_telemetry::health::{Bears, Check};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where the node is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    Starting = 0,
    Serving = 1,
    Draining = 2,
}

/// The stage, shared by those who tell it and the one who sets it.
#[derive(Debug, Clone)]
pub(super) struct Life(Arc<AtomicU8>);

impl Life {
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(Stage::Starting as u8)))
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    pub(super) fn stage(&self) -> Stage {
        match self.0.load(Ordering::Relaxed) {
            0 => Stage::Starting,
            1 => Stage::Serving,
            _ => Stage::Draining,
        }
    }
}

/// Answers health probes.
#[derive(Debug)]
pub(super) struct NodeHealth {
    pub(super) life: Life,
    pub(super) services: Services,
    pub(super) cluster: Cluster,
    pub(super) revisions: Revisions,
    pub(super) fronts: Fronts,
}

impl HealthSource for NodeHealth {
    fn health(&self) -> Health {
        let mut checks = node_checks(self.life.stage());
        checks.extend(self.cluster.checks());
        if self.revisions.is_shared() {
            checks.push(config_check(self.revisions.standing()));
        }
        checks.extend(balancer::checks(&self.fronts));
        checks.extend(self.services.iter().flat_map(|service| service.checks()));
        Health { checks }
    }
}

/// Among nodes that share one configuration.
fn config_check(standing: Standing) -> Check {
    const NAME: &str = "cluster.config";
    match standing.trouble {
        None => Check::pass(NAME, Bears::Ready, "the cluster's newest revision is in effect"),
        Some(why) => Check::fail(
            NAME,
            Bears::Ready,
            why,
            "correct what this node lacks, or make a revision that every node can run",
        ),
    }
}

fn node_checks(stage: Stage) -> Vec<Check> {
    let startup = match stage {
        Stage::Starting => Check::fail(
            "node.start",
            Bears::Startup,
            "the node is starting",
            "wait a few seconds",
        ),
        _ => Check::pass("node.start", Bears::Startup, "the node has started"),
    };
    let work = match stage {
        Stage::Draining => {
            let says = "the node was told to stop and finishes what is under way";
            Check::fail("node.drain", Bears::Ready, says, "send new work to another node")
        }
        _ => Check::pass("node.drain", Bears::Ready, "the node was not told to stop"),
    };
    vec![startup, work]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(stage: Stage) -> Health {
        Health {
            checks: node_checks(stage),
        }
    }

    #[test]
    fn a_node_behind_the_clusters_revision_is_not_ready_and_says_why() {
        let trouble = Some("revision 7 cannot be taken over: port 69 is taken".to_owned());
        let checks = vec![config_check(Standing { revision: 6, trouble })];
        assert!(checks[0].says.contains("port 69"));
        assert!(!Health { checks }.ready());
    }

    #[test]
    fn a_draining_node_gets_no_more_work() {
        let draining = health(Stage::Draining);
        assert!(draining.live() && !draining.ready() && draining.started());
        assert!(!health(Stage::Starting).started());
        assert!(health(Stage::Serving).ready());
    }
}
