//! Who reaches whom, and how far our own judgement is what OVN does.

use crate::tracing::campus;
use crate::world::World;
use serde_json::{Value, json};

async fn matrix(world: &World, question: Value) -> Value {
    let answer = world.post("/api/v1/ovn/matrix", question.clone()).await;
    assert_eq!(answer.status, 200, "{question}: {:#}", answer.body);
    answer.body
}

fn cell<'a>(matrix: &'a Value, from: &str, to: &str, protocol: &str) -> &'a Value {
    let cells = matrix["cells"].as_array().expect("a list");
    let found = cells
        .iter()
        .find(|cell| cell["from"] == from && cell["to"] == to && cell["protocol"] == protocol);
    found.unwrap_or_else(|| panic!("{from} to {to} by {protocol}: {matrix:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_cell_says_how_it_was_found() {
    let world = campus().await;
    let both =
        json!({ "from": { "switches": ["web", "db"] }, "protocols": ["icmp", "tcp/22", "tcp/23", "tcp/80"] });
    let all = matrix(&world, both).await;
    assert_eq!((&all["total"], &all["next_cursor"]), (&json!(64), &Value::Null));
    assert_eq!(all["cells"].as_array().map(Vec::len), Some(48));
    let near = cell(&all, "web-1", "web-2", "tcp/22");
    assert_eq!(
        (&near["allowed"], &near["method"], &near["by"]["name"]),
        (&json!(false), &json!("acl"), &json!("no-ssh")),
        "{near:#}"
    );
    // Dropped where it leaves: the router is never reached.
    let leaving = cell(&all, "web-1", "db-2", "tcp/23");
    assert_eq!(
        (&leaving["allowed"], &leaving["method"]),
        (&json!(false), &json!("acl"))
    );
    let routed = cell(&all, "web-1", "db-1", "tcp/80");
    assert_eq!(
        (&routed["allowed"], &routed["method"], &routed["by"]["name"]),
        (&json!(false), &json!("ovn-trace"), &json!("no-http")),
        "{routed:#}"
    );
    assert_eq!(cell(&all, "web-2", "db-2", "icmp")["allowed"], true);
    let asked = &all["counts"];
    assert_eq!(
        asked["acl"].as_u64().unwrap_or_default() + asked["ovn_trace"].as_u64().unwrap_or_default(),
        48
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_where_the_last_one_ended() {
    let world = campus().await;
    let question = |cursor: &str| json!({ "from": { "switches": ["web", "db"] }, "confirm": "never", "limit": 5, "cursor": cursor });
    let (mut cells, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = matrix(&world, question(&cursor)).await;
        cells.extend(page["cells"].as_array().expect("a list").clone());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let mut pairs: Vec<(String, String)> = cells
        .iter()
        .map(|cell| (cell["from"].to_string(), cell["to"].to_string()))
        .collect();
    assert_eq!(pairs.len(), 12);
    pairs.dedup();
    assert_eq!(pairs.len(), 12, "none comes twice");
    let routed = cells
        .iter()
        .find(|cell| cell["from"] == "web-1" && cell["to"] == "db-1");
    let routed = routed.expect("it is there");
    assert_eq!(
        (&routed["method"], &routed["exact"], &routed["inexact"]),
        (&json!("acl"), &json!(false), &json!("the packet is routed"))
    );
}

/// Rules of many kinds, and for every cell that we call exact, `ovn-trace` says the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_exact_is_what_ovn_does() {
    let world = campus().await;
    world.nbctl(
        "pg-add guarded web-1 web-2 -- pg-add open web-2 \
         -- --type=port-group acl-add guarded to-lport 900 outport==@guarded&&ip4.src==$guarded_ip4&&udp allow-related \
         -- --type=port-group acl-add guarded to-lport 800 outport==@guarded&&ip drop \
         -- --type=port-group acl-add open from-lport 700 inport==@open&&ip4.dst==10.0.0.11/32&&icmp4 drop \
         -- --type=port-group acl-add guarded to-lport 901 outport==@guarded&&tcp.dst>=8000&&tcp.dst<9000 allow \
         -- --type=port-group acl-add guarded to-lport 902 outport==@guarded&&icmp4&&ip4.src!=10.0.0.12 allow-stateless \
         -- lsp-set-port-security web-2 02:00:00:00:00:12\\ 10.0.0.99",
    );
    world.nbctl("--wait=sb sync");
    world
        .until("/api/v1/ovn/nb/ACL", |rows| {
            rows["items"].as_array().is_some_and(|rows| rows.len() == 8)
        })
        .await;
    world
        .until("/api/v1/ovn/sb/Address_Set?name=guarded_ip4", |rows| {
            rows["items"][0].is_object()
        })
        .await;
    let question = json!({ "from": { "switches": ["web", "db"] }, "confirm": "all",
        "protocols": ["icmp", "tcp/22", "tcp/8080", "udp/1234", "udp/53"] });
    let all = matrix(&world, question).await;
    assert_eq!(all["counts"]["ovn_trace"], 60, "{:#}", all["counts"]);
    let cells = all["cells"].as_array().expect("a list");
    let differ: Vec<&Value> = cells
        .iter()
        .filter(|cell| cell["disagrees"].is_object())
        .collect();
    assert!(differ.is_empty(), "{differ:#?}");
    let exact = cells.iter().filter(|cell| cell["inexact"].is_null()).count();
    assert!(exact >= 8, "{exact} cells were judged by the ACLs alone");
    // Port security of web-2 lets its own address not out: the ACLs do not know, and we say so.
    let spoofed = cell(&all, "web-2", "web-1", "udp/1234");
    assert_eq!(
        (&spoofed["allowed"], &spoofed["inexact"]),
        (&json!(false), &json!("port security may drop it")),
        "{spoofed:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_too_much_is_refused() {
    let world = World::new().await;
    world.until("/api/v1/ovn", |status| status["ready"] == true).await;
    for (question, words) in [
        (json!({ "from": {} }), "names no port"),
        (
            json!({ "from": { "groups": ["nobody"] } }),
            "there is no Port_Group",
        ),
        (
            json!({ "from": { "ports": ["nobody"] } }),
            "there is no switch port",
        ),
    ] {
        let answer = world.post("/api/v1/ovn/matrix", question).await;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert_eq!(answer.status, 422, "{:#}", answer.body);
        assert!(detail.contains(words), "{detail}");
    }
}
