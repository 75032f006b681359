use crate::harness::{CONFIG, Node, run};
use std::process::Command;
use tempfile::TempDir;

const NAMES: [&str; 4] = [
    "simple-dhcpd-datacenter",
    "simple-tftpd-datacenter",
    "metanode-cli",
    "ovncp",
];

#[test]
fn every_name_answers_help_and_version() {
    for name in NAMES {
        for flag in ["--help", "--version"] {
            let ended = run(&["as", name, flag]);
            assert_eq!(ended.code, 0, "{name} {flag}: {}", ended.err);
            assert!(ended.out.contains(name), "{name} {flag}: {}", ended.out);
        }
    }
}

#[test]
fn a_link_of_that_name_is_that_program() {
    let dir = TempDir::new().unwrap();
    for name in NAMES {
        let link = dir.path().join(name);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_purlin"), &link).unwrap();
        let output = Command::new(&link).arg("--version").output().unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).starts_with(name));
    }
}

#[test]
fn the_cluster_flags_are_all_listed() {
    let help = run(&["as", "simple-dhcpd-datacenter", "--help"]).out;
    for flag in [
        "--add-node",
        "--remove-node",
        "--force",
        "--cluster-status",
        "--site-status",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn a_missing_value_or_a_lone_force_is_a_usage_fault() {
    for arguments in [
        &["--add-node"][..],
        &["--remove-node"],
        &["--force"],
        &["--cluster-status", "--force"],
        &[],
    ] {
        let all = [&["as", "simple-dhcpd-datacenter"], arguments].concat();
        assert_eq!(run(&all).code, 2, "{arguments:?}");
    }
}

#[test]
fn what_comes_later_is_said_in_one_sentence() {
    let commands: [&[&str]; 4] = [
        &["simple-dhcpd-datacenter", "--site-status"],
        &[
            "metanode-cli",
            "infra",
            "scale",
            "--component",
            "blockchain",
            "--replicas",
            "3",
            "--app",
            "my-app",
        ],
        &[
            "metanode-cli",
            "benchmark",
            "--transactions",
            "1000",
            "--concurrent",
            "50",
            "--app",
            "my-app",
        ],
        &[
            "metanode-cli",
            "benchmark",
            "report",
            "--output",
            "benchmark-results.pdf",
        ],
    ];
    for arguments in commands {
        let ended = run(&[&["as"], arguments].concat());
        assert_eq!(ended.code, 1, "{arguments:?}: {}", ended.err);
        assert!(
            ended.err.contains("is not in Purlin"),
            "{arguments:?}: {}",
            ended.err
        );
        assert_eq!(
            ended.err.trim_end().lines().count(),
            1,
            "{arguments:?}: {}",
            ended.err
        );
    }
}

#[test]
fn the_cluster_status_of_one_node_is_the_truth() {
    let node = Node::start(CONFIG);
    let rows = node.json(&["as", "simple-dhcpd-datacenter", "--cluster-status"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
    assert_eq!(
        (rows[0]["status"].as_str(), rows[0]["health"].as_str()),
        (Some("active"), Some("healthy"))
    );
    let table = node.run(&["as", "simple-dhcpd-datacenter", "--cluster-status"]);
    assert!(table.out.starts_with("NODE"), "{}", table.out);
}

#[test]
fn a_node_alone_removes_neither_itself_nor_strangers() {
    let node = Node::start(CONFIG);
    let name = "simple-dhcpd-datacenter";
    let stranger = node.run(&["as", name, "--remove-node", "node4.example.com"]);
    assert_eq!(stranger.code, 3, "{}", stranger.err);
    let rows = node.json(&["as", name, "--cluster-status"]);
    let own = rows[0]["node"].as_str().expect("a name").to_owned();
    let itself = node.run(&["as", name, "--remove-node", &own, "--force"]);
    assert_eq!(itself.code, 4, "{}", itself.err);
    assert!(
        itself.err.contains("a node cannot remove itself"),
        "{}",
        itself.err
    );
    let shown = node.run(&["as", name, "--node-status", &own]);
    assert_eq!(shown.code, 0, "{}", shown.err);
}

#[test]
fn without_a_node_the_cluster_status_is_unreachable() {
    let ended = run(&[
        "as",
        "simple-dhcpd-datacenter",
        "--cluster-status",
        "--server",
        "http://127.0.0.1:1",
    ]);
    assert_eq!(ended.code, 6);
}
