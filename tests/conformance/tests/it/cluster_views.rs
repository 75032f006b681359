//! What every node shows is the cluster's: leases, usage, stories.

mod config;

use purlin_conformance::{Cluster, Member};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CLIENTS: u64 = 1500;
const LEASES: &str = "/api/v1/dhcp/leases";

/// All bound leases that a node lists, in pages of 200.
fn listed(node: &Member) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = node
            .get(&format!("{LEASES}?state=bound&limit=200&cursor={cursor}"))
            .expect("it answers");
        assert_eq!((status, &page["partial"]), (200, &Value::Null), "{page}");
        all.extend(page["items"].as_array().expect("a page").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return all,
        }
    }
}

fn addresses(leases: &[Value]) -> Vec<&str> {
    leases
        .iter()
        .filter_map(|lease| lease["address"].as_str())
        .collect()
}

/// Leases in the subnet's pools as a node counts them.
fn bound(node: &Member) -> Value {
    let (_, subnet) = node.get("/api/v1/dhcp/subnets/all").expect("it answers");
    subnet["utilization"]["bound"].clone()
}

#[test]
fn s0_4_every_node_lists_counts_and_tells_the_leases_of_all() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let _ = cluster.give(&cluster.nodes[0], 71, CLIENTS);
    let nodes = &cluster.nodes;
    nodes[0].until("records of all leases were written", || {
        nodes.iter().all(|node| listed(node).len() as u64 == CLIENTS)
    });
    let all = listed(&nodes[0]);
    let sorted: BTreeSet<std::net::Ipv4Addr> = addresses(&all).iter().map(|a| a.parse().unwrap()).collect();
    let sorted: Vec<String> = sorted.iter().map(ToString::to_string).collect();
    assert_eq!(addresses(&all), sorted, "in address order, none twice");
    let holders: BTreeSet<&str> = all.iter().filter_map(|lease| lease["holder"].as_str()).collect();
    assert_eq!(holders, BTreeSet::from(["n1", "n2", "n3"]));
    for node in nodes {
        assert_eq!(addresses(&listed(node)), sorted, "{}", node.id);
        node.until("the count was as new", || bound(node) == json!(CLIENTS));
        let (_, pool) = node
            .get("/api/v1/dhcp/pools/10.0.1.0-10.0.255.254")
            .expect("it answers");
        assert_eq!(pool["utilization"]["bound"], json!(CLIENTS), "{pool}");
        let (_, status) = node.get("/api/v1/status").expect("it answers");
        assert_eq!(status["dhcp"]["bound"], json!(CLIENTS), "{status}");
        for lease in all.iter().step_by(400) {
            let (address, mac) = (lease["address"].as_str().unwrap(), lease["mac"].as_str().unwrap());
            let (status, shown) = node.get(&format!("{LEASES}/{address}")).expect("it answers");
            assert_eq!((status, &shown["mac"]), (200, &lease["mac"]), "{shown}");
            let (_, found) = node.get(&format!("{LEASES}?q={mac}")).expect("it answers");
            assert_eq!(
                addresses(found["items"].as_array().unwrap()),
                [address],
                "{found}"
            );
            let (_, story) = node
                .get(&format!("/api/v1/why?subject={mac}"))
                .expect("it answers");
            assert_eq!(story["leases"][0]["address"], lease["address"], "{story}");
        }
    }
    without_the_database(&mut cluster, &all);
}

/// What a node still knows then is its own part, and it says so.
fn without_the_database(cluster: &mut Cluster, all: &[Value]) {
    cluster.database.stop();
    for node in &cluster.nodes {
        let (status, page) = node.get(&format!("{LEASES}?limit=1000")).expect("it answers");
        let why = page["partial"].as_str().unwrap_or_default();
        assert!(status == 200 && why.contains("not shown"), "{page}");
        let own = |lease: &&Value| lease["holder"] == node.id.as_str();
        let shown = page["items"].as_array().unwrap();
        assert!(!shown.is_empty() && shown.len() < all.len(), "{}", shown.len());
        let (mine, foreign) = (all.iter().find(own), all.iter().find(|lease| !own(lease)));
        let asked = |lease: Option<&Value>| {
            let address = lease.unwrap()["address"].as_str().unwrap();
            node.get(&format!("{LEASES}/{address}")).expect("it answers").0
        };
        assert_eq!((asked(mine), asked(foreign)), (200, 503), "{}", node.id);
    }
}

#[test]
fn a_lease_that_another_node_holds_is_not_ended_by_guess() {
    let Some(cluster) = Cluster::new(2) else { return };
    let _ = cluster.give(&cluster.nodes[0], 72, 200);
    let all = listed(&cluster.nodes[0]);
    let foreign = all
        .iter()
        .find(|lease| lease["holder"] == "n2")
        .expect("some are");
    let address = foreign["address"].as_str().unwrap();
    let (status, problem) = cluster.nodes[0]
        .ask("DELETE", &format!("{LEASES}/{address}"), None)
        .expect("it answers");
    assert_eq!((status, &problem["holder"]), (409, &json!("n2")), "{problem}");
    let (status, _) = cluster.nodes[1]
        .ask("DELETE", &format!("{LEASES}/{address}"), None)
        .expect("it answers");
    assert_eq!(status, 200);
    cluster.nodes[0].until("the release was seen", || {
        let (_, lease) = cluster.nodes[0]
            .get(&format!("{LEASES}/{address}"))
            .expect("it answers");
        lease["state"] == "released"
    });
}
#[test]
fn a_story_is_told_over_all_nodes_and_the_silence_of_one_is_named() {
    let Some(cluster) = Cluster::new(2) else {
        return;
    };
    let _ = cluster.give(&cluster.nodes[0], 73, 300);
    let all = listed(&cluster.nodes[0]);
    // It asked the first node, and the second one decided.
    let foreign = all
        .iter()
        .find(|lease| lease["holder"] == "n2")
        .expect("some are");
    let mac = foreign["mac"].as_str().expect("it has one").to_owned();
    let told = |node: &Member| {
        let (_, story) = node
            .get(&format!("/api/v1/why?subject={mac}"))
            .expect("it answers");
        story
    };
    let steps = |story: &Value| -> Vec<(String, String)> {
        let text = |step: &Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
        let all = story["decisions"].as_array().expect("a list").iter();
        all.map(|step| (text(step, "node"), text(step, "code"))).collect()
    };
    let here = told(&cluster.nodes[0]);
    let both = steps(&here);
    assert!(
        both.iter().any(|(node, code)| node == "n1" && code == "PUR-1128"),
        "{here:#}"
    );
    assert!(
        both.iter().any(|(node, code)| node == "n2" && code == "PUR-1010"),
        "{here:#}"
    );
    assert_eq!(
        steps(&told(&cluster.nodes[1])),
        both,
        "the same story whoever is asked"
    );
    assert_eq!(here["missing"], json!([]));
    let said = cluster.nodes[1].says(&["why", &mac]);
    assert!(said.contains("  n1 ") && said.contains("  n2 "), "{said}");
    cluster.nodes[1].process.signal("STOP");
    let first = &cluster.nodes[0];
    let alone = told(first);
    assert_eq!(alone["missing"][0]["node"], "n2", "{alone:#}");
    assert!(steps(&alone).iter().all(|(node, _)| node == "n1"), "{alone:#}");
    let said = first.says(&["why", &mac]);
    assert!(said.contains("what n2 decided is missing here"), "{said}");
    cluster.nodes[1].process.signal("CONT");
}
