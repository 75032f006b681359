//! The network as a graph.

use crate::base::{database, id, shop, state, text};
use purlin_ovn_core::topology::{Detail, Graph, Layout, NodeKind, Selection, graph};
use purlin_ovsdb::cache::Database;
use serde_json::json;

/// Outer switch 1, router 2 on it and on switches 3 and 4, router 5 joined to router 2 by peers, switch 6 alone.
fn campus() -> Database {
    let router_port = |name: &str, peer: Option<&str>| json!({"name": name, "mac": "02:00:00:00:00:01", "networks": ["10.0.0.1/24"], "peer": peer});
    let end = |name: &str, peer: &str| json!({"name": name, "type": "router", "addresses": ["router"], "options": {"router-port": peer}});
    database(&[
        (
            "Logical_Switch",
            1,
            json!({"name": "out", "ports": [text(11), text(12)]}),
        ),
        (
            "Logical_Switch_Port",
            11,
            json!({"name": "phys", "type": "localnet", "addresses": ["unknown"], "options": {"network_name": "p"}}),
        ),
        ("Logical_Switch_Port", 12, end("out-r", "r-out")),
        (
            "Logical_Router",
            2,
            json!({"name": "r", "ports": [text(21), text(22), text(23), text(24)]}),
        ),
        ("Logical_Router_Port", 21, router_port("r-out", None)),
        ("Logical_Router_Port", 22, router_port("r-a", None)),
        ("Logical_Router_Port", 23, router_port("r-b", None)),
        ("Logical_Router_Port", 24, router_port("r-s", Some("s-r"))),
        (
            "Logical_Switch",
            3,
            json!({"name": "b", "ports": [text(31), text(32)], "other_config": {"subnet": "10.0.0.0/24"}}),
        ),
        ("Logical_Switch_Port", 31, end("b-r", "r-b")),
        (
            "Logical_Switch_Port",
            32,
            json!({"name": "vm \"1\" <&>", "addresses": ["02:00:00:00:00:32"], "up": true}),
        ),
        ("Logical_Switch", 4, json!({"name": "a", "ports": [text(41)]})),
        ("Logical_Switch_Port", 41, end("a-r", "r-a")),
        ("Logical_Router", 5, json!({"name": "s", "ports": [text(51)]})),
        ("Logical_Router_Port", 51, router_port("s-r", Some("r-s"))),
        ("Logical_Switch", 6, json!({"name": "alone"})),
    ])
}

fn drawn(detail: Detail) -> Graph {
    graph(&state(&campus()), detail, 1000)
}

#[test]
fn layers_lead_from_the_outer_network_inwards() {
    let graph = drawn(Detail::Ports);
    let places: Vec<(u32, u32, &str, NodeKind)> = graph
        .nodes
        .iter()
        .map(|node| (node.layer, node.order, node.label.as_str(), node.kind))
        .collect();
    assert_eq!(
        places,
        [
            (0, 0, "alone", NodeKind::Switch),
            (0, 1, "out", NodeKind::Outer),
            (1, 0, "phys", NodeKind::Port),
            (1, 1, "r", NodeKind::Router),
            (2, 0, "a", NodeKind::Switch),
            (2, 1, "b", NodeKind::Switch),
            (2, 2, "s", NodeKind::Router),
            (3, 0, "vm \"1\" <&>", NodeKind::Port),
        ]
    );
}

#[test]
fn links_name_the_ports_at_both_ends_and_no_end_is_missing() {
    let graph = drawn(Detail::Networks);
    let mut ends: Vec<(&str, &str)> = graph
        .links
        .iter()
        .map(|l| (l.ports.0.as_str(), l.ports.1.as_str()))
        .collect();
    ends.sort_unstable();
    assert_eq!(
        ends,
        [("r-a", "a-r"), ("r-b", "b-r"), ("r-out", "out-r"), ("r-s", "s-r")]
    );
    for link in &graph.links {
        assert!(graph.find(&link.from).is_some() && graph.find(&link.to).is_some());
    }
    let switch = graph.find("b").unwrap();
    assert_eq!(
        (switch.ports, switch.addresses.as_slice()),
        (2, &["10.0.0.0/24".to_owned()][..])
    );
}

#[test]
fn a_picture_of_many_is_cut_without_loose_ends() {
    let graph = graph(&state(&campus()), Detail::Ports, 4);
    assert!(graph.truncated);
    assert_eq!(graph.nodes.len(), 4);
    for link in &graph.links {
        assert!(graph.find(&link.from).is_some() && graph.find(&link.to).is_some());
    }
}

