//! A look at the store, taken in.

use super::life::Life;
use super::table::{Mine, Owner};
use super::{Action, Coordinator, Denied, LifeKey, life_key};
use crate::event::Event;
use crate::observe::{Look, after};
use crate::plan::Plan;
use crate::port::{ClaimKey, ClaimRow, Durability, NodeRow, NodeState, View};
use purlin_types::{BootTime, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Coordinator {
    pub(super) fn viewed(
        &mut self,
        now: &Now,
        asked: BootTime,
        outcome: Result<View, Denied>,
        out: &mut Vec<Action>,
    ) {
        self.requests.view.done(self.soon(now.boot));
        let Ok(view) = outcome else { return };
        if !self.believe(now.boot, &view.probe, out) {
            return;
        }
        self.compare_clocks(asked, now, &view.probe, out);
        let lives = shown_lives(&view);
        let look = self.observer.look(
            &self.timing,
            (asked, now.boot),
            view.probe.timeline,
            lives.clone(),
        );
        if !matches!(look, Look::Fresh | Look::NewTimeline { .. }) {
            return;
        }
        if view.probe.durability == Durability::Local && matches!(look, Look::Fresh) {
            self.observer.settle();
        }
        self.requests.view.done(after(asked, self.timing.renew));
        self.find_myself(now.boot, asked, &view, out);
        if self.life.is_over() {
            return;
        }
        self.show(now.boot, asked, view, lives, out);
        self.requests
            .view
            .hasten(self.observer.next_look(&self.timing).max(self.soon(now.boot)));
    }

    /// Is this node enrolled, may it, or does somebody else live under its id?
    fn find_myself(&mut self, now: BootTime, asked: BootTime, view: &View, out: &mut Vec<Action>) {
        let row = view.nodes.iter().find(|node| node.id == self.me.id);
        let mine = row.filter(|row| row.incarnation == self.me.incarnation);
        match (self.life, mine) {
            (Life::Enrolled(_), None) if asked >= self.enrolled.0 => {
                let other = row.map(|row| row.incarnation);
                match view.probe.timeline > self.enrolled.1 && (other.is_none() || other == self.replaced) {
                    true => self.enrol_anew(row, out),
                    false => self.supersede(out),
                }
            }
            (_, Some(row)) if row.state == NodeState::Removed => self.supersede(out),
            // The answer to the enrolment was lost.
            (Life::Looking | Life::Watching { .. }, Some(row)) => {
                self.note_replaced();
                self.life = Life::Enrolled(row.state);
                self.enrolled = (now, view.probe.timeline);
            }
            (Life::Looking | Life::Watching { .. }, None) => {
                self.watch_former_life(row, out);
            }
            _ => {}
        }
    }

    /// A failover has lost this life's enrolment: nobody has replaced it. It enrols once more and keeps what it holds
    /// for as long as its lease runs. Only in a history that has never known it: there its `seq` may begin anew, because
    /// whoever watches it began anew with that history.
    fn enrol_anew(&mut self, row: Option<&NodeRow>, out: &mut Vec<Action>) {
        self.life = Life::Looking;
        self.watch_former_life(row, out);
    }

    fn watch_former_life(&mut self, row: Option<&NodeRow>, out: &mut Vec<Action>) {
        let other = row.filter(|row| row.state != NodeState::Removed);
        let Some((other, seq)) = other.map(|row| (row.incarnation, row.seq)) else {
            self.life = Life::Looking;
            return;
        };
        let renewed = match self.life {
            Life::Watching {
                other: before,
                seq: then,
                renewed,
            } if before == other => renewed || seq > then,
            _ => false,
        };
        let told = matches!(self.life, Life::Watching { renewed: true, .. });
        if renewed && !told {
            Self::tell(out, Event::DuplicateId { live: other });
        }
        self.life = Life::Watching { other, seq, renewed };
    }

    fn show(
        &mut self,
        now: BootTime,
        asked: BootTime,
        view: View,
        lives: BTreeMap<LifeKey, Option<u64>>,
        out: &mut Vec<Action>,
    ) {
        let me = life_key(&self.me.id, self.me.incarnation);
        let others: Vec<LifeKey> = lives.into_keys().filter(|key| *key != me).collect();
        let index: BTreeMap<LifeKey, u16> = others.iter().cloned().zip(0..).collect();
        let watched = others.into_iter().map(|key| {
            let lapsed = self.is_lapsed(&key);
            (key, lapsed)
        });
        let watched = watched.collect();
        self.roster.show_lives(watched);
        let mut nodes = view.nodes;
        nodes.sort_by(|a, b| a.id.cmp(&b.id));
        self.roster.nodes = nodes;
        self.show_claims(
            (asked, now),
            &view.claims,
            |id, incarnation| {
                let key = life_key(id, incarnation);
                if key == me {
                    Owner::Me
                } else {
                    index.get(&key).map_or(Owner::Nobody, |&life| Owner::Other(life))
                }
            },
            out,
        );
        self.show_plan(view.plan.0, view.plan.1, out);
        self.tell_members(out);
        self.judge_standing(now);
        self.reckon(now);
        if self.gives_all_away() {
            // For whatever reason: who does not plan must not keep others from it.
            self.step_down();
        }
        self.give_away(now, out);
        self.make_plan(now);
        self.compare_homes();
    }

    fn show_claims(
        &mut self,
        (asked, now): (BootTime, BootTime),
        claims: &[ClaimRow],
        owner: impl Fn(&purlin_types::NodeId, purlin_types::Incarnation) -> Owner,
        out: &mut Vec<Action>,
    ) {
        self.table.clear_rows();
        let mut leader = (crate::port::Version::default(), Owner::Nobody);
        for claim in claims {
            let owner = claim
                .owner
                .as_ref()
                .map_or(Owner::Nobody, |(id, incarnation)| owner(id, *incarnation));
            match claim.key {
                ClaimKey::Slot(slot) => self.table.row(slot, claim.version, owner, claim.suspect),
                ClaimKey::Leader => leader = (claim.version, owner),
                ClaimKey::Lock(_) => {}
            }
        }
        self.leading.shown(leader.0, leader.1);
        self.name_leader(now, leader.1, out);
        self.check_held(asked, out);
    }

    /// What the store says is somebody else's by now is lost.
    fn check_held(&mut self, asked: BootTime, out: &mut Vec<Action>) {
        let lossy = self.lossy_below;
        let lost = self.table.select(|cell| match cell.mine {
            Mine::Not => false,
            Mine::Held { epoch, since, .. } => {
                let theirs = cell.owner != Owner::Me || cell.row.epoch != epoch;
                let doomed = epoch.timeline < lossy && cell.row.epoch <= epoch;
                asked >= since && theirs && !doomed
            }
            Mine::Leaving { epoch } | Mine::Releasing { epoch } => cell.row.epoch > epoch,
        });
        if lost.is_empty() {
            return;
        }
        for &slot in &lost {
            self.table.set(slot, Mine::Not);
        }
        Self::tell(
            out,
            Event::FenceLost {
                slots: u16::try_from(lost.len()).unwrap_or(u16::MAX),
            },
        );
    }

    /// A failover may have gone back to an older plan, or to another one of the same number. With none in the store, the
    /// last one stays in force until there is.
    fn show_plan(&mut self, number: u64, octets: Vec<u8>, out: &mut Vec<Action>) {
        if (number, &octets) == (self.roster.plan.0, &self.roster.plan.1) {
            return;
        }
        match Plan::decode(&octets) {
            _ if number == 0 => {}
            Ok(plan) => self.table.follow(Arc::new(plan)),
            Err(_) => Self::tell(out, Event::PlanUnreadable { number }),
        }
        self.roster.plan = (number, octets);
    }

    /// Who in the plan may own now.
    fn judge_standing(&mut self, now: BootTime) {
        let Some(plan) = self.table.plan().cloned() else {
            return;
        };
        let may_own = self.may_own(now);
        let stands = |id: &purlin_types::NodeId| {
            if *id == self.me.id {
                return may_own;
            }
            let found = self.roster.nodes.binary_search_by(|node| node.id.cmp(id));
            found.is_ok_and(|at| {
                let node = &self.roster.nodes[at];
                node.state == NodeState::Active && !self.is_lapsed(&life_key(id, node.incarnation))
            })
        };
        let standing = plan.nodes().iter().map(stands).collect();
        self.wishes.standing = standing;
        self.wishes.me = plan.nodes().binary_search(&self.me.id).ok();
    }

    fn compare_homes(&mut self) {
        let homes = self.roster.homes(&self.me.id);
        let moved = self.table.iter().any(|(slot, cell)| {
            let home = self.roster.home(cell).map(|index| &homes[usize::from(index)]);
            home != self.holdings.home(slot)
        });
        self.table.changed |= moved;
    }
}

/// Every life that is enrolled or owns a claim, with its `seq`, or `None` when it cannot renew.
fn shown_lives(view: &View) -> BTreeMap<LifeKey, Option<u64>> {
    let mut lives = BTreeMap::new();
    for (id, incarnation) in view.claims.iter().filter_map(|claim| claim.owner.as_ref()) {
        lives.entry(life_key(id, *incarnation)).or_insert(None);
    }
    for node in &view.nodes {
        let seq = (node.state != NodeState::Removed).then_some(node.seq);
        lives.insert(life_key(&node.id, node.incarnation), seq);
    }
    lives
}
