//! From one node to three, with its leases and while its clients renew them.

use purlin_conformance::{Cluster, Report};
use serde_json::{Value, json};

const GROW: [&str; 2] = ["cluster", "grow"];
const GROWTH: &str = "/api/v1/cluster/grow";

/// What makes `n1` of this cluster the first of several.
fn order(cluster: &Cluster) -> Vec<String> {
    let store = cluster.url();
    let port = cluster.nodes[0].peers_port().to_string();
    ["--store", &store, "--node-ip", "127.0.0.1", "--peer-port", &port]
        .map(str::to_owned)
        .to_vec()
}

fn grow(cluster: &Cluster, more: &[&str]) -> (bool, String) {
    let order = order(cluster);
    let words: Vec<&str> = GROW
        .into_iter()
        .chain(order.iter().map(String::as_str))
        .chain(more.iter().copied())
        .collect();
    cluster.nodes[0].tries(&words)
}

/// One more machine, by a token.
fn join(cluster: &mut Cluster, id: &str) {
    let (_, token) = cluster.token(&cluster.nodes[0], Some(id));
    let tried = cluster.join(&token, id, &[]);
    assert_eq!(tried.code, Some(0), "{}", tried.said);
    let node = cluster.start_joined(id, id, &cluster.nodes[0]);
    cluster.nodes.push(node);
}

fn store(cluster: &Cluster) -> Value {
    cluster.nodes[0]
        .get("/api/v1/cluster")
        .map_or(Value::Null, |(_, said)| said["store"].clone())
}

#[test]
fn s0_50_one_node_becomes_three_with_its_leases_while_clients_renew() {
    let Some(mut cluster) = Cluster::alone() else {
        return;
    };
    let file = cluster.give(&cluster.nodes[0], 91, 3000);
    let first = &cluster.nodes[0];
    let reservation = json!({ "subnet": "all", "mac": "02:00:00:00:99:01", "address": "10.0.0.250" });
    let (status, made) = first
        .ask("POST", "/api/v1/dhcp/reservations", Some(&reservation))
        .expect("it answers");
    assert!(status < 300, "{made}");
    let wanted = json!({ "name": "reader", "role": "viewer" });
    let (_, token) = first
        .ask("POST", "/api/v1/tokens", Some(&wanted))
        .expect("it answers");
    let (_, revisions) = first.get("/api/v1/revisions").expect("it answers");
    // Only told first.
    let (good, said) = grow(&cluster, &["--dry-run"]);
    assert!(good && said.contains("nothing is in the way"), "{said}");
    assert_eq!(store(&cluster), "embedded");

    let load = [
        "--clients",
        "1000",
        "--duration",
        "12s",
        "--rate",
        "300",
        "--seed",
        "92",
    ];
    let mut load = cluster.start_load(&cluster.nodes[0], &load);
    let (good, said) = grow(&cluster, &[]);
    assert!(good, "{said}\n{}", cluster.nodes[0].process.said());
    assert_eq!(store(&cluster), "postgres");
    let _ = load.ended();
    let report = Report::read(&load.said());
    report.kept_every_promise();
    assert!(report.leases() > 0, "{:#}", report.0);
    cluster.until_shared_by(&["n1"]);
    cluster.verify(&cluster.nodes[0], &file, 3000);

    let first = &cluster.nodes[0];
    let (_, moved) = first.get("/api/v1/revisions").expect("it answers");
    assert_eq!(moved["items"], revisions["items"]);
    let (_, shown) = first
        .get("/api/v1/dhcp/reservations?limit=10")
        .expect("it answers");
    assert_eq!(shown["items"][0]["address"], "10.0.0.250", "{shown}");
    let text = token["token"].as_str().expect("it was made");
    assert_eq!(
        first
            .ask_as(text, "GET", "/api/v1/status", None)
            .expect("it answers")
            .0,
        200
    );
    let (good, said) = grow(&cluster, &[]);
    assert!(!good && said.contains("one of several already"), "{said}");

    // Its file is still that of a node alone.
    cluster.nodes[0].process.crash();
    cluster.nodes[0].start_again();
    let first = &cluster.nodes[0];
    first.until("it was a node again", || {
        first.readiness().is_some_and(|(ready, _)| ready)
    });
    join(&mut cluster, "n2");
    join(&mut cluster, "n3");
    let first = &cluster.nodes[0];
    first.until("all three had a share", || {
        let share = |row: &Value| row["status"] == "active" && row["slots"].as_u64() > Some(0);
        first
            .members()
            .is_some_and(|rows| rows.len() == 3 && rows.iter().all(share))
    });
    for node in &cluster.nodes {
        cluster.verify(node, &file, 3000);
    }
}

