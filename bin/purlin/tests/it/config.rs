use crate::harness::{CONFIG, run_in};
use tempfile::TempDir;

fn with(text: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("purlin.toml"), text).unwrap();
    dir
}

const FAULTY: &str = r#"
[dhcp]
listen = ["127.0.0.1:6767"]
acknowledge = "durable"

[[dhcp.subnets]]
name = "a"
network = "10.1.0.0/16"
pools = ["10.1.9.0-10.1.1.0", "10.2.0.1-10.2.0.9"]
lease_time = "soon"

[[dhcp.subnets]]
name = "b"
network = "10.1.128.0/17"
"#;

#[test]
fn every_fault_is_told_in_one_pass() {
    let dir = with(FAULTY);
    let ended = run_in(dir.path(), &["config", "check", "purlin.toml"]);
    assert_eq!(ended.code, 1);
    for part in [
        "acknowledge",
        "reversed",
        "10.2.0.1",
        "lease_time",
        "overlap",
        "purlin.toml:4:",
    ] {
        assert!(ended.err.contains(part), "no {part} in:\n{}", ended.err);
    }
    assert!(ended.err.contains('^'), "no caret in:\n{}", ended.err);
}

#[test]
fn faults_are_data_too() {
    let dir = with(FAULTY);
    let ended = run_in(dir.path(), &["config", "check", "purlin.toml", "-o", "json"]);
    assert_eq!(ended.code, 1);
    let value: serde_json::Value = serde_json::from_str(&ended.out).expect("it is JSON");
    assert_eq!(value[0]["ok"], false);
    let faults = value[0]["faults"].as_array().expect("a list of faults");
    assert!(faults.len() >= 5, "{faults:#?}");
    assert!(faults.iter().all(|fault| {
        fault["code"]
            .as_str()
            .is_some_and(|code| code.starts_with("PUR-"))
    }));
}

#[test]
fn a_good_file_is_ok_and_variables_count() {
    let dir = with(CONFIG);
    let ended = run_in(dir.path(), &["config", "check", "purlin.toml"]);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "purlin.toml: ok\n"),
        "{}",
        ended.err
    );
    let mut command = crate::harness::command(dir.path());
    let output = command
        .args(["config", "check", "purlin.toml"])
        .env("PURLIN__DHCP__ACK", "maybe")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("PURLIN__DHCP__ACK"));
}

#[test]
fn a_faulty_file_starts_nothing_and_binds_nothing() {
    let dir = with(FAULTY);
    let ended = run_in(dir.path(), &["up", "--config", "purlin.toml"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.contains("reversed")
            && ended
                .err
                .contains("error: purlin.toml is not a good configuration")
    );
    assert!(
        !dir.path().join("purlin-data").exists(),
        "the data directory was made"
    );
}

#[test]
fn the_schema_is_json_schema() {
    let dir = TempDir::new().unwrap();
    let ended = run_in(dir.path(), &["config", "schema"]);
    let schema: serde_json::Value = serde_json::from_str(&ended.out).expect("it is JSON");
    assert!(schema["properties"]["dhcp"].is_object());
}

#[test]
fn a_missing_file_is_a_plain_error() {
    let dir = TempDir::new().unwrap();
    let ended = run_in(dir.path(), &["config", "check", "nope.toml"]);
    assert_eq!(ended.code, 1);
    assert!(
        ended.err.starts_with("error: cannot read nope.toml"),
        "{}",
        ended.err
    );
}
