//! Making a plan out of wishes, bounds and what is already there.
//!
//! Every node has a band of loads around its share. Slots stay where they are except for three reasons, dealt with in
//! this order: their owner is gone (orphans), a node is below its band, a node is above it. A node below is lifted with
//! orphans first, then from nodes above their band, so that one move mends both: the number of moves is the larger
//! of what is missing below and what is too much above, which no plan within the bands can undercut.

use super::{NODES_MAX, Plan, PlanMember, PlanSettings};
use crate::ring::Orders;
use purlin_types::{NodeId, SLOTS, Slot};
use std::collections::HashMap;

/// How many slots a node may own.
#[derive(Debug, Clone, Copy)]
struct Band {
    low: usize,
    /// Its share, rounded up.
    share: usize,
    high: usize,
}

impl Band {
    fn new(weight: u16, total: u64, bound: f64) -> Self {
        let exact = f64::from(SLOTS) * f64::from(weight) / total as f64;
        let share = exact.ceil() as usize;
        let bound = bound.max(1.0);
        Self {
            low: (exact * (2.0 - bound).max(0.0)).floor() as usize,
            share,
            // Never below the share rounded up: all bands together must hold all slots.
            high: ((exact * bound).min(f64::from(SLOTS)) as usize).max(share),
        }
    }
}

/// Owners being worked out.
struct Draft<'a> {
    orders: &'a Orders,
    bands: Vec<Band>,
    owners: Vec<u16>,
    loads: Vec<usize>,
    /// Slots whose former owner is gone: they move whatever happens, so moving them on costs nothing.
    orphans: Vec<Slot>,
    /// Moves left that take a slot from an owner that is still there.
    budget: usize,
}

pub(super) fn plan(previous: Option<&Plan>, members: &[PlanMember], settings: &PlanSettings) -> Plan {
    let members = eligible(members);
    let number = previous.map_or(0, |plan| plan.number) + 1;
    let nodes: Vec<NodeId> = members.iter().map(|member| member.id.clone()).collect();
    if nodes.is_empty() {
        return Plan {
            number,
            nodes,
            copies: 0,
            preferences: Vec::new(),
        };
    }
    let weighted: Vec<(&NodeId, u16)> = members.iter().map(|m| (&m.id, m.weight)).collect();
    let orders = Orders::new(settings.method, settings.virtual_nodes.max(1), &weighted);
    // Without bounds nothing would ever lead a slot to a newcomer: the ring is taken as it falls.
    let kept = previous.filter(|_| settings.load_bound.is_finite());
    let owners = owners(kept, &weighted, &orders, settings);
    let copies = usize::from(settings.replication_factor.max(1)).min(nodes.len());
    let zones: Vec<&str> = members.iter().map(|member| member.zone.as_str()).collect();
    let mut preferences = Vec::with_capacity(usize::from(SLOTS) * copies);
    for slot in Slot::all() {
        let owner = owners[usize::from(slot.index())];
        with_standbys(&mut preferences, owner, orders.of(slot), &zones, copies);
    }
    Plan {
        number,
        nodes,
        copies: copies as u8,
        preferences,
    }
}

/// Who can own slots at all, by name.
fn eligible(members: &[PlanMember]) -> Vec<&PlanMember> {
    let mut eligible: Vec<&PlanMember> = members.iter().filter(|member| member.weight > 0).collect();
    eligible.sort_by(|a, b| (&a.id, &a.zone, a.weight).cmp(&(&b.id, &b.zone, b.weight)));
    eligible.dedup_by(|a, b| a.id == b.id);
    eligible.truncate(NODES_MAX);
    eligible
}

fn owners(
    previous: Option<&Plan>,
    nodes: &[(&NodeId, u16)],
    orders: &Orders,
    settings: &PlanSettings,
) -> Vec<u16> {
    let total = nodes.iter().map(|&(_, weight)| u64::from(weight)).sum();
    let band = |&(_, weight): &(_, u16)| Band::new(weight, total, settings.load_bound);
    let mut draft = Draft {
        orders,
        bands: nodes.iter().map(band).collect(),
        owners: vec![u16::MAX; usize::from(SLOTS)],
        loads: vec![0; nodes.len()],
        orphans: Vec::new(),
        budget: usize::from(settings.moves_max),
    };
    let now: HashMap<&NodeId, u16> = nodes
        .iter()
        .zip(0..)
        .map(|(&(id, _), index)| (id, index))
        .collect();
    let heirs = draft.keep(previous, &now);
    draft.place(&heirs);
    draft.fill();
    draft.relieve();
    draft.owners
}

