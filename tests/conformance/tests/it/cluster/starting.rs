//! A node that starts before what it needs is there, or with what it cannot be let in by.

use purlin_conformance::{Cluster, Member};
use serde_json::Value;
use std::net::UdpSocket;

/// A probe, as somebody without a token asks it; `None` while nobody answers.
fn probed(node: &Member, path: &str) -> Option<(u16, Value)> {
    node.ask_as("none", "GET", path, None)
}

/// What a check of a node's health says, and what mends it.
fn check(node: &Member, name: &str) -> Option<(String, String, String)> {
    let (_, health) = probed(node, "/health")?;
    let checks = health["checks"].as_array()?;
    let check = checks.iter().find(|check| check["name"] == name)?;
    let text = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
    Some((text("state"), text("says"), text("fix")))
}

/// Nobody listens there for clients.
fn serves_nobody(node: &Member) {
    let bound = UdpSocket::bind(("127.0.0.1", node.dhcp));
    assert!(bound.is_ok(), "{bound:?}");
}

#[test]
fn a_node_without_its_database_says_what_it_waits_for_and_goes_on_by_itself() {
    let Some(mut cluster) = Cluster::new(0) else {
        return;
    };
    let place = format!("127.0.0.1:{}", cluster.database.port());
    cluster.database.stop();
    let node = cluster.member("n1", "n1");
    node.until("the log said what it waits for", || {
        let said = node.process.said();
        said.lines()
            .any(|line| line.contains("waiting for the database") && line.contains(&place))
    });
    node.until("probes were told", || {
        check(&node, "node.start").is_some_and(|(state, says, fix)| {
            state == "fail" && says.contains(&place) && fix.contains("store.url")
        })
    });
    let status = |path: &str| probed(&node, path).map(|(status, _)| status);
    assert_eq!(
        status("/health/live"),
        Some(200),
        "it is not to be restarted for that"
    );
    assert_eq!(status("/health/startup"), Some(503));
    assert_eq!(status("/health/ready"), Some(503));
    let (status_of_api, refused) = probed(&node, "/api/v1/dhcp/leases").expect("it answers");
    assert_eq!(
        (status_of_api, refused["code"].as_str()),
        (503, Some("PUR-9503")),
        "{refused}"
    );
    let found = node.doctor(&[]);
    assert!(
        found
            .iter()
            .any(|(_, grade, detail)| grade == "fail" && detail.contains(&place)),
        "{found:?}"
    );
    serves_nobody(&node);
    cluster.database.start_again();
    node.until("it was ready", || {
        node.readiness().is_some_and(|(ready, _)| ready)
    });
    assert_eq!(
        probed(&node, "/health/startup").map(|(status, _)| status),
        Some(200)
    );
    let found = node.doctor(&[]);
    assert!(
        !found
            .iter()
            .any(|(_, grade, detail)| grade != "pass" && detail.contains(&place)),
        "{found:?}"
    );
    cluster.nodes.push(node);
    cluster.until_shared_by(&["n1"]);
    let _ = cluster.give(&cluster.nodes[0], 61, 100);
}

#[test]
fn a_node_without_redis_serves_says_that_it_is_missed_and_finds_it_by_itself() {
    let Some(mut cluster) = Cluster::new(0) else {
        return;
    };
    let place = cluster.redis_url().trim_start_matches("redis://").to_owned();
    cluster.lose_redis();
    let node = cluster.member("n1", "n1");
    node.until("it was ready", || {
        node.readiness().is_some_and(|(ready, _)| ready)
    });
    node.until("it said that Redis is missed", || {
        check(&node, "cluster.redis").is_some_and(|(state, says, fix)| {
            state == "warn" && says.contains(&place) && fix.contains("coordination.url")
        })
    });
    assert!(
        node.process.said().contains("Redis is not reached"),
        "{}",
        node.process.said()
    );
    let found = node.doctor(&[]);
    assert!(
        found
            .iter()
            .any(|(_, grade, detail)| grade == "warn" && detail.contains(&place)),
        "{found:?}"
    );
    cluster.nodes.push(node);
    cluster.until_shared_by(&["n1"]);
    let _ = cluster.give(&cluster.nodes[0], 62, 100);
    cluster.bring_redis_back();
    let node = &cluster.nodes[0];
    node.until("it found it", || {
        check(node, "cluster.redis").is_some_and(|(state, ..)| state == "pass")
    });
    node.until("the log said so", || {
        node.process.said().contains("Redis is reached")
    });
    node.until("what others say was heard", || {
        let caches = node.get("/api/v1/cluster/caches");
        caches.is_some_and(|(_, caches)| caches["freshness"] == "live")
    });
}

/// With a password that is wrong, the node says so, and needs no Redis for anything that must be right.
#[test]
fn a_redis_that_lets_nobody_in_is_named_with_what_mends_it() {
    let Some(mut cluster) = Cluster::new(0) else {
        return;
    };
    let place = cluster.redis_url().trim_start_matches("redis://").to_owned();
    let done = cluster.redis_says("CONFIG SET requirepass s3cret-of-redis");
    assert!(done.contains("OK"), "{done}");
    let node = cluster.member("n1", "n1");
    node.until("it said why Redis is missed", || {
        check(&node, "cluster.redis").is_some_and(|(state, says, fix)| {
            state == "warn" && says.contains(&place) && fix.contains("coordination.password")
        })
    });
    node.until("it was ready", || {
        node.readiness().is_some_and(|(ready, _)| ready)
    });
    cluster.nodes.push(node);
}

#[test]
fn a_start_that_no_waiting_helps_ends_and_says_what_is_wrong_where_and_what_mends_it() {
    let Some(cluster) = Cluster::without_nodes() else {
        return;
    };
    let database = &cluster.database;
    let place = format!("127.0.0.1:{}", database.port());
    let _ = database.ask("CREATE ROLE guarded LOGIN PASSWORD 'the-right-one'");
    database.ask_for_the_password_of("guarded");
    let cases = [
        (
            "guarded:wr0ng",
            "/purlin",
            "password authentication failed",
            "the password in store.url",
        ),
        (
            "guarded:the-right-one",
            "/purlin",
            "permission denied",
            "GRANT CREATE",
        ),
        (
            "stranger",
            "/purlin",
            "\"stranger\" does not exist",
            "pg_hba.conf",
        ),
        (
            "purlin",
            "/nowhere",
            "\"nowhere\" does not exist",
            "CREATE DATABASE",
        ),
        (
            "purlin",
            "/purlin?sslmode=require",
            "server does not support TLS",
            "ssl = on",
        ),
    ];
    for (number, (who, which, what, fix)) in cases.into_iter().enumerate() {
        let name = format!("n{number}");
        let mut node = cluster.member_at(&name, &format!("postgresql://{who}@{place}{which}"));
        assert!(!node.process.ended(), "{who} {which}");
        let said = node.process.said();
        assert!(said.contains(what) && said.contains(fix), "{said}");
        assert!(said.contains(&place), "{said}");
        assert!(
            !said.contains("wr0ng") && !said.contains("the-right-one"),
            "{said}"
        );
    }
}
