//! A graph in ovncp's form.

use super::options::Options;
use purlin_ovn_core::model::State;
use purlin_ovn_core::topology::{Graph, Layout, Link, Node, NodeKind};
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// ovncp knows no outer switches.
pub(super) const fn kind(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Outer | NodeKind::Switch => "switch",
        NodeKind::Router => "router",
        NodeKind::Port => "port",
    }
}

/// `switch:UUID`
pub(super) fn id(node: &Node) -> String {
    format!("{}:{}", kind(node.kind), node.id)
}

/// The UUID or name behind a kind.
pub(super) fn bare(id: &str) -> &str {
    let kinds = ["switch:", "router:", "port:"];
    kinds.iter().find_map(|kind| id.strip_prefix(kind)).unwrap_or(id)
}

const fn table(kind: NodeKind) -> &'static str {
    match kind {
        NodeKind::Outer | NodeKind::Switch => "Logical_Switch",
        NodeKind::Router => "Logical_Router",
        NodeKind::Port => "Logical_Switch_Port",
    }
}

/// What joins the objects of `/topology`.
pub(super) fn connections(graph: &Graph) -> Vec<Value> {
    let ports = graph.nodes.iter().filter(|node| node.kind == NodeKind::Port);
    let ports: HashSet<&str> = ports.map(|node| node.id.as_str()).collect();
    let connection = |link: &Link| {
        json!({
            "from": link.from,
            "to": link.to,
            "type": edge_type(link, ports.contains(link.to.as_str())),
            "port_id": link.ports.0,
            "ports": link.ports,
            "addresses": link.addresses,
        })
    };
    graph.links.iter().map(connection).collect()
}

fn edge_type(link: &Link, port: bool) -> &'static str {
    match (port, link.ports.1.is_empty()) {
        (true, _) => "switch-port",
        (false, false) => "router-switch",
        (false, true) => "router-router",
    }
}

/// The whole document.
pub(super) fn shown(state: &State<'_>, graph: &Graph, options: &Options, layout: Layout) -> Value {
    let places = graph.places(layout);
    let mut nodes = Vec::new();
    let mut known: BTreeMap<&str, &Node> = BTreeMap::new();
    for (node, place) in graph.nodes.iter().zip(&places) {
        let uuid = Uuid::parse(&node.id);
        let ids = uuid.map(|uuid| state.map(table(node.kind), uuid, "external_ids"));
        let ids = ids.unwrap_or_default();
        if options.shows(node, &ids) {
            nodes.push(drawn(node, *place, &ids, options));
            known.insert(&node.id, node);
        }
    }
    let mut edges: Vec<Value> = graph
        .links
        .iter()
        .filter_map(|link| {
            let (from, to) = (known.get(link.from.as_str())?, known.get(link.to.as_str())?);
            let kind = edge_type(link, to.kind == NodeKind::Port);
            Some(edge(&id(from), &id(to), kind, &link.addresses.join(" "), options))
        })
        .collect();
    extras(state, &known, options, &mut nodes, &mut edges);
    let groups = if options.group_nodes {
        groups(graph, &known)
    } else {
        Vec::new()
    };
    json!({
        "properties": {
            "nodeCount": nodes.len(),
            "edgeCount": edges.len(),
            "truncated": graph.truncated,
            "total": graph.total,
        },
        "nodes": nodes,
        "edges": edges,
        "groups": groups,
        "layout": options.layout_name(),
    })
}

fn drawn(node: &Node, place: (u32, u32), ids: &BTreeMap<String, String>, options: &Options) -> Value {
    let (shape, colour) = match node.kind {
        NodeKind::Outer | NodeKind::Switch => ("rectangle", "#d9ecd3"),
        NodeKind::Router => ("ellipse", "#fbe3c0"),
        NodeKind::Port => ("circle", "#ffffff"),
    };
    let mut properties = json!({
        "name": node.label, "owner": node.owner, "addresses": node.addresses, "up": node.up, "portCount": node.ports,
        "external": node.kind == NodeKind::Outer,
    });
    if options.full() {
        properties["external_ids"] = json!(ids);
    }
    let icon = options.show_icons.then(|| kind(node.kind));
    json!({
        "id": id(node),
        "label": if options.show_labels { node.label.as_str() } else { "" },
        "type": kind(node.kind),
        "group": format!("layer-{}", node.layer),
        "properties": properties,
        "position": { "x": place.0, "y": place.1 },
        "style": { "shape": shape, "color": colour, "borderColor": "#444444", "size": 40, "icon": icon },
    })
}