/// A second network, so that there are two packet threads where there are two cores.
const SECOND: &str = "[[dhcp.subnets]]\nname = \"second\"\nnetwork = \"10.1.0.0/16\"\ngateway = \"10.1.0.1\"\n\
    pools = [\"10.1.1.0-10.1.255.254\"]\n";
/// Clients of both ask through one node, as often as RFC 2131 (section 4.1) has it: again after 4 s. Only once more here.
const PATIENT: [&str; 6] = [
    "--relay",
    "10.1.0.5@127.0.0.1:0",
    "--timeout",
    "4s",
    "--attempts",
    "2",
];

#[test]
fn s0_50_no_client_has_to_ask_more_than_once_again_while_its_node_grows() {
    let Some(cluster) = Cluster::alone_with(SECOND) else {
        return;
    };
    let first = &cluster.nodes[0];
    let file = cluster.path("owners").display().to_string();
    let owners = [
        "--clients",
        "2000",
        "--operations",
        "4000",
        "--seed",
        "94",
        "--save-leases",
        &file,
    ];
    let report = cluster.load(first, &[&PATIENT[..], &owners].concat());
    report.kept_every_promise();
    assert_eq!(report.leases(), 2000, "{:#}", report.0);

    let stream = [
        "--clients",
        "600",
        "--duration",
        "16s",
        "--rate",
        "200",
        "--seed",
        "95",
        "--mix",
        "dora=40,renew=60",
    ];
    let mut stream = cluster.start_load(first, &[&PATIENT[..], &stream].concat());
    let (good, said) = grow(&cluster, &[]);
    assert!(good, "{said}\n{}", first.process.said());
    assert!(stream.is_running(), "the stream outlasts the growth");
    let _ = stream.ended();
    let report = Report::read(&stream.said());
    report.kept_every_promise();
    assert_eq!(report.timed_out("load"), 0, "{:#}", report.0);
    // Packets waited in the sockets; none was lost.
    assert_eq!(report.retransmitted("load"), 0, "{:#}", report.0);
    assert!(report.done("load") > 1000, "{:#}", report.0);
    assert_eq!(store(&cluster), "postgres");
    cluster.verify(first, &file, 2000);
    assert!(!first.process.said().contains("starting anew"));
}

