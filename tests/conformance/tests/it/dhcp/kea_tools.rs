//! Load from Kea's perfdhcp, and from our own generator beside it.

use purlin_conformance::{Lab, Process, until};

/// A node for generators that speak as relays: unicast on 10.77.0.1, 50,000 addresses.
pub(super) fn load_config(dhcp: &str) -> String {
    format!(
        "[node]\nid = \"lab\"\n[dhcp]\nlisten = [\"10.77.0.1:67\"]\n{dhcp}\n[[dhcp.subnets]]\nname = \"lab\"\n\
         network = \"10.77.0.0/16\"\npools = [\"10.77.8.0-10.77.207.255\"]\nlease_time = \"1h\"\n"
    )
}

/// A lab whose client side is the relay 10.77.0.3.
pub(super) fn relay_lab(programs: &[&str]) -> Option<Lab> {
    let lab = Lab::new(programs)?;
    lab.client.ip("addr add 10.77.0.3/16 dev c0");
    Some(lab)
}

/// Starts perfdhcp in the client namespace; it speaks as the relay 10.77.0.3.
pub(super) fn perfdhcp(lab: &Lab, more: &[&str]) -> Process {
    let mut arguments = vec!["-4", "-l", "10.77.0.3"];
    arguments.extend(more);
    arguments.push("10.77.0.1");
    lab.client.start("perfdhcp.log", "perfdhcp", &arguments)
}