impl Draft<'_> {
    /// Leaves every slot with its owner, if that is still there. For the others, the standbys that they had.
    fn keep(&mut self, previous: Option<&Plan>, now: &HashMap<&NodeId, u16>) -> Vec<Vec<u16>> {
        let mut heirs = Vec::new();
        for slot in Slot::all() {
            let mut former = previous.into_iter().flat_map(|plan| plan.preference(slot));
            match former.next().and_then(|owner| now.get(owner)) {
                Some(&owner) => self.give(slot, owner),
                None => {
                    self.orphans.push(slot);
                    heirs.push(former.filter_map(|id| now.get(id).copied()).collect());
                }
            }
        }
        heirs
    }

    /// Gives each orphan to the first of its former standbys with room, who knows it best; else in ring order.
    fn place(&mut self, heirs: &[Vec<u16>]) {
        for (slot, heirs) in self.orphans.clone().into_iter().zip(heirs) {
            let mut wanted = heirs.iter().chain(self.orders.of(slot)).copied();
            let found = wanted.find(|&node| self.load(node) < self.band(node).high);
            self.give(slot, found.expect("all bands together hold all slots"));
        }
    }

    /// Lifts nodes to their lower bound: with orphans, then from the heaviest kind of owner that will do.
    fn fill(&mut self) {
        let wanting: Vec<u16> = self
            .nodes()
            .filter(|&node| self.load(node) < self.band(node).low)
            .collect();
        let orphans = self.orphans.clone();
        for &node in &wanting {
            self.pull(node, &orphans, |band| band.low, false);
        }
        let all: Vec<Slot> = Slot::all().collect();
        let limits: [fn(Band) -> usize; 3] = [|band| band.high, |band| band.share, |band| band.low];
        for limit in limits {
            for &node in &wanting {
                self.pull(node, &all, limit, true);
            }
        }
    }

    /// Takes slots from owners above `limit` until `node` has its lower bound, those that it is first wanted for first.
    fn pull(&mut self, node: u16, from: &[Slot], limit: fn(Band) -> usize, costs: bool) {
        if self.load(node) >= self.band(node).low {
            return;
        }
        let mut by_rank: Vec<(u16, Slot)> = from
            .iter()
            .map(|&slot| (self.orders.rank(slot, node), slot))
            .collect();
        by_rank.sort_unstable();
        for (_, slot) in by_rank {
            if self.load(node) >= self.band(node).low || (costs && self.budget == 0) {
                return;
            }
            let owner = self.owners[usize::from(slot.index())];
            if owner != node && self.load(owner) > limit(self.band(owner)) {
                self.budget -= usize::from(costs);
                self.hand(slot, owner, node);
            }
        }
    }

    /// Takes from nodes above their band what is too much, the slots that least want them first.
    fn relieve(&mut self) {
        for node in self.nodes() {
            if self.load(node) <= self.band(node).high {
                continue;
            }
            let owned = Slot::all().filter(|slot| self.owners[usize::from(slot.index())] == node);
            let mut by_rank: Vec<(u16, Slot)> =
                owned.map(|slot| (self.orders.rank(slot, node), slot)).collect();
            by_rank.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
            for (_, slot) in by_rank {
                if self.load(node) <= self.band(node).high || self.budget == 0 {
                    break;
                }
                self.budget -= 1;
                self.hand(slot, node, self.receiver(slot));
            }
        }
    }

    /// Who takes a slot from a node that has too many: the first in ring order below its share.
    fn receiver(&self, slot: Slot) -> u16 {
        let mut order = self.orders.of(slot).iter().copied();
        let found = order.find(|&node| self.load(node) < self.band(node).share);
        found.expect("one node above its share means another below")
    }

    fn give(&mut self, slot: Slot, to: u16) {
        self.owners[usize::from(slot.index())] = to;
        self.loads[usize::from(to)] += 1;
    }

    fn hand(&mut self, slot: Slot, from: u16, to: u16) {
        self.loads[usize::from(from)] -= 1;
        self.give(slot, to);
    }

    fn load(&self, node: u16) -> usize {
        self.loads[usize::from(node)]
    }

    fn band(&self, node: u16) -> Band {
        self.bands[usize::from(node)]
    }

    fn nodes(&self) -> std::ops::Range<u16> {
        0..self.bands.len() as u16
    }
}

/// Appends a slot's preference list: the owner, then standbys in ring order, those from zones not yet in it first.
fn with_standbys(out: &mut Vec<u16>, owner: u16, order: &[u16], zones: &[&str], copies: usize) {
    let start = out.len();
    out.push(owner);
    let zone = |node: u16| zones[usize::from(node)];
    for distinct in [true, false] {
        for &node in order {
            let list = &out[start..];
            if list.len() == copies {
                return;
            }
            let crowded = distinct && list.iter().any(|&other| zone(other) == zone(node));
            if !crowded && !list.contains(&node) {
                out.push(node);
            }
        }
    }
}
