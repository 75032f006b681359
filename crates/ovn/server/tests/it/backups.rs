//! Everything in the northbound, kept and brought back.

mod copies;
mod files;

use crate::world::{Answer, World};
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

const BACKUPS: &str = "/api/v1/backups";

async fn admin(world: &World, method: Method, path: &str, body: &Value) -> Answer {
    world.send(Role::Admin, method, path, None, body).await
}

async fn back_up(world: &World, body: Value) -> Value {
    let made = admin(world, Method::POST, BACKUPS, &body).await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    made.body
}

async fn restore(world: &World, backup: &Value, body: Value) -> Answer {
    let id = backup["id"].as_str().expect("an id");
    admin(world, Method::POST, &format!("{BACKUPS}/{id}/restore"), &body).await
}

/// Rows of every table that people write; `\ ` is a blank within a word.
const EVERYTHING: &str = r#"
ls-add web -- lsp-add web w1 -- lsp-set-addresses w1 02:00:00:00:00:01\ 10.0.0.5
lsp-add web up -- lsp-set-type up router -- lsp-set-addresses up router -- lsp-set-options up router-port=r0-web
lr-add r0 -- lrp-add r0 r0-web 02:00:00:00:00:fe 10.0.0.1/24
lrp-set-gateway-chassis r0-web chassis-1 10
lr-route-add r0 0.0.0.0/0 10.0.0.9 -- lr-policy-add r0 10 ip4.src\ ==\ 10.0.0.5 drop
lr-nat-add r0 snat 192.0.2.1 10.0.0.0/24
pg-add servers w1 -- acl-add servers to-lport 1000 outport\ ==\ @servers\ &&\ ip4 drop
create Address_Set name=good addresses="10.0.0.7"
lb-add vip 192.0.2.9:80 10.0.0.5:80 -- ls-lb-add web vip
--id=@hc create Load_Balancer_Health_Check vip="192.0.2.9:80" -- add Load_Balancer vip health_check @hc
create Load_Balancer_Group name=lbg
qos-add web from-lport 10 ip4 dscp=10
dhcp-options-create 10.0.0.0/24
--id=@dns create DNS records:a=10.0.0.5 -- add Logical_Switch web dns_records @dns
meter-add slow drop 10 kbps
mirror-add tap gre 0 from-lport 192.0.2.7
ha-chassis-group-add hg -- ha-chassis-group-add-chassis hg chassis-1 5
fwd-group-add fg web 10.0.0.77 02:00:00:00:00:77 w1
static-mac-binding-add r0-web 10.0.0.66 02:00:00:00:00:66
create BFD logical_port=r0-web dst_ip=10.0.0.9
create Copp name=cp meters:arp=slow
create Chassis_Template_Var chassis=chassis-1 variables:a=b
"#;

fn everything(world: &World) {
    for line in EVERYTHING.lines().filter(|line| !line.is_empty()) {
        world.nbctl(line);
    }
}

