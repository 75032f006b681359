//! How many nodes there should be.
//!
//! A pure decision, made by the leader every few seconds and written down before anybody acts on it:
//!
//! ```text
//!   loads of ready nodes ─► utilisation: the highest of cpu, memory, requests, queue         (load.rs)
//!                        ─► desired = ceil(ready x utilisation / target), if out of the thresholds
//!   the last minutes     ─► up: the least desired of a minute; down: the most of five         (history.rs)
//!   limits               ─► at most doubled or +4, at most -1; cooldown; min and max; holds
//!                        ─► maintain | scale_up | scale_down, target, reason
//! ```
//!
//! The arithmetic is that of the Kubernetes HorizontalPodAutoscaler ("Algorithm details"). Its tolerance is joined with
//! the thresholds thus: the target is the upper threshold divided by 1 + tolerance, so that the tolerance ends exactly where
//! the threshold begins. With 70 and 0.1 the target is 63.6 %: at 70.0 nothing happens, above it at least one node
//! comes. A node goes only if the others would then stay at or below the target, so that no step calls for its reverse.

mod history;
mod load;
mod reason;
mod settings;

pub use history::History;
pub use load::{Averages, Metric, NodeLoad, averages};
pub use reason::{Hold, Reason};
pub use settings::{ScalingFault, ScalingSettings};

use purlin_types::BootTime;

/// Which way the number of nodes should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Maintain,
    ScaleUp,
    ScaleDown,
}

impl Direction {
    /// The word that interfaces use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maintain => "maintain",
            Self::ScaleUp => "scale_up",
            Self::ScaleDown => "scale_down",
        }
    }
}

/// What the leader sees.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// All members that have not left, ready or not.
    pub nodes: &'a [NodeLoad],
    /// How many nodes there should be as of the last action; of the members when there was none.
    pub target: u16,
    /// Why now is no time to remove a node, if it is none.
    pub hold: Option<Hold>,
}

/// What should be done, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    pub direction: Direction,
    /// Differs from [`Observation::target`] exactly when `direction` is not `Maintain`.
    pub target_nodes: u16,
    pub reason: Reason,
    /// What the load of this moment alone asks for, within the minimum and the maximum. For [`History::note`].
    pub desired: u16,
    /// Whether somebody is to act on it: a change, and the autoscaler is on. What is below the minimum is said at once
    /// and acted on when it has been so for [`ScalingSettings::sustain`], and not again within the cooldown.
    pub acts: bool,
}

/// Decides. `history` holds what earlier calls desired; the caller notes this call's `desired` afterwards and, when it acts,
/// the action.
#[must_use]
pub fn decide(
    settings: &ScalingSettings,
    seen: &Observation<'_>,
    history: &History,
    now: BootTime,
) -> Recommendation {
    let (desired, wish) = desired(settings, seen);
    let (direction, target_nodes, reason) = match verdict(settings, seen, history, now, desired, wish) {
        Ok((direction, target, reason)) => (direction, target, reason),
        Err(reason) => (Direction::Maintain, seen.target, reason),
    };
    let floor = matches!(reason, Reason::BelowMinimum { .. });
    let hasty = floor
        && (!history.below_for(now, settings.sustain)
            || history.cooling(direction, now, settings.cooldown).is_some());
    Recommendation {
        direction,
        target_nodes,
        reason,
        desired,
        acts: settings.enabled && direction != Direction::Maintain && !hasty,
    }
}

