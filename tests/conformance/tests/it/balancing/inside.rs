//! A front inside a node, before all nodes of its cluster.

use purlin_conformance::{Cluster, run, until};
use serde_json::Value;
use std::process::Command;

/// How a backend of the only front of n1 stands: its state and weight; `None` when it is none.
fn standing(cluster: &Cluster, name: &str) -> Option<(String, u64)> {
    let said = cluster.nodes[0].says(&["lb", "status", "-o", "json"]);
    let all: Value = serde_json::from_str(&said).expect("a document");
    let backends = all["fronts"][0]["backends"].as_array()?.clone();
    let backend = backends.into_iter().find(|backend| backend["name"] == name)?;
    Some((backend["state"].as_str()?.to_owned(), backend["weight"].as_u64()?))
}

/// The statuses of some requests, each over a connection of its own.
fn statuses(listen: &str, count: usize) -> Vec<String> {
    let range = format!("http://{listen}/health/live#[1-{count}]");
    let mut curl = Command::new("curl");
    curl.args([
        "-s",
        "-H",
        "Connection: close",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}\n",
    ])
    .arg(range);
    let said = String::from_utf8_lossy(&run(&mut curl).stdout).into_owned();
    said.lines().map(str::to_owned).collect()
}

#[test]
fn a_front_inside_a_node_follows_the_members_of_its_cluster() {
    let Some(mut cluster) = Cluster::new(3) else {
        return;
    };
    let file = cluster.path("n1.toml");
    let text = std::fs::read_to_string(&file).expect("it was started with it");
    let front = "\n[[balancer.fronts]]\nname = \"api\"\nservice = \"http\"\nlisten = \"127.0.0.1:0\"\nmembers = true\n\
                 check_interval = \"200ms\"\nrise = 1\nfall = 1\nslow_start = 0\n";
    std::fs::write(&file, text + front).expect("the folder is ours");
    cluster.nodes[0].process.signal("TERM");
    assert!(
        cluster.nodes[0].process.ended(),
        "{}",
        cluster.nodes[0].process.said()
    );
    cluster.nodes[0].start_again();
    cluster.until_shared_by(&["n1", "n2", "n3"]);

    until("all nodes were behind it", || {
        ["n1", "n2", "n3"]
            .iter()
            .all(|name| standing(&cluster, name).is_some_and(|(state, _)| state == "up"))
    });
    let said = cluster.nodes[0].says(&["lb", "status", "-o", "json"]);
    let all: Value = serde_json::from_str(&said).expect("a document");
    let listen = all["fronts"][0]["listen"]
        .as_str()
        .expect("an address")
        .to_owned();
    assert_eq!(statuses(&listen, 12), ["200"; 12]);

    // One that drains gets nothing new; one that dies is passed over.
    let _ = cluster.nodes[1].says(&["cluster", "drain", "n2"]);
    until("the draining node had no weight", || {
        standing(&cluster, "n2").is_none_or(|(_, weight)| weight == 0)
    });
    cluster.nodes[2].process.crash();
    assert_eq!(statuses(&listen, 12), ["200"; 12]);
    until("the dead node was out", || {
        standing(&cluster, "n3").is_none_or(|(state, weight)| state == "down" || weight == 0)
    });
    assert_eq!(statuses(&listen, 6), ["200"; 6]);
}
