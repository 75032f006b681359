//! Monitors that resume, locks, waits: the server without sockets, its time stepped.

use crate::world::{NB, random, schema};
use purlin_ovn_embedded::{Server, SessionId};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Bench {
    _folder: TempDir,
    server: Server,
    now: u64,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Server::new(random());
        let log = folder.path().join("nb.db");
        server.open(&schema(NB), &log).expect("the log opens");
        Self {
            _folder: folder,
            server,
            now: 0,
        }
    }

    fn ask(&mut self, session: SessionId, method: &str, params: &Value) -> Vec<Value> {
        let message = json!({ "id": 7, "method": method, "params": params });
        let taken = self.server.receive(session, &message, self.now, 0);
        taken.expect("a request");
        self.heard(session)
    }

    /// What a session is sent.
    fn heard(&mut self, session: SessionId) -> Vec<Value> {
        self.server.sync().expect("the disk takes it");
        let sent = self.server.outgoing();
        let mine = sent.into_iter().filter(|(to, _)| *to == session);
        mine.flat_map(|(_, messages)| messages).collect()
    }

    fn result(&mut self, session: SessionId, method: &str, params: &Value) -> Value {
        let mut answers = self.ask(session, method, params);
        let answer = answers.pop().expect("an answer");
        assert_eq!(answer["error"], Value::Null, "{answer}");
        answer["result"].clone()
    }

    fn add_switch(&mut self, session: SessionId, name: &str) {
        let insert = json!({ "op": "insert", "table": "Logical_Switch", "row": { "name": name } });
        let done = self.result(session, "transact", &json!(["OVN_Northbound", insert]));
        assert!(done[0]["uuid"].is_array(), "{done}");
    }
}

fn watch(since: &str, clauses: &Value) -> Value {
    json!(["OVN_Northbound", "m", { "Logical_Switch": [{ "columns": ["name"], "where": clauses }] }, since])
}

const NEVER: &str = "00000000-0000-0000-0000-000000000000";

#[test]
fn a_client_that_was_away_is_told_only_what_it_missed() {
    let mut bench = Bench::new();
    let (writer, reader) = (bench.server.connect(), bench.server.connect());
    bench.add_switch(writer, "old");
    let first = bench.result(reader, "monitor_cond_since", &watch(NEVER, &json!([])));
    assert_eq!(
        (
            &first[0],
            first[2]["Logical_Switch"].as_object().map(serde_json::Map::len)
        ),
        (&json!(false), Some(1))
    );

    bench.server.disconnect(reader);
    bench.add_switch(writer, "missed");
    let again = bench.server.connect();
    let last = first[1].as_str().expect("a transaction");
    let resumed = bench.result(again, "monitor_cond_since", &watch(last, &json!([])));
    assert_eq!(resumed[0], true);
    let rows = resumed[2]["Logical_Switch"].as_object().expect("rows");
    let told: Vec<&Value> = rows.values().collect();
    assert_eq!(told, [&json!({ "insert": { "name": "missed" } })]);

    bench.server.disconnect(again);
    let third = bench.server.connect();
    let unknown = "550e8400-e29b-41d4-a716-446655440000";
    let all = bench.result(third, "monitor_cond_since", &watch(unknown, &json!([])));
    assert_eq!(
        (
            &all[0],
            all[2]["Logical_Switch"].as_object().map(serde_json::Map::len)
        ),
        (&json!(false), Some(2))
    );
}

