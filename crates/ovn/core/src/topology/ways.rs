//! Ways through the graph, and what is around a node.

use super::{Graph, neighbours};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

impl Graph {
    /// The node of this id or label; labels of networks before those of ports.
    pub fn find(&self, name: &str) -> Option<&super::Node> {
        let by_id = self.nodes.iter().find(|node| node.id == name);
        by_id.or_else(|| {
            let named = self.nodes.iter().filter(|node| node.label == name);
            named.min_by_key(|node| node.kind)
        })
    }

    /// Ids on a shortest way, both ends included; `None` when there is none.
    pub fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let near = neighbours(self);
        let mut came: BTreeMap<&str, &str> = BTreeMap::new();
        let from = self.find(from)?.id.as_str();
        let to = self.find(to)?.id.as_str();
        let mut queue = VecDeque::from([from]);
        let mut seen = BTreeSet::from([from]);
        while let Some(id) = queue.pop_front() {
            if id == to {
                let mut way = vec![to.to_owned()];
                let mut at = to;
                while let Some(before) = came.get(at) {
                    at = before;
                    way.push(at.to_owned());
                }
                way.reverse();
                return Some(way);
            }
            for other in near.get(id).into_iter().flatten() {
                if seen.insert(other) {
                    came.insert(other, id);
                    queue.push_back(other);
                }
            }
        }
        None
    }

    /// The part within `steps` links of a node, with how far each node is; `None` when there is no such node.
    pub fn around(&self, center: &str, steps: usize) -> Option<(Self, BTreeMap<String, usize>)> {
        let center = self.find(center)?;
        let near = neighbours(self);
        let mut far = BTreeMap::from([(center.id.as_str(), 0)]);
        let mut edge = vec![center.id.as_str()];
        for step in 1..=steps {
            let mut next = Vec::new();
            for other in edge.iter().flat_map(|id| near.get(id).into_iter().flatten()) {
                if !far.contains_key(other) {
                    far.insert(other, step);
                    next.push(*other);
                }
            }
            if next.is_empty() {
                break;
            }
            edge = next;
        }
        let part = self.keep(|node| far.contains_key(node.id.as_str()));
        let far = far.into_iter().map(|(id, far)| (id.to_owned(), far)).collect();
        Some((part, far))
    }

    /// The nodes for which this holds, and the links between them.
    pub(super) fn keep(&self, holds: impl Fn(&super::Node) -> bool) -> Self {
        let nodes: Vec<super::Node> = self.nodes.iter().filter(|node| holds(node)).cloned().collect();
        let kept: BTreeSet<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
        let links = self.links.iter();
        let links = links.filter(|link| kept.contains(link.from.as_str()) && kept.contains(link.to.as_str()));
        let links = links.cloned().collect();
        Self {
            links,
            truncated: self.truncated,
            total: nodes.len(),
            nodes,
        }
    }
}
