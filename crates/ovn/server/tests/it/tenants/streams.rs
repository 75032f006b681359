//! The stream as a tenant follows it.

use super::{ACME, BOLT, make, networks};
use crate::streaming::{Client, id};
use crate::world::World;
use serde_json::{Value, json};

/// Tables and names of what a message tells, with what became of each; sorted.
fn told(message: &Value) -> Vec<(String, String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = message["changes"].as_array().expect("a list of changes").iter();
    let mut told: Vec<_> = rows
        .map(|row| (text(row, "table"), text(row, "name"), text(row, "change")))
        .collect();
    told.sort();
    told
}

fn row(table: &str, name: &str, change: &str) -> (String, String, String) {
    (table.to_owned(), name.to_owned(), change.to_owned())
}

const SWITCH: &str = "Logical_Switch";
const PORT: &str = "Logical_Switch_Port";

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_told_of_its_own_rows_and_comes_back_by_a_transaction() {
    let world = World::new().await;
    networks(&world).await;
    let (address, viewer) = world.listen().await;
    let at = |key: &str| (address, key.to_owned());
    for socket in [false, true] {
        let name = |name: &str| format!("{name}-{socket}");
        let mut acme = Client::open(&at(ACME), socket, None).await;
        let here = acme.next().await;
        assert_eq!(here["event"], "here");
        let mut all = Client::open(&at(&viewer), socket, None).await;
        all.next().await;
        // Two transactions of others, then one of its own: that is the first it hears of.
        let switch = json!({"name": name("whose")});
        world.make("/api/v1/ovn/nb/Logical_Switch", switch).await;
        let path = |of: &str| format!("/api/v1/ovn/nb/{PORT}?parent={SWITCH}/{of}-web");
        make(&world, BOLT, &path("bolt"), json!({"name": name("bolt-new")})).await;
        make(&world, ACME, &path("acme"), json!({"name": name("acme-new")})).await;
        let own = acme.next().await;
        assert_eq!(
            told(&own),
            [
                row(SWITCH, "acme-web", "changed"),
                row(PORT, &name("acme-new"), "added")
            ]
        );
        assert!(!own.to_string().contains("bolt"), "{own:#}");
        for _ in 0..2 {
            let others = all.next().await;
            assert_ne!(others["id"], own["id"]);
        }
        let same = all.next().await;
        assert_eq!(same["id"], own["id"], "the transaction has one name for all");
        // From before all of them: the same, and nothing else.
        let mut again = Client::open(&at(ACME), socket, Some(&id(&here))).await;
        assert_eq!(again.next().await, own);
        make(&world, BOLT, &path("bolt"), json!({"name": name("bolt-more")})).await;
        make(&world, ACME, &path("acme"), json!({"name": name("acme-more")})).await;
        let next = again.next().await;
        assert_eq!(told(&next)[1], row(PORT, &name("acme-more"), "added"));
        let mut after = Client::open(&at(ACME), socket, Some(&id(&own))).await;
        assert_eq!(after.next().await, next);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_enters_a_tenants_part_comes_and_what_leaves_it_goes() {
    let world = World::new().await;
    let (address, _) = world.listen().await;
    world.nbctl("ls-add net -- lsp-add net p1 -- lsp-add net p2");
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/p2", Value::is_object)
        .await;
    let follow = async |key: &str| {
        let mut client = Client::open(&(address, key.to_owned()), true, None).await;
        assert_eq!(client.next().await["event"], "here");
        client
    };
    let (mut acme, mut bolt) = (follow(ACME).await, follow(BOLT).await);
    let whole = |change: &str| {
        [
            row(SWITCH, "net", change),
            row(PORT, "p1", change),
            row(PORT, "p2", change),
        ]
    };
    // The ports have no mark of their own: they go with the switch, which alone is written.
    world.nbctl("set Logical_Switch net external_ids:purlin-tenant=t-acme");
    let came = acme.next().await;
    assert_eq!(told(&came), whole("added"));
    let ports = &came["changes"][0]["columns"]["ports"];
    assert_eq!(ports.as_array().map(Vec::len), Some(2), "as in a list: {came:#}");
    world.nbctl("set Logical_Switch net external_ids:purlin-tenant=t-bolt");
    assert_eq!(told(&acme.next().await), whole("removed"));
    let came = bolt.next().await;
    assert_eq!(told(&came), whole("added"), "and nothing before");
    // A port that moves to another's switch.
    world.nbctl("ls-add other -- set Logical_Switch other external_ids:purlin-tenant=t-acme");
    assert_eq!(told(&acme.next().await), [row(SWITCH, "other", "added")]);
    let port = world.nbctl("get Logical_Switch_Port p1 _uuid");
    world.nbctl(&format!(
        "remove Logical_Switch net ports {port} -- add Logical_Switch other ports {port}"
    ));
    assert_eq!(
        told(&acme.next().await),
        [row(SWITCH, "other", "changed"), row(PORT, "p1", "added")]
    );
    assert_eq!(
        told(&bolt.next().await),
        [row(SWITCH, "net", "changed"), row(PORT, "p1", "removed")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_shared_is_told_without_what_others_have_in_it() {
    let world = World::new().await;
    let (address, _) = world.listen().await;
    let mut inside = Client::open(&(address, "key:acme:external".to_owned()), false, None).await;
    let mut outside = Client::open(&(address, ACME.to_owned()), false, None).await;
    for client in [&mut inside, &mut outside] {
        assert_eq!(client.next().await["event"], "here");
    }
    world.nbctl(
        "ls-add public -- lsp-add public secret -- set Logical_Switch public external_ids:purlin-shared=true",
    );
    let came = inside.next().await;
    assert_eq!(told(&came), [row(SWITCH, "public", "added")]);
    assert_eq!(came["changes"][0]["columns"].get("ports"), None, "{came:#}");
    // Who may not use external networks hears of its own next row first.
    make(
        &world,
        ACME,
        "/api/v1/ovn/nb/Logical_Switch",
        json!({"name": "acme-net"}),
    )
    .await;
    assert_eq!(told(&outside.next().await), [row(SWITCH, "acme-net", "added")]);
}
