//! Which part of the graph is wanted, and how much of it is shown.

use super::{Graph, Node, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

/// Which part of a graph is wanted. By default all of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Within so many links of this node.
    pub around: Option<(String, usize)>,
    /// Of these kinds; empty for all.
    pub kinds: BTreeSet<NodeKind>,
    /// Of this owner, in the words of [`crate::model::Owner`].
    pub owner: Option<String>,
    /// Of this tenant.
    pub tenant: Option<String>,
    /// With this in its name, capitals or not.
    pub name: Option<String>,
    /// Nodes at most; none for all.
    pub nodes_max: Option<usize>,
}

impl Selection {
    fn holds(&self, node: &Node) -> bool {
        let is = |wanted: &Option<String>, own: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == own)
        };
        let owner = self.owner.as_ref().map(|_| node.owner.to_string());
        let named = |name: &String| node.label.to_lowercase().contains(&name.to_lowercase());
        (self.kinds.is_empty() || self.kinds.contains(&node.kind))
            && is(&self.owner, owner.as_deref())
            && is(&self.tenant, node.tenant.as_deref())
            && self.name.as_ref().is_none_or(named)
    }
}

impl Graph {
    /// The wanted part; `None` when the node that it is around is not there. What is too much is cut: around a node what
    /// is far from it, else ports before networks.
    pub fn select(&self, wanted: &Selection) -> Option<Self> {
        let max = wanted.nodes_max.unwrap_or(usize::MAX);
        let Some((center, steps)) = &wanted.around else {
            return Some(self.keep(|node| wanted.holds(node)).first(max));
        };
        let id = self.find(center)?.id.clone();
        let (part, far) = self.around(&id, *steps)?;
        // The node itself stays, whatever else is asked for: it is what the picture is about.
        let part = part.keep(|node| node.id == id || wanted.holds(node));
        Some(part.cut(max, |node| far.get(&node.id).copied().unwrap_or(usize::MAX)))
    }

    /// The first nodes, networks before ports, and the links between them.
    #[must_use]
    pub fn first(self, nodes_max: usize) -> Self {
        self.cut(nodes_max, |node| usize::from(node.kind == NodeKind::Port))
    }

    fn cut(self, nodes_max: usize, rank: impl Fn(&Node) -> usize) -> Self {
        if self.nodes.len() <= nodes_max {
            return self;
        }
        let mut order: Vec<(usize, usize)> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(at, node)| (rank(node), at))
            .collect();
        order.sort_unstable();
        let kept: BTreeSet<&str> = order
            .iter()
            .take(nodes_max)
            .map(|(_, at)| self.nodes[*at].id.as_str())
            .collect();
        let mut cut = self.keep(|node| kept.contains(node.id.as_str()));
        cut.total = self.total;
        cut.truncated = true;
        cut
    }

    /// How many nodes of each kind.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for node in &self.nodes {
            *counts.entry(node.kind.word()).or_insert(0) += 1;
        }
        counts
    }
}
