//! Documents in the shape of the datacenter and multi-site guides.

use super::{checked, refused};

const DATACENTER: &str = r#"{ "dhcp": { "datacenter": {
  "scaling": {
    "load_distribution": { "method": "consistent_hashing", "replication_factor": 3, "virtual_nodes": 100 },
    "load_balancing": { "algorithm": "least_connections", "health_check": true, "health_check_interval": 10 },
    "auto_scaling": { "enabled": true, "min_nodes": 3, "max_nodes": 10, "scale_up_threshold": 70,
      "scale_down_threshold": 30, "cooldown_period": 300 } },
  "performance": { "optimization": { "batch_processing": true, "batch_size": 1000, "async_operations": true,
    "parallel_processing": true, "cache_optimization": true, "network_optimization": true } } } } }"#;

const MULTI_SITE: &str = r#"{ "dhcp": { "datacenter": { "multi_site": {
  "enabled": true, "local_site": "us-east",
  "sites": [
    { "name": "us-east", "nodes": ["node1-us-east.example.com", "node2-us-east.example.com"], "priority": 1, "latency": 0 },
    { "name": "us-west", "nodes": ["node1-us-west.example.com", "node2-us-west.example.com"], "priority": 2, "latency": 50 },
    { "name": "eu-central", "nodes": ["node1-eu.example.com", "node2-eu.example.com"], "priority": 3, "latency": 100 } ],
  "synchronization": { "mode": "async", "interval": 60, "batch_size": 1000, "compression": true, "encryption": true },
  "allocation": { "strategy": "geographic", "prefer_local": true, "fallback_sites": ["us-west", "eu-central"] },
  "failover": { "enabled": true, "detection_interval": 10, "failover_timeout": 30, "preferred_sites": ["us-east", "us-west"] },
  "bandwidth": { "optimization": true, "max_bandwidth": 1000, "compression": true, "deduplication": true } } } } }"#;

#[test]
fn the_guides_load_with_warnings_that_say_what_takes_effect() {
    let (settings, report) = checked("a.json", DATACENTER);
    assert!(settings.is_some_and(|settings| !settings.enabled), "{report}");
    assert!(
        report.contains("warning[PUR-9111]: dhcp.datacenter.scaling: "),
        "{report}"
    );
    assert!(report.ends_with("1 warning\n"), "{report}");
    let (settings, report) = checked("b.json", MULTI_SITE);
    assert!(settings.is_some() && report.ends_with("1 warning\n"), "{report}");
}

#[test]
fn values_of_the_guides_are_checked_now() {
    let toml = |keys: &str| refused(&format!("[dhcp.datacenter.{keys}\n"));
    let text = toml(
        "scaling.auto_scaling]\nmin_nodes = 5\nmax_nodes = 2\nscale_down_threshold = 70\nscale_up_threshold = 70",
    );
    assert!(text.contains("min_nodes (5) is above max_nodes (2)"), "{text}");
    assert!(
        text.contains("scale_down_threshold (70) is not below scale_up_threshold (70)"),
        "{text}"
    );
    let text =
        toml("scaling.load_distribution]\nmethod = \"consistent_hash\"\nvirtual_nodes = 0\nreplicas = 3");
    assert!(text.contains("expected one of \"consistent_hashing\""), "{text}");
    assert!(
        text.contains("0 is not from 1 to 100000") && text.contains("there is no key `replicas` here"),
        "{text}"
    );
    assert!(toml("performance.optimization]\nbatch_size = 0").contains("0 is not from 1 to 1000000"));
}

#[test]
fn sites_are_named_once_and_referred_to_rightly() {
    let text = MULTI_SITE
        .replace("\"local_site\": \"us-east\"", "\"local_site\": \"us-eats\"")
        .replace("node2-us-west", "node1-us-east")
        .replace("[\"us-west\", \"eu-central\"]", "[\"us-west\", \"asia\"]")
        .replace("\"detection_interval\": 10", "\"detection_interval\": 40");
    let (settings, report) = checked("a.json", &text);
    assert!(settings.is_none());
    for words in [
        "there is no site \"us-eats\"",
        "did you mean \"us-east\"?",
        "there is no site \"asia\"",
        "the node node1-us-east.example.com is listed twice",
        "detection_interval is longer than failover_timeout",
    ] {
        assert!(report.contains(words), "{words} in {report}");
    }
}

#[test]
fn parallel_processing_switched_off_is_one_packet_thread() {
    let with = |threads: &str, parallel: bool| {
        format!(
            "[dhcp]\n{threads}\n[dhcp.datacenter.performance.optimization]\nparallel_processing = {parallel}\n"
        )
    };
    let threads = |text: &str| checked("a.toml", text).0.map(|settings| settings.threads);
    assert_eq!(threads(&with("", false)), Some(Some(1)));
    assert_eq!(threads(&with("", true)), Some(None));
    assert_eq!(threads(&with("threads = 3", true)), Some(Some(3)));
    assert_eq!(threads(&with("threads = 1", false)), Some(Some(1)));
    let text = refused(&with("threads = 3", false));
    assert!(
        text.contains("parallel_processing is off, but threads is 3"),
        "{text}"
    );
}

#[test]
fn async_operations_switched_off_says_when_nothing_could_wait() {
    let with = |dhcp: &str, on: bool| {
        let text =
            format!("[dhcp]\n{dhcp}\n[dhcp.datacenter.performance.optimization]\nasync_operations = {on}\n");
        checked("a.toml", &text).1
    };
    assert!(with("", false).contains("no side job that an answer could wait for"));
    assert_eq!(with("", true), "");
    assert_eq!(with("conflict_check = \"ping\"", false), "");
}
