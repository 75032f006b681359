//! The journal that several nodes share: over PostgreSQL as over files, in one order, and whole after one of them is killed.

use super::killed::{ask, journalled, logged};
use crate::postgres::{Server, ledger};
use crate::world::{Mounted, database};
use axum::http::Method;
use purlin_api::clock::Clock;
use purlin_ovn_server::{Platform, Settings, Tools};
use purlin_ovsdb::client::{Config, parse_endpoints};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SWITCHES: &str = "/api/v1/ovn/nb/Logical_Switch";
/// Set for the process to be killed: its folder, and the address of the database.
const CHILD: &str = "PURLIN_TEST_SHARED_JOURNAL";
const NAME: &str = "journal::shared::what_a_killed_node_has_sent_another_node_tells";

/// A node over the databases of a folder that shares its journal.
async fn node(folder: &Path, url: &str, clock: Clock) -> Mounted {
    let endpoints = format!("unix:{}", folder.join("db.sock").display());
    let endpoints = parse_endpoints(&endpoints).expect("an endpoint");
    let platform = Platform::start(Settings {
        northbound: Config::new("OVN_Northbound", endpoints),
        southbound: None,
        origin: "given",
        unattended: false,
        tools: Tools {
            folder: folder.join("scratch"),
            tls: None,
        },
    });
    Mounted::keeping(&platform, ledger(url).await.0, clock, true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_tell_one_story_in_one_order() {
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let _database = database(folder.path());
    let url = server.database();
    let one = node(folder.path(), &url, Clock::system()).await;
    let two = node(folder.path(), &url, Clock::system()).await;
    let mut made = Vec::new();
    for n in 0..12 {
        let at = if n % 2 == 0 { &one } else { &two };
        let (status, answer) = ask(at, Method::POST, SWITCHES, &json!({ "name": format!("s{n}") })).await;
        assert!(status < 300, "{answer:#}");
        made.push(answer["request"].clone());
    }
    made.reverse();
    let ids = |entries: &[Value]| -> Vec<Value> { entries.iter().map(|entry| entry["id"].clone()).collect() };
    let (told, other) = (journalled(&one).await, journalled(&two).await);
    assert_eq!(ids(&told), made, "the newest first, whoever wrote it");
    assert_eq!(told, other, "both tell the same");
    assert!(
        told.iter()
            .all(|entry| entry["outcome"] == "committed" && entry["source"] == "purlin")
    );
    // What one did the other takes back, and both know.
    let path = format!("/api/v1/ovn/journal/{}/undo", made[11].as_str().expect("an id"));
    let (status, undone) = ask(&two, Method::POST, &path, &Value::Null).await;
    assert!(status < 300, "{undone:#}");
    for node in [&one, &two] {
        let told = journalled(node).await;
        assert_eq!(told[0]["undoes"], made[11]);
        assert_eq!(told[12]["undone_by"], undone["request"]);
    }
}

/// Writes without end.
async fn child(folder: &Path, url: &str) {
    let mounted = node(folder, url, Clock::system()).await;
    let life = std::process::id();
    let writer = async |n: usize| {
        for round in 0.. {
            let name = format!("s-{life}-{n}-{round}");
            for (method, path, body) in [
                (Method::POST, SWITCHES.to_owned(), json!({ "name": name })),
                (Method::DELETE, format!("{SWITCHES}/{name}"), Value::Null),
            ] {
                let (status, answer) = ask(&mounted, method, &path, &body).await;
                assert!(status < 300, "{answer:#}");
                println!("wrote {}", answer["request"].as_str().expect("an id"));
            }
        }
    };
    tokio::join!(writer(0), writer(1), writer(2), writer(3));
}

/// Lives for a while after its first write, and is killed; what was answered.
fn live_and_die(given: &str, life: Duration) -> BTreeSet<String> {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", NAME, "--nocapture"])
        .env(CHILD, given)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program runs");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let (mut answered, mut until, mut killed) = (BTreeSet::new(), None, false);
    for line in lines.map_while(Result::ok) {
        if let Some(id) = line.strip_prefix("wrote ") {
            answered.insert(id.to_owned());
            let until = until.get_or_insert_with(|| Instant::now() + life);
            if !killed && Instant::now() >= *until {
                child.kill().expect("it lives");
                killed = true;
            }
        }
    }
    child.wait().expect("it is dead");
    assert!(killed, "it ended by itself");
    answered
}

#[test]
fn what_a_killed_node_has_sent_another_node_tells() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Ok(given) = std::env::var(CHILD) {
        let (folder, url) = given.split_once(' ').expect("two words");
        return runtime.block_on(child(Path::new(folder), url));
    }
    let Some(server) = Server::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let _database = database(folder.path());
    let url = server.database();
    let given = format!("{} {url}", folder.path().display());
    let mut answered = BTreeSet::new();
    for life in [60, 210, 120] {
        answered.extend(live_and_die(&given, Duration::from_millis(life)));
    }
    // Another node, after the time in which the killed one might have said by itself what became of its writes.
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(10);
    let entries =
        runtime.block_on(async { journalled(&node(folder.path(), &url, Clock::stepped(later)).await).await });
    let logged = logged(folder.path());
    let of = |outcomes: &[&str]| -> BTreeSet<String> {
        let is = |entry: &&Value| outcomes.iter().any(|outcome| entry["outcome"] == *outcome);
        let id = |entry: &Value| entry["id"].as_str().expect("an id").to_owned();
        entries.iter().filter(is).map(id).collect()
    };
    assert!(answered.is_subset(&logged), "what was answered happened");
    assert_eq!(
        of(&["committed", "found"]),
        logged,
        "the journal has what the database has"
    );
    assert_eq!(of(&["unclear"]), BTreeSet::new(), "nobody else writes these rows");
    println!(
        "{} answered, {} found by their rows",
        answered.len(),
        of(&["found"]).len()
    );
}