/// Every row but those about the server itself, as the tools of OVN tell it.
fn dump(world: &World) -> BTreeSet<String> {
    let output = Command::new("ovsdb-client")
        .args(["dump", "--format=json", "--data=json"])
        .arg(format!("unix:{}", world.folder().join("db.sock").display()))
        .arg("OVN_Northbound")
        .output()
        .expect("ovsdb-client runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let tables = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let mut rows = BTreeSet::new();
    for table in tables {
        let table = table.expect("JSON");
        let name = table["caption"].as_str().expect("a name").replace(" table", "");
        if ["NB_Global", "Connection", "SSL"].contains(&name.as_str()) {
            continue;
        }
        rows.extend(
            table["data"]
                .as_array()
                .expect("rows")
                .iter()
                .map(|row| format!("{name} {row}")),
        );
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_comes_back_in_another_place_packed_and_sealed() {
    let world = World::new().await;
    everything(&world);
    world
        .until("/api/v1/ovn/nb/Chassis_Template_Var", |rows| {
            rows["items"][0].is_object()
        })
        .await;
    let tables = world.get("/api/v1/ovn/nb").await;
    let filled = tables
        .as_array()
        .expect("tables")
        .iter()
        .filter(|table| table["rows"] != 0)
        .count();
    assert!(filled >= 26, "{filled} tables have rows");
    for (format, compress, encrypt) in [
        ("json", false, false),
        ("yaml", true, true),
        ("json", false, true),
    ] {
        let key = encrypt.then_some("correct horse battery");
        let made = back_up(&world, json!({
            "name": "nightly", "format": format, "compress": compress, "encrypt": encrypt, "encryption_key": key, "tags": ["night"],
        })).await;
        assert_eq!(made["created_by"], "admin", "who asked, not the system");
        let id = made["id"].as_str().expect("an id");
        let file = admin(
            &world,
            Method::GET,
            &format!("{BACKUPS}/{id}/export"),
            &Value::Null,
        )
        .await
        .body;

        let other = World::new().await;
        let mut import = file.clone();
        import["decryption_key"] = json!(key);
        let known = admin(&other, Method::POST, &format!("{BACKUPS}/import"), &import).await;
        assert_eq!(known.status, 201, "{:#}", known.body);
        assert_eq!(
            (&known.body["name"], &known.body["checksum"]),
            (&json!("nightly"), &made["checksum"])
        );
        if encrypt {
            for wrong in [json!({}), json!({ "decryption_key": "wrong horse" })] {
                let refused = restore(&other, &known.body, wrong).await;
                assert_eq!(refused.status, 422, "{:#}", refused.body);
            }
            assert!(
                !file["data"].as_str().expect("text").contains("b3V0cG9ydA"),
                "nothing shines through"
            );
        }
        let before = other.transactions();
        let refused = restore(&other, &known.body, json!({ "decryption_key": key })).await;
        // ovn-nbctl makes DHCP options that answer nobody.
        assert_eq!(
            (refused.status.as_u16(), &refused.body["problems"][0]["code"]),
            (422, &json!("dhcp-option-missing")),
            "{:#}",
            refused.body
        );
        let body = json!({ "decryption_key": key, "skip_validation": true });
        let done = restore(&other, &known.body, body).await;
        assert_eq!(
            (done.status.as_u16(), &done.body["success"]),
            (200, &json!(true)),
            "{:#}",
            done.body
        );
        assert_eq!(other.transactions(), before + 1, "one transaction");
        assert_eq!(dump(&other), dump(&world), "{format}");
        let again = restore(&other, &known.body, json!({ "decryption_key": key })).await;
        assert_eq!(
            (&again.body["changed"], &again.body["restored_count"]),
            (&json!(false), &json!(0)),
            "{:#}",
            again.body
        );
    }
    let list = world
        .get(&format!("{BACKUPS}?tag=night&sort=created_at:desc"))
        .await;
    assert_eq!(list["pagination"]["total_count"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_skipped_overwritten_copied_or_in_the_way() {
    let world = World::new().await;
    world.nbctl("ls-add web -- set Logical_Switch web other_config:vlan-passthru=true -- lsp-add web w1 -- lsp-add web w2");
    world.nbctl("acl-add web to-lport 1000 ip4 drop");
    world
        .until("/api/v1/ovn/nb/ACL", |rows| rows["items"][0].is_object())
        .await;
    let backup = back_up(&world, json!({ "name": "before" })).await;
    let uuid = world.nbctl("--bare --columns=_uuid list Logical_Switch web");
    world.nbctl("set Logical_Switch web other_config:vlan-passthru=false -- lsp-del w2 -- lsp-add web w3");
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/w3", Value::is_object)
        .await;

    let refused = restore(&world, &backup, json!({})).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["success"]),
        (409, &json!(false)),
        "{:#}",
        refused.body
    );
    assert_eq!(
        refused.body["error_count"], 1,
        "the switch differs: {:#}",
        refused.body
    );
    let before = world.transactions();
    let dry = restore(
        &world,
        &backup,
        json!({ "conflict_policy": "overwrite", "dry_run": true }),
    )
    .await;
    assert_eq!(
        (&dry.body["success"], &dry.body["dry_run"]),
        (&json!(true), &json!(true)),
        "{:#}",
        dry.body
    );
    assert_eq!(world.transactions(), before);

    let skipped = restore(&world, &backup, json!({ "conflict_policy": "skip" })).await;
    assert_eq!(
        skipped.body["restored_count"], 1,
        "the port that had gone: {:#}",
        skipped.body
    );
    assert_eq!(
        world.nbctl("get Logical_Switch web other_config:vlan-passthru"),
        "\"false\""
    );
    let ports = world.nbctl("lsp-list web");
    assert!(
        ["(w1)", "(w2)", "(w3)"].iter().all(|port| ports.contains(port)),
        "{ports}"
    );

    let over = restore(&world, &backup, json!({ "conflict_policy": "overwrite" })).await;
    assert_eq!(over.status, 200, "{:#}", over.body);
    assert_eq!(
        world.nbctl("get Logical_Switch web other_config:vlan-passthru"),
        "\"true\""
    );
    assert_eq!(
        world.nbctl("--bare --columns=_uuid list Logical_Switch web"),
        uuid,
        "the live switch was never away"
    );
    assert!(
        world.nbctl("lsp-list web").contains("(w3)"),
        "what has come since stays"
    );

    let copied = restore(&world, &backup, json!({ "conflict_policy": "rename" })).await;
    assert_eq!(copied.status, 200, "{:#}", copied.body);
    assert!(world.nbctl("lsp-list web-restored").contains("(w1-restored)"));
    assert!(world.nbctl("acl-list web-restored").contains("ip4"));
    let named = json!({ "resource_mapping": { "web": "lab" }, "restore_filter": { "names": ["web"] }, "conflict_policy": "rename" });
    let mapped = restore(&world, &backup, named).await;
    assert_eq!(mapped.status, 200, "{:#}", mapped.body);
    assert_eq!(world.nbctl("lsp-list lab").lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exact_restore_is_the_network_as_it_was_and_is_taken_back_like_any_change() {
    let world = World::new().await;
    world.nbctl("ls-add web -- lsp-add web w1");
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/w1", Value::is_object)
        .await;
    let backup = back_up(&world, json!({ "name": "before" })).await;
    world.nbctl("lsp-add web w3 -- ls-add lab");
    world
        .until("/api/v1/ovn/nb/Logical_Switch/lab", Value::is_object)
        .await;
    let exact = restore(
        &world,
        &backup,
        json!({ "conflict_policy": "overwrite", "exact": true }),
    )
    .await;
    assert_eq!(exact.status, 200, "{:#}", exact.body);
    assert!(
        world.nbctl("ls-list").ends_with("(web)"),
        "only what the backup has"
    );
    assert!(!world.nbctl("lsp-list web").contains("(w3)"));
    // Like any other transaction it can be taken back.
    let entry = world.get("/api/v1/ovn/journal?source=purlin").await["items"][0].clone();
    assert_eq!(entry["about"], "restore of backup before");
    let id = entry["id"].as_str().expect("an id");
    let undone = admin(
        &world,
        Method::POST,
        &format!("/api/v1/ovn/journal/{id}/undo?force=true"),
        &Value::Null,
    )
    .await;
    assert_eq!(undone.status, 200, "{:#}", undone.body);
    assert!(world.nbctl("ls-list").contains("(lab)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incremental_backup_has_what_has_changed_since_and_comes_back_whole() {
    let world = World::new().await;
    let none = admin(
        &world,
        Method::POST,
        BACKUPS,
        &json!({ "name": "i", "type": "incremental" }),
    )
    .await;
    assert_eq!(none.status, 409, "{:#}", none.body);
    everything(&world);
    world
        .until("/api/v1/ovn/nb/Chassis_Template_Var", |rows| {
            rows["items"][0].is_object()
        })
        .await;
    let full = back_up(&world, json!({ "name": "full", "compress": true })).await;
    world.nbctl(
        "ls-add later -- lsp-del w1 -- pg-set-ports servers up -- set Address_Set good addresses=10.0.0.8",
    );
    world
        .until("/api/v1/ovn/nb/Logical_Switch/later", Value::is_object)
        .await;
    let part = back_up(&world, json!({ "name": "part", "type": "incremental" })).await;
    assert_eq!(part["base"], full["id"]);
    assert!(
        part["rows"].as_u64() < full["rows"].as_u64().map(|rows| rows / 3),
        "{part:#}"
    );
    let checked = world
        .post(&format!("{BACKUPS}/validate"), json!({ "backup_id": part["id"] }))
        .await;
    assert_eq!(checked.body["valid"], true, "{:#}", checked.body);

    let later = dump(&world);
    world.nbctl("ls-del web -- ls-del later -- lr-del r0 -- pg-del servers");
    world
        .until("/api/v1/ovn/nb/Logical_Switch", |rows| rows["items"] == json!([]))
        .await;
    let done = restore(
        &world,
        &part,
        json!({ "conflict_policy": "overwrite", "exact": true }),
    )
    .await;
    assert_eq!(done.status, 200, "{:#}", done.body);
    assert_eq!(dump(&world), later);
    let base = format!("{BACKUPS}/{}", full["id"].as_str().expect("an id"));
    let held = admin(&world, Method::DELETE, &base, &Value::Null).await;
    assert_eq!(held.status, 409, "another one builds on it");
    let part = format!("{BACKUPS}/{}", part["id"].as_str().expect("an id"));
    assert_eq!(
        admin(&world, Method::DELETE, &part, &Value::Null).await.status,
        204
    );
    assert_eq!(
        admin(&world, Method::DELETE, &base, &Value::Null).await.status,
        204
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_other_managers_are_left_alone_unless_that_is_said() {
    let world = World::new().await;
    world.nbctl("ls-add ours -- ls-add theirs -- set Logical_Switch theirs external_ids:neutron\\:network_name=net -- lsp-add theirs t1");
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/t1", Value::is_object)
        .await;
    let backup = back_up(&world, json!({ "name": "all" })).await;
    world.nbctl("ls-del ours -- ls-del theirs");
    world
        .until("/api/v1/ovn/nb/Logical_Switch", |rows| rows["items"] == json!([]))
        .await;
    let done = restore(&world, &backup, json!({})).await;
    assert_eq!(done.status, 200, "{:#}", done.body);
    assert!(
        done.body["warnings"].to_string().contains("belong to neutron"),
        "{:#}",
        done.body
    );
    assert!(world.nbctl("ls-list").ends_with("(ours)"));
    let forced = restore(&world, &backup, json!({ "force": true })).await;
    assert_eq!(forced.status, 200, "{:#}", forced.body);
    assert!(world.nbctl("lsp-list theirs").contains("(t1)"));
    let id = backup["id"].as_str().expect("an id");
    let operator = world.post(&format!("{BACKUPS}/{id}/restore"), json!({})).await;
    assert_eq!(operator.status, 403, "backups are for admins");
}
