//! Revisions: plan, apply, history, rollback, and what happens when something fails on the way.

mod shared;

use crate::support::{Api, Node};
use axum::http::{Method, StatusCode};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::access::Role;
use purlin_api::problem::FaultView;
use purlin_api::revisions::{ConfigHost, Note, Origin, Proposal, Revisions, routes};
use purlin_telemetry::EventLog;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A host whose configuration is faulty with `bad`, refuses to run with `port_taken`, and has one secret.
#[derive(Default)]
struct Host {
    applied: Mutex<Vec<Value>>,
    refuses: Mutex<bool>,
}

impl ConfigHost for Host {
    fn check(&self, config: &Value) -> Vec<FaultView> {
        let mut faults = Vec::new();
        for key in ["bad", "worse"] {
            if config.get(key).is_some() {
                faults.push(FaultView::error(key, "must not be there"));
            }
        }
        faults
    }

    fn impact(&self, _: &Value, to: &Value) -> Vec<String> {
        vec![format!("{} keys", to.as_object().map_or(0, serde_json::Map::len))]
    }

    fn redact(&self, config: &Value) -> Value {
        let mut config = config.clone();
        if let Some(secret) = config.get_mut("secret") {
            *secret = json!("***");
        }
        config
    }

    fn apply<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<(), String>> {
        async move {
            if config.get("port_taken").is_some() {
                return Err("listening on port 67 failed".to_owned());
            }
            if *self.refuses.lock().unwrap() {
                return Err("not today".to_owned());
            }
            self.applied.lock().unwrap().push(config.clone());
            Ok(())
        }
        .boxed()
    }
}

struct Bench {
    node: Node,
    host: Arc<Host>,
    events: Arc<EventLog>,
    revisions: Revisions,
    api: Api,
}

impl Bench {
    async fn new() -> Self {
        let node = Node::new().await;
        let host = Arc::new(Host::default());
        let events = Arc::new(EventLog::new(100, 0));
        let revisions = open(&node, &host, &events).await;
        revisions.boot(json!({ "a": 1 }), "file").await.unwrap();
        let api = node.api([routes::routes(&revisions)]);
        Self {
            node,
            host,
            events,
            revisions,
            api,
        }
    }

    async fn apply(&self, config: Value) -> crate::support::Answer {
        self.api
            .post("/api/v1/revisions/apply", &json!({ "config": config }))
            .await
    }

    fn running(&self) -> Option<Value> {
        self.host.applied.lock().unwrap().last().cloned()
    }
}

