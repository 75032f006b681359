//! Claims within one process.

use super::{ReadClock, Unreachable};
use purlin_fabric::port::{
    Candidate, ClaimKey, ClaimRow, ClaimStore, Durability, Enrolment, Fault, Fence, Later, NodeRow,
    NodeState, Probe, Refusal, Renewal, Version, View, Wish,
};
use purlin_types::{Epoch, NodeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// The claim store of one process. It keeps nothing beyond it: whoever writes epochs into durable records gives a
/// timeline that no former process had.
pub struct LocalClaims {
    clock: ReadClock,
    state: Mutex<State>,
}

struct State {
    rows: Rows,
    /// What a failover that loses commits goes back to.
    standby: Rows,
    cut: bool,
}

#[derive(Clone)]
struct Rows {
    timeline: u32,
    /// Since the last failover that lost something.
    parted_below: u32,
    nodes: BTreeMap<NodeId, NodeRow>,
    claims: BTreeMap<ClaimKey, ClaimRow>,
    plan: (u64, Vec<u8>),
}

impl LocalClaims {
    /// An empty store on `timeline`; `clock` dates its probes.
    #[must_use]
    pub fn new(clock: ReadClock, timeline: u32) -> Self {
        let rows = Rows {
            timeline,
            parted_below: 0,
            nodes: BTreeMap::new(),
            claims: BTreeMap::new(),
            plan: (0, Vec::new()),
        };
        let state = State {
            standby: rows.clone(),
            rows,
            cut: false,
        };
        Self {
            clock,
            state: Mutex::new(state),
        }
    }

    /// Fault: no call gets an answer until called with `false`.
    pub fn cut(&self, cut: bool) {
        self.locked(|state| state.cut = cut);
    }

    /// Lets the imagined standby have all that is committed.
    pub fn replicate(&self) {
        self.locked(|state| state.standby = state.rows.clone());
    }

    /// Fault: goes on from the next timeline; with `lose`, without what came after the last [`Self::replicate`].
    pub fn fail_over(&self, lose: bool) {
        self.locked(|state| {
            let timeline = state.rows.timeline + 1;
            if lose {
                state.rows = state.standby.clone();
                state.rows.parted_below = timeline;
            }
            state.rows.timeline = timeline;
            state.standby = state.rows.clone();
        });
    }

    fn locked<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Nothing panics while it is held, so that a poisoned lock guards whole rows.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One transaction, begun when it is first polled.
    fn transact<'a, T>(
        &'a self,
        act: impl FnOnce(&mut Rows, Probe) -> Result<T, Refusal> + Send + 'a,
    ) -> Later<'a, Result<T, Fault>> {
        Box::pin(async move { self.at_once(act) })
    }

    fn at_once<T>(&self, act: impl FnOnce(&mut Rows, Probe) -> Result<T, Refusal>) -> Result<T, Fault> {
        let wall = (self.clock)().wall;
        self.locked(|state| {
            if state.cut {
                return Err(Fault::Unknown(Box::new(Unreachable)));
            }
            let probe = Probe {
                timeline: state.rows.timeline,
                wall,
                durability: Durability::Local,
                parted_below: state.rows.parted_below,
            };
            act(&mut state.rows, probe).map_err(Fault::Refused)
        })
    }
}

impl Rows {
    /// The node's row, if the candidate is its life and was not removed.
    fn live(&mut self, node: &Candidate) -> Result<&mut NodeRow, Refusal> {
        self.nodes
            .get_mut(&node.id)
            .filter(|row| row.incarnation == node.incarnation && row.state != NodeState::Removed)
            .ok_or(Refusal::Superseded)
    }

    fn enrol(&mut self, enrolment: &Enrolment) -> Result<&NodeRow, Refusal> {
        let known = self.nodes.get(&enrolment.id);
        match (known, enrolment.replaces) {
            (None, None) => {}
            (None, Some(_)) => return Err(Refusal::Stale),
            (Some(row), _) if row.state == NodeState::Removed => {
                if row.incarnation == enrolment.incarnation {
                    return Err(Refusal::Superseded);
                }
            }
            // Its first answer was lost.
            (Some(row), _) if row.incarnation == enrolment.incarnation => {
                return Ok(&self.nodes[&enrolment.id]);
            }
            (Some(row), replaces) if replaces != Some((row.incarnation, row.seq)) => {
                return Err(Refusal::DuplicateId {
                    live: row.incarnation,
                });
            }
            (Some(_), _) => {}
        }
        let row = NodeRow {
            id: enrolment.id.clone(),
            incarnation: enrolment.incarnation,
            seq: 0,
            state: NodeState::Joining,
            facts: enrolment.facts.clone(),
        };
        self.nodes.insert(enrolment.id.clone(), row);
        Ok(&self.nodes[&enrolment.id])
    }

