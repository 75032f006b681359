//! A node that lives on from a backup: what was granted after the backup is nobody else's.

use crate::harness::{CONFIG, Node};
use rustix::process::Signal;
use serde_json::Value;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

const ACK: u8 = 5;

/// The address that a client is given, by its number; `None` when nothing was offered.
fn lease_of(node: &Node, client: u8) -> Option<String> {
    let mac = format!("02:00:00:00:07:{client:02x}");
    let probe = [
        "dhcp",
        "probe",
        "--giaddr",
        "10.9.0.1",
        "--mac",
        &mac,
        "--attempts",
        "2",
        "--timeout",
        "500ms",
        "-o",
        "json",
    ];
    let ended = node.run(&probe);
    let told: Value = serde_json::from_str(&ended.out).ok()?;
    told["lease"]["address"].as_str().map(str::to_owned)
}

/// A client rebinds through the relay: the type of the answer and the address in it.
fn rebind(node: &Node, client: u8, address: &str) -> Option<(u8, Ipv4Addr)> {
    let server = node.json(&["status"])["dhcp"]["listen"][0].as_str()?.to_owned();
    let address: Ipv4Addr = address.parse().ok()?;
    let mut packet = vec![0; 300];
    packet[..8].copy_from_slice(&[1, 1, 6, 0, 9, 9, 9, client]);
    packet[12..16].copy_from_slice(&address.octets());
    packet[24..28].copy_from_slice(&[10, 9, 0, 1]);
    packet[28..34].copy_from_slice(&[2, 0, 0, 0, 7, client]);
    packet[236..244].copy_from_slice(&[99, 130, 83, 99, 53, 1, 3, 255]);
    let socket = UdpSocket::bind("127.0.0.1:0").ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(3))).ok()?;
    socket.send_to(&packet, server).ok()?;
    let mut reply = [0; 1500];
    let length = socket.recv(&mut reply).ok()?;
    let kind = reply[..length].windows(3).find(|w| w[..2] == [53, 1])?[2];
    let yours: [u8; 4] = reply[16..20].try_into().ok()?;
    Some((kind, yours.into()))
}

/// Kills the node as a power cut would and puts what the backup gives in its place.
fn lose_and_restore(node: Node, backup: &str) -> Node {
    let (_, dir) = node.stop_by(Signal::KILL);
    std::fs::rename(dir.path().join("purlin-data"), dir.path().join("lost")).unwrap();
    let restore = ["backup", "restore", backup, "--data-dir", "purlin-data"];
    let restored = crate::harness::run_in(dir.path(), &restore);
    assert_eq!(restored.code, 0, "{}", restored.err);
    // The backup knows the token by its hash only.
    let token = |data: &str| dir.path().join(data).join("admin-token");
    std::fs::copy(token("lost"), token("purlin-data")).unwrap();
    Node::start_in(dir, CONFIG)
}

#[test]
fn a_new_client_never_gets_what_was_granted_after_the_backup() {
    let node = Node::start(CONFIG);
    let kept: Vec<String> = (1..=3).filter_map(|n| lease_of(&node, n)).collect();
    assert_eq!(kept.len(), 3);
    assert_eq!(node.run(&["backup", "create", "b.purlin"]).code, 0);
    let later: Vec<String> = (4..=8).filter_map(|n| lease_of(&node, n)).collect();
    assert_eq!(later.len(), 5);

    // The same boot: nothing about the machine says that anything was lost.
    let mut node = lose_and_restore(node, "b.purlin");
    node.wait_log("restored from the backup of ");
    for client in 20..22 {
        assert_eq!(lease_of(&node, client), None, "any address may be another's");
    }
    let why = node.run(&["why", "02:00:00:00:07:14"]);
    assert!(why.out.contains("PUR-1124"), "{}{}", why.out, why.err);
    let status = node.json(&["status"]);
    assert!(
        status["dhcp"]["restored"]["held_back_until"].is_string(),
        "{status}"
    );

    // A client of the backup gets its own again, and so does whoever renews what was granted later.
    assert_eq!(lease_of(&node, 1).as_ref(), Some(&kept[0]));
    let (kind, address) = rebind(&node, 4, &later[0]).expect("an answer");
    assert_eq!((kind, address.to_string()), (ACK, later[0].clone()));

    // The duty outlives a kill, and a backup taken meanwhile.
    assert_eq!(node.run(&["backup", "create", "c.purlin"]).code, 0);
    let (_, dir) = node.stop_by(Signal::KILL);
    let node = Node::start_in(dir, CONFIG);
    assert_eq!(lease_of(&node, 22), None);
    std::fs::remove_dir_all(node.path("lost")).unwrap();
    let node = lose_and_restore(node, "c.purlin");
    assert_eq!(lease_of(&node, 23), None);
    assert_eq!(lease_of(&node, 1).as_ref(), Some(&kept[0]));
}

#[test]
fn the_operator_may_say_that_nothing_was_granted_after_the_backup() {
    let node = Node::start(CONFIG);
    assert_eq!(node.run(&["backup", "create", "b.purlin"]).code, 0);
    let (_, dir) = node.stop();
    std::fs::remove_dir_all(dir.path().join("purlin-data")).unwrap();
    let restore = [
        "backup",
        "restore",
        "b.purlin",
        "--data-dir",
        "purlin-data",
        "--hold",
        "0s",
    ];
    assert_eq!(crate::harness::run_in(dir.path(), &restore).code, 0);
    let node = Node::start_in(dir, CONFIG);
    assert!(lease_of(&node, 1).is_some());
    // Nobody copied the token of the lost directory, which the backup knows by its hash only.
    let status = node.run(&["status"]);
    assert_eq!(status.code, 0, "{}", status.err);
}
