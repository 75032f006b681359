use super::*;
use crate::doctor::Grade;
use serde_json::json;

fn check(change: impl FnOnce(&mut Settings), status: &Value) -> Vec<Finding> {
    let mut settings = Settings::default();
    change(&mut settings);
    checklist(&Known {
        settings: &settings,
        status,
        metrics: true,
        cores: 4,
        open_files: 65_536,
    })
}

fn grade(findings: &[Finding], name: &str) -> Grade {
    findings
        .iter()
        .find(|finding| finding.check == name)
        .expect("it is a box")
        .grade
}

#[test]
fn s2_77_the_checklist_has_the_guides_eleven_boxes() {
    let findings = check(|_| {}, &Value::Null);
    assert_eq!(findings.len(), 11);
    for finding in &findings {
        let warned = finding.grade != Grade::Pass;
        assert_eq!(warned, !finding.fix.is_empty(), "{finding:?}");
    }
}

#[test]
fn buffers_that_were_not_granted_name_the_parameter() {
    let status = json!({"receive_buffer": {"asked": 1_048_576, "granted": 212_992}});
    let findings = check(|_| {}, &status);
    let network = findings
        .iter()
        .find(|finding| finding.check == "tune/network")
        .unwrap();
    assert_eq!(network.grade, Grade::Warn);
    assert!(
        network.fix.contains("net.core.rmem_max=1048576"),
        "{}",
        network.fix
    );
}

#[test]
fn what_slows_a_node_down_is_warned_of() {
    let slow = |settings: &mut Settings| {
        settings.cache.enabled = false;
        settings.io.asynchronous = false;
        settings.limits.total = 10;
        settings.threads = Threads::Count(1);
    };
    let findings = check(slow, &Value::Null);
    for name in ["tune/caching", "tune/io", "tune/limits", "tune/cpu"] {
        assert_eq!(grade(&findings, name), Grade::Warn, "{name}");
    }
    let full = json!({"cache": {"octets": 100, "octets_max": 100}});
    assert_eq!(grade(&check(|_| {}, &full), "tune/memory"), Grade::Warn);
}

#[test]
fn an_unused_io_uring_is_told_with_its_reason() {
    let status = json!({"notes": ["io_uring is not used: epoll serves"]});
    let findings = check(|_| {}, &status);
    let io = findings
        .iter()
        .find(|finding| finding.check == "tune/io")
        .unwrap();
    assert!(io.said.contains("io_uring is not used"), "{}", io.said);
}
