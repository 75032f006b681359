//! The network as a graph: what a picture needs, and ways through it.
//!
//! Nodes are switches, routers and, where wanted, ports; links say by which ports two are joined. Each node has a layer
//! (outer networks above, then routers and switches by their distance from there) and a place in it, so that every
//! picture of the same network looks the same; whoever wants another layout ignores both.

mod draw;
mod export;
mod layers;
mod select;
mod ways;

use crate::model::{Owner, State};
use purlin_ovsdb::{Atom, Uuid};
use serde::Serialize;
use std::collections::BTreeMap;

pub use draw::Layout;
pub use select::Selection;

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// Switches and routers; a switch says how many ports it has.
    #[default]
    Networks,
    /// The ports too.
    Ports,
}

/// A graph, ready for JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Graph {
    pub nodes: Vec<Node>,
    pub links: Vec<Link>,
    /// More nodes than were wanted: these are the first ones, networks before ports.
    pub truncated: bool,
    /// How many nodes there would be, these included.
    pub total: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A switch with a way to a physical network.
    Outer,
    Router,
    Switch,
    Port,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// UUID of the row.
    pub id: String,
    pub kind: NodeKind,
    pub label: String,
    pub owner: Owner,
    /// The tenant that the row is marked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Layer from above, 0 first.
    pub layer: u32,
    /// Place in the layer, from the left.
    pub order: u32,
    /// Switch ports or router ports that it has.
    pub ports: usize,
    /// Networks of a switch, addresses of a port.
    pub addresses: Vec<String>,
    /// Whether OVN says that the port is up; none for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Ids of nodes.
    pub from: String,
    pub to: String,
    /// Names of the ports at both ends.
    pub ports: (String, String),
    /// Networks of the router port.
    pub addresses: Vec<String>,
}

/// Keys in `external_ids` under which rows are marked with their tenant: ours, and ovncp's.
const TENANT_KEYS: [&str; 2] = ["purlin-tenant", "tenant_id"];

/// Draws the graph of a state, at most `nodes_max` nodes, switches and routers before ports.
pub fn graph(state: &State<'_>, detail: Detail, nodes_max: usize) -> Graph {
    let mut graph = Graph::default();
    for (table, column) in [("Logical_Router", "ports"), ("Logical_Switch", "ports")] {
        for uuid in state.uuids(table) {
            graph.nodes.push(network(state, table, uuid, column));
        }
    }
    graph.links = links(state);
    if detail == Detail::Ports {
        ports(state, &mut graph);
    }
    layers::lay_out(&mut graph);
    graph
        .nodes
        .sort_by(|a, b| (a.layer, a.order, &a.id).cmp(&(b.layer, b.order, &b.id)));
    graph.total = graph.nodes.len();
    graph.first(nodes_max)
}

fn tenant(state: &State<'_>, table: &str, uuid: Uuid) -> Option<String> {
    let ids = state.value(table, uuid, "external_ids")?;
    TENANT_KEYS
        .iter()
        .find_map(|key| ids.get_str(key))
        .map(str::to_owned)
}

fn network(state: &State<'_>, table: &str, uuid: Uuid, column: &str) -> Node {
    let ports = state.targets(table, uuid, column);
    let outer = |port: &Uuid| state.text("Logical_Switch_Port", *port, "type") == Some("localnet");
    let kind = match table {
        "Logical_Router" => NodeKind::Router,
        _ if ports.iter().any(outer) => NodeKind::Outer,
        _ => NodeKind::Switch,
    };
    let config = state.map(table, uuid, "other_config");
    let addresses = ["subnet", "ipv6_prefix"]
        .iter()
        .filter_map(|key| config.get(*key).cloned());
    Node {
        id: uuid.to_string(),
        kind,
        label: state.label(table, uuid),
        owner: state.owner(table, uuid),
        tenant: tenant(state, table, uuid),
        layer: 0,
        order: 0,
        ports: ports.len(),
        addresses: addresses.collect(),
        up: None,
    }
}

/// A router and a switch by the two ports that name each other; two routers by their peers.
fn links(state: &State<'_>) -> Vec<Link> {
    let table = "Logical_Router_Port";
    let mut links = Vec::new();
    for router in state.uuids("Logical_Router") {
        for port in state.targets("Logical_Router", router, "ports") {
            let name = state.text(table, port, "name").unwrap_or_default();
            let addresses: Vec<String> = state
                .texts(table, port, "networks")
                .iter()
                .map(|text| (**text).to_owned())
                .collect();
            let mut link = |to: Uuid, peer: String| {
                links.push(Link {
                    from: router.to_string(),
                    to: to.to_string(),
                    ports: (name.to_owned(), peer),
                    addresses: addresses.clone(),
                });
            };
            for peer in state.find_key("Logical_Switch_Port", "options", "router-port", name) {
                for switch in state.find("Logical_Switch", "ports", &Atom::Uuid(peer)) {
                    link(switch, state.label("Logical_Switch_Port", peer));
                }
            }
            let peer = state
                .text(table, port, "peer")
                .and_then(|peer| Some((peer, state.by_name(table, peer)?)));
            if let Some((peer_name, peer)) = peer
                && name < peer_name
            {
                for other in state.find("Logical_Router", "ports", &Atom::Uuid(peer)) {
                    link(other, peer_name.to_owned());
                }
            }
        }
    }
    links
}

/// Ports that are not the end of a link already.
fn ports(state: &State<'_>, graph: &mut Graph) {
    let table = "Logical_Switch_Port";
    for switch in state.uuids("Logical_Switch") {
        for port in state.targets("Logical_Switch", switch, "ports") {
            if state.text(table, port, "type") == Some("router") {
                continue;
            }
            let label = state.label(table, port);
            graph.links.push(Link {
                from: switch.to_string(),
                to: port.to_string(),
                ports: (label.clone(), String::new()),
                addresses: Vec::new(),
            });
            graph.nodes.push(Node {
                id: port.to_string(),
                kind: NodeKind::Port,
                label,
                owner: state.owner(table, port),
                tenant: tenant(state, table, port),
                layer: 0,
                order: 0,
                ports: 0,
                addresses: state
                    .texts(table, port, "addresses")
                    .iter()
                    .map(|text| (**text).to_owned())
                    .collect(),
                up: state.value(table, port, "up").and_then(|up| up.one()?.as_bool()),
            });
        }
    }
}

/// Neighbours of each node, by id.
fn neighbours(graph: &Graph) -> BTreeMap<&str, Vec<&str>> {
    let mut neighbours: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for link in &graph.links {
        neighbours.entry(&link.from).or_default().push(&link.to);
        neighbours.entry(&link.to).or_default().push(&link.from);
    }
    neighbours
}
