//! The claim store: compare and set, statement by statement what `store/postgres/src/claims` says.

use super::{Change, Database};
use purlin_fabric::port::{
    Candidate, ClaimKey, ClaimRow, Enrolment, Fence, NodeRow, NodeState, Refusal, Renewal, Version, View,
    Wish,
};
use purlin_types::Epoch;

impl Database {
    pub(crate) fn view(&self, real: u64) -> View {
        View {
            probe: self.probe(real),
            nodes: self.tables.nodes.values().cloned().collect(),
            claims: self.tables.claims.values().cloned().collect(),
            plan: self.tables.plan.clone(),
        }
    }

    pub(crate) fn enrol(&mut self, real: u64, wish: &Enrolment) -> Result<Renewal, Refusal> {
        if let Some(row) = self.tables.nodes.get(&wish.id) {
            let removed = row.state == NodeState::Removed;
            if row.incarnation == wish.incarnation {
                return match removed {
                    true => Err(Refusal::Superseded),
                    false => Ok(self.renewal(real, row)),
                };
            }
            if !removed && !self.laxity.admits_twins && wish.replaces != Some((row.incarnation, row.seq)) {
                let live = row.incarnation;
                return Err(Refusal::DuplicateId { live });
            }
        } else if wish.replaces.is_some() {
            return Err(Refusal::Stale);
        }
        let row = NodeRow {
            id: wish.id.clone(),
            incarnation: wish.incarnation,
            seq: 0,
            state: NodeState::Joining,
            facts: wish.facts.clone(),
        };
        let renewal = self.renewal(real, &row);
        self.commit(vec![Change::Node(row)]);
        Ok(renewal)
    }

    pub(crate) fn renew(&mut self, real: u64, by: &Candidate) -> Result<Renewal, Refusal> {
        let mut row = self.live(by)?;
        row.seq += u64::from(!self.laxity.silent_renewal);
        let renewal = self.renewal(real, &row);
        self.commit(vec![Change::Node(row)]);
        Ok(renewal)
    }

    pub(crate) fn advance(&mut self, by: &Candidate, from: NodeState, to: NodeState) -> Result<(), Refusal> {
        let row = self.live(by)?;
        if row.state != from {
            return Err(Refusal::Stale);
        }
        self.commit(vec![Change::Node(NodeRow { state: to, ..row })]);
        Ok(())
    }

    pub(crate) fn claim(&mut self, by: &Candidate, wishes: &[Wish]) -> Result<Vec<Option<Epoch>>, Refusal> {
        self.live(by)?;
        Ok(wishes.iter().map(|wish| self.claim_one(by, wish)).collect())
    }

    fn claim_one(&mut self, by: &Candidate, wish: &Wish) -> Option<Epoch> {
        let row = self.tables.claims.get(&wish.key);
        let (version, suspect) = row.map_or((Version::default(), false), |row| (row.version, row.suspect));
        if version != wish.seen {
            return None;
        }
        let epoch = Epoch {
            timeline: self.shown_timeline(),
            counter: version.epoch.counter + 1,
        };
        self.commit(vec![Change::Claim(ClaimRow {
            key: wish.key.clone(),
            version: Version { epoch, step: 0 },
            owner: Some((by.id.clone(), by.incarnation)),
            suspect: wish.by_force || (suspect && !self.laxity.forgets_suspect),
        })]);
        Some(epoch)
    }

    pub(crate) fn release(&mut self, real: u64, by: &Candidate, held: &[Fence]) {
        self.change_held(real, by, held, |row| {
            row.owner = None;
            row.version.step += 1;
        });
    }

    pub(crate) fn settle(&mut self, real: u64, by: &Candidate, held: &[Fence]) {
        self.change_held(real, by, held, |row| {
            if row.suspect {
                row.suspect = false;
                row.version.step += 1;
            }
        });
    }

    fn change_held(&mut self, real: u64, by: &Candidate, held: &[Fence], change: impl Fn(&mut ClaimRow)) {
        let owner = Some((by.id.clone(), by.incarnation));
        for fence in held {
            let Some(row) = self.tables.claims.get(&fence.key) else {
                continue;
            };
            if row.owner == owner && row.version.epoch == fence.epoch && self.is_of_this_history(real, row) {
                let mut row = row.clone();
                change(&mut row);
                self.commit(vec![Change::Claim(row)]);
            }
        }
    }

    pub(crate) fn publish(
        &mut self,
        real: u64,
        leader: &Fence,
        number: u64,
        plan: &[u8],
    ) -> Result<(), Refusal> {
        let row = self.tables.claims.get(&ClaimKey::Leader);
        let leads = row.is_some_and(|row| {
            row.owner.is_some() && row.version.epoch == leader.epoch && self.is_of_this_history(real, row)
        });
        if !leads || number != self.tables.plan.0 + 1 {
            return Err(Refusal::Stale);
        }
        self.commit(vec![Change::Plan(number, plan.to_vec())]);
        Ok(())
    }

    fn live(&self, by: &Candidate) -> Result<NodeRow, Refusal> {
        let row = self.tables.nodes.get(&by.id);
        let live = row.filter(|row| row.incarnation == by.incarnation && row.state != NodeState::Removed);
        live.cloned().ok_or(Refusal::Superseded)
    }

    fn renewal(&self, real: u64, row: &NodeRow) -> Renewal {
        Renewal {
            probe: self.probe(real),
            seq: row.seq,
            state: row.state,
        }
    }
}
