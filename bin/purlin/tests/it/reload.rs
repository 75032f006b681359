use crate::harness::{CONFIG, Node};
use rustix::process::Signal;

fn lease_time(node: &Node) -> serde_json::Value {
    node.json(&["config", "show"])["dhcp"]["subnets"][0]["lease_time"].clone()
}

#[test]
fn sighup_applies_what_is_new_in_the_file() {
    let mut node = Node::start(CONFIG);
    std::fs::write(node.path("purlin.toml"), CONFIG.replace("\"1h\"", "\"2h\"")).unwrap();
    node.signal(Signal::HUP);
    node.wait_log("revision 2 is in effect");
    assert_eq!(lease_time(&node), "2h");
    let granted = node.json(&["dhcp", "probe", "--giaddr", "10.9.0.1"]);
    assert_eq!(granted["lease"]["lease_secs"], 7200, "{granted}");
}

#[test]
fn a_faulty_file_never_replaces_what_runs() {
    let mut node = Node::start(CONFIG);
    let faulty = CONFIG.replace("10.9.1.0-10.9.250.255", "10.9.250.255-10.9.1.0");
    std::fs::write(node.path("purlin.toml"), faulty).unwrap();
    node.signal(Signal::HUP);
    node.wait_log("the configuration in effect stays");
    assert_eq!(
        node.json(&["config", "history"]).as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        node.json(&["dhcp", "probe", "--giaddr", "10.9.0.1"])["verdict"],
        "bound"
    );
}

#[test]
fn a_change_over_the_api_outlives_a_restart_until_the_file_changes() {
    let node = Node::start(CONFIG);
    std::fs::write(node.path("other.toml"), CONFIG.replace("\"1h\"", "\"3h\"")).unwrap();
    let applied = node.run(&["config", "apply", "other.toml", "-m", "longer leases"]);
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert!(applied.out.contains("revision 2 is in effect"), "{}", applied.out);
    let (_, dir) = node.stop();

    let node = Node::start_in(dir, CONFIG);
    assert_eq!(lease_time(&node), "3h", "the same file must not undo the change");
    let (_, dir) = node.stop();

    let node = Node::start_in(dir, &CONFIG.replace("\"1h\"", "\"4h\""));
    assert_eq!(lease_time(&node), "4h", "a changed file is applied");
    let history = node.json(&["config", "history"]);
    assert_eq!(history[0]["origin"], "file");
    assert_eq!(history.as_array().map(Vec::len), Some(3));
}

#[test]
fn a_plan_changes_nothing_and_a_rollback_undoes() {
    let node = Node::start(CONFIG);
    std::fs::write(node.path("other.toml"), CONFIG.replace("\"1h\"", "\"3h\"")).unwrap();
    let plan = node.run(&["config", "plan", "other.toml"]);
    assert_eq!(
        (plan.code, plan.out.trim()),
        (0, "~ dhcp.subnets[lab].lease_time: \"1h\" -> \"3h\""),
        "{}",
        plan.err
    );
    assert_eq!(lease_time(&node), "1h");
    assert_eq!(node.run(&["config", "apply", "other.toml"]).code, 0);
    assert_eq!(lease_time(&node), "3h");
    assert_eq!(node.run(&["config", "rollback", "1"]).code, 0);
    assert_eq!(lease_time(&node), "1h");
    assert_eq!(node.run(&["config", "rollback", "99"]).code, 3);
}
