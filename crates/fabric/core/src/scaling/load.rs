//! How busy the nodes are.

use super::ScalingSettings;
use std::fmt;

/// What a node says of itself. `None`: it said nothing lately.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct NodeLoad {
    /// Whether it serves. Who does not is left out of the utilisation.
    pub ready: bool,
    /// Percent of the processors it may use.
    pub cpu: Option<f64>,
    /// Percent of the memory it may use.
    pub memory: Option<f64>,
    /// Requests per second.
    pub requests: Option<f64>,
    /// Percent of the longest queue that is allowed, or of the greatest lag. `None` on every node leaves it out.
    pub queue: Option<f64>,
}

/// What utilisation is measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Cpu,
    Memory,
    Requests,
    Queue,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "processor",
            Self::Memory => "memory",
            Self::Requests => "request rate",
            Self::Queue => "queue",
        })
    }
}

/// Means over the ready nodes that report, for display.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Averages {
    /// Percent; `None` when nobody reports.
    pub cpu: Option<f64>,
    pub memory: Option<f64>,
    /// Requests per second of all together.
    pub request_rate: f64,
}

/// The cluster in three numbers.
#[must_use]
pub fn averages(nodes: &[NodeLoad]) -> Averages {
    let ready = || nodes.iter().filter(|node| node.ready);
    let mean = |of: fn(&NodeLoad) -> Option<f64>| {
        let (sum, count) = ready()
            .filter_map(of)
            .fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        (count > 0.0).then_some(sum / count)
    };
    Averages {
        cpu: mean(|node| node.cpu),
        memory: mean(|node| node.memory),
        request_rate: ready().filter_map(|node| node.requests).sum(),
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) metric: Metric,
    pub(super) percent: f64,
}

/// The highest utilisation, when missing values count 0 % and when they count 100 %.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peak {
    pub(super) low: Level,
    pub(super) high: Level,
}

/// `None` when no ready node reports anything.
pub(super) fn peak(settings: &ScalingSettings, nodes: &[NodeLoad]) -> Option<Peak> {
    let rate = settings.requests_per_node;
    let value = |metric: Metric, node: &NodeLoad| match metric {
        Metric::Cpu => node.cpu,
        Metric::Memory => node.memory,
        Metric::Requests => node
            .requests
            .zip(rate)
            .map(|(requests, per_node)| requests * 100.0 / per_node),
        Metric::Queue => node.queue,
    };
    let ready: Vec<&NodeLoad> = nodes.iter().filter(|node| node.ready).collect();
    let used = |metric: &Metric| match metric {
        Metric::Cpu | Metric::Memory => true,
        Metric::Requests => rate.is_some(),
        Metric::Queue => ready.iter().any(|node| node.queue.is_some()),
    };
    let metrics = [Metric::Cpu, Metric::Memory, Metric::Requests, Metric::Queue];
    if !metrics
        .iter()
        .filter(|metric| used(metric))
        .any(|&m| ready.iter().any(|node| value(m, node).is_some()))
    {
        return None;
    }
    let highest = |missing: f64| {
        let mean = |metric: Metric| {
            // A value that is no number is as good as none.
            let known = |node: &&NodeLoad| value(metric, node).filter(|v| v.is_finite()).unwrap_or(missing);
            ready.iter().map(known).sum::<f64>() / ready.len() as f64
        };
        let levels = metrics.into_iter().filter(used).map(|metric| Level {
            metric,
            percent: mean(metric),
        });
        levels.max_by(|a, b| a.percent.total_cmp(&b.percent))
    };
    Some(Peak {
        low: highest(0.0)?,
        high: highest(100.0)?,
    })
}
