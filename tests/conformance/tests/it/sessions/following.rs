//! OVN's change stream as a session: a client whose node drains, ends or dies goes on at another one, and is told of every
//! transaction once.

use super::sessions;
use purlin_conformance::{Changes, Cluster, Member, met_plainly, northbound};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tempfile::TempDir;

const SWITCHES: &str = "/api/v1/ovn/nb/Logical_Switch";

/// Switches that are made at a node one after another, until they are stopped.
#[derive(Default)]
struct Writing {
    over: AtomicBool,
    count: AtomicU64,
}

impl Writing {
    fn write(&self, node: &Member) {
        while !self.over.load(Ordering::Relaxed) {
            let number = self.count.load(Ordering::Relaxed) + 1;
            let made = node.ask("POST", SWITCHES, Some(&json!({ "name": format!("s{number}") })));
            let (status, body) = made.expect("it answers");
            assert_eq!(status, 201, "{body}");
            self.count.store(number, Ordering::Relaxed);
        }
    }
}

/// Stops the writing, also when the test fails.
struct Ending<'a>(&'a Writing);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::Relaxed);
    }
}

fn told(changes: &Changes) -> usize {
    changes.added("Logical_Switch").len()
}

/// Follows at the first node what is written at the second; `part` lets the first go.
fn goes_on(part: impl FnOnce(&mut Member), code: u16) {
    if !met_plainly(&["ovsdb-tool", "ovsdb-server"]) {
        return;
    }
    let folder = TempDir::new().expect("a temporary folder can be made");
    let _server = northbound(folder.path());
    let config = format!(
        "[ovn]\nenabled = true\nnorthbound = [\"unix:{}\"]\n\n[sessions]\nclose_spread = \"500ms\"\n",
        folder.path().join("db.sock").display()
    );
    // Once in a test.
    let Some(mut cluster) = Cluster::of_platform(2, Box::leak(config.into_boxed_str())) else {
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
    let mut changes = Changes::open(one, &token, "").expect("a stream");
    changes.until("it followed", |changes| changes.count("here") == 1);
    let first = changes.session().clone();
    assert_eq!((&first["node"], &first["generation"]), (&"n1".into(), &1.into()));
    let listed: Vec<Value> = sessions(two);
    assert_eq!(
        (listed.len(), &listed[0]["node"]),
        (1, &json!("n1")),
        "{listed:?}"
    );
    let (writing, two) = (Writing::default(), &*two);
    std::thread::scope(|scope| {
        let ending = Ending(&writing);
        let writer = scope.spawn(|| writing.write(two));
        changes.until("some had come", |changes| told(changes) > 3);
        part(one);
        changes.until("the node let it go", |changes| changes.closed.is_some());
        let closed = changes.closed.clone().expect("it was waited for");
        assert_eq!(closed.0, code, "{closed:?}");
        let left_at = writing.count.load(Ordering::Relaxed);
        two.until("more was written meanwhile", || {
            writing.count.load(Ordering::Relaxed) > left_at + 3
        });
        let mut changes = changes.go_on(two, &token).expect("the session goes on");
        let back_at = told(&changes);
        changes.until("it went on", |changes| told(changes) > back_at + 6);
        drop(ending);
        writer.join().expect("every write was answered");
        let all = writing.count.load(Ordering::Relaxed);
        changes.until("all had come", |changes| told(changes) as u64 >= all);
        let names: Vec<String> = (1..=all).map(|number| format!("s{number}")).collect();
        assert_eq!(changes.added("Logical_Switch"), names, "each once and in order");
        assert_eq!((changes.count("here"), changes.count("anew")), (1, 0));
        let session = changes.session();
        assert_eq!(
            (&session["node"], &session["generation"]),
            (&"n2".into(), &2.into())
        );
        assert_ne!(session["id"], first["id"], "ids are not used twice");
    });
    let two = &cluster.nodes[1];
    two.until("it was listed where it is", || {
        let listed = sessions(two);
        listed.len() == 1 && listed[0]["node"] == "n2"
    });
}

#[test]
fn a_change_stream_of_a_draining_node_goes_on_elsewhere_with_every_transaction_once() {
    goes_on(
        |one| {
            let _ = one.says(&["cluster", "drain", "n1", "--no-wait"]);
        },
        1012,
    );
}

#[test]
fn a_change_stream_of_a_node_that_is_stopped_goes_on_elsewhere() {
    goes_on(|one| one.process.signal("TERM"), 1012);
}

#[test]
fn a_change_stream_of_a_node_that_died_goes_on_elsewhere() {
    goes_on(|one| one.process.crash(), 1006);
}
