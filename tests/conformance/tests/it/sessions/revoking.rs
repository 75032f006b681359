//! What was revoked at one node is over at the other: the next request, and the streams that are open.

use purlin_conformance::{Changes, Cluster, Member, Socket};
use serde_json::{Value, json};
use std::time::Instant;

const OVN: &str = "[ovn]\nenabled = true\nown = \"in_process\"\n";

/// The body of what must succeed.
fn done(node: &Member, method: &str, path: &str, body: Option<&Value>) -> Value {
    let (status, body) = node.ask(method, path, body).expect("it answers");
    assert!(status < 300, "{method} {path}: {status} {body}");
    body
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// What the node answers whoever has this.
fn whoami(node: &Member, secret: &str) -> u16 {
    let answer = node.ask_as(secret, "GET", "/api/v1/whoami", None);
    answer.expect("it answers").0
}

/// Somebody who is connected to the second node: by which secret, how it is revoked, and when the stream is over.
struct Guest<'a> {
    secret: String,
    revoke: Box<dyn Fn() + 'a>,
    closed: Box<dyn FnMut() -> (u16, String) + 'a>,
}

fn by_token<'a>(one: &'a Member, two: &'a Member) -> Guest<'a> {
    let made = done(
        one,
        "POST",
        "/api/v1/tokens",
        Some(&json!({ "name": "reader", "role": "viewer" })),
    );
    let (id, secret) = (text(&made["id"]), text(&made["token"]));
    two.until("the token was known", || whoami(two, &secret) == 200);
    let mut socket = Socket::open(two, &secret, "topics=none").expect("a session");
    Guest {
        secret,
        revoke: Box::new(move || {
            let _ = done(one, "DELETE", &format!("/api/v1/tokens/{id}"), None);
        }),
        closed: Box::new(move || {
            socket.until("the stream was closed", |socket| socket.closed.is_some());
            socket.closed.clone().expect("it was waited for")
        }),
    }
}

fn follows<'a>(two: &Member, secret: &str) -> Box<dyn FnMut() -> (u16, String) + 'a> {
    let mut changes = Changes::open(two, secret, "").expect("a stream");
    changes.until("it followed", |changes| !changes.messages.is_empty());
    Box::new(move || {
        changes.until("the stream was closed", |changes| changes.closed.is_some());
        changes.closed.clone().expect("it was waited for")
    })
}

fn by_key<'a>(one: &'a Member, two: &'a Member, tenant: &str) -> Guest<'a> {
    let path = format!("/api/v1/tenants/{tenant}/api-keys");
    let made = done(
        one,
        "POST",
        &path,
        Some(&json!({ "name": "robot", "scopes": ["read"] })),
    );
    let (id, secret) = (text(&made["id"]), text(&made["key"]));
    Guest {
        closed: follows(two, &secret),
        secret,
        revoke: Box::new(move || {
            let _ = done(one, "DELETE", &format!("{path}/{id}"), None);
        }),
    }
}

/// Logged in at the first node, and deleted there.
fn by_session<'a>(one: &'a Member, two: &'a Member) -> Guest<'a> {
    let user = json!({ "username": "alice", "role": "viewer", "email": "alice@example.com", "password": "correct horse battery" });
    let made = done(one, "POST", "/api/v1/auth/users", Some(&user));
    let id = text(&made["user"]["id"]);
    let login = json!({ "username": "alice", "password": "correct horse battery" });
    let opened = done(one, "POST", "/api/v1/auth/login/local", Some(&login));
    let secret = text(&opened["access_token"]);
    Guest {
        closed: follows(two, &secret),
        secret,
        revoke: Box::new(move || {
            let _ = done(one, "DELETE", &format!("/api/v1/auth/users/{id}"), None);
        }),
    }
}

#[test]
fn what_is_revoked_at_one_node_is_over_at_the_other_and_so_are_its_streams() {
    let Some(cluster) = Cluster::of_platform(2, OVN) else {
        return;
    };
    let [one, two] = &cluster.nodes[..] else {
        unreachable!("two were made")
    };
    let tenant = json!({ "name": "acme", "type": "organization" });
    let tenant = text(&done(one, "POST", "/api/v1/tenants", Some(&tenant))["id"]);
    for (kind, mut guest) in [
        ("token", by_token(one, two)),
        ("key", by_key(one, two, &tenant)),
        ("user", by_session(one, two)),
    ] {
        assert_eq!(whoami(two, &guest.secret), 200, "{kind}");
        (guest.revoke)();
        let answered = Instant::now();
        let (code, reason) = (guest.closed)();
        let took = answered.elapsed();
        assert_eq!(code, 4401, "{kind}: {reason}");
        assert!(reason.starts_with("PUR-9402: "), "{kind}: {reason}");
        // Whoever is told so is refused from then on.
        assert_eq!(whoami(two, &guest.secret), 401, "{kind}");
        let again = Changes::open(two, &guest.secret, "")
            .err()
            .map(|(status, _)| status);
        assert_eq!(again, Some(401), "{kind}");
        eprintln!("the other node ended the stream of a {kind} {took:?} after the answer");
    }
}
