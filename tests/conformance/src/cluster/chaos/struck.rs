//! One time of trouble, and what it may cost.

use super::{Fault, Slowness};
use crate::cluster::campus::Plan;
use crate::cluster::crowd::{Memory, Moment};
use std::time::Duration;

/// What harmless faults may cost: somebody's packet in the second in which one is noticed.
const CALM_LIMIT: Duration = Duration::from_secs(3);

/// Faults that were at work together.
#[derive(Debug, Clone)]
pub struct Struck {
    pub faults: Vec<Fault>,
    /// Whom they hit.
    pub who: String,
    pub began: Moment,
    /// When all nodes held all slots again.
    pub ended: Moment,
    /// How long that took, from when everything was put right.
    pub back: Duration,
    /// By how much the machine was slower than one with nothing else to do: limits stretch with it.
    pub slowness: Slowness,
}

impl Struck {
    /// The most that a client with an address may wait; `None` where faults may make it wait as long as they last.
    #[must_use]
    pub fn limit(&self, plan: &Plan) -> Option<Duration> {
        let lost = self.losses();
        if !self
            .faults
            .iter()
            .all(|fault| fault.is_harmless() || fault.is_a_loss_of_one_node())
            || lost > 1
        {
            return None;
        }
        // One after the other, each hands over in order.
        let in_turn = self.faults.contains(&Fault::NodesRestartInTurn);
        let limit = if lost == 1 || in_turn {
            plan.takeover_limit()
        } else {
            CALM_LIMIT
        };
        let Slowness { crush, stolen } = self.slowness;
        // What waits gets a processor before what computes: a quarter of the crush is what it feels, but all of what the host
        // took.
        Some(limit.mul_f64((1.0 + (crush - 1.0) / 4.0) * stolen))
    }

    fn losses(&self) -> usize {
        self.faults
            .iter()
            .filter(|fault| fault.is_a_loss_of_one_node())
            .count()
    }

    /// The longest that one did wait: after the loss of a node, of those whom that touched before all was whole again.
    #[must_use]
    pub fn longest_wait(&self, memory: &Memory, plan: &Plan) -> Duration {
        let limit = self.limit(plan).filter(|_| self.losses() == 1);
        let lasted = self.ended - self.began;
        memory.longest_wait(self.began, limit.map_or(lasted, |limit| limit.min(lasted)))
    }

    /// Names of the faults.
    #[must_use]
    pub fn names(&self) -> String {
        let names: Vec<&str> = self.faults.iter().map(|fault| fault.name()).collect();
        names.join(" + ")
    }
}
