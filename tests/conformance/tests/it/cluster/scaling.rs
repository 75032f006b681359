//! The number of nodes: load seen at every node, decisions with reasons, hooks, rehearsals that come true.

use purlin_conformance::{Cluster, Member};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

const BASE: &str = "/api/v1/scaling";

/// A node that is meant for few requests, and a program that is told what to do about it.
const BUSY: &str = "[dhcp.datacenter.scaling.auto_scaling]\nenabled = true\nmin_nodes = 2\nmax_nodes = 4\n\
    requests_per_node = 20\ncooldown_period = \"10m\"\nscale_up_after = \"2s\"\nscale_down_after = \"1h\"\n\
    driver = \"exec\"\ncommand = \"scale\"\n";

/// The same without anybody who acts.
const TOLD: &str = "[dhcp.datacenter.scaling.auto_scaling]\nenabled = true\nmin_nodes = 1\nmax_nodes = 4\n\
    requests_per_node = 20\ncooldown_period = \"10m\"\nscale_up_after = \"2s\"\nscale_down_after = \"1h\"\n";

pub(super) fn get(node: &Member, what: &str) -> Value {
    let (status, body) = node.get(&format!("{BASE}/{what}")).expect("it answers");
    assert_eq!(status, 200, "{body}");
    body
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A program that notes each of its runs.
fn hook(cluster: &Cluster) -> PathBuf {
    hook_that(cluster, "echo noted")
}

/// One that then does something more, with `$RUN` of them before and this one.
pub(super) fn hook_that(cluster: &Cluster, then: &str) -> PathBuf {
    let folder = cluster.path("hooks");
    std::fs::create_dir(&folder).expect("the folder is ours");
    let (program, runs) = (folder.join("scale"), folder.join("runs"));
    let words = format!(
        "#!/bin/sh\necho \"$@ $(cat)\" >> {0}\nRUN=$(wc -l < {0})\n{then}\n",
        runs.display()
    );
    for (path, mode) in [(&folder, 0o755), (&program, 0o755)] {
        if path == &program {
            std::fs::write(path, &words).expect("the folder is ours");
        }
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("it is ours");
    }
    runs
}

pub(super) fn runs(file: &PathBuf) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

pub(super) const LOAD: [&str; 6] = ["--clients", "400", "--duration", "90s", "--seed", "81"];

#[test]
fn s0_26_s0_31_a_load_is_acted_on_once_within_bounds_and_the_cooldown_is_kept() {
    let Some(cluster) = Cluster::with_more(2, BUSY) else {
        return;
    };
    let file = hook(&cluster);
    let _load = cluster.start_load(&cluster.nodes[0], &LOAD);
    let first = &cluster.nodes[0];
    first.until("the hook ran", || !runs(&file).is_empty());
    // Asked at the node that does not lead as well: one history.
    for node in &cluster.nodes {
        node.until("the decision was done", || {
            let history = get(node, "history");
            history["items"][0]["state"] == "done"
        });
        let history = get(node, "history");
        let action = &history["items"][0];
        assert_eq!(
            (&action["number"], &action["from"], &action["to"]),
            (&json!(1), &json!(2), &json!(4)),
            "{action}"
        );
        let reason = action["reason"].as_str().expect("a sentence");
        assert!(
            reason.contains("request rate") && reason.contains("above"),
            "{action}"
        );
        assert_eq!(
            (&action["driver"], &action["output"]),
            (&json!("exec"), &json!("noted")),
            "{action}"
        );
    }
    // Looked at again and again while the load goes on: the cooldown holds.
    let decided = || get(first, "decision")["decided_at"].to_string();
    let mut seen = std::collections::BTreeSet::new();
    first.until("it was decided three times more", || {
        seen.insert(decided());
        seen.len() > 3
    });
    let decision = get(first, "decision");
    assert!(number(&decision["cooldown_up_seconds"]) > 0.0, "{decision}");
    let metrics = get(first, "metrics");
    assert_eq!(metrics["target_nodes"], 4, "{metrics}");
    let told = runs(&file);
    assert_eq!(told.len(), 1, "{told:?}");
    let (words, order) = told[0].split_at(told[0].find('{').expect("JSON"));
    let order: Value = serde_json::from_str(order).expect("JSON");
    assert_eq!(
        (words.trim(), &order["number"], &order["try"]),
        ("scale_up 2 4", &json!(1), &json!(1))
    );
    let said = first.says(&["scale", "history"]);
    assert!(said.contains("scale_up") && said.contains("done"), "{said}");
    // Nodes that are needed are not taken out.
    let (good, said) = first.tries(&["as", "simple-dhcpd-datacenter", "--remove-node", "n2"]);
    assert!(!good && said.contains("fewer than min_nodes, 2"), "{said}");
}

#[test]
fn s0_43_s0_44_s0_48_s0_49_every_node_answers_for_all_of_them() {
    let Some(cluster) = Cluster::with_more(2, TOLD) else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    two.until("both were counted", || get(two, "metrics")["nodes"] == 2);
    let quiet = get(two, "metrics");
    assert_eq!(
        (&quiet["nodes"], &quiet["scaling_recommendation"]),
        (&json!(2), &json!("maintain"))
    );
    // All of it goes to one node.
    let _load = cluster.start_load(one, &LOAD);
    two.until("the other node saw the load, and that nodes should come", || {
        let metrics = get(two, "metrics");
        number(&metrics["request_rate"]) > 50.0 && metrics["scaling_recommendation"] == "scale_up"
    });
    let decision = get(two, "decision");
    let loads = decision["loads"].as_array().expect("a list");
    let mean = |what: &str| loads.iter().map(|load| number(&load[what])).sum::<f64>() / loads.len() as f64;
    let metrics = get(two, "metrics");
    for (field, what) in [("cpu_utilization", "cpu"), ("memory_utilization", "memory")] {
        let shown = number(&metrics[field]);
        assert!((0.0..=100.0).contains(&shown), "{metrics}");
        // The processors may have gone on meanwhile; memory is the same on one machine.
        assert!(
            what == "cpu" || (shown - mean(what)).abs() < 5.0,
            "{metrics} {decision}"
        );
    }
    // Nobody acts, and what would be done is told once, at every node.
    for node in &cluster.nodes {
        node.until("the recommendation was told", || {
            get(node, "history")["items"][0].is_object()
        });
        let history = get(node, "history");
        let items = history["items"].as_array().expect("a page");
        assert_eq!(
            (items.len(), &items[0]["state"]),
            (1, &json!("recommended")),
            "{history}"
        );
        let target = number(&items[0]["to"]);
        assert!((3.0..=4.0).contains(&target), "{history}");
    }
    let said = two.says(&["scale", "status"]);
    assert!(
        said.contains("n1") && said.contains("scale_up from 2 to"),
        "{said}"
    );
    let said = two.says(&[
        "scale",
        "recommend",
        "--requests",
        "10",
        "--cpu",
        "40",
        "--memory",
        "40",
    ]);
    assert!(said.contains("maintain 2 nodes"), "{said}");
    let settings: Value =
        serde_json::from_str(&two.says(&["scale", "settings", "-o", "json"])).expect("JSON");
    assert_eq!(
        (&settings["max_nodes"], &settings["driver"]),
        (&json!(4), &json!("recommend")),
        "{settings}"
    );
}

/// Slots by node, as a member of its row says.
fn shares(rows: &Value, name: &str, member: &str) -> Value {
    let rows = rows.as_array().expect("a list");
    let of = |row: &Value| {
        (
            row[name].as_str().expect("a name").to_owned(),
            row[member].clone(),
        )
    };
    // Who has nothing may be left out.
    let having = rows.iter().filter(|row| row[member] != 0);
    Value::Object(having.map(of).collect())
}

#[test]
fn s0_52_a_rehearsal_tells_what_then_happens() {
    let Some(cluster) = Cluster::new(3) else { return };
    let file = cluster.give(&cluster.nodes[0], 82, 400);
    let asked = &cluster.nodes[0];
    let row = |node: &str| {
        let (_, row) = asked
            .get(&format!("/api/v1/cluster/nodes/{node}"))
            .expect("it answers");
        row
    };
    let plan = || asked.get("/api/v1/cluster/plan").expect("it answers").1;
    asked.until("there was a plan for all, and the node said what it has", || {
        shares(&plan()["nodes"], "node", "planned")["n3"].is_u64() && row("n3")["leases"].is_u64()
    });
    let said = asked.says(&["cluster", "drain", "n3", "--dry-run", "-o", "json"]);
    let moves: Value = serde_json::from_str(&said).expect("JSON");
    let without = asked.says(&["cluster", "plan", "--without", "n3", "-o", "json"]);
    assert_eq!(
        moves["nodes"],
        serde_json::from_str::<Value>(&without).expect("JSON")["nodes"]
    );
    assert_eq!(row("n3")["status"], "active", "nothing was done");
    assert!(moves["leases"].is_u64(), "{moves}");
    let before = shares(&moves["nodes"], "node", "before");
    assert_eq!(before, shares(&plan()["nodes"], "node", "planned"));
    let held = row("n3")["slots"].clone();
    // In earnest: it ends when the node holds nothing.
    let said = asked.says(&["cluster", "drain", "n3"]);
    assert!(said.contains("slots left"), "{said}");
    let drained = row("n3");
    assert_eq!(
        (&drained["status"], &drained["slots"]),
        (&json!("draining"), &json!(0)),
        "{drained}"
    );
    assert!(
        drained["drain"]["slots_at_first"].as_u64() >= held.as_u64(),
        "{held} {drained}"
    );
    asked.until("the drain was told as done", || {
        row("n3")["drain"]["step"] == "done"
    });
    // The leader planned exactly what was foretold.
    let after = shares(&moves["nodes"], "node", "after");
    asked.until("the plan was as predicted", || {
        shares(&plan()["nodes"], "node", "planned") == after
    });
    for node in &cluster.nodes[..2] {
        cluster.verify(node, &file, 400);
    }
    // The last one stays.
    let _ = asked.says(&["cluster", "drain", "n2"]);
    for force in [&[][..], &["--force"]] {
        let (good, said) = asked.tries(&[&["cluster", "drain", "n1"], force].concat());
        assert!(!good && said.contains("n1 is the last live node"), "{said}");
    }
}

#[test]
fn s0_7_node_status_shows_one_node_and_what_it_holds() {
    let Some(cluster) = Cluster::new(2) else { return };
    let asked = &cluster.nodes[0];
    let old = ["as", "simple-dhcpd-datacenter", "--node-status"];
    let said = asked.says(&[&old[..], &["n2", "-o", "json"]].concat());
    let row: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (&row["id"], &row["status"]),
        (&json!("n2"), &json!("active")),
        "{row}"
    );
    assert!(row["slots"].as_u64().is_some_and(|slots| slots > 0), "{row}");
    let (good, said) = asked.tries(&[&old[..], &["n9"]].concat());
    assert!(!good && said.contains("n9"), "{said}");
}
