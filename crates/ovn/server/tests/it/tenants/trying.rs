//! What a change of a tenant would do, on copies of everything, told as the tenant may look at it.

use super::packets::{SECRETS, hushed, post, two_on_one_campus};
use super::{ACME, ask};
use crate::world::World;
use axum::http::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/ovn/what-if";

async fn tried(world: &World, body: Value) -> Value {
    let answer = post(world, PATH, body.clone()).await;
    assert_eq!(answer.status, 200, "{body}: {:#}", answer.body);
    let (told, asked) = (answer.body.to_string(), body.to_string());
    // Names, and what only others' ports and rules have.
    for secret in SECRETS.into_iter().chain(["02:00:00:00:00:31", "bolt", "8443"]) {
        let said = asked.contains(secret);
        assert!(said || !told.contains(secret), "{secret}: {:#}", answer.body);
    }
    answer.body
}

/// Lets SSH through to `web-2`, and brings a port.
fn candidate() -> Value {
    json!([
        {"op": "update", "table": "ACL", "row": "no-ssh", "columns": {"action": "allow"}},
        {"op": "insert", "table": "Logical_Switch_Port", "parent": "Logical_Switch/web",
          "columns": {"name": "web-3", "addresses": ["02:00:00:00:00:13 10.0.0.13"]}},
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_tries_its_change_and_reads_no_names_of_others() {
    let world = two_on_one_campus().await;
    let before = world.transactions();
    let tcp = |port: u16| json!({"from": "web-1", "to": "web-2", "protocol": "tcp", "destination_port": port, "raw": true});
    let told = tried(
        &world,
        json!({"changes": candidate(), "traces": [tcp(22), tcp(8443), {"from": "acme-web-3", "to": "db-2"}],
            "matrix": {"from": {"switches": ["web"]}, "protocols": ["tcp/22", "tcp/8443"]}}),
    )
    .await;
    let [ssh, guarded, far] = &told["traces"].as_array().expect("a list")[..] else {
        panic!("{told:#}")
    };
    assert_eq!(
        (&ssh["before"]["dropped"]["by"]["name"], &ssh["after"]["reached"]),
        (&json!("no-ssh"), &json!(true)),
        "{ssh:#}"
    );
    for side in ["before", "after"] {
        let by = &guarded[side]["dropped"]["by"]["label"];
        assert_eq!(
            by, "another tenant's",
            "the rule counts that it does not see: {guarded:#}"
        );
        assert_eq!(guarded[side]["raw"], Value::Null);
    }
    assert_eq!(
        (&far["before"]["reached"], &far["after"]["reached"]),
        (&Value::Null, &json!(true)),
        "across a router of nobody: {far:#}"
    );
    let cells = told["matrix"]["cells"].as_array().expect("a list");
    let changed = |from: &str, to: &str| {
        cells
            .iter()
            .any(|cell| cell["from"] == from && cell["to"] == to && cell["after"]["allowed"] == true)
    };
    assert!(
        changed("web-1", "web-2") && changed("acme-web-3", "web-1"),
        "{told:#}"
    );
    // Flows are counted, of its own networks.
    assert!(
        told["flows"]["added"].as_u64().is_some_and(|added| added > 0),
        "{told:#}"
    );
    for stage in told["flows"]["stages"].as_array().expect("a list") {
        assert!(
            ["web", "db"].contains(&stage["datapath"].as_str().expect("a name")),
            "{stage}"
        );
        assert!(
            stage["added"].is_number() && stage["removed"].is_number(),
            "{stage}"
        );
    }
    let all = world.post(PATH, json!({"changes": candidate()})).await.body;
    assert!(
        all["flows"]["stages"][0]["added"].is_array(),
        "who has all of it reads them"
    );
    assert_eq!(world.transactions(), before, "nothing was written");
    world.until_scratches(0).await;

    // The same under ovncp's path, and without a question.
    let flow = json!({"source_port": "web-1", "destination_ip": "10.0.0.12", "protocol": "tcp", "destination_port_num": 22,
        "changes": candidate()});
    let simulated = post(&world, "/api/v1/trace/simulate", flow).await;
    assert_eq!(simulated.status, 200, "{:#}", simulated.body);
    assert_eq!(hushed(&simulated.body)["reaches_destination"], true);
    let plain = tried(&world, json!({"changes": candidate()})).await;
    assert!(
        plain["matrix"]["compared"]
            .as_u64()
            .is_some_and(|cells| cells > 0),
        "{plain:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_trial_reaches_what_is_anothers() {
    let world = two_on_one_campus().await;
    let uuid = async |path: &str| {
        world.get(path).await["_uuid"]
            .as_str()
            .expect("a UUID")
            .to_owned()
    };
    let port = uuid("/api/v1/ovn/nb/Logical_Switch_Port/zed-1").await;
    let rule = uuid("/api/v1/ovn/nb/ACL/secret-rule").await;
    let acl = |expression: &str| {
        json!({"op": "insert", "table": "ACL", "parent": "Logical_Switch/web",
        "columns": {"priority": 1, "direction": "to-lport", "match": expression, "action": "drop"}})
    };
    for change in [
        json!({"op": "update", "table": "Logical_Switch_Port", "row": "zed-1", "columns": {"enabled": false}}),
        json!({"op": "update", "table": "Logical_Switch_Port", "row": port, "columns": {"enabled": false}}),
        json!({"op": "delete", "table": "ACL", "row": rule}),
        json!({"op": "delete", "table": "Logical_Router", "row": "r0"}),
        json!({"op": "insert", "table": "Logical_Switch_Port", "parent": "Logical_Switch/bnet", "columns": {"name": "in"}}),
        json!({"op": "insert", "table": "Port_Group", "columns": {"name": "all", "ports": [port]}}),
        json!({"op": "update", "table": "Logical_Switch", "row": "web", "columns": {"external_ids": {"purlin-tenant": "t-bolt"}}}),
        acl("outport == @guard"),
        acl("outport == \"zed-1\""),
    ] {
        let refused = post(&world, PATH, json!({"changes": [change]})).await;
        assert!(
            [404, 422].contains(&refused.status.as_u16()),
            "{change}: {:#}",
            refused.body
        );
        let (told, asked) = (refused.body.to_string(), change.to_string());
        for secret in ["zed-1", "bnet", "secret-rule", "guard", "r0", &port, &rule] {
            assert!(
                asked.contains(secret) || !told.contains(secret),
                "{change}: {told}"
            );
        }
    }
    let forced = ask(
        &world,
        ACME,
        Method::POST,
        &format!("{PATH}?force=true"),
        json!({"changes": []}),
    )
    .await;
    assert!(forced.status.is_client_error(), "{:#}", forced.body);
    let many = ask(
        &world,
        "key:acme:max_ports=0",
        Method::POST,
        PATH,
        json!({"changes": candidate()}),
    )
    .await;
    assert_eq!(
        many.status, 422,
        "a trial counts as the change would: {:#}",
        many.body
    );
    assert!(!world.scratch_folder().exists(), "none of these made copies");
}

/// Ends that are not its own are no ends, and what it would take for its own is told as its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_asks_about_no_other_ends() {
    let world = two_on_one_campus().await;
    let mine = json!([{"op": "insert", "table": "Logical_Switch_Port", "parent": "Logical_Switch/web",
        "columns": {"name": "as-theirs", "addresses": ["02:00:00:00:00:77 10.0.2.31"]}}]);
    let told = tried(
        &world,
        json!({"changes": mine, "traces": [{"from": "web-1", "to": "zed-1"}, {"from": "zed-1", "to": "web-1"},
            {"from": "web-1", "to": "10.0.2.31"}, {"from": "web-1", "microflow": "ip4.dst == 10.0.2.31"}]}),
    )
    .await;
    for (trace, words) in [
        (0, "no port of this tenant"),
        (1, "no port of this tenant"),
        (3, "microflow"),
    ] {
        for side in ["before", "after"] {
            let side = &told["traces"][trace][side];
            assert!(
                side["reached"].is_null() && side["summary"].to_string().contains(words),
                "{told:#}"
            );
        }
    }
    assert!(
        told["traces"][2]["before"]["summary"]
            .to_string()
            .contains("at no port of this tenant")
    );
    let matrix =
        json!({"changes": [], "matrix": {"from": {"ports": ["web-1"]}, "to": {"switches": ["bnet"]}}});
    let refused = post(&world, PATH, matrix).await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    world.until_scratches(0).await;
}