#[test]
fn ways_and_surroundings_are_found_by_name_or_id() {
    let graph = drawn(Detail::Ports);
    let way = graph.path("a", &text(32)).unwrap();
    let names: Vec<&str> = way
        .iter()
        .map(|id| graph.find(id).unwrap().label.as_str())
        .collect();
    assert_eq!(names, ["a", "r", "b", "vm \"1\" <&>"]);
    assert_eq!(graph.path("a", "alone"), None);
    assert_eq!(graph.path("a", "nobody"), None);
    let (around, far) = graph.around("a", 1).unwrap();
    assert_eq!(far[&text(2)], 1);
    assert!(graph.around("nobody", 1).is_none());
    assert_eq!(around.nodes.len(), 2);
    assert_eq!(around.links.len(), 1);
}

#[test]
fn names_stay_names_in_every_form() {
    let graph = drawn(Detail::Ports);
    let dot = graph.to_dot();
    assert!(dot.contains(r#"label="vm \"1\" <&>""#), "{dot}");
    let xml = graph.to_graphml();
    assert!(
        xml.contains("<data key=\"label\">vm &quot;1&quot; &lt;&amp;&gt;</data>"),
        "{xml}"
    );
    let cytoscape = graph.to_cytoscape(Layout::Hierarchical);
    assert_eq!(cytoscape["elements"]["nodes"].as_array().unwrap().len(), 8);
    assert_eq!(
        cytoscape["elements"]["edges"].as_array().unwrap().len(),
        graph.links.len()
    );
    let d3 = graph.to_d3();
    assert_eq!(d3["links"][0]["source"], graph.links[0].from);
    let json = serde_json::to_value(&graph).unwrap();
    assert_eq!(json["nodes"][7]["up"], true);
    assert_eq!(json["nodes"][0]["owner"]["kind"], "nobody");
}

#[test]
fn owners_are_part_of_the_picture() {
    let database = shop();
    let graph = graph(&state(&database), Detail::Ports, 100);
    let owner = |n: u8| graph.find(&id(n).to_string()).unwrap().owner.to_string();
    assert_eq!([owner(1), owner(2), owner(14)], ["shop", "neutron", "neutron"]);
}

fn labels(graph: &Graph) -> Vec<&str> {
    graph.nodes.iter().map(|node| node.label.as_str()).collect()
}

#[test]
fn a_selection_is_by_kind_owner_tenant_and_name() {
    let graph = drawn(Detail::Ports);
    let select = |selection: &Selection| graph.select(selection).unwrap();
    let kinds = Selection {
        kinds: [NodeKind::Router].into(),
        ..Selection::default()
    };
    assert_eq!(labels(&select(&kinds)), ["r", "s"]);
    assert_eq!(select(&kinds).links.len(), 1, "the two are peers");
    let name = Selection {
        name: Some("VM".to_owned()),
        ..Selection::default()
    };
    assert_eq!(labels(&select(&name)), ["vm \"1\" <&>"]);

    let database = shop();
    let shop = purlin_ovn_core::topology::graph(&state(&database), Detail::Ports, 100);
    let owned = Selection {
        owner: Some("neutron".to_owned()),
        ..Selection::default()
    };
    let owned = shop.select(&owned).unwrap();
    assert_eq!(labels(&owned), ["theirs", "n1"]);
    let tenant = Selection {
        tenant: Some("nobody".to_owned()),
        ..Selection::default()
    };
    assert_eq!(shop.select(&tenant).unwrap().nodes.len(), 0);
}

#[test]
fn what_is_cut_is_said_and_what_is_near_or_a_network_stays() {
    let graph = drawn(Detail::Ports);
    let cut = graph
        .select(&Selection {
            nodes_max: Some(6),
            ..Selection::default()
        })
        .unwrap();
    assert!(cut.truncated);
    assert_eq!((cut.nodes.len(), cut.total), (6, 8));
    assert!(cut.nodes.iter().all(|node| node.kind != NodeKind::Port));
    let around = Selection {
        around: Some(("b".to_owned(), 5)),
        nodes_max: Some(3),
        ..Selection::default()
    };
    let near = graph.select(&around).unwrap();
    assert_eq!(labels(&near), ["r", "b", "vm \"1\" <&>"]);
    assert_eq!((near.truncated, near.total), (true, 7));
    let nobody = Selection {
        around: Some(("nobody".to_owned(), 1)),
        ..Selection::default()
    };
    assert_eq!(graph.select(&nobody), None);
}

#[test]
fn every_layout_gives_each_node_a_place_of_its_own() {
    let graph = drawn(Detail::Ports);
    for layout in [
        Layout::Hierarchical,
        Layout::Circular,
        Layout::Grid,
        Layout::Force,
    ] {
        let mut places = graph.places(layout);
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), graph.nodes.len(), "{layout:?}");
        let svg = graph.to_svg(layout);
        assert_eq!(svg.matches("<g id=").count(), graph.nodes.len());
        assert_eq!(svg.matches("<line ").count(), graph.links.len());
        assert!(svg.contains("vm &quot;1&quot; &lt;&amp;&gt;"), "{svg}");
        assert!(!svg.contains("<&>"));
    }
}
