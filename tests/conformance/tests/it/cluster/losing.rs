//! Something is lost: a node, its name, the database.

use purlin_conformance::{Cluster, Report};
use serde_json::json;

#[test]
fn a_node_killed_under_load_is_taken_over_and_no_address_is_given_twice() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let before = cluster.give(&cluster.nodes[2], 51, 1000);
    let during = cluster.path("leases-during");
    let during = during.to_string_lossy();
    let load = [
        "--clients",
        "2000",
        "--duration",
        "4s",
        "--seed",
        "52",
        "--save-leases",
        &during,
    ];
    let mut load = cluster.start_load(&cluster.nodes[0], &load);
    cluster.nodes[0].until("the load was under way", || {
        let found = cluster.nodes[0].get("/api/v1/dhcp/leases?limit=1000");
        found.is_some_and(|(_, page)| page["items"].as_array().is_some_and(|items| !items.is_empty()))
    });
    assert!(load.is_running(), "{}", load.said());
    cluster.nodes[2].process.crash();
    let _ = load.ended();
    let report = Report::read(&load.said());
    report.kept_every_promise();
    assert!(report.leases() > 0, "{:#}", report.0);
    cluster.until_shared_by(&["n1", "n2"]);
    cluster.verify(&cluster.nodes[1], &before, 1000);
    cluster.verify(&cluster.nodes[0], &during, report.leases());
}

#[test]
fn s4_119_a_node_whose_id_is_alive_elsewhere_owns_nothing_and_says_so() {
    let Some(cluster) = Cluster::new(1) else { return };
    let file = cluster.give(&cluster.nodes[0], 53, 500);
    let second = cluster.member("n1", "second");
    second.until("it said that its id is taken", || {
        let said = second.readiness();
        said.is_some_and(|(ready, why)| !ready && why.contains("another process lives under this node's id"))
    });
    let (_, shown) = second.get("/api/v1/cluster").expect("it answers");
    assert_eq!(shown["ready"], false, "{shown}");
    let reason = shown["reason"].as_str().unwrap_or_default();
    assert!(
        reason.contains("another process lives under this node's id"),
        "{shown}"
    );
    // All that is held is held by the first one, which is not disturbed.
    let (_, first) = cluster.nodes[0].get("/api/v1/cluster").expect("it answers");
    assert_eq!(first["ready"], true, "{first}");
    for node in [&cluster.nodes[0], &second] {
        let rows = node.members().expect("it answers");
        let lives: Vec<_> = rows
            .iter()
            .map(|row| (&row["incarnation"], &row["slots"]))
            .collect();
        assert_eq!(lives, [(&first["incarnation"], &json!(4096))], "{rows:?}");
    }
    cluster.until_shared_by(&["n1"]);
    cluster.verify(&cluster.nodes[0], &file, 500);
}

#[test]
fn without_the_database_nodes_fall_silent_and_with_it_clients_have_their_addresses_again() {
    let Some(mut cluster) = Cluster::new(2) else {
        return;
    };
    let file = cluster.give(&cluster.nodes[0], 54, 1000);
    cluster.database.stop();
    for node in &cluster.nodes {
        node.until("it said that its lease lapsed", || {
            node.readiness()
                .is_some_and(|(ready, why)| !ready && !why.is_empty())
        });
        let asked = [
            "--clients",
            "20",
            "--operations",
            "20",
            "--timeout",
            "200ms",
            "--attempts",
            "2",
        ];
        let report = cluster.load(node, &asked);
        report.kept_every_promise();
        assert_eq!(report.done("load"), 0, "{:#}", report.0);
        let (_, shown) = node.get("/api/v1/cluster").expect("the API answers");
        assert_eq!(shown["ready"], false, "{shown}");
        assert!(shown["trouble"].is_string(), "{shown}");
    }
    cluster.database.start_again();
    cluster.until_shared_by(&["n1", "n2"]);
    for node in &cluster.nodes {
        node.until("it was ready again", || {
            node.readiness().is_some_and(|(ready, _)| ready)
        });
        cluster.verify(node, &file, 1000);
    }
}

#[test]
fn a_node_whose_wall_clock_is_wrong_gives_its_slots_away_in_order_and_says_so() {
    let Some(cluster) = Cluster::new(2) else {
        return;
    };
    let file = cluster.give(&cluster.nodes[1], 55, 500);
    // An hour back: what counts time by this clock would hold for an hour too long.
    cluster.nodes[1].set_clock(-3_600_000);
    let wrong = &cluster.nodes[1];
    wrong.until("it said that its clock is off", || {
        let said = wrong.readiness();
        said.is_some_and(|(ready, why)| !ready && why.contains("wall clock"))
    });
    cluster.nodes[0].until("the other one held everything", || {
        let left = "SELECT count(*) FROM purlin.claim WHERE owner = 'n2'";
        cluster.database.ask(left) == "0"
    });
    let rests = "SELECT count(*) FROM purlin.claim WHERE suspect";
    assert_eq!(
        cluster.database.ask(rests),
        "0",
        "given away in order, nothing rests"
    );
    // Asked through either: the one that owns nothing hands packets on.
    for node in &cluster.nodes {
        cluster.verify(node, &file, 500);
    }
    cluster.nodes[1].set_clock(0);
    cluster.until_shared_by(&["n1", "n2"]);
    let right = &cluster.nodes[1];
    right.until("it was ready again", || {
        right.readiness().is_some_and(|(ready, _)| ready)
    });
}

#[test]
fn within_the_tenure_known_clients_renew_without_the_database_and_nobody_new_is_served() {
    let Some(mut cluster) = Cluster::patient(2) else {
        return;
    };
    // Everybody has an address at once, and renews it once in the seven seconds after that. A second time would wait for the
    // record of the first.
    let renewing = [
        "--clients",
        "1000",
        "--operations",
        "1000",
        "--rate",
        "150",
        "--mix",
        "renew=100",
        "--timeout",
        "500ms",
        "--attempts",
        "3",
    ];
    let mut renewing = cluster.start_load(&cluster.nodes[0], &renewing);
    let first = &cluster.nodes[0];
    // What was bound in the second before counts as written when the next one is.
    first.until("all had an address, and some had renewed", || {
        let renewed = cluster
            .database
            .ask("SELECT count(*) FROM purlin.fenced_row WHERE ver > 1");
        renewed.parse::<u32>().is_ok_and(|renewed| renewed > 200)
    });
    cluster.database.stop();
    let strangers = [
        "--clients",
        "20",
        "--operations",
        "20",
        "--seed",
        "57",
        "--timeout",
        "200ms",
        "--attempts",
        "2",
    ];
    for node in &cluster.nodes {
        // What they would get could not be written.
        let report = cluster.load(node, &strangers);
        report.kept_every_promise();
        assert_eq!(report.done("load"), 0, "{:#}", report.0);
    }
    assert!(renewing.is_running(), "{}", renewing.said());
    let _ = renewing.ended();
    let report = Report::read(&renewing.said());
    report.kept_every_promise();
    // What the rows allow is promised at once.
    assert_eq!(report.timed_out("load"), 0, "{:#}", report.0);
    assert_eq!(report.done("load"), 1000, "{:#}", report.0);
}