#[test]
fn other_conditions_bring_rows_into_sight_and_out_of_it() {
    let mut bench = Bench::new();
    let client = bench.server.connect();
    bench.add_switch(client, "a");
    bench.add_switch(client, "b");
    let only = |name: &str| json!([["name", "==", name]]);
    let first = bench.result(client, "monitor_cond_since", &watch(NEVER, &only("a")));
    assert_eq!(
        first[2]["Logical_Switch"].as_object().map(serde_json::Map::len),
        Some(1)
    );
    let change = json!(["m", "n", { "Logical_Switch": [{ "where": only("b") }] }]);
    let answers = bench.ask(client, "monitor_cond_change", &change);
    assert_eq!(answers.len(), 2, "the rows, then the answer");
    assert_eq!(
        (&answers[0]["method"], &answers[0]["params"][0]),
        (&json!("update3"), &json!("n"))
    );
    let rows = answers[0]["params"][2]["Logical_Switch"]
        .as_object()
        .expect("rows");
    let mut told: Vec<String> = rows.values().map(Value::to_string).collect();
    told.sort();
    assert_eq!(told, [r#"{"delete":null}"#, r#"{"insert":{"name":"b"}}"#]);
}

#[test]
fn who_makes_a_change_is_told_of_it_before_its_answer() {
    let mut bench = Bench::new();
    let client = bench.server.connect();
    bench.result(client, "monitor_cond_since", &watch(NEVER, &json!([])));
    let insert =
        json!(["OVN_Northbound", { "op": "insert", "table": "Logical_Switch", "row": { "name": "x" } }]);
    let sent = bench.ask(client, "transact", &insert);
    assert_eq!(
        (&sent[0]["method"], &sent[1]["id"]),
        (&json!("update3"), &json!(7))
    );
}

#[test]
fn a_lock_has_one_owner_and_goes_to_the_next_in_line() {
    let mut bench = Bench::new();
    let (a, b) = (bench.server.connect(), bench.server.connect());
    assert_eq!(bench.result(a, "lock", &json!(["ovn_northd"]))["locked"], true);
    assert_eq!(bench.result(b, "lock", &json!(["ovn_northd"]))["locked"], false);
    let guarded = json!(["OVN_Northbound", { "op": "assert", "lock": "ovn_northd" }]);
    assert_eq!(bench.result(b, "transact", &guarded)[0]["error"], "not owner");
    assert_eq!(bench.result(a, "transact", &guarded)[0], json!({}));
    bench.server.disconnect(a);
    let told = bench.heard(b);
    assert_eq!(
        (&told[0]["method"], &told[0]["params"]),
        (&json!("locked"), &json!(["ovn_northd"]))
    );
    assert_eq!(bench.result(b, "transact", &guarded)[0], json!({}));

    let c = bench.server.connect();
    assert_eq!(bench.result(c, "steal", &json!(["ovn_northd"]))["locked"], true);
    assert_eq!(bench.result(b, "transact", &guarded)[0]["error"], "not owner");
}

fn wait_for(name: &str, timeout: u64) -> Value {
    let wait = json!({
        "op": "wait", "table": "Logical_Switch", "where": [["name", "==", name]], "columns": ["name"],
        "until": "==", "rows": [{ "name": name }], "timeout": timeout,
    });
    json!(["OVN_Northbound", wait])
}

#[test]
fn a_wait_ends_with_the_change_it_waits_for_or_with_its_time() {
    let mut bench = Bench::new();
    let (waiter, writer) = (bench.server.connect(), bench.server.connect());
    assert_eq!(
        bench.ask(waiter, "transact", &wait_for("x", 1000)),
        Vec::<Value>::new()
    );
    let insert = json!({ "op": "insert", "table": "Logical_Switch", "row": { "name": "x" } });
    let message = json!({ "id": 1, "method": "transact", "params": ["OVN_Northbound", insert] });
    bench.server.receive(writer, &message, 10, 0).expect("a request");
    assert_eq!(bench.heard(waiter)[0]["result"], json!([{}]));

    assert_eq!(
        bench.ask(waiter, "transact", &wait_for("y", 1000)),
        Vec::<Value>::new()
    );
    assert_eq!(bench.server.deadline_ms(), Some(1000));
    bench.server.tick(999, 0);
    assert_eq!(bench.heard(waiter), Vec::<Value>::new());
    bench.server.tick(1000, 0);
    assert_eq!(bench.heard(waiter)[0]["result"][0]["error"], "timed out");
    assert_eq!(bench.server.deadline_ms(), None);

    assert_eq!(
        bench.ask(waiter, "transact", &wait_for("z", 1000)),
        Vec::<Value>::new()
    );
    let cancel = json!({ "id": null, "method": "cancel", "params": [7] });
    bench
        .server
        .receive(waiter, &cancel, 1001, 0)
        .expect("a notification");
    assert_eq!(bench.heard(waiter)[0]["error"], "canceled");
}

#[test]
fn what_is_no_request_ends_the_connection() {
    let mut bench = Bench::new();
    let client = bench.server.connect();
    for message in [
        json!({}),
        json!(7),
        json!({ "method": "echo" }),
        json!({ "method": 7, "params": [] }),
    ] {
        assert!(bench.server.receive(client, &message, 0, 0).is_err(), "{message}");
    }
    let answer = bench.ask(client, "no_such_method", &json!([]));
    assert_eq!(answer[0]["error"]["error"], "unknown method");
    let insert = json!({ "op": "insert", "table": "Database", "row": {} });
    let answer = bench.ask(client, "transact", &json!(["_Server", insert]));
    assert_eq!(answer[0]["error"]["error"], "not allowed");
}
