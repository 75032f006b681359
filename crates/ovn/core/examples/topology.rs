//! What the picture of a large network costs: time and octets of the graph, its layouts and its forms, at growing sizes.
//!
//! `cargo run --release -p purlin-ovn-core --example topology [OBJECTS]...`
//!
//! Objects are switches, routers and ports. One router joins four switches; every switch has 20 ports besides.

use purlin_ovn_core::model::{State, layout, nb_schema};
use purlin_ovn_core::topology::{Detail, Graph, Layout, Selection, graph};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::cache::{Cache, Database};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

const SWITCHES: u32 = 4;
const PORTS: u32 = 20;
/// A router, its switches with their plugs, and the ports.
const PART: u32 = 1 + SWITCHES * (1 + 2 + PORTS);

fn main() {
    let sizes: Vec<u32> = std::env::args()
        .skip(1)
        .map(|word| word.parse().expect("a number"))
        .collect();
    let sizes = if sizes.is_empty() {
        vec![2_500, 10_000, 40_000]
    } else {
        sizes
    };
    for objects in sizes {
        measure(objects);
    }
}

fn measure(objects: u32) {
    let database = database(objects / PART);
    let state = State::new(nb_schema(), &database);
    println!("{objects} objects");
    let networks = timed("graph of networks", || {
        let graph = graph(&state, Detail::Networks, usize::MAX);
        let many = graph.nodes.len();
        (graph, many)
    });
    timed("  as JSON", || ((), octets(&networks)));
    let all = timed("graph with ports", || {
        let graph = graph(&state, Detail::Ports, usize::MAX);
        let many = graph.nodes.len();
        (graph, many)
    });
    timed("  as JSON", || ((), octets(&all)));
    for (word, layout) in [
        ("hierarchical", Layout::Hierarchical),
        ("force", Layout::Force),
        ("circular", Layout::Circular),
        ("grid", Layout::Grid),
    ] {
        timed(&format!("  places, {word}"), || ((), all.places(layout).len()));
    }
    timed("  as SVG", || ((), all.to_svg(Layout::Hierarchical).len()));
    let cytoscape = |graph: &Graph| graph.to_cytoscape(Layout::Force).to_string().len();
    timed("  as Cytoscape", || ((), cytoscape(&all)));
    timed("  as GraphML", || ((), all.to_graphml().len()));
    timed("  as DOT", || ((), all.to_dot().len()));
    let around = Selection {
        around: Some(("switch-0-0".to_owned(), 2)),
        nodes_max: Some(2_000),
        ..Selection::default()
    };
    timed("  two links around a switch", || {
        ((), all.select(&around).map_or(0, |part| part.nodes.len()))
    });
    timed("  a way from end to end", || {
        let way = all.path("port-0-0-0", "port-0-3-19");
        ((), way.map_or(0, |way| way.len()))
    });
}

/// Runs it and tells how long that took, and its number.
fn timed<T>(what: &str, work: impl FnOnce() -> (T, usize)) -> T {
    let began = Instant::now();
    let (made, number) = work();
    println!(
        "  {what:<28} {:>10.2} ms {number:>12}",
        began.elapsed().as_secs_f64() * 1e3
    );
    made
}

fn octets(graph: &Graph) -> usize {
    serde_json::to_string(graph).expect("a graph is JSON").len()
}

/// As chosen at random, but the same each time.
fn id(kind: u128, n: u32) -> Uuid {
    let mixed = (u128::from(n) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) ^ (kind << 17);
    Uuid::from_bytes(mixed.to_be_bytes())
}

fn set(ids: impl Iterator<Item = Uuid>) -> Value {
    json!([
        "set",
        ids.map(|id| json!(["uuid", id.to_string()])).collect::<Vec<_>>()
    ])
}

fn database(parts: u32) -> Database {
    let mut tables: Map<String, Value> = Map::new();
    let mut put = |table: &str, id: Uuid, row: Value| {
        tables.entry(table).or_insert_with(|| json!({}))[id.to_string()] = json!({ "initial": row });
    };
    for part in 0..parts {
        let switches = || (0..SWITCHES).map(move |n| part * SWITCHES + n);
        let ports = set(switches().map(|switch| id(2, switch)));
        put(
            "Logical_Router",
            id(1, part),
            json!({ "name": format!("router-{part}"), "ports": ports }),
        );
        for (number, switch) in (0u32..).zip(switches()) {
            let plug = format!("router-{part}-{number}");
            put(
                "Logical_Router_Port",
                id(2, switch),
                json!({ "name": plug, "mac": "02:00:00:00:00:01", "networks": "10.0.0.1/24" }),
            );
            put(
                "Logical_Switch_Port",
                id(3, switch),
                json!({ "name": format!("plug-{part}-{number}"), "type": "router", "addresses": "router",
                    "options": ["map", [["router-port", plug]]] }),
            );
            let own = move || (0..PORTS).map(move |n| id(4, switch * PORTS + n));
            let held = set(own().chain([id(3, switch)]));
            put(
                "Logical_Switch",
                id(5, switch),
                json!({ "name": format!("switch-{part}-{number}"), "ports": held }),
            );
            for (n, port) in own().enumerate() {
                put(
                    "Logical_Switch_Port",
                    port,
                    json!({ "name": format!("port-{part}-{number}-{n}"),
                        "addresses": format!("02:00:00:00:{number:02x}:{n:02x} 10.0.0.{}", n + 10), "up": true }),
                );
            }
        }
    }
    let mut cache = Cache::new(Arc::new(layout(nb_schema())));
    let text = Value::Object(tables).to_string();
    cache.reload(text.as_bytes(), None).expect("good rows");
    cache.database().clone()
}
