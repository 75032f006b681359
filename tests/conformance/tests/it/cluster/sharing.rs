//! Three nodes, all well: they share the work, and what one gave all of them know.

use purlin_conformance::{Cluster, Report};

const CLIENTS: u64 = 2000;

#[test]
fn s0_4_all_nodes_know_the_addresses_that_one_gave_with_redis_and_without() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let of_first = cluster.give(&cluster.nodes[0], 41, CLIENTS);
    let of_second = cluster.give(&cluster.nodes[1], 42, CLIENTS);
    cluster.verify(&cluster.nodes[2], &of_first, CLIENTS);

    // Hints are hints: who owns what is in the database.
    cluster.redis.as_mut().expect("made with it").crash();
    cluster.verify(&cluster.nodes[0], &of_second, CLIENTS);
    let without = cluster.give(&cluster.nodes[1], 43, CLIENTS);
    cluster.verify(&cluster.nodes[2], &without, CLIENTS);
    cluster.until_shared_by(&["n1", "n2", "n3"]);
}

#[test]
fn s4_2_nodes_see_each_other_with_redis_and_without() {
    for (made, coordination) in [
        (Cluster::new(3), "redis"),
        (Cluster::without_redis(3), "embedded"),
    ] {
        let Some(cluster) = made else { return };
        for node in &cluster.nodes {
            let (_, shown) = node.get("/api/v1/cluster").expect("it answers");
            assert_eq!(shown["coordination"], coordination, "{shown}");
            assert_eq!(shown["nodes"], 3, "{shown}");
        }
        let _ = cluster.give(&cluster.nodes[0], 46, 500);
    }
}

#[test]
fn s4_119_a_node_that_is_stopped_in_order_hands_its_slots_over_without_a_gap() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let file = cluster.give(&cluster.nodes[2], 44, CLIENTS);
    let load = ["--clients", "1000", "--duration", "4s", "--seed", "45"];
    let mut load = cluster.start_load(&cluster.nodes[0], &load);
    cluster.nodes[2].process.signal("TERM");
    assert!(
        cluster.nodes[2].process.ended(),
        "a node that is asked to stop ends with 0\n{}",
        cluster.nodes[2].process.said()
    );
    // All was given back before it ended: nobody waits for its lease to lapse.
    let left = "SELECT count(*) FROM purlin.claim WHERE owner = 'n3'";
    let said = cluster.nodes[2].process.said();
    assert_eq!(cluster.database.ask(left), "0", "{said}");
    let _ = load.ended();
    Report::read(&load.said()).kept_every_promise();
    cluster.until_shared_by(&["n1", "n2"]);
    cluster.verify(&cluster.nodes[0], &file, CLIENTS);
}
