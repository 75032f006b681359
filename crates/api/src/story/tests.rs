use super::*;
use serde_json::json;
use std::net::IpAddr;

/// Knows one machine by both names.
struct Addresses;

/// Knows transfers by address only.
struct Transfers;

fn decision(at: &str, code: &str) -> Value {
    json!({"at": at, "outcome": "answered", "code": code, "text": "t"})
}

impl Teller for Addresses {
    fn service(&self) -> &'static str {
        "dhcp"
    }

    fn who<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Who> {
        let mut who = Who::default();
        if subject.kind() == "mac" {
            who.addresses.insert(IpAddr::from([10, 0, 0, 5]));
        }
        Box::pin(async { who })
    }

    fn tell<'a>(&'a self, _: &'a Subject, who: &'a Who, _: usize) -> BoxFuture<'a, Chapter> {
        let seen = !who.macs.is_empty();
        let at = ["2026-01-01T00:00:00.000Z", "2026-01-01T00:10:00.000Z"];
        let decisions = at.map(|at| decision(at, "PUR-1001"));
        let chapter = Chapter {
            seen,
            summary: if seen {
                "It holds 10.0.0.5."
            } else {
                "No lease was seen."
            }
            .into(),
            decisions: if seen { decisions.to_vec() } else { Vec::new() },
            checks: vec!["look at the relay".into()],
            more: Map::from_iter([("leases".to_owned(), json!([]))]),
        };
        Box::pin(async { chapter })
    }
}

impl Teller for Transfers {
    fn service(&self) -> &'static str {
        "boot"
    }

    fn who<'a>(&'a self, _: &'a Subject) -> BoxFuture<'a, Who> {
        Box::pin(async { Who::default() })
    }

    fn tell<'a>(&'a self, _: &'a Subject, who: &'a Who, _: usize) -> BoxFuture<'a, Chapter> {
        let known = who.addresses.contains(&IpAddr::from([10, 0, 0, 5]));
        let mut chapter = Chapter {
            seen: known,
            summary: "No file was asked for.".into(),
            ..Chapter::default()
        };
        if known {
            chapter.summary = "It took boot.ipxe.".into();
            chapter.decisions = vec![decision("2026-01-01T00:00:01.500Z", "PUR-2001")];
        }
        Box::pin(async { chapter })
    }
}

fn tellers() -> Tellers {
    Tellers::new(vec![Arc::new(Addresses), Arc::new(Transfers)])
}

#[tokio::test]
async fn what_one_service_knows_lets_the_next_find_it() {
    let story = tellers().story(&Subject::parse("02:00:00:00:00:01"), 10).await;
    assert_eq!(story["summary"], "It holds 10.0.0.5. It took boot.ipxe.");
    assert_eq!(story["client"]["addresses"], json!(["10.0.0.5"]));
    assert_eq!(story["leases"], json!([]));
    let told: Vec<_> = story["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (d["service"].as_str().unwrap(), d["after_ms"].as_i64().unwrap()))
        .collect();
    assert_eq!(told, [("dhcp", 0), ("boot", 1500), ("dhcp", 0)]);
}

#[tokio::test]
async fn silence_is_told_by_everyone() {
    let story = tellers().story(&Subject::parse("nobody"), 10).await;
    assert_eq!(story["seen"], false);
    assert_eq!(story["summary"], "No lease was seen. No file was asked for.");
    assert_eq!(story["checks"], json!(["look at the relay"]));
}

#[tokio::test]
async fn one_service_may_know_what_another_does_not() {
    let story = tellers().story(&Subject::parse("10.0.0.5"), 10).await;
    assert_eq!(story["summary"], "It took boot.ipxe.");
    assert_eq!(story["checks"], json!([]));
}

#[tokio::test]
async fn a_transaction_is_no_machines_story() {
    let hash = format!("0x{}", "0a".repeat(32));
    let story = tellers().story(&Subject::parse(&hash), 10).await;
    assert_eq!(
        (&story["kind"], &story["seen"]),
        (&json!("transaction"), &json!(false))
    );
    assert_eq!(story["summary"], "No service here knows such a subject.");
    assert_eq!(story["checks"], json!([]));
}
