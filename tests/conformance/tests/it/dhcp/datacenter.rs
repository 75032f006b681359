//! What the datacenter and multi-site guides write: program name, flags, configuration files.

use purlin_conformance::{Lab, lab_config, purlin, run};
use serde_json::{Value, json};
use std::process::{Command, Output};

/// `simple-dhcpd-datacenter ...` by its own name.
fn dhcpd(arguments: &[&str]) -> Option<Output> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let link = folder.path().join("simple-dhcpd-datacenter");
    std::os::unix::fs::symlink(purlin()?, &link).expect("a link can be made in our own folder");
    Some(run(Command::new(&link).args(arguments)))
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// `purlin config check` of a JSON document: whether it is good, and what is said about it.
fn checked(document: &Value) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("datacenter.json");
    std::fs::write(&file, document.to_string()).expect("our own folder can be written");
    let output = run(Command::new(purlin()?).args(["config", "check"]).arg(&file));
    Some((output.status.success(), words(&output)))
}

/// The value at the end of a path below `dhcp.datacenter`.
fn at(path: &str, value: Value) -> Value {
    let under = path.rsplit('.').fold(value, |value, key| json!({ key: value }));
    json!({ "dhcp": { "datacenter": under } })
}

/// The value of the guide is taken, and each bad one is refused with words that help.
fn takes(path: &str, good: &[Value], bad: &[(Value, &str)]) {
    if purlin().is_none() {
        return;
    }
    for value in good {
        let (ok, said) = checked(&at(path, value.clone())).expect("the binary is there");
        assert!(ok, "{path} = {value}: {said}");
    }
    for (value, help) in bad {
        let (ok, said) = checked(&at(path, value.clone())).expect("the binary is there");
        assert!(
            !ok && said.contains(help),
            "{path} = {value} should be refused with {help:?}: {said}"
        );
    }
}

#[test]
fn s0_5_the_program_name_answers_help_and_version() {
    let Some(help) = dhcpd(&["--help"]) else { return };
    assert!(help.status.success());
    let help = words(&help);
    for flag in [
        "--add-node",
        "--remove-node",
        "--force",
        "--cluster-status",
        "--site-status",
        "--version",
    ] {
        assert!(help.contains(flag), "{flag} in\n{help}");
    }
    let version = dhcpd(&["--version"]).expect("the binary is there");
    assert!(version.status.success() && words(&version).contains("simple-dhcpd-datacenter"));
}

#[test]
fn s0_7_cluster_status_shows_a_cluster_of_one() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    let said = node.says(&["as", "simple-dhcpd-datacenter", "--cluster-status"]);
    assert!(said.contains("lab") && said.contains("healthy"), "{said}");
    let rows = node.json(&["as", "simple-dhcpd-datacenter", "--cluster-status"]);
    assert!(rows.to_string().contains("\"lab\""), "{rows}");
    drop(node);
    let binary = purlin().expect("checked with the laboratory");
    let alone = lab.server.run(
        &binary.to_string_lossy(),
        &["as", "simple-dhcpd-datacenter", "--cluster-status"],
    );
    assert!(!alone.status.success(), "nobody is there to ask");
}

#[test]
fn s0_10_a_value_follows_its_flag_in_both_forms() {
    let Some(missing) = dhcpd(&["--add-node"]) else {
        return;
    };
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(
        dhcpd(&["--force"]).and_then(|output| output.status.code()),
        Some(2),
        "--force alone"
    );
    for form in [&["--add-node", "node 4"][..], &["--add-node=node 4"]] {
        let said = words(&dhcpd(form).expect("the binary is there"));
        assert!(said.contains("\"node 4\" cannot be a node"), "{said}");
    }
}

#[test]
fn s0_10_a_node_alone_says_what_it_lacks_to_take_another() {
    let Some(lab) = Lab::new(&[]) else { return };
    let node = lab.node(&lab_config("", "", ""));
    for form in [
        &["--add-node", "node4.example.com"][..],
        &["--add-node=node4.example.com"],
    ] {
        let output = node.cli(&[&["as", "simple-dhcpd-datacenter"][..], form].concat());
        let said = words(&output);
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains("serves alone") && said.contains("engine = \"postgres\""),
            "{said}"
        );
    }
    let said = node.says(&["as", "simple-dhcpd-datacenter", "--add-node", "lab"]);
    assert!(said.contains("lab is a node of the cluster already"), "{said}");
}

#[test]
fn s0_11_the_guides_documents_load_alone_and_merged() {
    let Some((ok, said)) = checked(&scaling()) else {
        return;
    };
    assert!(ok, "{said}");
    let mut merged = scaling();
    merged["dhcp"]["datacenter"]["performance"] = performance();
    merged["dhcp"]["datacenter"]["multi_site"] = sites();
    let (ok, said) = checked(&merged).expect("the binary is there");
    assert!(ok, "{said}");
}

#[test]
fn s0_12_an_unknown_key_is_named_with_the_nearest_one() {
    takes("skaling", &[], &[(json!({}), "scaling")]);
}

