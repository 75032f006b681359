//! What a cluster shows of itself: routes and metrics under the names of the scaling guide.

use purlin_conformance::{Cluster, within};
use serde_json::{Value, json};
use std::time::Duration;

/// Names of the nodes in a list of rows.
fn names(rows: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn s4_104_every_node_counts_the_active_ones() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let Some(watcher) = cluster.watched() else { return };
    watcher.until("up", 3, "1");
    // By every node's own account.
    watcher.until("ovncp_cluster_nodes_total{status=\"active\"}", 3, "3");
    // One dies: the others count it out.
    cluster.nodes[2].process.crash();
    watcher.until("ovncp_cluster_nodes_total{status=\"active\"}", 2, "2");
}

#[test]
fn s4_105_every_node_tells_of_all_with_name_host_and_address() {
    let Some(cluster) = Cluster::new(2) else { return };
    let Some(watcher) = cluster.watched() else { return };
    watcher.until("count by (instance) (ovncp_cluster_node_info == 1)", 2, "2");
    let labelled = "ovncp_cluster_node_info{node_id=~\"n[12]\",hostname!=\"\",ip=\"127.0.0.1\"}";
    watcher.until(labelled, 4, "1");
}

#[test]
fn s4_106_one_node_leads_by_all_accounts_and_another_when_it_is_dead() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let Some(watcher) = cluster.watched() else { return };
    watcher.until("sum by (instance) (ovncp_cluster_leader)", 3, "1");
    let (_, led) = cluster.nodes[0]
        .get("/api/v1/cluster/leader")
        .expect("it answers");
    let old = led["node"].as_str().expect("a name").to_owned();
    let leader = cluster.nodes.iter_mut().find(|node| node.id == old);
    leader.expect("one of the three").process.crash();
    let others = format!("sum by (instance) (ovncp_cluster_leader{{node_id!=\"{old}\"}})");
    watcher.until(&others, 2, "1");
    watcher.until("sum by (instance) (ovncp_cluster_leader)", 2, "1");
}

#[test]
fn s4_131_every_node_lists_all_with_status_heartbeat_and_leader() {
    let Some(cluster) = Cluster::new(3) else { return };
    for node in &cluster.nodes {
        let rows = node.members().expect("it answers");
        assert_eq!(names(&rows), ["n1", "n2", "n3"]);
        assert_eq!(
            rows.iter().filter(|row| row["leader"] == true).count(),
            1,
            "{rows:?}"
        );
        for row in &rows {
            assert_eq!(row["status"], "active", "{row}");
            let silent = row["last_heartbeat_seconds_ago"].as_f64();
            assert!(silent.is_some_and(|silent| (0.0..3.0).contains(&silent)), "{row}");
        }
        let (status, page) = node.get("/api/v1/cluster/nodes?limit=2").expect("it answers");
        assert_eq!(
            (status, page["items"].as_array().map(Vec::len)),
            (200, Some(2)),
            "{page}"
        );
    }
}

#[test]
fn s4_132_one_node_is_shown_and_an_unknown_one_is_a_problem() {
    let Some(cluster) = Cluster::new(2) else { return };
    let asked = &cluster.nodes[0];
    let (status, row) = asked.get("/api/v1/cluster/nodes/n2").expect("it answers");
    assert_eq!(
        (status, &row["id"], &row["status"]),
        (200, &json!("n2"), &json!("active"))
    );
    let (status, problem) = asked.get("/api/v1/cluster/nodes/n9").expect("it answers");
    assert_eq!((status, &problem["status"]), (404, &json!(404)), "{problem}");
    let text = problem.to_string();
    assert!(problem["type"].is_string() && text.contains("n9"), "{problem}");
}

#[test]
fn s4_134_the_leader_is_named_and_a_new_one_after_its_death() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let (_, led) = cluster.nodes[0]
        .get("/api/v1/cluster/leader")
        .expect("it answers");
    let old = led["node"].as_str().expect("a name").to_owned();
    for node in &cluster.nodes {
        let (status, seen) = node.get("/api/v1/cluster/leader").expect("it answers");
        assert_eq!((status, &seen["node"]), (200, &led["node"]));
        assert_eq!(seen["self"], json!(node.id == old), "{seen}");
    }
    let place = cluster.nodes.iter().position(|node| node.id == old);
    cluster
        .nodes
        .remove(place.expect("one of the three"))
        .process
        .crash();
    // Between two leaders there is nobody, for a moment that a look may miss; whoever is named lives.
    let asked = &cluster.nodes[0];
    let mut seen = Vec::new();
    let next = within(Duration::from_secs(30), || {
        let gone = asked
            .members()?
            .iter()
            .any(|row| row["id"] == *old && row["status"] == "gone");
        let (status, leader) = asked.get("/api/v1/cluster/leader")?;
        seen.push((gone, status, leader["node"].clone()));
        leader["node"].as_str().filter(|id| *id != old).map(str::to_owned)
    });
    assert!(next.is_some(), "{seen:?}");
    for (gone, status, node) in &seen {
        assert!(
            [200, 503].contains(status) && node.is_string() == (*status == 200),
            "{seen:?}"
        );
        assert!(
            !gone || *node != old,
            "a node whose lease has lapsed is named: {seen:?}"
        );
    }

    // Without the database every lease lapses, and nobody is named until it is back.
    cluster.database.stop();
    for node in &cluster.nodes {
        node.until("it named nobody", || {
            let said = node.get("/api/v1/cluster/leader");
            said.is_some_and(|(status, problem)| status == 503 && problem["type"].is_string())
        });
    }
    cluster.database.start_again();
    for node in &cluster.nodes {
        node.until("it named a leader again", || {
            node.get("/api/v1/cluster/leader")
                .is_some_and(|(status, _)| status == 200)
        });
    }
}