async fn open(node: &Node, host: &Arc<Host>, events: &Arc<EventLog>) -> Revisions {
    let (host, events) = (host.clone() as Arc<dyn ConfigHost>, Some(events.clone()));
    Revisions::open(node.ledger.clone(), node.clock.clone(), host, events)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_change_is_applied_recorded_told_and_undone() {
    let bench = Bench::new().await;
    let answer = bench.apply(json!({ "a": 2, "b": 3 })).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    assert_eq!(
        (&answer.body["revision"], &answer.body["parent"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(answer.header("etag"), "\"r2\"");
    assert_eq!(answer.body["changes"].as_array().unwrap().len(), 2);
    assert_eq!(answer.body["impact"], json!(["2 keys"]));
    assert_eq!(bench.running(), Some(json!({ "a": 2, "b": 3 })));
    let told = bench.events.since(0, 10).events;
    assert_eq!(
        (told.last().unwrap().topic, told.last().unwrap().subject.as_str()),
        ("config.revision", "2")
    );

    let undo = answer.body["undo"].as_str().unwrap().to_owned();
    let undone = bench.api.send(bench.api.request(Method::POST, &undo, None)).await;
    assert_eq!(undone.body["revision"], 3);
    assert_eq!(bench.running(), Some(json!({ "a": 1 })));
    let meta = bench.api.get("/api/v1/revisions/3").await.body;
    assert_eq!(
        (&meta["origin"], &meta["parent"], &meta["config"]),
        (&json!("rollback"), &json!(2), &json!({ "a": 1 }))
    );
    let audit = bench.api.get("/api/v1/audit").await.body;
    assert_eq!(
        (
            &audit["items"][0]["revision_before"],
            &audit["items"][0]["revision_after"]
        ),
        (&json!(2), &json!(3))
    );
}

#[tokio::test]
async fn all_faults_come_at_once_and_change_nothing() {
    let bench = Bench::new().await;
    let answer = bench.apply(json!({ "bad": 1, "worse": 2 })).await;
    assert_eq!(answer.code(), "PUR-9422");
    let paths: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["bad", "worse"]);
    assert_eq!((bench.running(), bench.revisions.current().number), (None, 1));
    let planned = bench
        .api
        .post("/api/v1/revisions/plan", &json!({ "config": { "bad": 1 } }))
        .await;
    assert_eq!(planned.status, StatusCode::OK);
    assert_eq!(planned.body["faults"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_applied_is_not_recorded() {
    let bench = Bench::new().await;
    let answer = bench.apply(json!({ "port_taken": true })).await;
    assert_eq!(
        (answer.code(), &answer.body["detail"]),
        ("PUR-9502", &json!("listening on port 67 failed"))
    );
    assert_eq!(bench.revisions.current().number, 1);
    assert_eq!(bench.revisions.history(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_stay_applied() {
    let bench = Bench::new().await;
    bench.node.records.set_full(true);
    let answer = bench.apply(json!({ "a": 2 })).await;
    assert_eq!(
        (answer.code(), &answer.body["running_revision"]),
        ("PUR-9507", &json!(1))
    );
    assert_eq!(answer.header("x-purlin-audit"), "not-written");
    assert_eq!(
        bench.running(),
        Some(json!({ "a": 1 })),
        "the former configuration was applied again"
    );
    assert_eq!(bench.revisions.current().number, 1);
}

#[tokio::test]
async fn a_change_on_an_old_base_is_refused() {
    let bench = Bench::new().await;
    bench.apply(json!({ "a": 2 })).await;
    let stale = json!({ "config": { "a": 3 }, "if_revision": 1 });
    assert_eq!(
        bench.api.post("/api/v1/revisions/apply", &stale).await.code(),
        "PUR-9412"
    );
    let mut put = bench
        .api
        .request(Method::PUT, "/api/v1/config", Some(&json!({ "a": 3 })));
    put.headers_mut().insert("if-match", "\"r1\"".parse().unwrap());
    assert_eq!(bench.api.send(put).await.code(), "PUR-9412");
    let mut put = bench
        .api
        .request(Method::PUT, "/api/v1/config", Some(&json!({ "a": 3 })));
    put.headers_mut().insert("if-match", "\"r2\"".parse().unwrap());
    assert_eq!(bench.api.send(put).await.body["revision"], 3);
}

#[tokio::test]
async fn a_dry_run_tells_everything_and_does_nothing() {
    let bench = Bench::new().await;
    let order = json!({ "config": { "a": 5 } });
    let answer = bench
        .api
        .post("/api/v1/revisions/apply?dryRun=true", &order)
        .await;
    assert_eq!(
        (&answer.body["revision"], &answer.body["dry_run"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(answer.body["changes_total"], 1);
    assert_eq!((bench.running(), bench.revisions.current().number), (None, 1));
}

#[tokio::test]
async fn the_same_configuration_makes_no_revision() {
    let bench = Bench::new().await;
    let answer = bench.apply(json!({ "a": 1 })).await;
    assert_eq!(
        (&answer.body["revision"], &answer.body["undo"]),
        (&json!(1), &json!(null))
    );
    assert_eq!(bench.running(), None);
}

#[tokio::test]
async fn history_is_paged_newest_first_without_gap() {
    let bench = Bench::new().await;
    for n in 2..=12 {
        bench.apply(json!({ "a": n })).await;
    }
    let mut numbers = Vec::new();
    let mut path = "/api/v1/revisions?limit=5".to_owned();
    loop {
        let page = bench.api.get(&path).await.body;
        numbers.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|meta| meta["number"].as_u64().unwrap()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => path = format!("/api/v1/revisions?limit=5&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(numbers, (1..=12).rev().collect::<Vec<_>>());
    let diff = bench.api.get("/api/v1/revisions/2/diff/12").await.body;
    assert_eq!(
        (&diff["changes"][0]["old"], &diff["changes"][0]["new"]),
        (&json!(2), &json!(12))
    );
    assert_eq!(bench.api.get("/api/v1/revisions/99").await.code(), "PUR-9410");
}

#[tokio::test]
async fn secrets_are_covered_and_survive_being_sent_back_covered() {
    let bench = Bench::new().await;
    bench.apply(json!({ "secret": "pa55", "a": 1 })).await;
    let read = bench.api.get("/api/v1/config").await;
    assert_eq!(
        (&read.body["secret"], read.header("etag")),
        (&json!("***"), "\"r2\"")
    );
    assert!(
        !bench
            .api
            .get("/api/v1/revisions/2/diff/1")
            .await
            .body
            .to_string()
            .contains("pa55")
    );
    let mut edited = read.body.clone();
    edited["a"] = json!(7);
    assert_eq!(bench.apply(edited).await.status, StatusCode::OK);
    assert_eq!(bench.running(), Some(json!({ "secret": "pa55", "a": 7 })));
}

#[tokio::test]
async fn changes_over_the_api_outlive_a_restart_until_the_file_says_something_new() {
    let bench = Bench::new().await;
    bench.apply(json!({ "a": 2 })).await;
    let again = open(&bench.node, &bench.host, &bench.events).await;
    assert_eq!(
        *again.boot(json!({ "a": 1 }), "file").await.unwrap().config,
        json!({ "a": 2 })
    );
    let again = open(&bench.node, &bench.host, &bench.events).await;
    let current = again.boot(json!({ "a": 9 }), "file").await.unwrap();
    assert_eq!((current.number, &*current.config), (3, &json!({ "a": 9 })));
    assert_eq!(again.meta(3).await.unwrap().origin, Origin::File);
}

#[tokio::test]
async fn writers_take_turns() {
    let bench = Bench::new().await;
    let edit = |n: usize| {
        let revisions = bench.revisions.clone();
        async move {
            let note = Note::api("test", format!("write {n}"), false);
            let edited = revisions
                .edit(note, |config, _| {
                    config[format!("k{n}")] = json!(n);
                    Ok(())
                })
                .await;
            edited.unwrap().0.revision
        }
    };
    let mut numbers = futures_util::future::join_all((0..20).map(edit)).await;
    numbers.sort_unstable();
    assert_eq!(numbers, (2..22).collect::<Vec<u64>>());
    assert_eq!(bench.revisions.current().config.as_object().unwrap().len(), 21);
}

#[tokio::test]
async fn old_configurations_are_dropped_and_say_so() {
    let bench = Bench::new().await;
    for n in 2..=201 {
        let proposal = Proposal {
            config: json!({ "a": n }),
            note: Note::api("test", "", false),
        };
        bench.revisions.apply(proposal).await.unwrap();
    }
    let old = bench.api.get("/api/v1/revisions/1").await.body;
    assert_eq!((&old["number"], &old["config"]), (&json!(1), &json!(null)));
    let rollback = bench
        .api
        .request(Method::POST, "/api/v1/revisions/1/rollback", None);
    assert_eq!(bench.api.send(rollback).await.code(), "PUR-9410");
    assert_eq!(bench.api.get("/api/v1/revisions/2").await.body["config"]["a"], 2);
}

#[tokio::test]
async fn a_rollback_is_a_change_like_any_other_and_so_the_operators() {
    let bench = Bench::new().await;
    bench.apply(json!({ "a": 2 })).await;
    for (role, status) in [(Role::Viewer, 403), (Role::Operator, 200)] {
        let api = bench.api.with(&bench.node.token(role).await);
        let back = api.request(Method::POST, "/api/v1/revisions/1/rollback", None);
        assert_eq!(api.send(back).await.status.as_u16(), status, "{role}");
    }
    let document = bench.api.get("/api/v1/openapi.json").await.body;
    let role = &document["paths"]["/api/v1/revisions/{number}/rollback"]["post"]["x-role"];
    assert_eq!(role, "operator");
}
