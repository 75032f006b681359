//! The sections of the process itself.

use crate::parse;
use purlin_config::Faults;
use purlin_config::sections::{api, log, node, store};

#[test]
fn an_empty_file_gives_the_documented_defaults() {
    let (document, mut faults) = parse("a.toml", "");
    let api = api::read(&document, &mut faults).expect("defaults are good");
    assert_eq!(api.http, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(api.https, ["127.0.0.1:8081".parse().unwrap()]);
    assert_eq!(api.metrics, ["127.0.0.1:9090".parse().unwrap()]);
    let node = node::read(&document, Some("big box"), &mut faults).expect("defaults are good");
    assert_eq!(
        (node.id.as_str(), node.data_dir.as_str()),
        ("big-box", "./purlin-data")
    );
    assert!(!log::read(&document, &mut faults).expect("defaults are good").json);
    assert!(store::read(&document, &mut faults).is_some());
    assert!(faults.is_empty());
}

#[test]
fn plain_http_beyond_loopback_must_be_allowed() {
    let (document, mut faults) = parse("a.toml", "[api]\nhttp = [\"0.0.0.0:80\"]\n");
    assert_eq!(api::read(&document, &mut faults), None);
    let text = faults.to_text(&document, false);
    assert!(
        text.contains("api.http[0]: 0.0.0.0:80 would serve plain HTTP beyond this machine"),
        "{text}"
    );
    let (document, mut faults) = parse(
        "a.toml",
        "[api]\nhttp = [\"0.0.0.0:80\"]\nallow_remote_http = true\n",
    );
    assert!(api::read(&document, &mut faults).is_some());
}

#[test]
fn a_certificate_needs_its_key() {
    let (document, mut faults) = parse("a.toml", "[api]\ntls_cert = \"a.pem\"\n");
    assert_eq!(api::read(&document, &mut faults), None);
    assert!(
        faults
            .to_text(&document, false)
            .contains("`tls_cert` is set without `tls_key`")
    );
}

#[test]
fn a_node_id_is_host_name_like() {
    let (document, mut faults) = parse("a.toml", "[node]\nid = \"a b\"\n");
    assert_eq!(node::read(&document, None, &mut faults), None);
    assert!(faults.to_text(&document, false).contains("not ' '"));
    let mut faults = Faults::new();
    let (document, _) = parse("a.toml", "");
    assert_eq!(
        node::read(&document, None, &mut faults).map(|n| n.id.to_string()),
        Some("node-1".into())
    );
}