#[test]
fn s0_50_a_move_that_is_killed_half_way_is_begun_anew_and_loses_nothing() {
    let Some(mut cluster) = Cluster::alone() else {
        return;
    };
    let file = cluster.give(&cluster.nodes[0], 93, 1500);
    let (good, said) = grow(&cluster, &["--dry-run"]);
    assert!(good, "{said}");
    let lock = cluster.database.lock_rows();
    let wanted = json!({
        "store": cluster.url(),
        "node_ip": "127.0.0.1",
        "peer_port": cluster.nodes[0].peers_port(),
    });
    let (status, said) = cluster.nodes[0]
        .ask("POST", GROWTH, Some(&wanted))
        .expect("it answers");
    assert_eq!(status, 202, "{said}");
    let first = &cluster.nodes[0];
    first.until("it copied", || {
        first
            .get(GROWTH)
            .is_some_and(|(_, said)| said["state"] == "copying")
    });
    // Whoever comes now would serve from half of the leases.
    let early = cluster.member("n2", "n2");
    early.until("it waited", || {
        early.process.said().contains("n1 is moving its leases")
    });
    let written = "SELECT string_agg(DISTINCT tbl, ' ') FROM purlin.record";
    assert_eq!(
        cluster.database.ask(written).trim(),
        "grow",
        "it has written nothing"
    );
    cluster.verify(first, &file, 1500);
    cluster.nodes[0].process.crash();
    drop(lock);
    cluster.nodes[0].start_again();
    let first = &cluster.nodes[0];
    first.until("it served again", || {
        first.readiness().is_some_and(|(ready, _)| ready)
    });
    assert_eq!(store(&cluster), "embedded");
    cluster.verify(&cluster.nodes[0], &file, 1500);
    let (good, said) = grow(&cluster, &[]);
    assert!(good, "{said}\n{}", cluster.nodes[0].process.said());
    // Who waited goes on by itself, and finds that its secret is not the one that was made for this cluster.
    early.until("it was refused", || early.process.said().contains("secret"));
    cluster.verify(&cluster.nodes[0], &file, 1500);
    cluster.until_shared_by(&["n1"]);
}

#[test]
fn a_node_does_not_grow_into_what_is_anothers_or_into_what_is_wrong() {
    let Some(mut cluster) = Cluster::alone() else {
        return;
    };
    let first = &cluster.nodes[0];
    let url = cluster.url();
    let refused = |words: &[&str], why: &str| {
        let (good, said) = first.tries(&[&GROW, words].concat());
        assert!(!good && said.contains(why), "{why:?} in {said}");
    };
    refused(&["--store", &url], "node_ip");
    refused(
        &["--store", "mysql://x", "--node-ip", "127.0.0.1"],
        "postgresql://",
    );
    refused(
        &[
            "--store",
            "postgresql://purlin@127.0.0.1:1/purlin",
            "--node-ip",
            "127.0.0.1",
        ],
        "",
    );
    let other = cluster.member("n9", "n9");
    other.until("it was a cluster", || {
        other.readiness().is_some_and(|(ready, _)| ready)
    });
    refused(
        &["--store", &url, "--node-ip", "127.0.0.1"],
        "a cluster's already (n9)",
    );
    assert_eq!(store(&cluster), "embedded");
    cluster.nodes.push(other);
}

#[test]
fn a_file_that_is_turned_to_a_database_by_hand_leaves_no_leases_behind_unseen() {
    let Some(mut cluster) = Cluster::alone() else {
        return;
    };
    let file = cluster.give(&cluster.nodes[0], 96, 300);
    cluster.nodes[0].process.crash();
    let settings = cluster.path("n1.toml");
    let alone = std::fs::read_to_string(&settings).expect("it was started with it");
    let turned = format!(
        "[store]\nengine = \"postgres\"\nurl = \"{}\"\n\n[cluster]\nenabled = true\nnode_ip = \"127.0.0.1\"\nsecret = \"a secret of sixteen octets\"\npeer_port = {}\n",
        cluster.url(),
        cluster.nodes[0].peers_port()
    );
    let turned = alone.replace("[cluster]\n", &turned);
    std::fs::write(&settings, turned).expect("the folder is ours");
    cluster.nodes[0].start_again();
    let first = &mut cluster.nodes[0];
    assert!(!first.process.ended(), "{}", first.process.said());
    let said = first.process.said();
    for part in [
        "300 leases of its own",
        "purlin cluster grow --store",
        "--leave-leases",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    // Nothing has happened: it goes on alone, with all of them.
    std::fs::write(&settings, alone).expect("the folder is ours");
    first.start_again();
    let first = &cluster.nodes[0];
    first.until("it served again", || {
        first.readiness().is_some_and(|(ready, _)| ready)
    });
    cluster.verify(first, &file, 300);
    let (good, said) = grow(&cluster, &[]);
    assert!(good, "{said}");
}
