//! How long what we have will do.
//!
//! Two questions: when is a pool exhausted ([`forecast`]), and how much more can the nodes take ([`headroom`]). Both would
//! rather say that they do not know than guess.

mod history;
mod outlook;
mod trend;

pub use history::{SAMPLES_KEPT, UseHistory};
pub use outlook::{Confidence, confidence, words};
pub use trend::{Forecast, Sample, forecast};

use crate::scaling::{Metric, NodeLoad};

/// What a node, or all of them, can still take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Headroom {
    /// What would be short first.
    pub metric: Metric,
    /// Percent of it that is used.
    pub used: f64,
    /// How many times today's load would fill it: 2.0 is room for as much again. Infinite when nothing is used.
    pub times: f64,
}

/// What all nodes together can still take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterHeadroom {
    /// With all ready nodes, if load spreads evenly.
    pub all: Headroom,
    /// How many nodes may be lost before the rest is full.
    pub losses: u16,
}

/// What a node can still take before one of its measures reaches `ceiling` percent; `None` when it reports nothing.
/// `requests_per_node` is the rate that it is meant for, if known.
#[must_use]
pub fn headroom(node: &NodeLoad, ceiling: f64, requests_per_node: Option<f64>) -> Option<Headroom> {
    let requests = node
        .requests
        .zip(requests_per_node)
        .map(|(rate, per_node)| rate * 100.0 / per_node);
    let measures = [
        (Metric::Cpu, node.cpu),
        (Metric::Memory, node.memory),
        (Metric::Requests, requests),
        (Metric::Queue, node.queue),
    ];
    let known = measures
        .into_iter()
        .filter_map(|(metric, used)| Some((metric, used.filter(|u| u.is_finite())?)));
    let (metric, used) = known.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let times = if used > 0.0 { ceiling / used } else { f64::INFINITY };
    Some(Headroom { metric, used, times })
}

/// What the ready nodes can still take together before `ceiling` percent; `None` when none of them reports. A node's
/// memory stays its own when another is lost, so that losses are counted by what moves: everything else.
#[must_use]
pub fn cluster_headroom(
    nodes: &[NodeLoad],
    ceiling: f64,
    requests_per_node: Option<f64>,
) -> Option<ClusterHeadroom> {
    let ready: Vec<&NodeLoad> = nodes.iter().filter(|node| node.ready).collect();
    let mean = |of: fn(&NodeLoad) -> Option<f64>| {
        let (sum, count) = ready
            .iter()
            .filter_map(|node| of(node))
            .fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
        (count > 0.0).then_some(sum / count)
    };
    let typical = NodeLoad {
        ready: true,
        cpu: mean(|node| node.cpu),
        memory: mean(|node| node.memory),
        requests: mean(|node| node.requests),
        queue: mean(|node| node.queue),
    };
    let moving = NodeLoad {
        memory: None,
        ..typical
    };
    let all = headroom(&typical, ceiling, requests_per_node)?;
    let count = ready.len() as f64;
    // n x used spread over n - lost must stay at or below the ceiling.
    let needed =
        headroom(&moving, ceiling, requests_per_node).map_or(1.0, |room| (count / room.times).ceil());
    Some(ClusterHeadroom {
        all,
        losses: (count - needed.max(1.0)).max(0.0) as u16,
    })
}

#[cfg(test)]
mod tests;