/// A figure of perfdhcp's report: `name: NUMBER` in the block about `exchange` (`DISCOVER-OFFER`).
pub(super) fn count_of(report: &str, exchange: &str, name: &str) -> u64 {
    let block = report
        .split(&format!("Statistics for: {exchange}"))
        .nth(1)
        .unwrap_or_default();
    let block = block.split("Statistics for:").next().unwrap_or_default();
    let line = block
        .lines()
        .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

fn loaded(lab: &Lab, more: &[&str]) -> String {
    let mut load = perfdhcp(lab, more);
    load.ended();
    load.said()
}

fn all_answered(report: &str) {
    for exchange in ["DISCOVER-OFFER", "REQUEST-ACK"] {
        let of = |name| count_of(report, exchange, name);
        assert!(of("received packets") > 0, "{report}");
        // Cold starts on a busy machine may cost a packet or two; perfdhcp never sends again.
        assert!(
            of("drops") * 100 <= of("sent packets"),
            "more than 1 % without an answer\n{report}"
        );
        assert_eq!(of("non unique addresses"), 0, "{report}");
    }
}

#[test]
fn perfdhcp_gets_addresses_of_their_own_for_all_clients() {
    let Some(lab) = relay_lab(&["perfdhcp"]) else {
        return;
    };
    let node = lab.node(&load_config(""));
    let report = loaded(
        &lab,
        &["-u", "-r", "500", "-R", "100000", "-p", "4", "-W", "500000"],
    );
    all_answered(&report);
    assert!(
        report.contains("non unique addresses"),
        "perfdhcp checked nothing\n{report}"
    );
    let acked = count_of(&report, "REQUEST-ACK", "received packets");
    until("the leases were all listed", || {
        node.leases("bound").len() as u64 >= acked
    });
}

#[test]
fn perfdhcp_renews_and_releases() {
    let Some(lab) = relay_lab(&["perfdhcp"]) else {
        return;
    };
    let node = lab.node(&load_config(""));
    let report = loaded(
        &lab,
        &[
            "-r", "400", "-R", "2000", "-f", "100", "-F", "50", "-p", "4", "-W", "500000",
        ],
    );
    all_answered(&report);
    until("releases were kept", || !node.leases("released").is_empty());
}

#[test]
fn perfdhcp_is_served_in_lead_mode() {
    let Some(lab) = relay_lab(&["perfdhcp"]) else {
        return;
    };
    let _node = lab.node(&load_config("ack = \"lead\"\nmclt = \"10m\""));
    all_answered(&loaded(
        &lab,
        &["-u", "-r", "500", "-R", "100000", "-p", "3", "-W", "500000"],
    ));
}

#[test]
fn perfdhcp_on_a_local_segment_is_served_too() {
    let Some(lab) = relay_lab(&["perfdhcp"]) else {
        return;
    };
    let _node = lab.node(&load_config("interfaces = [\"s0\"]"));
    all_answered(&loaded(
        &lab,
        &["-r", "300", "-R", "1000", "-p", "3", "-W", "500000"],
    ));
}

pub(super) fn bench(lab: &Lab, more: &[&str]) -> serde_json::Value {
    let arguments = ["bench", "dhcp", "10.77.0.1:67", "--relay", "10.77.0.3"];
    lab.json_at_client(&[&arguments[..], more].concat())
}

#[test]
fn our_own_generator_finds_no_broken_promise() {
    let Some(lab) = relay_lab(&[]) else { return };
    let _node = lab.node(&load_config(""));
    let mix = [
        "--clients",
        "4000",
        "--operations",
        "12000",
        "--mix",
        "dora=60,renew=30,release=10",
    ];
    let report = bench(&lab, &mix);
    assert_eq!(report["clean"], true, "{report}");
    assert!(
        report["phases"][0]["done"]
            .as_u64()
            .is_some_and(|done| done >= 11_900),
        "{report}"
    );
}

/// A run as the figures of docs/performance.md come from, shorter; what it reaches depends on the machine.
fn measured(load: &[&str]) -> Option<serde_json::Value> {
    let lab = relay_lab(&[])?;
    let _node = lab.node(&load_config(""));
    let clients = ["--clients", "8000", "--operations", "16000", "--mix", "dora=100"];
    let report = bench(&lab, &[&clients[..], load].concat());
    assert_eq!(report["clean"], true, "{report}");
    Some(report)
}

#[test]
fn s0_32_a_load_in_a_namespace_reports_its_rate() {
    let Some(report) = measured(&["--in-flight", "256"]) else {
        return;
    };
    let phase = &report["phases"][0];
    let (rate, seconds) = (phase["per_second"].as_f64(), phase["seconds"].as_f64());
    let (Some(rate), Some(seconds), Some(done)) = (rate, seconds, phase["done"].as_u64()) else {
        panic!("no rate in {report}");
    };
    assert!(done >= 15_900, "{report}");
    assert!(
        (rate * seconds - done as f64).abs() < 1.0,
        "a rate of what was done: {report}"
    );
    assert!(
        phase["server"].is_object() || phase["generator"].is_object(),
        "{report}"
    );
}

#[test]
fn s0_33_mean_and_p99_are_reported_at_a_stated_load() {
    let Some(report) = measured(&["--rate", "2000"]) else {
        return;
    };
    let phase = &report["phases"][0];
    assert!(
        phase["load"].as_str().is_some_and(|load| load.contains("2000")),
        "{report}"
    );
    for step in phase["latency"].as_array().expect("steps") {
        let [mean, p50, p99] = ["mean_us", "p50_us", "p99_us"].map(|key| step[key].as_f64());
        assert!(mean > Some(0.0) && p50 <= p99, "{step}");
    }
    assert!(
        phase["latency"].as_array().is_some_and(|steps| steps.len() >= 2),
        "{report}"
    );
}

#[test]
fn s0_34_a_table_of_many_leases_fills_lists_and_restarts() {
    let Some(lab) = relay_lab(&[]) else { return };
    let mut node = lab.node(&load_config(""));
    let fill = [
        "--clients",
        "20000",
        "--operations",
        "20000",
        "--in-flight",
        "200",
    ];
    let report = bench(&lab, &fill);
    assert_eq!(report["clean"], true, "{report}");
    assert_eq!(node.leases("bound").len(), 20_000);
    node.crash_and_restart();
    assert_eq!(node.leases("bound").len(), 20_000);
    // The same clients come back and find what they had.
    let again = bench(
        &lab,
        &["--clients", "20000", "--operations", "5000", "--mix", "dora=100"],
    );
    assert_eq!(again["clean"], true, "{again}");
    assert_eq!(node.leases("bound").len(), 20_000);
}
