//! Dashboards, alerts and the scrape configuration that are shipped, against what nodes really show.

use purlin_conformance::{Cluster, program, run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const DASHBOARDS: [&str; 2] = ["cluster.json", "services.json"];
/// What the guide's own dashboard asks.
const GUIDES: [(&str, &str); 3] = [
    (
        "Active Nodes",
        "count(ovncp_cluster_nodes_total{status='active'})",
    ),
    ("Session Distribution", "ovncp_sessions_active"),
    (
        "Lock Contention",
        "rate(ovncp_distributed_lock_wait_seconds_sum[5m]) / rate(ovncp_distributed_lock_wait_seconds_count[5m])",
    ),
];

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy")
        .join(name)
}

/// Title and expression of every query of a dashboard.
fn queries(name: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(shipped("grafana").join(name)).expect("it is shipped");
    let board: Value = serde_json::from_str(&text).expect("a dashboard is JSON");
    let board = &board["dashboard"];
    assert!(board["title"].is_string() && board["uid"].is_string(), "{name}");
    let panels = board["panels"].as_array().expect("it has panels");
    let of = |panel: &Value| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        let queries = targets.into_iter().map(move |target| {
            let expr = target["expr"].as_str().expect("a query").to_owned();
            (title.clone(), expr)
        });
        queries.collect::<Vec<_>>()
    };
    panels.iter().flat_map(of).collect()
}

/// Names of metrics in an expression or a rule file.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| {
        ["ovncp_", "purlin_", "process_"]
            .iter()
            .any(|begin| word.starts_with(begin))
    });
    ours.map(str::to_owned).collect()
}

/// Whether a scrape declares a metric, or the family that it is a series of.
fn declared(scrape: &str, name: &str) -> bool {
    let family = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|end| name.strip_suffix(end));
    let declares = |name: &str| {
        scrape
            .lines()
            .any(|line| line.starts_with(&format!("# TYPE {name} ")))
    };
    declares(name) || family.is_some_and(declares)
}

/// Reads a file to its end, block by block (RFC 1350).
fn fetch(port: u16, file: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    socket
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time");
    let request = format!("\0\u{1}{file}\0octet\0");
    socket
        .send_to(request.as_bytes(), ("127.0.0.1", port))
        .expect("sent");
    let mut block = [0; 516];
    loop {
        let (length, from) = socket.recv_from(&mut block).expect("the node serves files");
        assert_eq!(block[1], 3, "data: {:?}", &block[..length]);
        block[1] = 4;
        socket.send_to(&block[..4], from).expect("sent");
        if length < block.len() {
            return;
        }
    }
}

#[test]
fn s0_51_s4_103_s4_115_every_metric_of_the_shipped_files_is_shown_by_a_node() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some((cluster, files)) = Cluster::with_files(own) else {
        return;
    };
    // A series is there when something has happened.
    let _ = cluster.give(&cluster.nodes[0], 91, 20);
    fetch(files, "Cargo.toml");
    let node = &cluster.nodes[0];
    node.until("transfers were counted", || {
        declared(&node.scrape(), "purlin_tftp_decisions_total")
    });
    let scrape = node.scrape();
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for name in DASHBOARDS {
        wanted.extend(queries(name).iter().flat_map(|(_, expr)| names(expr)));
    }
    let alerts = std::fs::read_to_string(shipped("prometheus/alerts.yml")).expect("it is shipped");
    let rules = alerts
        .lines()
        .filter(|line| line.trim_start().starts_with("expr:"));
    wanted.extend(rules.flat_map(names));
    assert!(wanted.len() > 20, "{wanted:?}");
    // Two nodes are needed for this one, and a pool that fills for the other: see their own tests.
    wanted.remove("ovncp_session_migrations_total");
    wanted.remove("purlin_dhcp_pool_full_seconds");
    let missing: Vec<&String> = wanted.iter().filter(|name| !declared(&scrape, name)).collect();
    assert!(missing.is_empty(), "no node shows {missing:?}");
    s4_116_s4_117_s4_118_the_guides_queries_give_numbers(&cluster);
}

fn s4_116_s4_117_s4_118_the_guides_queries_give_numbers(cluster: &Cluster) {
    let board = queries(DASHBOARDS[0]);
    for (title, expr) in GUIDES {
        let there = board
            .iter()
            .any(|(panel, query)| (panel.as_str(), query.as_str()) == (title, expr));
        assert!(there, "{title}: {expr}");
    }
    let Some(watcher) = cluster.watched() else { return };
    watcher.until(GUIDES[0].1, 1, "1");
    watcher.until(GUIDES[1].1, 1, "0");
    // Prometheus itself reads every other query.
    for (title, expr) in DASHBOARDS.iter().flat_map(|name| queries(name)) {
        assert!(watcher.reads(&expr), "{title}: {expr}");
    }
}

#[test]
fn s4_125_the_shipped_alerts_are_valid_and_fire_when_they_should() {
    let Some(promtool) = program("promtool") else {
        assert!(!purlin_conformance::met_plainly(&["promtool"]));
        return;
    };
    let folder = shipped("prometheus");
    for arguments in [
        &["check", "config", "prometheus.yml"][..],
        &["check", "rules", "alerts.yml"],
        &["test", "rules", "alerts_test.yml"],
        &["check", "rules", "ovn-alerts.yml"],
        &["test", "rules", "ovn-alerts_test.yml"],
    ] {
        let output = run(Command::new(&promtool).args(arguments).current_dir(&folder));
        let said = [output.stdout, output.stderr].concat();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&said)
        );
    }
    for name in ["alerts", "ovn-alerts"] {
        let read = |file: String| std::fs::read_to_string(folder.join(file)).expect("it is shipped");
        let (rules, tested) = (read(format!("{name}.yml")), read(format!("{name}_test.yml")));
        for alert in rules
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- alert: "))
        {
            assert!(
                tested.contains(&format!("alertname: {alert}\n")),
                "{alert} is not tested"
            );
        }
    }
}
