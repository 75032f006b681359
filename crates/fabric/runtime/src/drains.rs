//! Drains being watched: whoever is asked knows how far a draining node is and when it will be done.
//!
//! Slots are what the claim store says, looked at whenever this node's view changes; sessions and leases are the
//! draining node's own word, a few seconds old.

use crate::drive::Clock;
use crate::handle::{Fabric, Snapshot};
use crate::scaling::{NodeInput, Scaler};
use purlin_fabric::drain::{Left, Progress, Report};
use purlin_fabric::port::NodeState;
use purlin_fabric::{Member, Suspicion};
use purlin_types::{BootTime, Incarnation, NodeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;

/// Between two looks while nothing changes: rates and times left go on.
const LOOK: Duration = Duration::from_secs(1);
/// Whoever waits for a drain has a deadline; the drain itself has none.
const NO_DEADLINE: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The drains of a cluster as one node sees them. Clones share it; it ends with the last one.
#[derive(Debug, Clone)]
pub struct Drains(Arc<Shared>);

struct Shared {
    watched: Arc<Watched>,
    task: AbortHandle,
}

struct Watched {
    clock: Clock,
    seen: Mutex<Seen>,
}

/// By node, of one life each.
#[derive(Default)]
struct Seen {
    drains: BTreeMap<NodeId, (Incarnation, Progress)>,
    /// What those have that do not drain: where a drain begins from.
    whole: BTreeMap<NodeId, (Incarnation, Left)>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drains").finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Drains {
    /// Begins to watch. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(fabric: &Fabric, scaler: &Scaler, clock: Clock) -> Self {
        let watched = Arc::new(Watched {
            clock,
            seen: Mutex::default(),
        });
        let (fabric, scaler) = (fabric.clone(), scaler.clone());
        let task = tokio::spawn(watch(Arc::clone(&watched), fabric, scaler)).abort_handle();
        Self(Arc::new(Shared { watched, task }))
    }

    /// How far a node's drain is; `None` for one that does not drain.
    #[must_use]
    pub fn report(&self, node: &NodeId) -> Option<Report> {
        let watched = &self.0.watched;
        let now = (watched.clock)().boot;
        let seen = watched.seen();
        seen.drains.get(node).map(|(_, progress)| progress.report(now))
    }
}

async fn watch(watched: Arc<Watched>, fabric: Fabric, scaler: Scaler) {
    let mut snapshots = fabric.snapshots();
    loop {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        watched.look(&snapshot, &scaler.view().inputs);
        if let Ok(Err(_)) = tokio::time::timeout(LOOK, snapshots.changed()).await {
            return;
        }
    }
}

impl Watched {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, snapshot: &Snapshot, inputs: &[NodeInput]) {
        let now: BootTime = (self.clock)().boot;
        let draining =
            |member: &&Member| member.state == NodeState::Draining && member.suspicion != Suspicion::Lapsed;
        let (members, others): (Vec<&Member>, Vec<&Member>) = snapshot.members.iter().partition(draining);
        let mut seen = self.seen();
        let Seen { drains, whole } = &mut *seen;
        drains.retain(|node, (life, _)| {
            let same = |member: &&Member| (&member.id, member.incarnation) == (node, *life);
            members.iter().any(same)
        });
        for member in &members {
            let left = left(member, inputs);
            let life = member.incarnation;
            let before = whole.get(&member.id).filter(|(known, _)| *known == life);
            let first = before.map_or(left, |(_, before)| *before);
            let begun = || (life, Progress::new(now, first, NO_DEADLINE));
            let (_, progress) = drains.entry(member.id.clone()).or_insert_with(begun);
            progress.update(now, left);
        }
        whole.clear();
        let of = |member: &&Member| (member.id.clone(), (member.incarnation, left(member, inputs)));
        whole.extend(others.iter().map(of));
    }
}

/// What a node still has.
fn left(member: &Member, inputs: &[NodeInput]) -> Left {
    let said = inputs.iter().find(|input| input.id == member.id);
    let pulse = said.and_then(|input| input.pulse.as_ref());
    let sessions = pulse.and_then(|pulse| pulse.sessions).unwrap_or(0);
    Left {
        slots: u32::from(member.slots),
        sessions: u32::try_from(sessions).unwrap_or(u32::MAX),
        outstanding: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_fabric::drain::Step;
    use purlin_fabric::port::NodeFacts;
    use purlin_types::{Now, Tenure, WallTime};

    fn snapshot(state: NodeState, slots: u16) -> Snapshot {
        let member = Member {
            id: NodeId::parse("n1").expect("an id"),
            incarnation: Incarnation(1),
            state,
            facts: NodeFacts::default(),
            slots,
            leader: false,
            silent: Duration::ZERO,
            suspicion: Suspicion::None,
        };
        Snapshot {
            members: vec![member],
            leader: None,
            readiness: Ok(()),
            tenure: Tenure::SOLE,
            leadership: None,
            plan: None,
            clock_rate: None,
        }
    }

    #[test]
    fn a_drain_begins_from_what_the_node_had_before_anybody_saw_it() {
        let watched = Watched {
            clock: Arc::new(|| Now {
                boot: BootTime(1_000_000_000),
                wall: WallTime(0),
            }),
            seen: Mutex::default(),
        };
        watched.look(&snapshot(NodeState::Active, 1365), &[]);
        assert!(watched.seen().drains.is_empty());
        // Half of them had gone before the next look.
        watched.look(&snapshot(NodeState::Draining, 600), &[]);
        let report = |watched: &Watched| {
            let seen = watched.seen();
            let (_, progress) = seen.drains.values().next().expect("it drains");
            progress.report(BootTime(2_000_000_000))
        };
        let half = report(&watched);
        assert_eq!(
            (half.step, half.left.slots, half.at_first.slots),
            (Step::Slots, 600, 1365)
        );
        assert!(
            half.eta.is_some_and(|eta| eta < Duration::from_secs(1)),
            "{half:?}"
        );
        watched.look(&snapshot(NodeState::Draining, 0), &[]);
        assert_eq!(report(&watched).step, Step::Done);
        watched.look(&snapshot(NodeState::Active, 0), &[]);
        assert!(watched.seen().drains.is_empty(), "it is back");
    }
}
