//! Who there is, as the newest look showed it.

use super::table::{Cell, Mine, Owner};
use super::{Action, Coordinator, LifeKey, life_key};
use crate::event::Event;
use crate::member::{Member, Suspicion};
use crate::observe::after;
use crate::port::{NodeRow, NodeState};
use purlin_types::{BootTime, NodeId};
use std::collections::BTreeMap;
use std::time::Duration;

/// Nodes, and the other lives that own claims.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    /// In order of their ids.
    pub(super) nodes: Vec<NodeRow>,
    /// The life that leads, as long as its lease may hold.
    pub(super) leader: Option<LifeKey>,
    pub(super) timeline: Option<u32>,
    /// The newest plan in the store, readable or not.
    pub(super) plan: (u64, Vec<u8>),
    /// What [`Owner::Other`] counts, with whether it has lapsed.
    lives: Vec<(LifeKey, bool)>,
    /// Who was told to have joined, by its life.
    known: BTreeMap<NodeId, u64>,
}

impl Roster {
    pub(super) fn show_lives(&mut self, lives: Vec<(LifeKey, bool)>) {
        self.lives = lives;
    }

    pub(super) fn is_lapsed(&self, life: u16) -> bool {
        self.lives
            .get(usize::from(life))
            .is_some_and(|(_, lapsed)| *lapsed)
    }

    pub(super) fn life_of(&self, owner: Owner, me: &LifeKey) -> Option<LifeKey> {
        match owner {
            Owner::Nobody => None,
            Owner::Me => Some(me.clone()),
            Owner::Other(life) => {
                let (key, lapsed) = self.lives.get(usize::from(life))?;
                (!lapsed).then(|| key.clone())
            }
        }
    }

    /// Whom [`Roster::home`] counts.
    pub(super) fn homes(&self, me: &NodeId) -> Vec<NodeId> {
        let others = self.lives.iter().map(|(key, _)| key.0.clone());
        std::iter::once(me.clone()).chain(others).collect()
    }

    /// Who decides about a slot.
    pub(super) fn home(&self, cell: &Cell) -> Option<u16> {
        match (cell.mine, cell.owner) {
            (Mine::Held { .. }, _) => Some(0),
            (Mine::Not, Owner::Other(life)) if !self.is_lapsed(life) => Some(life + 1),
            _ => None,
        }
    }
}

impl Coordinator {
    /// Tells who came and who went.
    pub(super) fn tell_members(&mut self, out: &mut Vec<Action>) {
        let mut known = BTreeMap::new();
        for node in &self.roster.nodes {
            let lapsed = self.is_lapsed(&life_key(&node.id, node.incarnation));
            let present = matches!(node.state, NodeState::Active | NodeState::Draining) && !lapsed;
            if !present {
                continue;
            }
            known.insert(node.id.clone(), node.incarnation.0);
            if self.roster.known.get(&node.id) != Some(&node.incarnation.0) {
                Self::tell(out, Event::NodeJoined(node.id.clone()));
            }
        }
        for id in self.roster.known.keys().filter(|id| !known.contains_key(*id)) {
            let row = self.roster.nodes.iter().find(|node| node.id == *id);
            let graceful = row.is_none_or(|row| row.state == NodeState::Removed);
            Self::tell(
                out,
                Event::NodeLeft {
                    node: id.clone(),
                    graceful,
                },
            );
        }
        self.roster.known = known;
    }
}

pub(super) fn members(coordinator: &Coordinator, now: BootTime) -> Vec<Member> {
    let roster = &coordinator.roster;
    let mut slots: BTreeMap<(&NodeId, u64), u16> = BTreeMap::new();
    for (_, cell) in coordinator.table.iter() {
        match (cell.mine, cell.owner) {
            (Mine::Held { .. }, _) => {
                *slots
                    .entry((&coordinator.me.id, coordinator.me.incarnation.0))
                    .or_default() += 1;
            }
            (_, Owner::Other(life)) => {
                if let Some((key, _)) = roster.lives.get(usize::from(life)) {
                    *slots.entry((&key.0, key.1)).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    let late = coordinator.timing.renew * 2;
    let member = |node: &NodeRow| {
        let key = life_key(&node.id, node.incarnation);
        let since = coordinator.observer.since(&key).unwrap_or(now);
        let suspicion = match coordinator.is_lapsed(&key) {
            true => Suspicion::Lapsed,
            false if now > after(since, late) => Suspicion::Late,
            false => Suspicion::None,
        };
        Member {
            id: node.id.clone(),
            incarnation: node.incarnation,
            state: node.state,
            facts: node.facts.clone(),
            slots: slots.get(&(&node.id, node.incarnation.0)).copied().unwrap_or(0),
            leader: roster.leader.as_ref() == Some(&key),
            silent: Duration::from_nanos(now.0.saturating_sub(since.0)),
            suspicion,
        }
    };
    roster.nodes.iter().map(member).collect()
}
