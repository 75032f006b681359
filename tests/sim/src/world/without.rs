//! Rules left out that lie between a node and what it is told.

use super::World;
use crate::clock::true_wall;
use crate::database::Laxity;
use crate::mutation::Mutation;
use purlin_dhcp_core::rows::{LEASES, WINDOWS};
use purlin_fabric::port::Renewal;
use purlin_fabric::{Action, Denied, Input, Timing};
use purlin_types::{BootTime, Now};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a node was told last, as far as a rule left out makes something of it.
#[derive(Debug, Default)]
pub(super) struct Hopes(BTreeMap<usize, Renewal>);

/// By how much contenders watch too briefly.
fn haste(timing: &Timing) -> Duration {
    timing.ttl * 2 / 5
}

/// The times that nodes go by.
pub(super) fn believed(timing: Timing, mutation: Option<Mutation>) -> Timing {
    match mutation {
        // What owners count stays as it was: see `World::misdate`.
        Some(Mutation::Impatient) => Timing {
            ttl: timing.ttl - haste(&timing),
            ..timing
        },
        _ => timing,
    }
}

/// What the database leaves out.
pub(super) fn laxity(mutation: Option<Mutation>) -> Laxity {
    let is = |wanted| mutation == Some(wanted);
    Laxity {
        no_fence: is(Mutation::NoFence),
        forgets_suspect: is(Mutation::ForgetfulSuspect),
        old_claims_fence: is(Mutation::OldClaimsFence),
        hides_timeline: is(Mutation::BlindToFailover),
        denies_past: is(Mutation::EagerAfterFailover),
        silent_renewal: is(Mutation::SilentRenewal),
        admits_twins: is(Mutation::Twins),
        no_order: is(Mutation::RowsOutOfOrder),
        no_unique: is(Mutation::NoUnique),
        calls_itself_alone: is(Mutation::AloneByHearsay),
    }
}

impl World {
    /// When something was asked for, and what time it is, as the node is made to believe.
    pub(super) fn misdate(&self, now: &mut Now, input: &mut Input) {
        let renewed = match input {
            Input::Renewed { asked, .. } => Some(asked),
            _ => None,
        };
        match (self.mutation, renewed) {
            (Some(Mutation::CountFromAnswer), Some(asked)) => *asked = now.boot,
            (Some(Mutation::Impatient), Some(asked)) => {
                let haste = haste(&self.scene.timing).as_nanos() as u64;
                *asked = BootTime(asked.0 + haste);
            }
            (Some(Mutation::DeafToSkew), _) => now.wall = true_wall(self.real),
            _ => {}
        }
    }

    /// What a node makes of an answer without its rule.
    pub(super) fn mislead(&mut self, node: usize, input: &mut Input) {
        match (self.mutation, input) {
            (Some(Mutation::HopefulRenewal), Input::Renewed { outcome, .. }) => match outcome {
                Ok(renewal) => drop(self.hopes.0.insert(node, *renewal)),
                Err(Denied::Unknown) => {
                    if let Some(last) = self.hopes.0.get(&node) {
                        *outcome = Ok(*last);
                    }
                }
                Err(Denied::Refused(_)) => {}
            },
            // It does not look whether its name is taken.
            (
                Some(Mutation::Twins),
                Input::Viewed {
                    outcome: Ok(view), ..
                },
            ) => {
                let me = &self.nodes[node].me;
                view.nodes
                    .retain(|row| row.id != me.id || row.incarnation == me.incarnation);
            }
            (
                Some(Mutation::HintsDecide),
                Input::Viewed {
                    outcome: Ok(view), ..
                },
            ) => {
                let timeout = self.scene.timing.ttl.as_nanos() as u64;
                let me = &self.nodes[node].me;
                for claim in &mut view.claims {
                    let gone = |owner: &(purlin_types::NodeId, _)| {
                        owner.0 != me.id && !self.redis.shows(self.real, owner.0.as_str(), timeout)
                    };
                    claim.owner.take_if(|owner| gone(owner));
                }
            }
            _ => {}
        }
    }

    /// Rows as a look finds them, to be taken for those of a claim that follows.
    pub(super) fn load_early(&mut self, node: usize, database: usize, action: &Action) {
        if self.mutation != Some(Mutation::EarlyLoad) || !matches!(action, Action::View) {
            return;
        }
        let database = &self.databases[database];
        for &slot in &self.slots {
            let it = &mut self.nodes[node];
            if it.holdings.epoch(slot).is_some() {
                continue;
            }
            let rows = [WINDOWS, LEASES].into_iter();
            let rows = rows.flat_map(|table| database.load(table, &[slot]));
            let bodies = rows.map(|(_, epoch, body)| (epoch, body)).collect();
            it.loader.early.insert(slot, bodies);
        }
    }
}
