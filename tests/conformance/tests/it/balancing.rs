//! Balancers before several nodes: the shipped files of HAProxy and nginx with the real programs, and fronts of our own.

mod datagrams;
mod haproxy;
mod inside;
mod nginx;
mod own;

use purlin_conformance::{Process, Report, Trio};

/// Where clients find the front.
const HTTPS: &str = "https://10.77.0.1";
const HTTP: &str = "http://10.77.0.1";

/// Waits until the front passes requests on.
fn until_it_serves(site: &Trio, front: &mut Process) {
    purlin_conformance::until("the front served", || {
        assert!(front.is_running(), "{}", front.said());
        site.status(&[&format!("{HTTPS}/health/ready")]) == "200"
    });
}

/// Of so many clients none was left alone though a node died. Who was between OFFER and ACK there may have had a NAK from
/// another one (RFC 2131, section 4.3.2), after which it begins anew.
fn none_was_left_alone(report: &Report, clients: u64) {
    report.kept_every_promise();
    assert_eq!(report.timed_out("load"), 0, "{:#}", report.0);
    assert!(report.done("load") >= clients - clients / 50, "{:#}", report.0);
}

/// Every one of `count` requests is answered with 200.
fn all_are_served(site: &Trio, count: usize) {
    let statuses = site.statuses(&format!("{HTTPS}/api/v1/status"), count);
    assert_eq!(statuses, [("200".to_owned(), count)]);
}

/// Whom the audit says that a change through the front came from.
fn audited_source(site: &Trio) -> Vec<String> {
    let body = r#"{"name": "from outside", "role": "viewer"}"#;
    let created = site.status(&[
        "--interface",
        "10.77.0.9",
        "-H",
        "Content-Type: application/json",
        "-H",
        "X-Forwarded-For: 198.51.100.66",
        "-d",
        body,
        &format!("{HTTPS}/api/v1/tokens"),
    ]);
    assert_eq!(created, "201");
    let audits = (1..=3).map(|n| site.curl(&[&format!("{}/api/v1/audit", Trio::node(n))]));
    let mut sources = Vec::new();
    for audit in audits {
        let page: serde_json::Value =
            serde_json::from_str(&audit).unwrap_or_else(|cause| panic!("{cause} in {audit}"));
        let items = page["items"].as_array().into_iter().flatten();
        let sourced = items.filter_map(|item| item["source"].as_str().map(str::to_owned));
        sources.extend(sourced);
    }
    sources
}