    fn claim(&mut self, by: &Candidate, wish: &Wish) -> Option<Epoch> {
        let row = self.claims.get(&wish.key);
        let (version, suspect) = row.map_or((Version::default(), false), |row| (row.version, row.suspect));
        if version != wish.seen {
            return None;
        }
        let epoch = Epoch {
            timeline: self.timeline,
            counter: version.epoch.counter + 1,
        };
        let row = ClaimRow {
            key: wish.key.clone(),
            version: Version { epoch, step: 0 },
            owner: Some((by.id.clone(), by.incarnation)),
            suspect: suspect || wish.by_force,
        };
        self.claims.insert(wish.key.clone(), row);
        Some(epoch)
    }

    /// The claims among `held` that `by` holds under these epochs. One of a former timeline is no right: a failover may
    /// have lost its revocation.
    fn held<'a>(
        &'a mut self,
        by: &'a Candidate,
        held: &'a [Fence],
        mut change: impl FnMut(&mut ClaimRow) + 'a,
    ) {
        let timeline = self.timeline;
        for fence in held.iter().filter(|fence| fence.epoch.timeline == timeline) {
            let row = self.claims.get_mut(&fence.key).filter(|row| {
                let owner = row.owner.as_ref();
                row.version.epoch == fence.epoch
                    && owner.is_some_and(|(id, life)| *id == by.id && *life == by.incarnation)
            });
            if let Some(row) = row {
                change(row);
            }
        }
    }

    fn publish(&mut self, leader: &Fence, number: u64, plan: &[u8]) -> Result<(), Refusal> {
        let leads = self.claims.get(&ClaimKey::Leader).is_some_and(|row| {
            row.owner.is_some()
                && leader.key == row.key
                && leader.epoch == row.version.epoch
                && leader.epoch.timeline == self.timeline
        });
        if !leads || self.plan.0.checked_add(1) != Some(number) {
            return Err(Refusal::Stale);
        }
        self.plan = (number, plan.to_vec());
        Ok(())
    }
}

impl ClaimStore for LocalClaims {
    fn probe(&self) -> Later<'_, Result<Probe, Fault>> {
        self.transact(move |_, probe| Ok(probe))
    }

    fn view(&self) -> Later<'_, Result<View, Fault>> {
        self.transact(move |rows, probe| {
            Ok(View {
                probe,
                nodes: rows.nodes.values().cloned().collect(),
                claims: rows.claims.values().cloned().collect(),
                plan: rows.plan.clone(),
            })
        })
    }

    fn enrol<'a>(&'a self, enrolment: &'a Enrolment) -> Later<'a, Result<Renewal, Fault>> {
        self.transact(move |rows, probe| {
            let row = rows.enrol(enrolment)?;
            Ok(Renewal {
                probe,
                seq: row.seq,
                state: row.state,
            })
        })
    }

    fn renew<'a>(&'a self, node: &'a Candidate) -> Later<'a, Result<Renewal, Fault>> {
        self.transact(move |rows, probe| {
            let row = rows.live(node)?;
            row.seq += 1;
            Ok(Renewal {
                probe,
                seq: row.seq,
                state: row.state,
            })
        })
    }

    fn advance<'a>(
        &'a self,
        node: &'a Candidate,
        from: NodeState,
        to: NodeState,
    ) -> Later<'a, Result<(), Fault>> {
        self.transact(move |rows, _| {
            let row = rows.live(node)?;
            if row.state != from {
                return Err(Refusal::Stale);
            }
            row.state = to;
            Ok(())
        })
    }

    fn claim<'a>(
        &'a self,
        by: &'a Candidate,
        wishes: &'a [Wish],
    ) -> Later<'a, Result<Vec<Option<Epoch>>, Fault>> {
        self.transact(move |rows, _| {
            rows.live(by)?;
            Ok(wishes.iter().map(|wish| rows.claim(by, wish)).collect())
        })
    }

    fn release<'a>(&'a self, by: &'a Candidate, held: &'a [Fence]) -> Later<'a, Result<(), Fault>> {
        self.transact(move |rows, _| {
            rows.held(by, held, |row| {
                row.owner = None;
                row.version.step += 1;
            });
            Ok(())
        })
    }

    fn settle<'a>(&'a self, by: &'a Candidate, held: &'a [Fence]) -> Later<'a, Result<(), Fault>> {
        self.transact(move |rows, _| {
            rows.held(by, held, |row| {
                if row.suspect {
                    row.suspect = false;
                    row.version.step += 1;
                }
            });
            Ok(())
        })
    }

    fn publish_plan<'a>(
        &'a self,
        leader: &'a Fence,
        number: u64,
        plan: &'a [u8],
    ) -> Later<'a, Result<(), Fault>> {
        self.transact(move |rows, _| rows.publish(leader, number, plan))
    }
}

impl fmt::Debug for LocalClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.locked(|state| {
            f.debug_struct("LocalClaims")
                .field("timeline", &state.rows.timeline)
                .field("nodes", &state.rows.nodes.len())
                .field("claims", &state.rows.claims.len())
                .finish_non_exhaustive()
        })
    }
}