fn edge(from: &str, to: &str, kind: &str, label: &str, options: &Options) -> Value {
    json!({
        "id": format!("{from}-{to}"),
        "source": from,
        "target": to,
        "label": label,
        "type": kind,
        "properties": {},
        "style": { "color": "#999999", "width": 1, "style": "solid", "animated": options.animate_traffic },
    })
}

/// Each switch with its ports.
fn groups(graph: &Graph, known: &BTreeMap<&str, &Node>) -> Vec<Value> {
    let mut members: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for link in &graph.links {
        if let (Some(_), Some(port)) = (known.get(link.from.as_str()), known.get(link.to.as_str()))
            && port.kind == NodeKind::Port
        {
            members.entry(&link.from).or_default().insert(id(port));
        }
    }
    let group = |(switch, mut members): (&str, BTreeSet<String>)| {
        let node = known[switch];
        members.insert(id(node));
        json!({
            "id": format!("group:{switch}"),
            "label": node.label,
            "nodes": members,
            "style": { "backgroundColor": "#f7f7f7", "borderColor": "#cccccc", "borderStyle": "dashed" },
        })
    };
    members.into_iter().map(group).collect()
}

/// Load balancers, translations and ACLs of the switches and routers that are shown.
fn extras(
    state: &State<'_>,
    known: &BTreeMap<&str, &Node>,
    options: &Options,
    nodes: &mut Vec<Value>,
    edges: &mut Vec<Value>,
) {
    let mut shown = BTreeSet::new();
    let mut add = |holder: &Node, kind: &str, key: String, label: String, properties: Value| {
        let own = format!("{kind}:{key}");
        if shown.insert(own.clone()) {
            nodes.push(json!({
                "id": own, "label": label, "type": kind, "properties": properties,
                "style": { "shape": "diamond", "color": "#eeeeee", "size": 24 },
            }));
        }
        edges.push(edge(&id(holder), &own, kind, "", options));
    };
    for node in known.values().filter(|node| node.kind != NodeKind::Port) {
        let Some(uuid) = Uuid::parse(&node.id) else {
            continue;
        };
        let table = table(node.kind);
        if options.include_load_balancers {
            for balancer in state.targets(table, uuid, "load_balancer") {
                let vips = json!({ "vips": state.map("Load_Balancer", balancer, "vips") });
                add(
                    node,
                    "loadbalancer",
                    balancer.to_string(),
                    state.label("Load_Balancer", balancer),
                    vips,
                );
            }
        }
        if options.include_nat {
            for nat in state.targets(table, uuid, "nat") {
                let text = |column: &str| state.text("NAT", nat, column).unwrap_or_default().to_owned();
                let properties = json!({ "type": text("type"), "external_ip": text("external_ip"), "logical_ip": text("logical_ip") });
                add(node, "nat", nat.to_string(), state.label("NAT", nat), properties);
            }
        }
        let acls = if options.include_acls {
            state.targets(table, uuid, "acls")
        } else {
            Vec::new()
        };
        if options.aggregate_acls && !acls.is_empty() {
            let names: Vec<String> = acls.iter().map(|acl| state.label("ACL", *acl)).collect();
            let label = format!("{} ACLs", acls.len());
            add(
                node,
                "acl",
                node.id.clone(),
                label,
                json!({ "count": acls.len(), "names": names }),
            );
        } else {
            for acl in acls {
                let text = |column: &str| state.text("ACL", acl, column).unwrap_or_default().to_owned();
                let properties = json!({ "action": text("action"), "direction": text("direction"), "match": text("match") });
                add(node, "acl", acl.to_string(), state.label("ACL", acl), properties);
            }
        }
    }
}
