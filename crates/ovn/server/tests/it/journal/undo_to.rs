//! Back to a place in the journal.

use super::{JOURNAL, ended, entries, port, switch};
use crate::world::{Answer, World};
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

async fn back_to(world: &World, entry: &Value, query: &str) -> Answer {
    let id = entry.as_str().expect("an id");
    world
        .post(&format!("{JOURNAL}/{id}/undo-to?{query}"), Value::Null)
        .await
}

async fn action(world: &World, acl: &str, action: &str) {
    let path = format!("/api/v1/ovn/nb/ACL/{acl}");
    let answer = world.patch(&path, json!({ "action": action })).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
}

async fn acl(world: &World) -> String {
    let acl = json!({ "direction": "to-lport", "priority": 1, "match": "ip4", "action": "allow" });
    let made = world
        .make("/api/v1/ovn/nb/ACL?parent=Logical_Switch/web", acl)
        .await;
    made["row"]["_uuid"].as_str().expect("a UUID").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_since_an_entry_is_taken_back_as_one_transaction() {
    let world = World::new().await;
    // Who comes first makes a row of its own.
    world.nbctl("init");
    switch(&world).await;
    let point = port(&world, "web-1").await["request"].clone();
    let before = world.nbctl("lsp-list web");
    let rule = acl(&world).await;
    action(&world, &rule, "drop").await;
    action(&world, &rule, "reject").await;
    port(&world, "web-2").await;
    let gone = world.delete("/api/v1/ovn/nb/Logical_Switch_Port/web-1").await;
    assert_eq!(gone.status, 200, "{:#}", gone.body);
    // Others, elsewhere: it stays.
    world.nbctl("ls-add theirs");
    ended(&world, "source=foreign&row=theirs", 1).await;

    let written = world.transactions();
    let dry = back_to(&world, &point, "dryRun=true").await;
    assert_eq!(dry.status, 200, "{:#}", dry.body);
    assert_eq!(world.transactions(), written, "only tried");
    let back = back_to(&world, &point, "").await;
    assert_eq!(back.status, 200, "{:#}", back.body);
    assert_eq!(world.transactions(), written + 1, "all of it together");
    assert_eq!(
        back.body["undone"].as_array().map(Vec::len),
        Some(5),
        "{:#}",
        back.body
    );
    assert_eq!(back.body["kept"].as_array().map(Vec::len), Some(1));
    assert_eq!(back.body["diff"], dry.body["diff"]);
    assert!(world.nbctl("ls-list").contains("theirs"));
    assert_eq!(world.nbctl("acl-list web"), "");
    assert_eq!(world.nbctl("lsp-list web"), before, "the same port as before");

    let all = ended(&world, "source=purlin", 8).await;
    assert_eq!(
        all[0]["takes_back"].as_array().map(Vec::len),
        Some(5),
        "{:#}",
        all[0]
    );
    assert_eq!(all[1]["undone_by"], all[0]["id"]);
    // It is a transaction as any other, and can be undone, alone or as part of a longer way back.
    let again = world
        .post(
            &format!("{JOURNAL}/{}/undo", all[0]["id"].as_str().expect("an id")),
            Value::Null,
        )
        .await;
    assert_eq!(again.status, 200, "{:#}", again.body);
    assert!(world.nbctl("acl-list web").contains("reject"));
    let back = back_to(&world, &point, "").await;
    assert_eq!(back.status, 200, "{:#}", back.body);
    assert_eq!(world.nbctl("acl-list web"), "");
    let nothing = entries(&world, "limit=1").await[0]["id"].clone();
    let still = back_to(&world, &nothing, "").await;
    assert_eq!(
        (still.status.as_u16(), &still.body["changed"]),
        (200, &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_others_in_between_stands_in_the_way_and_is_named() {
    let world = World::new().await;
    let point = switch(&world).await["request"].clone();
    let rule = acl(&world).await;
    action(&world, &rule, "drop").await;
    let here = entries(&world, "limit=1").await[0]["id"].clone();
    action(&world, &rule, "allow").await;
    world.nbctl(&format!("set ACL {rule} action=reject"));
    let theirs = ended(&world, "source=foreign&table=ACL", 1).await[0]["id"].clone();
    let path = format!("/api/v1/ovn/nb/ACL/{rule}");
    world.until(&path, |row| row["action"] == "reject").await;
    action(&world, &rule, "allow-related").await;

    let refused = back_to(&world, &here, "").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (409, &json!("PUR-3020")),
        "{:#}",
        refused.body
    );
    assert_eq!(refused.body["problems"][0]["by"], theirs, "{:#}", refused.body);
    let words = refused.body["detail"].as_str().expect("words");
    assert!(
        words.contains("`action`") && words.contains("did not go through Purlin"),
        "{words}"
    );
    assert_eq!(
        world.get(&path).await["action"],
        "allow-related",
        "nothing was done"
    );
    // Before the rule was there, nobody's value of it matters.
    let back = back_to(&world, &point, "").await;
    assert_eq!(
        back.status, 409,
        "it was changed by others after it came: {:#}",
        back.body
    );

    // What they have changed last is in the way as well.
    world.nbctl(&format!("set ACL {rule} action=drop"));
    world.until(&path, |row| row["action"] == "drop").await;
    let refused = back_to(&world, &here, "").await;
    assert_eq!(refused.status, 409, "{:#}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_owners_go_back_together_and_other_managers_rows_are_spared() {
    let world = World::new().await;
    let point = switch(&world).await["request"].clone();
    for owner in ["shop", "lab"] {
        let path = format!("/api/v1/ovn/nb/Logical_Switch?owner={owner}");
        world.make(&path, json!({ "name": owner })).await;
    }
    let back = back_to(&world, &point, "").await;
    assert_eq!(back.status, 200, "{:#}", back.body);
    let left = world.nbctl("ls-list");
    assert!(
        left.contains("web") && !left.contains("shop") && !left.contains("lab"),
        "{left}"
    );

    world.nbctl("ls-add theirs -- set Logical_Switch theirs external_ids:neutron\\:network_name=net");
    let path = "/api/v1/ovn/nb/Logical_Switch/theirs";
    world.until(path, |row| row["_owner"]["kind"] == "other").await;
    let here = entries(&world, "limit=1").await[0]["id"].clone();
    let order = json!({ "other_config": { "mtu": "1400" } });
    let forced = format!("{path}?force=true");
    let forced = world
        .send(Role::Admin, Method::PATCH, &forced, None, &order)
        .await;
    assert_eq!(forced.status, 200, "{:#}", forced.body);
    let refused = back_to(&world, &here, "").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (409, &json!("PUR-3004")),
        "{:#}",
        refused.body
    );
    let path = format!("{JOURNAL}/{}/undo-to?force=true", here.as_str().expect("an id"));
    let forced = world
        .send(Role::Admin, Method::POST, &path, None, &Value::Null)
        .await;
    assert_eq!(forced.status, 200, "{:#}", forced.body);
}
