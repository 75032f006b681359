//! In which order the nodes of a cluster come for a key.
//!
//! Two methods give every node a place in every slot's order, from its name alone, so that a node that comes or goes
//! changes the place of no other. The orders are wishes: [`crate::plan`] turns them into owners and standbys.
//!
//! ```text
//!   consistent hashing   points of all nodes on a circle of 2^64; a slot walks clockwise and notes whom it meets
//!   rendezvous           every (slot, node) pair draws a number; the highest comes first
//! ```
//!
//! Consistent hashing: Karger et al., "Consistent Hashing and Random Trees", STOC 1997, section 4. Rendezvous: Thaler
//! and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998, section III; weights by the logarithm
//! method (a node of weight w wins as often as w nodes of weight 1).

mod hash;

pub(crate) use hash::{mix, of_bytes};

use purlin_types::{NodeId, SLOTS, Slot};

/// How the order of nodes for a slot is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// A ring with virtual nodes.
    #[default]
    ConsistentHashing,
    /// Highest random weight: more even, but every slot looks at every node.
    Rendezvous,
}

impl Method {
    pub const ALL: [Self; 2] = [Self::ConsistentHashing, Self::Rendezvous];

    /// The word that configurations and interfaces use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConsistentHashing => "consistent_hashing",
            Self::Rendezvous => "rendezvous",
        }
    }

    /// The method of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// For every slot all nodes, the most wanted first.
#[derive(Debug)]
pub(crate) struct Orders {
    nodes: usize,
    flat: Vec<u16>,
    /// The inverse: the place of each node, slot by slot.
    places: Vec<u16>,
}

impl Orders {
    /// `nodes` with their weights, 100 meaning `virtual_nodes` points on the ring.
    pub(crate) fn new(method: Method, virtual_nodes: u16, nodes: &[(&NodeId, u16)]) -> Self {
        let flat = match method {
            Method::ConsistentHashing => walk(&points(virtual_nodes, nodes), nodes.len()),
            Method::Rendezvous => draw(nodes),
        };
        let mut places = vec![0; flat.len()];
        for start in (0..flat.len()).step_by(nodes.len().max(1)) {
            for (&node, place) in flat[start..start + nodes.len()].iter().zip(0..) {
                places[start + usize::from(node)] = place;
            }
        }
        Self {
            nodes: nodes.len(),
            flat,
            places,
        }
    }

    /// The nodes for a slot, by index into the list that was given.
    pub(crate) fn of(&self, slot: Slot) -> &[u16] {
        let start = usize::from(slot.index()) * self.nodes;
        &self.flat[start..start + self.nodes]
    }

    /// The place of a node in a slot's order, 0 for the most wanted.
    pub(crate) fn rank(&self, slot: Slot, node: u16) -> u16 {
        self.places[usize::from(slot.index()) * self.nodes + usize::from(node)]
    }
}

/// The ring: every node's points, in order around the circle.
fn points(virtual_nodes: u16, nodes: &[(&NodeId, u16)]) -> Vec<(u64, u16)> {
    let mut points = Vec::new();
    for (index, (id, weight)) in (0..).zip(nodes) {
        let seed = of_bytes(id.as_str().as_bytes());
        let count = (u64::from(virtual_nodes.min(SLOTS)) * u64::from(*weight))
            .div_ceil(100)
            .max(1);
        points.extend((0..count).map(|n| (mix(seed.wrapping_add(mix(n))), index)));
    }
    points.sort_unstable();
    points
}

