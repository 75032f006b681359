//! Metrics under the names of the scaling guide for `ovncp`, which dashboards already ask for.

use crate::text::{self, STATUSES};
use purlin_fabric::scaling::Direction;
use purlin_fabric_runtime::Fabric;
use purlin_fabric_runtime::scaling::Scaler;
use purlin_telemetry::metrics::{Collector, Encoder};

/// Shows the cluster as this node sees it; register it once.
#[derive(Debug, Clone)]
pub struct ClusterMetrics(pub Fabric);

impl Collector for ClusterMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        let snapshot = self.0.snapshot();
        let members = &snapshot.members;
        let count = |status: &str| {
            members
                .iter()
                .filter(|member| text::status(member) == status)
                .count()
        };
        // The name ends like a counter's in the guide; it is a gauge, and dashboards ask for it under this name.
        let mut nodes = encoder.untyped("ovncp_cluster_nodes_total", "Nodes by status.");
        for status in STATUSES {
            nodes.value(&[("status", status)], count(status) as f64);
        }
        let mut info = encoder.gauge("ovncp_cluster_node_info", "What is known of each node.");
        for member in members {
            let labels = [
                ("node_id", member.id.as_str()),
                ("hostname", &member.facts.hostname),
                ("ip", &member.facts.address),
            ];
            info.value(&labels, 1.0);
        }
        let mut leader = encoder.gauge("ovncp_cluster_leader", "1 for the node that plans.");
        for member in members {
            leader.value(
                &[("node_id", member.id.as_str())],
                f64::from(u8::from(member.leader)),
            );
        }
        let mut slots = encoder.gauge(
            "purlin_cluster_slots",
            "Shares of the address space by holder; there are 4096.",
        );
        for member in members {
            slots.value(&[("node_id", member.id.as_str())], f64::from(member.slots));
        }
        let me = self.0.me().id.as_str();
        encoder
            .gauge("purlin_cluster_ready", "Whether this node may own slots.")
            .value(
                &[("node_id", me)],
                f64::from(u8::from(snapshot.readiness.is_ok())),
            );
    }
}

/// Shows what the autoscaler knows and says; register it once.
#[derive(Debug, Clone)]
pub struct ScalingMetrics(pub Scaler);

impl Collector for ScalingMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        let view = self.0.view();
        let verdict = &view.verdict;
        encoder
            .gauge("purlin_scaling_nodes", "Nodes that stay.")
            .value(&[], f64::from(verdict.nodes));
        encoder
            .gauge("purlin_scaling_target_nodes", "Nodes that there should be.")
            .value(&[], f64::from(verdict.target));
        let mut said = encoder.gauge(
            "purlin_scaling_recommendation",
            "1 for what is recommended about the number of nodes.",
        );
        for one in [Direction::Maintain, Direction::ScaleUp, Direction::ScaleDown] {
            let value = f64::from(u8::from(one == verdict.direction));
            said.value(&[("direction", one.as_str())], value);
        }
    }
}
