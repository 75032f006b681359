//! Packets through a real northd's flows, told with rows of the northbound.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

/// Switch `web` with `web-1`, `web-2`; switch `db` with `db-1`, `db-2`; router `r0` between them; ACLs that drop telnet
/// where it leaves `web-1`, SSH where it arrives at `web-2`, and reject HTTP at `db-1`; a load balancer on `web`.
pub(crate) async fn campus() -> World {
    let world = World::with_northd().await;
    world.nbctl(
        "ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:11\\ 10.0.0.11 \
         -- lsp-add web web-2 -- lsp-set-addresses web-2 02:00:00:00:00:12\\ 10.0.0.12 \
         -- ls-add db -- lsp-add db db-1 -- lsp-set-addresses db-1 02:00:00:00:00:21\\ 10.0.1.21 \
         -- lsp-add db db-2 -- lsp-set-addresses db-2 02:00:00:00:00:22\\ 10.0.1.22 \
         -- lr-add r0 -- lrp-add r0 r0-web 02:00:00:00:01:01 10.0.0.1/24 -- lrp-add r0 r0-db 02:00:00:00:01:02 10.0.1.1/24 \
         -- lsp-add web web-r0 -- lsp-set-type web-r0 router -- lsp-set-addresses web-r0 router -- lsp-set-options web-r0 router-port=r0-web \
         -- lsp-add db db-r0 -- lsp-set-type db-r0 router -- lsp-set-addresses db-r0 router -- lsp-set-options db-r0 router-port=r0-db",
    );
    world.nbctl(
        "--name=no-telnet acl-add web from-lport 1000 inport==\"web-1\"&&tcp.dst==23 drop \
         -- --name=no-ssh acl-add web to-lport 1000 outport==\"web-2\"&&tcp.dst==22 drop \
         -- --name=no-http acl-add db to-lport 1000 outport==\"db-1\"&&tcp.dst==80 reject \
         -- lb-add front 10.0.0.100:80 10.0.0.12:8080 tcp -- ls-lb-add web front",
    );
    settled(&world).await;
    world
        .until("/api/v1/ovn/nb/Load_Balancer/front", Value::is_object)
        .await;
    world
}

/// What northd has made of all rows is in the platform's copies, too: `ovn-trace` reads the databases, and which row a flow
/// is of is looked up in the copies.
pub(crate) async fn settled(world: &World) {
    world.nbctl("--wait=sb sync");
    let count: Value = serde_json::from_str(&world.nbctl("get NB_Global . nb_cfg")).expect("a number");
    let seen = |rows: &Value| rows["items"][0]["nb_cfg"] == count;
    world.until("/api/v1/ovn/sb/SB_Global", seen).await;
}

