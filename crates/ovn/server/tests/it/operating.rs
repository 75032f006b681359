//! Operations over a real cluster of three members.

use crate::world::World;
use crate::world::raft::{Raft, hasty};
use axum::http::Method;
use purlin_api::access::Role;
use purlin_ovn_server::{Operating, OvnMetrics};
use purlin_telemetry::metrics::Registry;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const NORTH: &str = "/api/v1/ovn/operations/databases/OVN_Northbound";

impl Raft {
    async fn act(&self, method: Method, path: &str, body: Value) -> crate::world::Answer {
        let path = format!("{NORTH}/{path}");
        self.world.send(Role::Admin, method, &path, None, &body).await
    }

    /// One that must succeed.
    async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let answer = self.act(method, path, body).await;
        assert_eq!(answer.status, 200, "{path}: {:#}", answer.body);
        answer.body
    }
}

fn north(look: &Value) -> &Value {
    &look["databases"][0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_is_shown_with_what_raft_says_of_it() {
    let rig = Raft::new(Operating::default()).await;
    let look = rig
        .until(|look| {
            let members = north(look)["members"].as_array().map_or(&[][..], Vec::as_slice);
            members
                .iter()
                .filter(|member| member["last_message_ms"].is_number())
                .count()
                == 2
        })
        .await;
    let database = north(&look);
    assert_eq!(
        (&database["model"], &database["quorum"]),
        (&json!("clustered"), &json!(2))
    );
    assert_eq!(database["election_timer_ms"], 1000);
    assert!(
        database["term"].as_u64().is_some_and(|term| term > 0),
        "{database:#}"
    );
    let members = database["members"].as_array().expect("members");
    assert_eq!(members.len(), 3, "{database:#}");
    for member in members {
        assert!(
            member["log_entries"].as_u64().is_some_and(|entries| entries > 0),
            "{member:#}"
        );
        assert!(
            member["control"].is_string() && member["endpoint"].is_string() && member["sessions"].is_number()
        );
        assert!(
            member["index"].is_number() && member["address"].is_string(),
            "{member:#}"
        );
    }
    let south = &look["databases"][1];
    assert_eq!(south["model"], "standalone");
    assert!(south["note"].as_str().expect("words").contains("nobody to elect"));
    assert!(south["leader"].is_null() && south["quorum"].is_null());
    assert_eq!(look["alarms"], json!([]));
    assert_eq!(look["northd"]["active"], true);
    assert_eq!(look["northd"]["processes"][0]["status"], "active");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lead_is_handed_over_logs_are_compacted_and_the_timer_grows() {
    let rig = Raft::new(Operating::default()).await;
    let leader = rig.leader().await;
    let dry = rig.done(Method::POST, "transfer?dryRun=true", Value::Null).await;
    assert_eq!(dry["steps"][0]["command"], "cluster/failure-test");
    assert_eq!(rig.leader().await, leader, "it was a dry run");
    rig.done(Method::POST, "transfer", Value::Null).await;
    rig.until(|look| {
        let members = north(look)["members"].as_array().expect("members");
        let lead = members.iter().position(|member| member["role"] == "leader");
        lead.is_some_and(|at| at != leader)
    })
    .await;
    rig.world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "after" }))
        .await;

    let timed = rig
        .done(Method::PUT, "election-timer", json!({ "milliseconds": 3000 }))
        .await;
    let steps = timed["steps"].as_array().expect("steps").iter();
    let steps: Vec<&Value> = steps.map(|step| &step["arguments"][1]).collect();
    assert_eq!(steps, ["2000", "3000"]);
    rig.until(|look| north(look)["election_timer_ms"] == 3000).await;

    let before = rig.until(|look| north(look)["leader"].is_string()).await;
    let first = north(&before)["members"][0]["log_first"]
        .as_u64()
        .expect("a number");
    let compacted = rig.done(Method::POST, "compact", Value::Null).await;
    assert_eq!(compacted["answers"].as_array().expect("answers").len(), 3);
    rig.until(|look| {
        let members = north(look)["members"].as_array().expect("members");
        members
            .iter()
            .all(|member| member["log_first"].as_u64().is_some_and(|now| now > first))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_taken_out_whom_the_quorum_needs() {
    let mut rig = Raft::new(Operating::default()).await;
    let leader = rig.leader().await;
    let (dead, other) = ((leader + 1) % 3, (leader + 2) % 3);
    rig.kill(dead);
    let look = rig.until(|look| north(look)["members_alive"] == 2).await;
    let kinds: Vec<&Value> = look["alarms"]
        .as_array()
        .expect("alarms")
        .iter()
        .map(|alarm| &alarm["kind"])
        .collect();
    assert_eq!(kinds, ["quorum_thin", "member_lost"]);
    let id = |at: usize| north(&look)["members"][at]["server"].clone();
    for act in ["kick", "leave"] {
        let refused = rig.act(Method::POST, act, json!({ "member": id(other) })).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (409, &json!("PUR-3050")),
            "{:#}",
            refused.body
        );
    }
    let path = format!("{NORTH}/kick");
    let refused = rig
        .world
        .send(
            Role::Operator,
            Method::POST,
            &path,
            None,
            &json!({ "member": id(dead) }),
        )
        .await;
    assert_eq!(refused.status, 403, "only an admin may");
    let kicked = rig
        .done(Method::POST, "kick", json!({ "member": id(dead) }))
        .await;
    assert!(
        kicked["warnings"][0]
            .as_str()
            .expect("words")
            .contains("none may be lost"),
        "{kicked:#}"
    );
    rig.until(|look| {
        let members = north(look)["members"].as_array().expect("members");
        members
            .iter()
            .filter(|member| member["address"].is_string())
            .count()
            == 2
    })
    .await;
    rig.world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "with two" }))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stays_behind_is_told_of_until_he_has_caught_up() {
    let mut rig = Raft::new(hasty()).await;
    let mut news = rig.platform.news();
    rig.sbctl("chassis-add hv1 geneve 10.0.0.1");
    rig.sbctl("create Chassis_Private name=hv1 nb_cfg=0");
    let synced = rig
        .world
        .make("/api/v1/ovn/operations/sync?wait=sb", Value::Null)
        .await;
    assert_eq!(synced["done"], true, "{synced:#}");
    let stale = |look: &Value, kind: &str| {
        look["alarms"]
            .as_array()
            .is_some_and(|alarms| alarms.iter().any(|alarm| alarm["kind"] == kind))
    };
    rig.until(|look| stale(look, "chassis_stale")).await;
    let told = tokio::time::timeout(Duration::from_secs(10), news.recv()).await;
    let told = told.expect("in time").expect("news");
    assert!(told.raised && told.text.contains("hv1"), "{}", told.text);
    let behind = rig.world.get("/api/v1/ovn/operations/chassis?stale=true").await;
    assert_eq!(behind["items"][0]["encaps"], json!(["geneve 10.0.0.1"]));
    assert_eq!(behind["items"][0]["nb_cfg"], 0);
    let registry = Registry::new();
    registry.register(Arc::new(OvnMetrics(rig.platform.clone())));
    assert!(
        registry.gather().faults().is_empty(),
        "{:?}",
        registry.gather().faults()
    );
    let text = registry.text();
    for line in [
        "ovncp_ovn_connection_status{database=\"OVN_Northbound\"} 1",
        "ovncp_logical_switches_total 0",
        "purlin_ovn_alarms{kind=\"chassis_stale\",severity=\"warning\"} 1",
        "purlin_ovn_chassis{state=\"behind\"} 1",
        "purlin_ovn_raft_has_leader{database=\"OVN_Northbound\"} 1",
        "purlin_ovn_raft_members{database=\"OVN_Northbound\",state=\"alive\"} 3",
        "purlin_ovn_northd_active 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    // Nothing is alarmed about that no node tells of.
    let rules = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../deploy/prometheus/ovn-alerts.yml"
    );
    let rules = std::fs::read_to_string(rules).expect("it is shipped");
    let words = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("expr: "));
    let words = words.flat_map(|expr| expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
    let names: Vec<&str> = words
        .filter(|word| word.starts_with("purlin_") || word.starts_with("ovncp_"))
        .collect();
    assert!(names.len() >= 9, "{names:?}");
    for name in names {
        assert!(
            text.contains(&format!("\n{name}{{")) || text.contains(&format!("\n{name} ")),
            "{name} is never shown"
        );
    }
    rig.sbctl("set Chassis_Private hv1 nb_cfg=1000000");
    rig.until(|look| !stale(look, "chassis_stale")).await;

    rig.northd("-STOP");
    let late = rig
        .world
        .make("/api/v1/ovn/operations/sync?wait=sb&timeout=1", Value::Null)
        .await;
    assert_eq!(late["done"], false);
    rig.until(|look| stale(look, "northd_behind")).await;
    rig.northd("-CONT");
    rig.until(|look| !stale(look, "northd_behind") && look["northd"]["behind_seconds"].is_null())
        .await;
    rig.kill_northd();
    rig.until(|look| stale(look, "northd_missing")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_flows_that_nobody_makes() {
    let world = World::without_southbound().await;
    world.nbctl("init");
    let wait = "?wait=hv&timeout=30";
    let began = std::time::Instant::now();
    let path = format!("/api/v1/ovn/nb/Logical_Switch{wait}");
    let made = world.make(&path, json!({ "name": "web" })).await;
    let switch = format!("/api/v1/ovn/nb/Logical_Switch/web{wait}");
    let same = world.patch(&switch, json!({ "name": "web" })).await.body;
    let sync = format!("/api/v1/ovn/operations/sync{wait}");
    let synced = world.make(&sync, Value::Null).await;
    for told in [&made["realised"], &same["realised"], &synced] {
        assert_eq!(
            (&told["wait"], &told["done"]),
            (&json!("hv"), &json!(false)),
            "{told:#}"
        );
        let reason = told["reason"].as_str().expect("words");
        assert!(reason.contains("ovn.northbound"), "{reason}");
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let counted = world.nbctl("get NB_Global . nb_cfg");
    assert_eq!(counted.trim(), "0", "there is nobody to count for");
}