/// The number of nodes that the load of this moment asks for, and why.
fn desired(settings: &ScalingSettings, seen: &Observation<'_>) -> (u16, Reason) {
    let clamp = |nodes: f64| (nodes as u16).clamp(settings.min_nodes, settings.max_nodes);
    let ready = seen.nodes.iter().filter(|node| node.ready).count() as f64;
    let Some(peak) = load::peak(settings, seen.nodes) else {
        return (clamp(f64::from(seen.target)), Reason::NoMetrics);
    };
    let wanted = |percent: f64| (ready * percent / settings.target()).ceil();
    // What is missing counts nothing on the way up and everything on the way down: not knowing moves nobody.
    if peak.low.percent > f64::from(settings.scale_up_threshold) {
        let (metric, percent) = (peak.low.metric, peak.low.percent);
        return (clamp(wanted(percent)), Reason::Above { metric, percent });
    }
    if peak.high.percent < f64::from(settings.scale_down_threshold) {
        let (metric, percent) = (peak.high.metric, peak.high.percent);
        return (clamp(wanted(percent).max(1.0)), Reason::Below { metric, percent });
    }
    let (metric, percent) = (peak.high.metric, peak.high.percent);
    (clamp(f64::from(seen.target)), Reason::Within { metric, percent })
}

type Verdict = Result<(Direction, u16, Reason), Reason>;

fn verdict(
    settings: &ScalingSettings,
    seen: &Observation<'_>,
    history: &History,
    now: BootTime,
    desired: u16,
    wish: Reason,
) -> Verdict {
    if seen.target < settings.min_nodes {
        // A floor is a promise: no window and no cooldown stands before saying so.
        let reason = Reason::BelowMinimum {
            min: settings.min_nodes,
        };
        return Ok((Direction::ScaleUp, settings.min_nodes, reason));
    }
    if seen.target > settings.max_nodes {
        let reason = Reason::AboveMaximum {
            max: settings.max_nodes,
        };
        return down(settings, seen, history, now, reason);
    }
    match wish {
        Reason::Above { .. } => up(settings, seen, history, now, desired, wish),
        Reason::Below { .. } if seen.target == settings.min_nodes => Err(Reason::AtMinimum {
            min: settings.min_nodes,
        }),
        Reason::Below { .. } => match history.most(now, settings, desired) {
            Err(left) => Err(Reason::Stabilising { left }),
            Ok(most) if most >= seen.target => Err(Reason::RecentlyNeeded { nodes: most }),
            Ok(_) => down(settings, seen, history, now, wish),
        },
        other => Err(other),
    }
}

fn up(
    settings: &ScalingSettings,
    seen: &Observation<'_>,
    history: &History,
    now: BootTime,
    desired: u16,
    wish: Reason,
) -> Verdict {
    if seen.target == settings.max_nodes {
        return Err(Reason::AtMaximum {
            max: settings.max_nodes,
        });
    }
    if desired <= seen.target {
        return Err(Reason::OnTheirWay { nodes: seen.target });
    }
    let least = match history.least(now, settings, desired) {
        Err(left) => return Err(Reason::Stabilising { left }),
        Ok(least) if least <= seen.target => return Err(Reason::NotSustained),
        Ok(least) => least,
    };
    if let Some(left) = history.cooling(Direction::ScaleUp, now, settings.cooldown) {
        return Err(Reason::CoolingDown { left });
    }
    let step = seen.target.saturating_mul(2).max(seen.target.saturating_add(4));
    Ok((Direction::ScaleUp, least.min(step), wish))
}

fn down(
    settings: &ScalingSettings,
    seen: &Observation<'_>,
    history: &History,
    now: BootTime,
    wish: Reason,
) -> Verdict {
    if let Some(hold) = seen.hold {
        return Err(Reason::Held(hold));
    }
    let ready = seen.nodes.iter().filter(|node| node.ready).count();
    if ready < usize::from(seen.target) {
        return Err(Reason::NotReady {
            ready: ready as u16,
            target: seen.target,
        });
    }
    // Either direction: a node that was just ordered is not sent away before it could show what it carries.
    for direction in [Direction::ScaleDown, Direction::ScaleUp] {
        if let Some(left) = history.cooling(direction, now, settings.cooldown) {
            return Err(Reason::CoolingDown { left });
        }
    }
    Ok((Direction::ScaleDown, seen.target - 1, wish))
}

#[cfg(test)]
mod tests;
