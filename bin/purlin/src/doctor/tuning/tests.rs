use super::*;
use crate::doctor::Grade;
use serde_json::json;

fn check(change: impl FnOnce(&mut Settings), status: &Value) -> Vec<Finding> {
    with_fronts(change, status, &[], None)
}

fn with_fronts(
    change: impl FnOnce(&mut Settings),
    status: &Value,
    fronts: &[FrontSettings],
    algorithm: Option<&str>,
) -> Vec<Finding> {
    let mut settings = Settings {
        enabled: true,
        listen: vec!["127.0.0.1:69".parse().unwrap()],
        ..Settings::default()
    };
    change(&mut settings);
    checklist(&Known {
        settings: &settings,
        fronts,
        algorithm,
        status,
        metrics: true,
        cores: 4,
        open_files: 65_536,
    })
}

fn said<'a>(findings: &'a [Finding], name: &str) -> &'a str {
    &findings
        .iter()
        .find(|finding| finding.check == name)
        .unwrap()
        .said
}

/// The fronts of a configuration.
fn fronts(text: &str) -> Vec<FrontSettings> {
    let mut faults = purlin_config::Faults::new();
    let input = purlin_config::Input::file("a.toml", text);
    let document = purlin_config::Document::parse([input], &mut faults);
    let defaults = crate::balancer::defaults(&document);
    let read = purlin_config::sections::balancer::read(&document, &defaults, &mut faults);
    read.expect("a good configuration").fronts
}

#[test]
fn load_balancing_is_told_by_the_fronts_there_are() {
    let balance = |fronts: &[FrontSettings], algorithm| {
        let findings = with_fronts(|_| {}, &Value::Null, fronts, algorithm);
        (
            grade(&findings, "tune/balance"),
            said(&findings, "tune/balance").to_owned(),
        )
    };
    let text = |service: &str| {
        format!(
            "[[balancer.fronts]]\nname = \"one\"\nservice = \"{service}\"\nlisten = \"127.0.0.1:6969\"\n\
             algorithm = \"round_robin\"\nbackends = [{{ name = \"a\", address = \"127.0.0.1:7000\" }}]\n"
        )
    };
    let (tftp, tcp) = (fronts(&text("tftp")), fronts(&text("tcp")));
    let (grade, said) = balance(&tftp, Some("round_robin"));
    assert!(
        grade == Grade::Pass && said.contains("one by round_robin"),
        "{said}"
    );
    let (grade, said) = balance(&tcp, Some("round_robin"));
    assert!(grade == Grade::Warn && said.contains("has no effect"), "{said}");
    let (grade, said) = balance(&[], None);
    assert!(
        grade == Grade::Pass && said.starts_with("no fronts here"),
        "{said}"
    );
}

#[test]
fn what_does_not_listen_is_not_tuned() {
    let off = check(|settings| settings.enabled = false, &Value::Null);
    let http = check(
        |settings| {
            settings.listen.clear();
            settings.http.listen = vec!["127.0.0.1:80".parse().unwrap()];
            settings.limits.total = 10;
        },
        &Value::Null,
    );
    let names = ["tune/cpu", "tune/network", "tune/pooling"];
    for findings in [&off, &http] {
        for name in names {
            assert!(said(findings, name).starts_with("does not apply"), "{name}");
        }
        assert_eq!(grade(findings, "tune/limits"), Grade::Pass);
    }
    for name in ["tune/memory", "tune/caching", "tune/io"] {
        assert!(said(&off, name).starts_with("does not apply"), "{name}");
        assert!(!said(&http, name).starts_with("does not apply"), "{name}");
    }
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