#[test]
fn s0_13_an_unknown_key_of_scaling_is_named_with_the_nearest_one() {
    takes("scaling.auto_skaling", &[], &[(json!({}), "auto_scaling")]);
}

#[test]
fn s0_14_the_method_is_one_of_those_known() {
    let good = [
        json!("consistent_hashing"),
        json!("round_robin"),
        json!("least_connections"),
    ];
    takes(
        "scaling.load_distribution.method",
        &good,
        &[(json!("consistent_hash"), "consistent_hashing")],
    );
}

#[test]
fn s0_15_the_replication_factor_is_a_small_number() {
    takes(
        "scaling.load_distribution.replication_factor",
        &[json!(3)],
        &[(json!(0), "1 to 16")],
    );
}

#[test]
fn s0_16_virtual_nodes_are_not_zero() {
    takes(
        "scaling.load_distribution.virtual_nodes",
        &[json!(100)],
        &[(json!(0), "1 to 100000")],
    );
}

#[test]
fn s0_17_the_algorithm_is_one_of_those_known() {
    takes(
        "scaling.load_balancing.algorithm",
        &[json!("least_connections")],
        &[(json!("fastest"), "least_connections")],
    );
}

#[test]
fn s0_18_health_check_is_a_switch() {
    takes(
        "scaling.load_balancing.health_check",
        &[json!(true), json!(false)],
        &[(json!("maybe"), "true")],
    );
}

#[test]
fn s0_19_the_health_check_interval_counts_seconds() {
    takes(
        "scaling.load_balancing.health_check_interval",
        &[json!(10), json!("10s")],
        &[(json!(0), "1s")],
    );
}

#[test]
fn s0_26_the_autoscaler_is_a_switch() {
    takes(
        "scaling.auto_scaling.enabled",
        &[json!(true), json!(false)],
        &[(json!(3), "true")],
    );
}

#[test]
fn s0_27_fewest_nodes_are_not_more_than_most_nodes() {
    let both = |min: u32, max: u32| json!({ "min_nodes": min, "max_nodes": max });
    takes(
        "scaling.auto_scaling",
        &[both(3, 10), both(3, 3)],
        &[(both(5, 2), "min_nodes (5) is above max_nodes (2)")],
    );
}

#[test]
fn s0_28_most_nodes_are_at_least_one() {
    takes(
        "scaling.auto_scaling.max_nodes",
        &[json!(10)],
        &[(json!(0), "1 to 1000")],
    );
}

#[test]
fn s0_29_the_upper_threshold_is_a_percentage() {
    takes(
        "scaling.auto_scaling.scale_up_threshold",
        &[json!(70)],
        &[(json!(101), "1 to 100")],
    );
}

#[test]
fn s0_30_the_lower_threshold_is_below_the_upper_one() {
    let both = |down: u32, up: u32| json!({ "scale_down_threshold": down, "scale_up_threshold": up });
    takes(
        "scaling.auto_scaling",
        &[both(30, 70)],
        &[(both(70, 70), "scale_down_threshold")],
    );
}

#[test]
fn s0_31_the_cooldown_counts_seconds() {
    takes(
        "scaling.auto_scaling.cooldown_period",
        &[json!(300), json!("5m")],
        &[(json!("soon"), "duration")],
    );
}

#[test]
fn s0_36_batch_processing_is_a_switch() {
    switch("batch_processing");
}

#[test]
fn s0_37_a_batch_holds_something() {
    takes(
        "performance.optimization.batch_size",
        &[json!(1000)],
        &[(json!(0), "1 to 1000000")],
    );
}

#[test]
fn s0_38_async_operations_is_a_switch() {
    switch("async_operations");
}

#[test]
fn s0_39_parallel_processing_is_a_switch() {
    switch("parallel_processing");
}

/// Switched off there is one packet thread, and every client of a replayed run gets what it gets of several.
#[test]
fn s0_39_one_worker_and_several_give_the_same() {
    let Some(lab) = super::kea_tools::relay_lab(&[]) else {
        return;
    };
    let off = "[dhcp.datacenter.performance.optimization]\nparallel_processing = false\n";
    let mut given = Vec::new();
    for (threads, switch) in [("threads = 3", ""), ("", off)] {
        let config = super::kea_tools::load_config(threads) + switch;
        let node = lab.node(&config);
        let packet_threads = node.json(&["status"])["dhcp"]["threads"].clone();
        assert_eq!(packet_threads, if switch.is_empty() { 3 } else { 1 });
        let run = [
            "--clients",
            "300",
            "--operations",
            "300",
            "--in-flight",
            "1",
            "--mix",
            "dora=100",
        ];
        let report = super::kea_tools::bench(&lab, &run);
        assert_eq!(report["clean"], true, "{report}");
        let of = |lease: &Value| (lease["mac"].to_string(), lease["address"].to_string());
        given.push(node.leases("bound").iter().map(of).collect::<Vec<_>>());
        drop(node);
        std::fs::remove_dir_all(lab.path("data")).expect("the node's folder is ours");
    }
    assert_eq!(given[0].len(), 300);
    assert_eq!(given[0], given[1]);
}

#[test]
fn s0_40_cache_optimization_is_a_switch() {
    switch("cache_optimization");
}

