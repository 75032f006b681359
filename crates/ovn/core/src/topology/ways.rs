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

    /// The part within `steps` links of a node.
    #[must_use]
    pub fn around(&self, center: &str, steps: usize) -> Self {
        let Some(center) = self.find(center) else {
            return Self::default();
        };
        let near = neighbours(self);
        let mut kept = BTreeSet::from([center.id.as_str()]);
        for _ in 0..steps {
            let next: Vec<&str> = kept
                .iter()
                .flat_map(|id| near.get(id).into_iter().flatten().copied())
                .collect();
            kept.extend(next);
        }
        Self {
            nodes: self
                .nodes
                .iter()
                .filter(|node| kept.contains(node.id.as_str()))
                .cloned()
                .collect(),
            links: self
                .links
                .iter()
                .filter(|link| kept.contains(link.from.as_str()) && kept.contains(link.to.as_str()))
                .cloned()
                .collect(),
            truncated: self.truncated,
        }
    }
}