/// Slots sit evenly on the circle: what a node gets is the length of its arcs, without the noise of a second hash.
fn walk(points: &[(u64, u16)], nodes: usize) -> Vec<u16> {
    let mut flat = Vec::with_capacity(nodes * usize::from(SLOTS));
    // The slot that last met each node: no table to clear between slots.
    let mut met = vec![u16::MAX; nodes];
    for slot in Slot::all() {
        let at = u64::from(slot.index()) << (64 - SLOTS.trailing_zeros());
        let start = points.partition_point(|&(point, _)| point < at);
        let full = flat.len() + nodes;
        for &(_, node) in points[start..].iter().chain(&points[..start]) {
            if std::mem::replace(&mut met[usize::from(node)], slot.index()) != slot.index() {
                flat.push(node);
                if flat.len() == full {
                    break;
                }
            }
        }
    }
    flat
}

fn draw(nodes: &[(&NodeId, u16)]) -> Vec<u16> {
    let seeds: Vec<u64> = nodes
        .iter()
        .map(|(id, _)| of_bytes(id.as_str().as_bytes()))
        .collect();
    let mut flat = Vec::with_capacity(nodes.len() * usize::from(SLOTS));
    let mut scores: Vec<(f64, u16)> = Vec::with_capacity(nodes.len());
    for slot in Slot::all() {
        scores.clear();
        for ((index, (_, weight)), seed) in (0..).zip(nodes).zip(&seeds) {
            let drawn = mix(seed ^ mix(u64::from(slot.index())));
            // In (0, 1): 53 bits, and never 0, whose logarithm is no number.
            let uniform = ((drawn >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            scores.push((-uniform.ln() / f64::from(*weight), index));
        }
        scores.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        flat.extend(scores.iter().map(|&(_, index)| index));
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(method: Method, nodes: &[(&str, u16)]) -> (Vec<NodeId>, Orders) {
        let ids: Vec<NodeId> = nodes
            .iter()
            .map(|(id, _)| NodeId::parse(id).expect("an id"))
            .collect();
        let given: Vec<(&NodeId, u16)> = ids.iter().zip(nodes).map(|(id, (_, w))| (id, *w)).collect();
        let orders = Orders::new(method, 100, &given);
        (ids, orders)
    }

    #[test]
    fn every_slot_has_every_node_once() {
        for method in Method::ALL {
            let (_, orders) = orders(method, &[("a", 100), ("b", 1), ("c", 400)]);
            for slot in Slot::all() {
                let mut all = orders.of(slot).to_vec();
                all.sort_unstable();
                assert_eq!(all, [0, 1, 2]);
            }
        }
    }

    #[test]
    fn a_node_that_leaves_changes_no_other_order() {
        for method in Method::ALL {
            let (before, with) = orders(method, &[("a", 100), ("b", 100), ("c", 100), ("d", 100)]);
            let (after, without) = orders(method, &[("a", 100), ("c", 100), ("d", 100)]);
            for slot in Slot::all() {
                let left = with.of(slot).iter().map(|&n| &before[usize::from(n)]);
                let left: Vec<_> = left.filter(|id| id.as_str() != "b").collect();
                let now: Vec<_> = without.of(slot).iter().map(|&n| &after[usize::from(n)]).collect();
                assert_eq!(left, now);
            }
        }
    }

    #[test]
    fn weight_is_the_share_of_first_places() {
        // Rendezvous draws per slot: 4096 draws at 1/4 have a standard deviation of 28; five of them are 0.034.
        // The ring's shares are arcs: 100 points have one of about 10 % of the share, of which five are 0.125.
        for (method, slack) in [(Method::Rendezvous, 0.034), (Method::ConsistentHashing, 0.125)] {
            let (_, orders) = orders(method, &[("a", 100), ("b", 300)]);
            let first = Slot::all().filter(|&slot| orders.of(slot)[0] == 0).count();
            let share = first as f64 / f64::from(SLOTS);
            assert!((share - 0.25).abs() < slack, "{method:?}: {share}");
        }
    }

    #[test]
    fn a_name_unknown_is_no_method() {
        assert_eq!(
            Method::parse("consistent_hashing"),
            Some(Method::ConsistentHashing)
        );
        assert_eq!(Method::parse("random"), None);
    }
}