#[test]
fn s0_41_network_optimization_is_a_switch() {
    switch("network_optimization");
}

fn switch(key: &str) {
    takes(
        &format!("performance.optimization.{key}"),
        &[json!(true), json!(false)],
        &[(json!("very"), "true")],
    );
}

#[test]
fn s1_4_multi_site_is_a_switch() {
    takes(
        "multi_site.enabled",
        &[json!(true), json!(false)],
        &[(json!(2), "true")],
    );
}

#[test]
fn s1_5_the_local_site_is_one_of_the_sites() {
    sites_refuse(
        "us-eats",
        |sites| sites["local_site"] = json!("us-eats"),
        "did you mean \"us-east\"?",
    );
}

#[test]
fn s1_6_a_site_has_a_name_of_its_own() {
    sites_refuse(
        "us-east",
        |sites| sites["sites"][1]["name"] = json!("us-east"),
        "us-east",
    );
}

#[test]
fn s1_7_sites_have_the_guides_names() {
    takes("multi_site", &[sites()], &[]);
}

#[test]
fn s1_8_a_node_is_in_one_site() {
    let twice = |sites: &mut Value| sites["sites"][1]["nodes"][0] = json!("node1-us-east.example.com");
    sites_refuse("node1-us-east", twice, "listed twice");
}

#[test]
fn s1_9_a_priority_is_a_number() {
    sites_refuse(
        "first",
        |sites| sites["sites"][0]["priority"] = json!("first"),
        "priority",
    );
}

#[test]
fn s1_10_a_latency_is_a_time() {
    sites_refuse(
        "far",
        |sites| sites["sites"][0]["latency"] = json!("far"),
        "latency",
    );
}

#[test]
fn s1_11_the_mode_is_one_of_those_known() {
    takes(
        "multi_site.synchronization.mode",
        &[json!("async"), json!("sync")],
        &[(json!("sometimes"), "async")],
    );
}

#[test]
fn s1_12_the_interval_counts_seconds() {
    takes(
        "multi_site.synchronization.interval",
        &[json!(60), json!("1m")],
        &[(json!("often"), "duration")],
    );
}

#[test]
fn s1_18_fallback_sites_are_known() {
    sites_refuse(
        "asia",
        |sites| sites["allocation"]["fallback_sites"] = json!(["asia"]),
        "there is no site \"asia\"",
    );
}

#[test]
fn s1_21_a_site_is_probed_before_it_counts_as_gone() {
    let slow = |sites: &mut Value| sites["failover"]["detection_interval"] = json!(40);
    sites_refuse("40", slow, "detection_interval is longer than failover_timeout");
}

#[test]
fn s1_22_preferred_sites_are_known() {
    sites_refuse(
        "asia",
        |sites| sites["failover"]["preferred_sites"] = json!(["asia"]),
        "there is no site \"asia\"",
    );
}

#[test]
fn s1_24_a_bandwidth_has_a_unit_or_is_in_megabits() {
    takes(
        "multi_site.bandwidth.max_bandwidth",
        &[json!(1000), json!("1Gbit")],
        &[(json!("wide"), "bandwidth")],
    );
}

fn sites_refuse(what: &str, change: impl FnOnce(&mut Value), help: &str) {
    let mut changed = sites();
    change(&mut changed);
    assert!(changed.to_string().contains(what));
    takes("multi_site", &[], &[(changed, help)]);
}

fn scaling() -> Value {
    json!({ "dhcp": { "datacenter": { "scaling": {
        "load_distribution": { "method": "consistent_hashing", "replication_factor": 3, "virtual_nodes": 100 },
        "load_balancing": { "algorithm": "least_connections", "health_check": true, "health_check_interval": 10 },
        "auto_scaling": { "enabled": true, "min_nodes": 3, "max_nodes": 10, "scale_up_threshold": 70,
            "scale_down_threshold": 30, "cooldown_period": 300 } } } } })
}

fn performance() -> Value {
    json!({ "optimization": { "batch_processing": true, "batch_size": 1000, "async_operations": true,
        "parallel_processing": true, "cache_optimization": true, "network_optimization": true } })
}

fn sites() -> Value {
    json!({ "enabled": true, "local_site": "us-east",
        "sites": [
            { "name": "us-east", "nodes": ["node1-us-east.example.com", "node2-us-east.example.com"], "priority": 1, "latency": 0 },
            { "name": "us-west", "nodes": ["node1-us-west.example.com", "node2-us-west.example.com"], "priority": 2, "latency": 50 },
            { "name": "eu-central", "nodes": ["node1-eu.example.com", "node2-eu.example.com"], "priority": 3, "latency": 100 } ],
        "synchronization": { "mode": "async", "interval": 60, "batch_size": 1000, "compression": true, "encryption": true },
        "allocation": { "strategy": "geographic", "prefer_local": true, "fallback_sites": ["us-west", "eu-central"] },
        "failover": { "enabled": true, "detection_interval": 10, "failover_timeout": 30, "preferred_sites": ["us-east", "us-west"] },
        "bandwidth": { "optimization": true, "max_bandwidth": 1000, "compression": true, "deduplication": true } })
}
