//! Clients whose node drains, ends or dies: they go on elsewhere, and every event comes once.

use super::{Happening, NUMBERED, metric, numbers, sessions};
use purlin_conformance::{Cluster, Member, Socket};
use serde_json::Value;

const SETTINGS: &str = "[sessions]\nclose_spread = \"500ms\"\n";

/// Follows at the first node while something happens at the second; `part` lets the first go. Every event comes once, in
/// order, and no gap is told.
fn goes_on(part: impl FnOnce(&mut Member, &mut Socket)) {
    let Some(mut cluster) = Cluster::of_platform(2, SETTINGS) else {
        return;
    };
    let [one, two] = &mut cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let token = one.admin_token();
    two.until("the token was known", || {
        two.ask_as(&token, "GET", "/api/v1/status", None)
            .is_some_and(|(status, _)| status == 200)
    });
    let mut socket = Socket::open(one, &token, &format!("topics={NUMBERED}")).expect("a session");
    let first = socket.session.clone();
    assert_eq!((&first["node"], &first["generation"]), (&"n1".into(), &1.into()));
    let happening = Happening::default();
    std::thread::scope(|scope| {
        let _ending = happening.begin(scope, two);
        socket.until("events came", |socket| socket.events.len() > 10);
        part(one, &mut socket);
        let left_at = happening.count();
        two.until("more had happened meanwhile", || happening.count() > left_at + 10);
        let mut socket = socket.go_on(two, NUMBERED).expect("the session goes on");
        assert_eq!(socket.session["node"], "n2");
        assert_ne!(socket.session["id"], first["id"], "ids are not used twice");
        assert_eq!(socket.session["generation"], 2);
        let back_at = happening.count();
        socket.until("events went on", |socket| {
            socket.events.len() as u64 > back_at + 10
        });
        happening.end();
        let last = happening.count();
        socket.until("the last one came", |socket| socket.events.len() as u64 >= last);
        let count = socket.events.len() as u64;
        assert_eq!(socket.subjects(), numbers(count), "every event once, in order");
        assert_eq!(socket.gaps, Vec::<Value>::new());
        let list = sessions(two);
        assert_eq!(list.len(), 1, "{list:?}");
        assert_eq!(
            (&list[0]["node"], &list[0]["generation"]),
            (&"n2".into(), &2.into())
        );
        let migrations = "ovncp_session_migrations_total{from=\"n1\",to=\"n2\"}";
        assert_eq!(metric(two, migrations), 1.0, "{}", two.scrape());
    });
}

#[test]
fn s4_120_a_session_of_a_draining_node_goes_on_elsewhere_with_every_event_once() {
    goes_on(|node, socket| {
        let said = node.says(&["cluster", "drain", "n1"]);
        socket.until("the node let it go", |socket| socket.closed.is_some());
        let (code, reason) = socket.closed.clone().expect("just seen");
        assert_eq!(code, 1012, "{reason}\n{said}");
        let told: Value = serde_json::from_str(&reason).expect("where to go on");
        let delay = told["delay_ms"].as_u64().expect("not all at once");
        assert!((1..=1000).contains(&delay), "{told}");
        let refused = Socket::open(node, &node.admin_token(), "").expect_err("it drains");
        assert_eq!(refused.0, 503, "{}", refused.1);
    });
}

#[test]
fn s4_109_a_node_that_is_stopped_hands_its_sessions_over() {
    goes_on(|node, socket| {
        node.process.signal("TERM");
        socket.until("the node let it go", |socket| socket.closed.is_some());
        assert_eq!(socket.closed.as_ref().map(|(code, _)| *code), Some(1012));
        assert!(node.process.ended(), "{}", node.process.said());
    });
}

#[test]
fn s4_3_a_client_of_a_killed_node_goes_on_elsewhere_with_every_event_once() {
    goes_on(|node, socket| {
        node.process.crash();
        socket.until("the connection broke", |socket| socket.closed.is_some());
        assert_eq!(socket.closed.as_ref().map(|(code, _)| *code), Some(1006));
    });
}

#[test]
fn s4_3_a_broken_connection_is_taken_up_at_its_own_node() {
    let Some(cluster) = Cluster::of_platform(1, SETTINGS) else {
        return;
    };
    let [node] = &cluster.nodes[..] else {
        unreachable!("one was made")
    };
    let socket = Socket::open(node, &node.admin_token(), &format!("topics={NUMBERED}")).expect("a session");
    let happening = Happening::default();
    std::thread::scope(|scope| {
        let _ending = happening.begin(scope, node);
        let mut socket = socket;
        for round in 1..=5 {
            let id = socket.id().to_owned();
            socket.until("events came", |socket| socket.events.len() > 7 * round);
            socket.cut();
            socket = socket.go_on(node, NUMBERED).expect("the session goes on");
            assert_eq!(socket.id(), id, "it never left its node");
        }
        happening.end();
        let last = happening.count();
        socket.until("the last one came", |socket| socket.events.len() as u64 >= last);
        assert_eq!(socket.subjects(), numbers(socket.events.len() as u64));
        assert_eq!(socket.gaps, Vec::<Value>::new());
    });
}
