//! Which layer a node is drawn in, and where in it.

use super::{Graph, NodeKind, neighbours};
use std::collections::{BTreeMap, VecDeque};

/// Outer networks are on top, all others as far below as their shortest way there is long. Parts without an outer network
/// begin with their routers, switches alone stand on top. In a layer, neighbours of what is above stand below it.
pub(super) fn lay_out(graph: &mut Graph) {
    let layers = layers(graph);
    let mut by_layer: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, node) in graph.nodes.iter().enumerate() {
        by_layer.entry(layers[node.id.as_str()]).or_default().push(at);
    }
    let mut places: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let near = neighbours(graph);
    for (layer, mut nodes) in by_layer {
        let above = |at: usize| {
            let id = graph.nodes[at].id.as_str();
            let orders: Vec<u32> = near
                .get(id)
                .into_iter()
                .flatten()
                .filter_map(|other| {
                    places
                        .get(*other)
                        .filter(|(above, _)| *above < layer)
                        .map(|(_, order)| *order)
                })
                .collect();
            // The middle of those above, in thousandths; without any, behind all that have some.
            match orders.len() {
                0 => u64::MAX,
                count => orders.iter().map(|order| u64::from(*order) * 1000).sum::<u64>() / count as u64,
            }
        };
        nodes.sort_by_cached_key(|at| {
            (
                above(*at),
                graph.nodes[*at].label.clone(),
                graph.nodes[*at].id.clone(),
            )
        });
        for (order, at) in nodes.into_iter().enumerate() {
            let order = u32::try_from(order).unwrap_or(u32::MAX);
            places.insert(graph.nodes[at].id.clone(), (layer, order));
        }
    }
    drop(near);
    for node in &mut graph.nodes {
        (node.layer, node.order) = places[&node.id];
    }
}

fn layers(graph: &Graph) -> BTreeMap<String, u32> {
    let near = neighbours(graph);
    let mut layers: BTreeMap<String, u32> = BTreeMap::new();
    for kind in [
        NodeKind::Outer,
        NodeKind::Router,
        NodeKind::Switch,
        NodeKind::Port,
    ] {
        let tops = graph
            .nodes
            .iter()
            .filter(|node| node.kind == kind && !layers.contains_key(&node.id));
        let tops: Vec<&str> = tops.map(|node| node.id.as_str()).collect();
        // Outer networks all stand on top; of a part without one, its first router does, and the rest follows from there.
        let starts: Vec<Vec<&str>> = match kind {
            NodeKind::Outer => vec![tops],
            _ => tops.into_iter().map(|top| vec![top]).collect(),
        };
        for start in starts {
            spread(&near, &start, &mut layers);
        }
    }
    layers
}

fn spread(near: &BTreeMap<&str, Vec<&str>>, start: &[&str], layers: &mut BTreeMap<String, u32>) {
    let mut queue: VecDeque<(&str, u32)> = VecDeque::new();
    for id in start {
        if !layers.contains_key(*id) {
            layers.insert((*id).to_owned(), 0);
            queue.push_back((id, 0));
        }
    }
    while let Some((id, layer)) = queue.pop_front() {
        for other in near.get(id).into_iter().flatten() {
            if !layers.contains_key(*other) {
                layers.insert((*other).to_owned(), layer + 1);
                queue.push_back((other, layer + 1));
            }
        }
    }
}
