use crate::harness::{CONFIG, Node, run_in};
use rustix::process::Signal;
use std::net::TcpListener;
use std::time::Duration;

#[test]
fn a_node_is_ready_within_3_s_and_stops_with_0() {
    let node = Node::start(CONFIG);
    assert!(
        node.ready_after < Duration::from_secs(3),
        "{:?}",
        node.ready_after
    );
    let file = node.path("purlin-data/node.json");
    assert!(file.exists());
    assert_eq!(node.run(&["status"]).code, 0);
    let (status, dir) = node.stop();
    assert_eq!(status.code(), Some(0));
    assert!(
        !dir.path().join("purlin-data/node.json").exists(),
        "node.json is left behind"
    );
}

#[test]
fn an_interrupt_stops_it_as_well() {
    let node = Node::start(CONFIG);
    let (status, _) = node.stop_by(Signal::INT);
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_client_gets_a_lease_and_the_lease_outlives_a_restart() {
    let node = Node::start(CONFIG);
    let probe = ["dhcp", "probe", "--giaddr", "10.9.0.1"];
    let first = node.json(&probe);
    assert_eq!(first["verdict"], "bound", "{first}");
    let (_, dir) = node.stop();
    let node = Node::start_in(dir, CONFIG);
    let again = node.json(&probe);
    assert_eq!(again["lease"]["address"], first["lease"]["address"]);
    assert_eq!(node.json(&["status"])["dhcp"]["bound"], 1);
}

#[test]
fn load_breaks_no_promise() {
    let node = Node::start(CONFIG);
    let relay = "10.9.0.1@127.0.0.1:0";
    let report = node.json(&[
        "bench",
        "dhcp",
        "--relay",
        relay,
        "--clients",
        "500",
        "--operations",
        "500",
    ]);
    assert_eq!(report["clean"], true, "{report}");
    assert_eq!(report["phases"][0]["done"], 500, "{report}");
}

#[test]
fn a_port_in_use_is_named_with_its_holder() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let dir = tempfile::tempdir().unwrap();
    let config = CONFIG.replace(
        "http = [\"127.0.0.1:0\"]",
        &format!("http = [\"127.0.0.1:{port}\"]"),
    );
    std::fs::write(dir.path().join("purlin.toml"), config).unwrap();
    let ended = run_in(dir.path(), &["up", "--config", "purlin.toml"]);
    assert_eq!(ended.code, 1);
    let expected = format!("TCP 127.0.0.1:{port} (api.http) is in use by ");
    assert!(ended.err.contains(&expected), "{}", ended.err);
    assert!(
        ended.err.contains(&format!("(pid {})", std::process::id())),
        "{}",
        ended.err
    );
}

#[test]
fn two_nodes_never_share_a_data_directory() {
    let node = Node::start(CONFIG);
    let ended = node.run(&["up", "--config", "purlin.toml"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("is in use by process") && ended.err.contains("PUR-8004"),
        "{}",
        ended.err
    );
}

#[test]
fn secrets_in_the_data_directory_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::start(CONFIG);
    let mode = |name: &str| std::fs::metadata(node.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("purlin-data"), 0o700);
    assert_eq!(mode("purlin-data/admin-token"), 0o600);
    assert_eq!(mode("purlin-data/tls/ca.key"), 0o600);
}

#[test]
fn a_backup_of_a_running_node_brings_its_leases_back_elsewhere() {
    let node = Node::start(CONFIG);
    let probe = ["dhcp", "probe", "--giaddr", "10.9.0.1"];
    let address = node.json(&probe)["lease"]["address"].clone();
    assert_eq!(node.run(&["backup", "create", "b.purlin"]).code, 0);
    assert_eq!(
        node.run(&["backup", "create", "b.purlin"]).code,
        4,
        "a backup is never overwritten"
    );
    assert_eq!(node.run(&["backup", "verify", "b.purlin"]).code, 0);
    let restored = node.run(&["backup", "restore", "b.purlin", "--data-dir", "elsewhere"]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    let again = node.run(&["backup", "restore", "b.purlin", "--data-dir", "elsewhere"]);
    assert_eq!(again.code, 4, "{}", again.err);

    let (_, dir) = node.stop();
    std::fs::remove_dir_all(dir.path().join("purlin-data")).unwrap();
    std::fs::rename(dir.path().join("elsewhere"), dir.path().join("purlin-data")).unwrap();
    let node = Node::start_in(dir, CONFIG);
    assert_eq!(node.json(&probe)["lease"]["address"], address);
}

#[test]
fn a_damaged_backup_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("b.purlin"), "no backup at all").unwrap();
    for command in [
        &["backup", "verify", "b.purlin"][..],
        &["backup", "restore", "b.purlin", "--data-dir", "d"],
    ] {
        let ended = run_in(dir.path(), command);
        assert_eq!(ended.code, 1, "{command:?}");
        assert!(ended.err.contains("damaged"), "{}", ended.err);
    }
}
