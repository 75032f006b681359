//! What was acknowledged survives a crash.

use super::kea_tools::{count_of, load_config, perfdhcp, relay_lab};
use purlin_conformance::{Lab, until};
use std::collections::BTreeMap;

#[test]
fn leases_survive_kill_under_perfdhcp_load() {
    let Some(lab) = relay_lab(&["perfdhcp"]) else {
        return;
    };
    let mut node = lab.node(&load_config(""));
    let mut load = perfdhcp(
        &lab,
        &["-r", "400", "-R", "3000", "-p", "6", "-W", "500000", "-xl"],
    );
    until("leases were being given", || node.leases("bound").len() > 300);
    node.crash();
    // Acknowledgements after this moment are impossible, those before it must all be kept.
    load.ended();
    let acked = count_of(&load.said(), "REQUEST-ACK", "received packets");
    assert!(acked > 300, "{}", load.said());
    node.crash_and_restart();
    let kept = node.leases("bound").len() as u64;
    assert!(kept >= acked, "{acked} were acknowledged, {kept} are known");
}

#[test]
fn clients_keep_their_addresses_over_a_crash() {
    let Some(lab) = relay_lab(&[]) else { return };
    let mut node = lab.node(&load_config(""));
    let mut held = BTreeMap::new();
    for number in 1..=20 {
        let mac = format!("02:60:00:00:03:{number:02x}");
        held.insert(mac.clone(), probe(&lab, &mac));
        if number % 7 == 0 {
            node.crash_and_restart();
        }
    }
    node.crash_and_restart();
    let mut addresses: Vec<&String> = held.values().collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(
        addresses.len(),
        held.len(),
        "an address was given twice: {held:?}"
    );
    for (mac, address) in &held {
        assert_eq!(&probe(&lab, mac), address, "{mac}");
    }
}

#[test]
fn a_second_crash_while_reading_the_journal_loses_nothing() {
    let Some(lab) = relay_lab(&[]) else { return };
    let mut node = lab.node(&load_config(""));
    let address = probe(&lab, "02:60:00:00:04:01");
    for _ in 0..4 {
        node.crash_and_restart();
    }
    assert_eq!(probe(&lab, "02:60:00:00:04:01"), address);
}

#[test]
fn sigterm_drains_and_leaves_nothing_behind() {
    let Some(lab) = relay_lab(&[]) else { return };
    let mut node = lab.node(&load_config(""));
    let _ = probe(&lab, "02:60:00:00:05:01");
    node.process().signal("TERM");
    assert!(
        node.process().ended(),
        "a node that is asked to stop ends with 0\n{}",
        node.process().said()
    );
    assert!(!lab.path("data").join("node.json").exists());
    node.crash_and_restart();
    assert_eq!(node.leases("bound").len(), 1);
}

/// The address that a client with this hardware address gets through the relay 10.77.0.3.
fn probe(lab: &Lab, mac: &str) -> String {
    let report = lab.json_at_client(&[
        "dhcp",
        "probe",
        "10.77.0.1:67",
        "--giaddr",
        "10.77.0.3",
        "--mac",
        mac,
    ]);
    report["lease"]["address"]
        .as_str()
        .unwrap_or_else(|| panic!("no lease in {report}"))
        .to_owned()
}
