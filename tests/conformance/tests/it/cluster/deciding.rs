//! What the settings of scaling do over real nodes: bounds, thresholds, hooks that fail, one plan, a drain that ends.

use super::scaling::{LOAD, get, hook_that, runs};
use purlin_conformance::{Cluster, Member};
use serde_json::{Value, json};

/// A node that is meant for few requests, decided anew every few seconds, by a program that has a second.
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
