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

fn get(node: &Member, what: &str) -> Value {
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
fn hook_that(cluster: &Cluster, then: &str) -> PathBuf {
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

fn runs(file: &PathBuf) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

const LOAD: [&str; 6] = ["--clients", "400", "--duration", "90s", "--seed", "81"];

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

/// As [`BUSY`], decided anew every few seconds, by a program that has a second.
const STUBBORN: &str = "[dhcp.datacenter.scaling.auto_scaling]\nenabled = true\nmin_nodes = 2\nmax_nodes = 4\n\
    requests_per_node = 20\ncooldown_period = \"1s\"\nscale_up_after = \"1s\"\nscale_down_after = \"1h\"\n\
    driver = \"exec\"\ncommand = \"scale\"\ncommand_timeout = \"1s\"\n";

#[test]
fn a_hook_that_fails_hangs_or_talks_nonsense_is_told_and_asked_again_after_the_cooldown() {
    let Some(cluster) = Cluster::with_more(2, STUBBORN) else {
        return;
    };
    let nonsense = "head -c 300000 /dev/urandom";
    let then = format!(
        "case $RUN in 1) echo no quota >&2; exit 3;; 2) echo waits; sleep 60;; 3) {nonsense}; exit 4;; *) echo noted;; esac"
    );
    let file = hook_that(&cluster, &then);
    let _load = cluster.start_load(&cluster.nodes[0], &LOAD);
    let first = &cluster.nodes[0];
    let actions = |node: &Member| {
        get(node, "history")["items"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    first.until("the hook did it", || {
        actions(first).iter().any(|action| action["state"] == "done")
    });
    for node in &cluster.nodes {
        node.until("it knew of that", || {
            actions(node).iter().any(|action| action["state"] == "done")
        });
        let mut told = actions(node);
        told.reverse();
        let states: Vec<&Value> = told.iter().take(4).map(|action| &action["state"]).collect();
        assert_eq!(states, ["failed", "failed", "failed", "done"], "{told:?}");
        let output = |number: usize| told[number]["output"].as_str().unwrap_or_default();
        assert!(
            output(0).contains("no quota") && output(0).contains('3'),
            "{}",
            output(0)
        );
        assert!(
            output(1).contains("longer than 1 s") && output(1).contains("waits"),
            "{}",
            output(1)
        );
        assert!(output(2).len() < 20_000, "{} octets of nonsense", output(2).len());
        assert_eq!(output(3), "noted");
        let numbers: Vec<&Value> = told.iter().take(4).map(|action| &action["number"]).collect();
        assert_eq!(numbers, [1, 2, 3, 4], "{told:?}");
    }
    // None was asked for the same decision again, and none before the cooldown was over.
    let runs = runs(&file);
    let orders: Vec<Value> = runs
        .iter()
        .map(|run| {
            let json = run.find('{').map(|at| &run[at..]).unwrap_or_default();
            serde_json::from_str(json).expect("JSON")
        })
        .collect();
    assert!(
        orders
            .iter()
            .zip(1..)
            .all(|(order, number)| order["number"] == number && order["try"] == 1),
        "{orders:?}"
    );
}

const BOUNDS: &str = "[dhcp.datacenter.scaling.auto_scaling]\nenabled = true\nmin_nodes = 2\nmax_nodes = 3\n\
    scale_up_threshold = 70\nscale_down_threshold = 30\nscale_up_after = \"1h\"\nscale_down_after = \"1h\"\n";

#[test]
fn s0_27_s0_28_s0_29_s0_30_s0_45_bounds_and_thresholds_decide_at_every_node() {
    let Some(cluster) = Cluster::with_more(2, BOUNDS) else {
        return;
    };
    for node in &cluster.nodes {
        let asked = |nodes: &str, cpu: &str| -> (String, Value) {
            let words = [
                "scale",
                "recommend",
                "--nodes",
                nodes,
                "--cpu",
                cpu,
                "--memory",
                "50",
                "-o",
                "json",
            ];
            let said: Value = serde_json::from_str(&node.says(&words)).expect("JSON");
            let word = said["recommendation"].as_str().unwrap_or_default().to_owned();
            (word, said["target_nodes"].clone())
        };
        let is = |word: &str, target: u64| (word.to_owned(), json!(target));
        // Above the threshold, not at it.
        assert_eq!(asked("2", "70"), is("maintain", 2));
        assert_eq!(asked("2", "71"), is("scale_up", 3));
        // Never more than max_nodes.
        assert_eq!(asked("3", "99"), is("maintain", 3));
        // Below the threshold, not at it.
        assert_eq!(asked("3", "50"), is("maintain", 3));
        // Never fewer than min_nodes.
        assert_eq!(asked("2", "0"), is("maintain", 2));
        let metrics = get(node, "metrics");
        let target = metrics["target_nodes"].as_u64();
        assert!(
            target.is_some_and(|target| (2..=3).contains(&target)),
            "{metrics}"
        );
    }
    // Little to do, by processors and memory.
    let node = &cluster.nodes[1];
    for (load, word, target) in [("30", "maintain", 3), ("29", "scale_down", 2)] {
        let words = [
            "scale",
            "recommend",
            "--nodes",
            "3",
            "--cpu",
            load,
            "--memory",
            load,
            "-o",
            "json",
        ];
        let said: Value = serde_json::from_str(&node.says(&words)).expect("JSON");
        assert_eq!(
            (&said["recommendation"], &said["target_nodes"]),
            (&json!(word), &json!(target)),
            "{said}"
        );
    }
}

/// How a running cluster is planned from then on.
const OTHERWISE: &str = "\n[dhcp.datacenter.scaling.load_distribution]\nmethod = \"ip_hash\"\nvirtual_nodes = 10\n\
    replication_factor = 2\n";

#[test]
fn s0_14_s0_15_s0_16_all_nodes_have_one_plan_by_the_settings_in_force() {
    let Some(cluster) = Cluster::new(3) else { return };
    let addresses: Vec<String> = (1..60).map(|n| format!("10.0.{}.{}", n * 4, n)).collect();
    let plan = |node: &Member, of: &str| {
        let (_, plan) = node
            .get(&format!("/api/v1/cluster/plan?address={of}"))
            .expect("it answers");
        plan
    };
    let orders = |node: &Member| -> Vec<Value> {
        addresses
            .iter()
            .map(|address| plan(node, address)["slot"]["order"].clone())
            .collect()
    };
    let [one, two, three] = &cluster.nodes[..] else {
        unreachable!("three were made")
    };
    let settled = |copies: usize, words: (&str, u64)| {
        for node in [one, two, three] {
            node.until("the plan was for all, by the settings", || {
                let plan = plan(node, &addresses[0]);
                let by = (plan["method"].as_str(), plan["virtual_nodes"].as_u64());
                let order = plan["slot"]["order"].as_array().map(Vec::len);
                let all = plan["nodes"].as_array().map(Vec::len) == Some(3);
                all && by == (Some(words.0), Some(words.1))
                    && order == Some(copies)
                    && plan["number"] == self::plan(one)["number"]
            });
        }
        let seen = [one, two, three].map(orders);
        assert!(seen[0] == seen[1] && seen[1] == seen[2], "{seen:?}");
        seen[0].clone()
    };
    let before = settled(3, ("consistent_hashing", 100));
    let file = cluster.path("n2.toml");
    let text = std::fs::read_to_string(&file).expect("it was started with it");
    let other = cluster.path("other.toml");
    std::fs::write(&other, text + OTHERWISE).expect("the folder is ours");
    let _ = two.says(&["config", "apply", &other.to_string_lossy()]);
    // By its source is what rendezvous is to a server.
    let after = settled(2, ("rendezvous", 10));
    let first = |orders: &[Value]| -> Vec<Value> { orders.iter().map(|order| order[0].clone()).collect() };
    let standby = |orders: &[Value]| -> Vec<Value> { orders.iter().map(|order| order[1].clone()).collect() };
    assert_ne!(
        (first(&before), standby(&before)),
        (first(&after), standby(&after))
    );
    // Nobody is next in line for itself, and a share is nobody's alone.
    assert!(after.iter().all(|order| order[0] != order[1]), "{after:?}");
}

/// The plan in force as a node knows it.
fn plan(node: &Member) -> Value {
    node.get("/api/v1/cluster/plan").expect("it answers").1
}

#[test]
fn what_is_left_of_a_drain_falls_step_by_step_and_it_ends() {
    let Some(cluster) = Cluster::new(2) else { return };
    let file = cluster.give(&cluster.nodes[0], 83, 300);
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let drain = || one.get("/api/v1/cluster/nodes/n2").expect("it answers").1["drain"].clone();
    // Nothing is given back before its rows are written: with rows on their way and nobody who may write, it waits.
    let _load = cluster.start_load(
        two,
        &[
            "--clients",
            "400",
            "--duration",
            "10s",
            "--rate",
            "200",
            "--seed",
            "84",
        ],
    );
    let rows = || {
        cluster
            .database
            .ask("SELECT count(*) FROM purlin.fenced_row")
            .parse::<u32>()
    };
    one.until("rows were written", || rows().is_ok_and(|rows| rows > 350));
    let lock = cluster.database.lock_rows();
    let (status, said) = two
        .ask("POST", "/api/v1/cluster/nodes/n2/drain", None)
        .expect("it answers");
    assert!(status < 300, "{said}");
    let mut left: Vec<u64> = Vec::new();
    one.until("it told what is left", || {
        left.extend(drain()["slots"].as_u64());
        left.last() > Some(&0)
    });
    let at_first = drain()["slots_at_first"].as_u64();
    drop(lock);
    one.until("nothing was left", || {
        let drain = drain();
        left.extend(drain["slots"].as_u64());
        drain["step"] == "done"
    });
    assert!(left.windows(2).all(|two| two[0] >= two[1]), "{left:?}");
    assert_eq!(left.last(), Some(&0), "{left:?}");
    assert!(at_first >= left.first().copied(), "{at_first:?} {left:?}");
    cluster.verify(one, &file, 300);
    cluster.until_shared_by(&["n1"]);
}
