//! A real process, killed for real between the database and the journal: both tell the same afterwards.

use crate::world::{Mounted, database};
use axum::body::Body;
use axum::http::{Method, Request};
use purlin_api::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tower::ServiceExt;

/// Set for the process to be killed: its folder.
const CHILD: &str = "PURLIN_TEST_JOURNAL_DIR";
const NAME: &str = "journal::killed::no_transaction_is_lost_and_none_invented_by_kill_9";

pub(super) async fn ask(mounted: &Mounted, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let token = &mounted
        .tokens
        .iter()
        .find(|(role, _)| *role == Role::Operator)
        .expect("an operator")
        .1;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    let answer = mounted
        .router
        .clone()
        .oneshot(request.body(body).expect("a request"))
        .await;
    let (parts, body) = answer.expect("an answer").into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
    (
        parts.status.as_u16(),
        serde_json::from_slice(&body).unwrap_or_default(),
    )
}

/// Writes without end: rows that come, change and go.
async fn child(folder: &Path) {
    let mounted = Mounted::at(folder).await;
    let life = std::process::id();
    let writer = async |n: usize| {
        let table = "/api/v1/ovn/nb/Logical_Switch";
        for round in 0.. {
            let name = format!("s-{life}-{n}-{round}");
            let row = format!("{table}/{name}");
            let note = json!({ "other_config": { "mcast_snoop": "true" } });
            for (method, path, body) in [
                (Method::POST, table, json!({ "name": name })),
                (Method::PATCH, &*row, note),
                (Method::DELETE, &*row, Value::Null),
            ] {
                let (status, answer) = ask(&mounted, method, path, &body).await;
                assert!(status < 300, "{answer:#}");
                println!("wrote {}", answer["request"].as_str().expect("an id"));
            }
        }
    };
    tokio::join!(writer(0), writer(1), writer(2), writer(3));
}

/// Requests that the log of the database has.
pub(super) fn logged(folder: &Path) -> BTreeSet<String> {
    let output = Command::new("ovsdb-tool")
        .arg("show-log")
        .arg(folder.join("nb.db"))
        .output();
    let text = String::from_utf8(output.expect("ovsdb-tool runs").stdout).expect("text");
    let ids = text.split("purlin: request ").skip(1);
    ids.map(|rest| rest[..36].to_owned()).collect()
}

/// Entries of the journal, once each has its end.
pub(super) async fn journalled(mounted: &Mounted) -> Vec<Value> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/ovn/journal?limit=1000&cursor={cursor}");
            let (status, page) = ask(mounted, Method::GET, &path, &Value::Null).await;
            assert_eq!(status, 200, "{page:#}");
            all.extend(page["items"].as_array().expect("items").clone());
            match page["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        if all.iter().all(|entry| entry["outcome"] != "open") {
            return all;
        }
        assert!(Instant::now() < deadline, "entries stay open: {all:#?}");
        tokio::task::yield_now().await;
    }
}

fn live_and_die(folder: &Path, life: Duration) -> BTreeSet<String> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (mut answered, mut until) = (BTreeSet::new(), None);
    while let Some(Ok(line)) = lines.next() {
        if let Some(id) = line.strip_prefix("wrote ") {
            answered.insert(id.to_owned());
            let until = until.get_or_insert_with(|| Instant::now() + life);
            if Instant::now() >= *until {
                child.kill().expect("it lives");
                break;
            }
        }
    }
    let rest = lines.map_while(Result::ok);
    answered.extend(rest.filter_map(|line| Some(line.strip_prefix("wrote ")?.to_owned())));
    child.wait().expect("it is dead");
    answered
}

/// What the journal says after a life, in a life of its own that ends wholly before the next one begins.
fn entries(folder: &Path) -> Vec<Value> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { journalled(&Mounted::at(folder).await).await })
}

#[test]
fn no_transaction_is_lost_and_none_invented_by_kill_9() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(child(Path::new(&folder)));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let _server = database(folder.path());
    let (mut answered, mut found) = (BTreeSet::new(), 0);
    for life in [120, 350, 60, 210, 90, 170] {
        answered.extend(live_and_die(folder.path(), Duration::from_millis(life)));
        let (entries, logged) = (entries(folder.path()), logged(folder.path()));
        let of = |outcomes: &[&str]| -> BTreeSet<String> {
            let is = |entry: &&Value| outcomes.iter().any(|outcome| entry["outcome"] == *outcome);
            let id = |entry: &Value| entry["id"].as_str().expect("an id").to_owned();
            entries.iter().filter(is).map(id).collect()
        };
        assert_eq!(
            of(&["committed", "found"]),
            logged,
            "the journal has what the database has"
        );
        assert!(answered.is_subset(&logged), "what was answered happened");
        assert_eq!(of(&["unclear"]), BTreeSet::new(), "nobody else writes these rows");
        let strange = entries.iter().find(|entry| entry["source"] != "purlin");
        assert_eq!(strange, None, "nobody else has written, and nothing was missed");
        found += of(&["found"]).len();
    }
    assert!(!answered.is_empty(), "it never got to work");
    println!("{} answered, {found} found by their rows", answered.len());
}

#[test]
fn what_was_changed_while_nobody_watched_is_a_gap_and_nothing_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let _server = database(folder.path());
    let nbctl = |words: &[&str]| {
        let socket = format!("--db=unix:{}", folder.path().join("db.sock").display());
        let done = Command::new("ovn-nbctl")
            .args([&socket, "--timeout=10"])
            .args(words)
            .status();
        assert!(done.expect("ovn-nbctl runs").success());
    };
    let sources = |entries: &[Value]| -> Vec<String> {
        let source = |entry: &Value| entry["source"].as_str().expect("a word").to_owned();
        entries.iter().map(source).collect()
    };
    assert_eq!(
        sources(&entries(folder.path())),
        [""; 0],
        "what is there is no news"
    );
    assert_eq!(sources(&entries(folder.path())), [""; 0], "nothing was changed");
    nbctl(&["ls-add", "a"]);
    let found = entries(folder.path());
    assert_eq!(sources(&found), ["gap"]);
    let about = found[0]["about"].as_str().expect("words");
    assert!(
        about.starts_with("rows were changed while no node watched, since 20"),
        "{about}"
    );
    nbctl(&["ls-del", "a"]);
    nbctl(&["ls-add", "a"]);
    assert_eq!(
        sources(&entries(folder.path())),
        ["gap", "gap"],
        "another row of the same name"
    );
}
