//! A claim store as the port describes it, with failovers that lose what the standby did not have.

use purlin_fabric::port::{
    Candidate, ClaimKey, ClaimRow, Durability, Enrolment, Fence, NodeRow, NodeState, Probe, Refusal, Renewal,
    Version, View, Wish,
};
use purlin_types::{Epoch, NodeId, Slot, WallTime};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default)]
struct Rows {
    nodes: BTreeMap<NodeId, NodeRow>,
    claims: BTreeMap<ClaimKey, ClaimRow>,
    plan: (u64, Vec<u8>),
}

#[derive(Debug)]
pub(crate) struct Store {
    rows: Rows,
    standby: Rows,
    pub(crate) timeline: u32,
    pub(crate) durability: Durability,
    pub(crate) wall: WallTime,
    parted_below: u32,
}

impl Store {
    pub(crate) fn new(durability: Durability) -> Self {
        Self {
            rows: Rows::default(),
            standby: Rows::default(),
            timeline: 1,
            durability,
            wall: WallTime(0),
            parted_below: 0,
        }
    }

    pub(crate) fn replicate(&mut self) {
        self.standby = self.rows.clone();
    }

    /// The standby takes over: with `Synced` durability it has everything.
    pub(crate) fn fail_over(&mut self) {
        if self.durability == Durability::Synced {
            self.replicate();
        }
        self.rows = self.standby.clone();
        self.timeline += 1;
        if self.durability != Durability::Synced {
            self.parted_below = self.timeline;
        }
    }

    pub(crate) fn probe(&self) -> Probe {
        Probe {
            timeline: self.timeline,
            wall: self.wall,
            durability: self.durability,
            parted_below: self.parted_below,
        }
    }

    pub(crate) fn view(&self) -> View {
        View {
            probe: self.probe(),
            nodes: self.rows.nodes.values().cloned().collect(),
            claims: self.rows.claims.values().cloned().collect(),
            plan: self.rows.plan.clone(),
        }
    }

    pub(crate) fn enrol(&mut self, wish: &Enrolment) -> Result<Renewal, Refusal> {
        if let Some(row) = self.rows.nodes.get(&wish.id) {
            let removed = row.state == NodeState::Removed;
            let same = row.incarnation == wish.incarnation;
            if same {
                return if removed {
                    Err(Refusal::Superseded)
                } else {
                    Ok(self.renewal(row))
                };
            }
            if !removed && wish.replaces != Some((row.incarnation, row.seq)) {
                return Err(Refusal::DuplicateId {
                    live: row.incarnation,
                });
            }
        }
        let row = NodeRow {
            id: wish.id.clone(),
            incarnation: wish.incarnation,
            seq: 0,
            state: NodeState::Joining,
            facts: wish.facts.clone(),
        };
        let renewal = self.renewal(&row);
        self.rows.nodes.insert(wish.id.clone(), row);
        Ok(renewal)
    }

    pub(crate) fn renew(&mut self, by: &Candidate) -> Result<Renewal, Refusal> {
        let row = self.live(by)?;
        row.seq += 1;
        let row = row.clone();
        Ok(self.renewal(&row))
    }

    pub(crate) fn advance(&mut self, by: &Candidate, from: NodeState, to: NodeState) -> Result<(), Refusal> {
        let row = self.live(by)?;
        if row.state != from {
            return Err(Refusal::Stale);
        }
        row.state = to;
        Ok(())
    }

    pub(crate) fn claim(&mut self, by: &Candidate, wishes: &[Wish]) -> Result<Vec<Option<Epoch>>, Refusal> {
        self.live(by)?;
        Ok(wishes.iter().map(|wish| self.claim_one(by, wish)).collect())
    }

    fn claim_one(&mut self, by: &Candidate, wish: &Wish) -> Option<Epoch> {
        let timeline = self.timeline;
        let row = self.rows.claims.get(&wish.key);
        let (version, suspect) = row.map_or((Version::default(), false), |row| (row.version, row.suspect));
        if version != wish.seen {
            return None;
        }
        let epoch = Epoch {
            timeline,
            counter: version.epoch.counter + 1,
        };
        let row = ClaimRow {
            key: wish.key.clone(),
            version: Version { epoch, step: 0 },
            owner: Some((by.id.clone(), by.incarnation)),
            suspect: suspect || wish.by_force,
        };
        self.rows.claims.insert(wish.key.clone(), row);
        Some(epoch)
    }

    /// How often a slot was claimed.
    pub(crate) fn claims_of(&self, slot: Slot) -> u64 {
        let row = self.rows.claims.get(&ClaimKey::Slot(slot));
        row.map_or(0, |row| row.version.epoch.counter)
    }

    pub(crate) fn release(&mut self, by: &Candidate, held: &[Fence]) {
        for fence in held {
            if let Some(row) = self.held(by, fence) {
                row.owner = None;
                row.version.step += 1;
            }
        }
    }

    pub(crate) fn settle(&mut self, by: &Candidate, held: &[Fence]) {
        for fence in held {
            if let Some(row) = self.held(by, fence) {
                row.suspect = false;
                row.version.step += 1;
            }
        }
    }

    pub(crate) fn publish(&mut self, leader: &Fence, number: u64, plan: &[u8]) -> Result<(), Refusal> {
        let row = self.rows.claims.get(&ClaimKey::Leader);
        if !row.is_some_and(|row| row.owner.is_some() && row.version.epoch == leader.epoch)
            || number != self.rows.plan.0 + 1
        {
            return Err(Refusal::Stale);
        }
        self.rows.plan = (number, plan.to_vec());
        Ok(())
    }

    /// What a fenced write checks.
    pub(crate) fn fences(&mut self, by: &Candidate, slot: Slot, epoch: Epoch) -> bool {
        self.held(
            by,
            &Fence {
                key: ClaimKey::Slot(slot),
                epoch,
            },
        )
        .is_some()
    }

    /// The operator marks a node.
    pub(crate) fn mark(&mut self, id: &NodeId, state: NodeState) {
        if let Some(row) = self.rows.nodes.get_mut(id) {
            row.state = state;
        }
    }

    /// Somebody deletes a node's row by hand.
    pub(crate) fn forget(&mut self, id: &NodeId) {
        self.rows.nodes.remove(id);
    }

    fn held(&mut self, by: &Candidate, fence: &Fence) -> Option<&mut ClaimRow> {
        if fence.epoch.timeline != self.timeline && self.durability != Durability::Synced {
            return None;
        }
        let owner = (by.id.clone(), by.incarnation);
        let row = self.rows.claims.get_mut(&fence.key)?;
        (row.owner == Some(owner) && row.version.epoch == fence.epoch).then_some(row)
    }

    fn live(&mut self, by: &Candidate) -> Result<&mut NodeRow, Refusal> {
        let row = self.rows.nodes.get_mut(&by.id);
        row.filter(|row| row.incarnation == by.incarnation && row.state != NodeState::Removed)
            .ok_or(Refusal::Superseded)
    }

    fn renewal(&self, row: &NodeRow) -> Renewal {
        Renewal {
            probe: self.probe(),
            seq: row.seq,
            state: row.state,
        }
    }
}
