//! How long sessions last, who may go on with them, and how many there are.

use super::{metric, sessions};
use purlin_conformance::{Cluster, Member, Socket};
use serde_json::json;

const SETTINGS: &str =
    "[sessions]\nttl = \"6s\"\ncleanup_interval = \"1s\"\nmax = 3\nclose_spread = \"0s\"\n";

/// A token of somebody else.
pub(super) fn other_token(node: &Member) -> String {
    let wanted = json!({ "name": "somebody", "role": "viewer" });
    let (status, made) = node
        .ask("POST", "/api/v1/tokens", Some(&wanted))
        .expect("it answers");
    assert_eq!(status, 201, "{made}");
    made["token"].as_str().expect("shown once").to_owned()
}

#[test]
fn s4_61_a_session_of_a_silent_client_lapses_and_one_that_answers_stays() {
    let Some(cluster) = Cluster::of_platform(1, SETTINGS) else {
        return;
    };
    let node = &cluster.nodes[0];
    let token = node.admin_token();
    let mut answers = Socket::open(node, &token, "topics=none").expect("a session");
    let gone = Socket::open(node, &token, "topics=none").expect("a session");
    assert_eq!(sessions(node).len(), 2);
    let (kept, lost) = (answers.id().to_owned(), gone.id().to_owned());
    drop(gone);
    // Reading answers the node's pings: nothing else keeps a session.
    answers.until("the other one lapsed", |_| sessions(node).len() == 1);
    answers.until("it was swept", |_| {
        metric(node, "purlin_sessions_swept_total") >= 1.0
    });
    let refused = Socket::open(node, &token, &format!("session={lost}&seen=0")).expect_err("it has lapsed");
    assert_eq!(refused.0, 404, "{}", refused.1);
    // It gets another id as often as it would lapse, and the former one is dead.
    answers.until("it got another id", |socket| socket.id() != kept);
    let refused = Socket::open(node, &token, &format!("session={kept}&seen=0")).expect_err("another id");
    assert_eq!(refused.0, 404, "{}", refused.1);
    let list = sessions(node);
    assert!(
        answers.id().starts_with(list[0]["id"].as_str().expect("shown")),
        "{list:?}"
    );
}

#[test]
fn s4_146_ids_and_tokens_are_good_once_and_for_their_user_only() {
    let Some(cluster) = Cluster::of_platform(2, "[sessions]\nclose_spread = \"0s\"\n") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let (token, other) = (one.admin_token(), other_token(one));
    two.until("tokens were known", || {
        let known = |token: &str| two.ask_as(token, "GET", "/api/v1/status", None);
        [&token, &other]
            .iter()
            .all(|token| known(token).is_some_and(|(status, _)| status == 200))
    });
    let mut socket = Socket::open(one, &token, "topics=none").expect("a session");
    let id = socket.id().to_owned();
    let refused = |node: &Member, token: &str, query: String| {
        let refused = Socket::open(node, token, &query).expect_err("it is refused");
        refused.0
    };
    // Who knows the id and is somebody else gets nothing, and learns nothing.
    assert_eq!(refused(one, &other, format!("session={id}&seen=0")), 404);
    assert_eq!(refused(two, &other, format!("session={id}&seen=0")), 404);
    let _ = one.says(&["cluster", "drain", "n1", "--no-wait"]);
    socket.until("the node let it go", |socket| socket.closed.is_some());
    let way_on = socket.way_on();
    let on = Socket::open(two, &token, &way_on).expect("the session goes on");
    assert_ne!(on.id(), id);
    // Token and former id are spent.
    assert_eq!(refused(two, &token, way_on), 409);
    assert_eq!(refused(two, &token, format!("session={id}&seen=0")), 404);
    assert_eq!(refused(two, &token, "resume=00&seen=0".to_owned()), 409);
    // Nothing that is listed is enough to go on with: the beginning of an id is shown.
    let list = sessions(two);
    let shown = list[0]["id"].as_str().expect("shown").to_owned();
    assert!(
        on.id().starts_with(&shown) && shown.len() <= on.id().len() / 2,
        "{list:?}"
    );
    assert_eq!(refused(two, &token, format!("session={shown}&seen=0")), 404);
    // Whoever comes with another's token has stolen it: nobody goes on with it.
    let mut stolen = on;
    let _ = one.says(&["cluster", "resume", "n1"]);
    one.until("it was ready again", || {
        one.readiness().is_some_and(|(ready, _)| ready)
    });
    // Whoever thinks that it is alone does not leave.
    two.until("it knew that the other one stays", || {
        let all = two.members().unwrap_or_default();
        all.iter().all(|member| member["status"] == "active")
    });
    let _ = two.says(&["cluster", "drain", "n2", "--no-wait"]);
    stolen.until("the node let it go", |socket| socket.closed.is_some());
    assert_eq!(refused(one, &other, stolen.way_on()), 403);
    assert_eq!(refused(one, &token, stolen.way_on()), 409);
    assert_eq!(sessions(one).len(), 0, "it was ended");
}

#[test]
fn s4_133_sessions_are_listed_paged_limited_and_ended_from_any_node() {
    let Some(cluster) = Cluster::of_platform(2, "[sessions]\nmax = 3\n") else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let token = one.admin_token();
    let mut open: Vec<Socket> = (0..3)
        .map(|_| Socket::open(one, &token, "topics=none").expect("a session"))
        .collect();
    let (status, problem) = Socket::open(one, &token, "").expect_err("three are the most");
    assert_eq!(status, 503, "{problem}");
    assert!(problem.to_string().contains('3'), "{problem}");
    let (_, first) = two.get("/api/v1/cluster/sessions?limit=2").expect("it answers");
    let cursor = first["next_cursor"].as_str().expect("one more");
    let (_, rest) = two
        .get(&format!("/api/v1/cluster/sessions?limit=2&cursor={cursor}"))
        .expect("it answers");
    let count = |page: &serde_json::Value| page["items"].as_array().map(Vec::len);
    assert_eq!(
        (count(&first), count(&rest)),
        (Some(2), Some(1)),
        "{first} {rest}"
    );
    let user = first["items"][0]["user"]
        .as_str()
        .expect("whose it is")
        .to_owned();
    let said = two.says(&["session", "list", "--user", &user, "-o", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let count = listed["items"].as_array().or(listed.as_array()).map(Vec::len);
    assert_eq!(count, Some(3), "{said}");
    let id = open[0].id().to_owned();
    let (status, shown) = two
        .get(&format!("/api/v1/cluster/sessions/{}", &id[..16]))
        .expect("it answers");
    assert_eq!((status, &shown["node"]), (200, &json!("n1")), "{shown}");
    // Ended at the other node, the connection is closed by the one that has it.
    let _ = two.says(&["session", "end", &id[..16]]);
    open[0].until("it was closed", |socket| socket.closed.is_some());
    assert_eq!(open[0].closed.as_ref().map(|(code, _)| *code), Some(4410));
    assert!(Socket::open(one, &token, "").is_ok(), "there is room again");
    let (status, _) = two
        .get(&format!("/api/v1/cluster/sessions/{}", &id[..16]))
        .expect("it answers");
    assert_eq!(status, 404);
}
