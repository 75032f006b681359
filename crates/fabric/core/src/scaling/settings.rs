//! The settings of the autoscaler.

use std::fmt;
use std::time::Duration;

/// When nodes come and go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingSettings {
    /// Whether anybody acts. Recommendations are made in any case.
    pub enabled: bool,
    /// Never fewer; at least 1.
    pub min_nodes: u16,
    /// Never more.
    pub max_nodes: u16,
    /// Percent of utilisation above which nodes are added, 2 to 100. At it, nothing happens.
    pub scale_up_threshold: u8,
    /// Percent of utilisation below which a node is removed; less than the other. At it, nothing happens.
    pub scale_down_threshold: u8,
    /// From one action to the next of the same direction, and from adding to removing.
    pub cooldown: Duration,
    /// A node is removed only if nothing within so long asked for it.
    pub stabilisation: Duration,
    /// Nodes are added only if everything within so long asked for them: a spike is no load.
    pub sustain: Duration,
    /// How far utilisation may be above the target, as a part of it; 0 or more.
    pub tolerance: f64,
    /// Requests per second that a node is meant for; `None` leaves requests out of the utilisation.
    pub requests_per_node: Option<f64>,
}

impl Default for ScalingSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            min_nodes: 3,
            max_nodes: 10,
            scale_up_threshold: 70,
            scale_down_threshold: 30,
            cooldown: Duration::from_secs(300),
            stabilisation: Duration::from_secs(300),
            sustain: Duration::from_secs(60),
            tolerance: 0.1,
            requests_per_node: None,
        }
    }
}

/// Why settings contradict themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalingFault {
    NoNodes,
    MinAboveMax { min: u16, max: u16 },
    Threshold { up: u8 },
    DownNotBelowUp { down: u8, up: u8 },
    Tolerance,
    RequestsPerNode,
}

impl fmt::Display for ScalingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNodes => f.write_str("min_nodes: 0 is below 1"),
            Self::MinAboveMax { min, max } => write!(f, "min_nodes: {min} is above max_nodes, {max}"),
            Self::Threshold { up } => write!(f, "scale_up_threshold: {up} is not in 2 to 100"),
            Self::DownNotBelowUp { down, up } => {
                write!(
                    f,
                    "scale_down_threshold: {down} is not below scale_up_threshold, {up}"
                )
            }
            Self::Tolerance => f.write_str("tolerance: not a number from 0 to 1"),
            Self::RequestsPerNode => f.write_str("requests_per_node: not a number above 0"),
        }
    }
}

impl std::error::Error for ScalingFault {}

impl ScalingSettings {
    /// The utilisation in percent that a resize aims at.
    #[must_use]
    pub fn target(&self) -> f64 {
        f64::from(self.scale_up_threshold) / (1.0 + self.tolerance)
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), ScalingFault> {
        let (up, down) = (self.scale_up_threshold, self.scale_down_threshold);
        let (min, max) = (self.min_nodes, self.max_nodes);
        match () {
            () if min == 0 => Err(ScalingFault::NoNodes),
            () if min > max => Err(ScalingFault::MinAboveMax { min, max }),
            () if !(2..=100).contains(&up) => Err(ScalingFault::Threshold { up }),
            () if down >= up => Err(ScalingFault::DownNotBelowUp { down, up }),
            () if !(0.0..=1.0).contains(&self.tolerance) => Err(ScalingFault::Tolerance),
            () if self
                .requests_per_node
                .is_some_and(|rate| rate.is_nan() || rate <= 0.0) =>
            {
                Err(ScalingFault::RequestsPerNode)
            }
            () => Ok(()),
        }
    }
}