async fn trace(world: &World, question: Value) -> Value {
    let answer = world
        .send(Role::Viewer, Method::POST, "/api/v1/ovn/trace", None, &question)
        .await;
    assert_eq!(answer.status, 200, "{question}: {:#}", answer.body);
    answer.body
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_depends_on_the_question() {
    let world = campus().await;
    // ovncp's trace was one constant: vm1 to vm2, whatever was asked.
    for (question, reached, words) in [
        (
            json!({ "from": "web-1", "to": "web-2" }),
            true,
            "delivered to web-2",
        ),
        (
            json!({ "from": "web-2", "to": "web-1" }),
            true,
            "delivered to web-1",
        ),
        (
            json!({ "from": "web-1", "to": "db-2" }),
            true,
            "delivered to db-2",
        ),
        (
            json!({ "from": "db-2", "to": "10.0.0.11" }),
            true,
            "delivered to web-1",
        ),
        (
            json!({ "from": "web-1", "to": "web-2", "protocol": "tcp", "destination_port": 22 }),
            false,
            "dropped at web in ls_out_acl: ACL no-ssh drops it",
        ),
        (
            json!({ "from": "web-1", "to": "db-2", "protocol": "tcp", "destination_port": 23 }),
            false,
            "dropped at web in ls_in_acl: ACL no-telnet drops it",
        ),
        (
            json!({ "from": "web-2", "to": "db-1", "protocol": "tcp", "destination_port": 80 }),
            false,
            "dropped at db in ls_out_acl: ACL no-http rejects it",
        ),
        (
            json!({ "from": "web-1", "to": "10.0.0.100", "protocol": "tcp", "destination_port": 80 }),
            true,
            "delivered to web-2",
        ),
        (
            json!({ "from": "web-1", "to": "r0-db" }),
            true,
            "delivered to web-1",
        ),
        (
            json!({ "from": "web-1", "to": "192.0.2.7" }),
            false,
            "dropped at r0 in lr_in_ip_routing",
        ),
        (
            json!({ "from": "web-1", "to": "web-2", "destination_mac": "02:00:00:00:00:77" }),
            false,
            "no port of the switch has the destination's MAC",
        ),
    ] {
        let told = trace(&world, question.clone()).await;
        let summary = told["summary"].as_str().expect("words");
        assert!(summary.contains(words), "{question}: {told:#}");
        assert_eq!(told["reached"], reached, "{question}: {told:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rule_that_drops_is_named_with_its_owner_and_a_link() {
    let world = campus().await;
    let question = json!({ "from": "web-1", "to": "web-2", "protocol": "tcp", "destination_port": 22 });
    let told = trace(&world, question).await;
    let by = &told["dropped"]["by"];
    assert_eq!(
        (&by["table"], &by["name"], &by["owner"]["kind"]),
        (&json!("ACL"), &json!("no-ssh"), &json!("nobody")),
        "{told:#}"
    );
    let row = world.get(by["href"].as_str().expect("a link")).await;
    assert_eq!((&row["priority"], &row["action"]), (&json!(1000), &json!("drop")));
    assert_eq!(told["raw"], Value::Null);
    let balanced = trace(
        &world,
        json!({ "from": "web-1", "to": "10.0.0.100", "protocol": "tcp", "destination_port": 80, "raw": true }),
    )
    .await;
    assert!(
        balanced["raw"]
            .as_str()
            .is_some_and(|raw| raw.contains("ingress(dp="))
    );
    let decisions = balanced["hops"][0]["decisions"].as_array().expect("a list");
    assert!(
        decisions
            .iter()
            .any(|decision| decision["by"]["name"] == "front" && decision["by"]["href"].is_string()),
        "{balanced:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_packet_may_be_written_out_and_is_read_before_anything_runs() {
    let world = campus().await;
    let flow = "eth.src == 02:00:00:00:00:11 && eth.dst == 02:00:00:00:00:12 && ip4.src == 10.0.0.11 && ip4.dst == 10.0.0.12 && ip.ttl == 64 && tcp.dst == 22";
    let told = trace(&world, json!({ "from": "web-1", "microflow": flow })).await;
    assert_eq!(told["dropped"]["by"]["name"], "no-ssh");
    for (question, words) in [
        (
            json!({ "from": "web-1", "microflow": "ip4.src == " }),
            "microflow",
        ),
        (
            json!({ "from": "web-1", "microflow": "ip4.src == $nobody" }),
            "there is no address set",
        ),
        (
            json!({ "from": "web-1", "microflow": "inport == \"web-2\" && ip4" }),
            "leave inport",
        ),
        (
            json!({ "from": "web-1", "microflow": "ip4", "to": "web-2" }),
            "exclude each other",
        ),
        (
            json!({ "from": "web-1", "microflow": "ip4.dst == {10.0.0.12, 10.0.0.13}" }),
            "ambiguous",
        ),
        (json!({ "from": "web-1" }), "say where the packet goes"),
        (json!({ "from": "web-9", "to": "web-2" }), "did you mean `web-"),
        (
            json!({ "from": "web-1", "to": "web-2", "destination_port": 22 }),
            "icmp has no ports",
        ),
        (
            json!({ "from": "web-1", "to": "web-2", "source_mac": "--ovs" }),
            "is no MAC",
        ),
        (
            json!({ "from": "web-1", "to": "fd00::1" }),
            "no IP version in common",
        ),
    ] {
        let answer = world.post("/api/v1/ovn/trace", question.clone()).await;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert_eq!(answer.status, 422, "{question}: {:#}", answer.body);
        assert!(detail.contains(words), "{question}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_protocols_and_ports_are_asked_at_once() {
    let world = campus().await;
    let answer = world
        .post(
            "/api/v1/ovn/trace/paths",
            json!({ "from": "web-1", "to": "web-2", "protocols": ["icmp", "tcp", "udp"], "ports": [22, 443] }),
        )
        .await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    let paths = answer.body["paths"].as_array().expect("a list");
    let told: Vec<(&str, Option<u64>, bool)> = paths
        .iter()
        .map(|path| {
            (
                path["protocol"].as_str().expect("a word"),
                path["port"].as_u64(),
                path["reached"] == true,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("icmp", None, true),
            ("tcp", Some(22), false),
            ("tcp", Some(443), true),
            ("udp", Some(22), true),
            ("udp", Some(443), true),
        ]
    );
    let many: Vec<u16> = (1..=70).collect();
    let refused = world
        .post(
            "/api/v1/ovn/trace/paths",
            json!({ "from": "web-1", "to": "web-2", "protocols": ["tcp"], "ports": many }),
        )
        .await;
    assert_eq!(refused.status, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_northd_does_not_know_yet_is_said_to_be_that() {
    let world = World::new().await;
    world.nbctl(
        "ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:11\\ 10.0.0.11 \
         -- lsp-add web web-2 -- lsp-set-addresses web-2 02:00:00:00:00:12\\ 10.0.0.12",
    );
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/web-2", Value::is_object)
        .await;
    let answer = world
        .post("/api/v1/ovn/trace", json!({ "from": "web-1", "to": "web-2" }))
        .await;
    assert_eq!(answer.status, 502, "{:#}", answer.body);
    let detail = answer.body["detail"].as_str().expect("words");
    assert!(
        detail.contains("ovn-northd has made no flows of switch web yet"),
        "{detail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_southbound_the_answer_says_so() {
    let world = World::without_southbound().await;
    world.nbctl(
        "ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:11\\ 10.0.0.11 \
         -- lsp-add web web-2 -- lsp-set-addresses web-2 02:00:00:00:00:12\\ 10.0.0.12",
    );
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/web-2", Value::is_object)
        .await;
    let answer = world
        .post("/api/v1/ovn/trace", json!({ "from": "web-1", "to": "web-2" }))
        .await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"]),
        (503, &json!("PUR-3031")),
        "{:#}",
        answer.body
    );
    assert!(
        answer.body["fix"]
            .as_str()
            .expect("words")
            .contains("ovn.southbound")
    );
    // The ACLs can be judged all the same.
    let matrix = world
        .post("/api/v1/ovn/matrix", json!({ "from": { "switches": ["web"] } }))
        .await;
    assert_eq!(matrix.body["counts"]["acl"], 2, "{:#}", matrix.body);
}
