//! The commands that people give a cluster.

use purlin_conformance::{Cluster, Report};

const OLD_NAME: [&str; 2] = ["as", "simple-dhcpd-datacenter"];

#[test]
fn s0_7_cluster_status_shows_every_node_whichever_is_asked() {
    let Some(cluster) = Cluster::new(2) else { return };
    for asked in &cluster.nodes {
        let said = asked.says(&[OLD_NAME[0], OLD_NAME[1], "--cluster-status"]);
        for node in &cluster.nodes {
            let row = said
                .lines()
                .find(|line| line.split_whitespace().next() == Some(&node.id));
            assert!(row.is_some_and(|row| row.contains("active")), "{said}");
        }
    }
}

#[test]
fn s0_9_a_node_that_hangs_is_removed_by_force_and_does_no_harm_when_it_wakes() {
    let Some(cluster) = Cluster::new(3) else { return };
    let file = cluster.give(&cluster.nodes[2], 61, 1000);
    cluster.nodes[2].process.signal("STOP");
    let _ = cluster.nodes[0].says(&[OLD_NAME[0], OLD_NAME[1], "--remove-node", "n3", "--force"]);
    let (_, audit) = cluster.nodes[0].get("/api/v1/audit").expect("it answers");
    assert!(audit.to_string().contains("/api/v1/cluster/nodes/n3"), "{audit}");
    cluster.until_shared_by(&["n1", "n2"]);
    cluster.nodes[2].process.signal("CONT");
    // Its memory says that it owns a third of everything; the database and its clock know better.
    // Few of these are answered: no more patience than that needs.
    let load = [
        "--clients",
        "200",
        "--operations",
        "200",
        "--seed",
        "62",
        "--timeout",
        "200ms",
        "--attempts",
        "2",
    ];
    cluster.load(&cluster.nodes[2], &load).kept_every_promise();
    cluster.nodes[2].until("it said that it takes part no more", || {
        let said = cluster.nodes[2].readiness();
        said.is_some_and(|(ready, why)| !ready && !why.is_empty())
    });
    for node in &cluster.nodes[..2] {
        cluster.verify(node, &file, 1000);
    }
    let left = "SELECT count(*) FROM purlin.claim WHERE owner = 'n3'";
    assert_eq!(cluster.database.ask(left), "0");
}

#[test]
fn s0_8_a_node_is_removed_in_order_and_no_lease_is_lost() {
    let Some(cluster) = Cluster::new(3) else { return };
    let file = cluster.give(&cluster.nodes[2], 63, 1000);
    let load = ["--clients", "1000", "--duration", "6s", "--seed", "64"];
    let mut load = cluster.start_load(&cluster.nodes[0], &load);
    let said = cluster.nodes[0].says(&[OLD_NAME[0], OLD_NAME[1], "--remove-node", "n3"]);
    assert!(said.contains("n3"), "{said}");
    // It was drained before: nothing is left to be taken over, and nothing rests.
    let left = "SELECT count(*) FROM purlin.claim WHERE owner = 'n3'";
    assert_eq!(cluster.database.ask(left), "0");
    let suspect = "SELECT count(*) FROM purlin.claim WHERE suspect";
    assert_eq!(cluster.database.ask(suspect), "0");
    let _ = load.ended();
    Report::read(&load.said()).kept_every_promise();
    cluster.until_shared_by(&["n1", "n2"]);
    for node in &cluster.nodes[..2] {
        cluster.verify(node, &file, 1000);
        let rows = node.members().expect("it answers");
        let row = rows.iter().find(|row| row["id"] == "n3");
        assert!(row.is_none_or(|row| row["status"] == "removed"), "{rows:?}");
    }
    // Still running, it knows that it is no member.
    cluster.nodes[2].until("it said that it takes part no more", || {
        let said = cluster.nodes[2].readiness();
        said.is_some_and(|(ready, why)| !ready && !why.is_empty())
    });
    let (good, said) = cluster.nodes[0].tries(&[OLD_NAME[0], OLD_NAME[1], "--remove-node", "n9"]);
    assert!(!good && said.contains("n9"), "{said}");
}
