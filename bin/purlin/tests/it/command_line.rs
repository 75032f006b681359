use crate::harness::{run, run_in};
use tempfile::TempDir;

#[test]
fn help_and_version_end_with_0() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["version"],
        &["up", "--help"],
        &["help"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        assert!(!ended.out.is_empty() && ended.err.is_empty(), "{arguments:?}");
    }
    assert!(run(&["--version"]).out.starts_with("purlin "));
}

#[test]
fn the_version_lists_the_services_that_are_in() {
    assert!(run(&["version"]).out.contains("built with dhcp and tftp"));
    let about: serde_json::Value =
        serde_json::from_str(&run(&["version", "-o", "json"]).out).expect("it is JSON");
    assert_eq!(
        about["services"],
        serde_json::json!(["dhcp", "tftp", "ovn", "chain"])
    );
}

/// Every command that does something says how it is used.
#[test]
fn every_command_shows_examples_of_itself_or_explains_its_arguments() {
    for command in [
        "up",
        "status",
        "doctor",
        "why",
        "events",
        "explain",
        "completions",
        "man",
        "config check",
        "config explain",
        "dhcp subnet add",
        "dhcp subnet set",
        "dhcp lease list",
        "dhcp decision list",
        "dhcp probe",
        "bench dhcp",
        "token create",
        "backup create",
        "chain doctor",
        "ovn status",
        "ovn list",
        "ovn get",
        "ovn create",
        "ovn set",
        "ovn delete",
        "ovn apply",
        "ovn lint",
        "ovn watch",
        "ovn health",
        "ovn chassis",
        "ovn sync",
        "ovn raft status",
        "ovn raft compact",
        "ovn raft transfer",
        "ovn raft election-timer",
        "ovn raft kick",
        "ovn raft leave",
        "as",
    ] {
        let arguments: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let ended = run(&arguments);
        assert_eq!(ended.code, 0, "{command}: {}", ended.err);
        assert!(ended.out.contains("Examples:"), "{command} has no examples");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2_on_stderr() {
    for arguments in [
        &["--nope"][..],
        &["nope"],
        &[],
        &["dhcp", "lease", "list", "--state", "asleep"],
        &["why"],
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, 2, "{arguments:?}");
        assert!(ended.out.is_empty() && !ended.err.is_empty(), "{arguments:?}");
    }
}

#[test]
fn no_node_ends_with_6_and_says_what_to_do() {
    let ended = run(&["status", "--server", "http://127.0.0.1:1"]);
    assert_eq!(ended.code, 6);
    assert!(
        ended
            .err
            .starts_with("error: no node answers at http://127.0.0.1:1"),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("; fix: "), "{}", ended.err);
}

#[test]
fn an_unknown_code_or_key_ends_with_3() {
    assert_eq!(run(&["explain", "PUR-0001"]).code, 3);
    assert_eq!(run(&["explain", "dhcp.nothing.like.it"]).code, 3);
}

#[test]
fn every_code_is_explained_and_unique() {
    let all = run(&["explain", "-o", "name"]);
    let codes: Vec<&str> = all.out.lines().collect();
    assert!(codes.len() > 40, "{} codes", codes.len());
    let mut unique = codes.clone();
    unique.dedup();
    assert_eq!(codes, unique);
    let ended = run(&["explain", codes[0], "-o", "json"]);
    let value: serde_json::Value = serde_json::from_str(&ended.out).expect("it is JSON");
    assert!(value["explain"].as_str().is_some_and(|text| text.len() > 20));
}

#[test]
fn a_configuration_key_is_explained() {
    let ended = run(&["explain", "dhcp.subnets.lease_time"]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("lease_time"));
}

#[test]
fn completions_and_man_pages_come_out_of_the_command_tree() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = run(&["completions", shell]);
        assert_eq!(ended.code, 0);
        assert!(ended.out.contains("purlin"), "{shell}");
    }
    let dir = TempDir::new().unwrap();
    assert_eq!(run_in(dir.path(), &["man", "--dir", "pages"]).code, 0);
    for page in ["purlin.1", "purlin-up.1", "purlin-dhcp-lease-list.1"] {
        assert!(dir.path().join("pages").join(page).exists(), "{page}");
    }
}

#[test]
fn output_that_nobody_looks_at_has_no_colour() {
    let ended = run(&["doctor"]);
    assert!(!ended.out.contains('\x1b'), "{}", ended.out);
    assert!(ended.out.contains("pass  "), "{}", ended.out);
}

#[test]
fn doctor_fails_on_a_faulty_file_and_a_taken_port() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("faulty.toml"), "[dhpc]\n").unwrap();
    let ended = run_in(dir.path(), &["doctor", "--config", "faulty.toml", "-o", "json"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    let findings: Vec<serde_json::Value> = serde_json::from_str(&ended.out).expect("it is JSON");
    let wrong = findings
        .iter()
        .find(|finding| finding["name"] == "config")
        .expect("the file was checked");
    assert_eq!(
        (wrong["grade"].as_str(), wrong["ok"].as_bool()),
        (Some("fail"), Some(false))
    );
    assert!(
        findings
            .iter()
            .all(|finding| finding["ok"] == true || finding["fix"] != ""),
        "{findings:#?}"
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!(
        "[api]\nhttp = [\"{}\"]\nhttps = []\nmetrics = []\n",
        taken.local_addr().unwrap()
    );
    std::fs::write(dir.path().join("taken.toml"), api).unwrap();
    let ended = run_in(dir.path(), &["doctor", "--config", "taken.toml"]);
    assert_eq!(ended.code, 1, "{}", ended.out);
    assert!(
        ended.out.contains(&format!("(pid {})", std::process::id())),
        "{}",
        ended.out
    );
}
