//! Documents of tenants: of their own rows, by their own names, and of nobody else's.

use super::{ACME, BOLT, ask, networks};
use crate::world::{Answer, World};
use axum::http::Method;
use serde_json::{Value, json};

const DOCUMENTS: &str = "/api/v1/ovn/documents";

/// Names without any prefix.
fn network() -> Value {
    json!({
        "switches": [{
            "name": "front",
            "other_config": {"subnet": "10.1.0.0/24"},
            "ports": [
                {"name": "front-1", "addresses": ["02:00:00:00:01:01 10.1.0.11"], "dhcpv4_options": "front-dhcp"},
                {"name": "front-2", "addresses": ["02:00:00:00:01:02 10.1.0.12"]},
            ],
            "acls": [{"direction": "to-lport", "priority": 1000, "match": "ip4 && tcp.dst == 22", "action": "drop"}],
        }],
        "port_groups": [{"name": "fronts", "ports": ["front-1", "front-2"]}],
        "dhcp_options": [{"name": "front-dhcp", "cidr": "10.1.0.0/24",
            "options": {"server_id": "10.1.0.1", "server_mac": "02:00:00:00:00:01", "lease_time": 3600}}],
    })
}

async fn apply(world: &World, key: &str, query: &str, document: &Value) -> Answer {
    let path = format!("{DOCUMENTS}/shop/apply?{query}");
    ask(world, key, Method::POST, &path, document.clone()).await
}

async fn get(world: &World, key: &str, path: &str) -> Answer {
    ask(
        world,
        key,
        Method::GET,
        &format!("{DOCUMENTS}{path}"),
        Value::Null,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_document_of_two_tenants_is_two_networks() {
    let world = World::new().await;
    // Who comes first makes a row of its own.
    world.nbctl("init");
    let sent = world.transactions();
    for (key, name) in [(ACME, "acme"), (BOLT, "bolt")] {
        let path = format!("{DOCUMENTS}/shop/plan");
        let plan = ask(&world, key, Method::POST, &path, network()).await;
        assert_eq!((plan.status.as_u16(), &plan.body["dry_run"]), (200, &json!(true)));
        let made = apply(&world, key, "", &network()).await;
        assert_eq!(made.status, 200, "{:#}", made.body);
        let ports = world.nbctl(&format!("lsp-list {name}-front"));
        assert!(ports.contains(&format!("{name}-front-2")), "{ports}");
        let again = apply(&world, key, "prune=true&adopt=true", &network()).await;
        assert_eq!(again.body["changed"], false, "{:#}", again.body);
    }
    let tenants = world.nbctl("--bare --columns=external_ids list DHCP_Options");
    assert!(
        tenants.contains("t-acme") && tenants.contains("t-bolt"),
        "{tenants}"
    );
    assert_eq!(world.transactions(), sent + 2, "one transaction each");

    // Each reads its own.
    world.nbctl("set Logical_Switch bolt-front other_config:subnet=10.9.0.0/24");
    world
        .until("/api/v1/ovn/nb/Logical_Switch/bolt-front", |row| {
            row["other_config"]["subnet"] == "10.9.0.0/24"
        })
        .await;
    for (key, drifted) in [(ACME, false), (BOLT, true)] {
        let list = get(&world, key, "").await.body;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list:#}");
        let drift = get(&world, key, "/shop/drift").await.body;
        assert_eq!(drift["drifted"], drifted, "{drift:#}");
        assert_eq!(drift["applied_by"], list["items"][0]["applied_by"]);
    }
    let export = get(&world, ACME, "/shop/export").await.body;
    let words = export.to_string();
    assert!(
        words.contains("acme-front-1") && !words.contains("bolt") && !words.contains("t-acme"),
        "{export:#}"
    );
    let same = apply(&world, ACME, "prune=true", &export).await;
    assert_eq!(same.body["changed"], false, "{:#}", same.body);
    // The installation has none, and what it has of this owner is not theirs.
    assert_eq!(world.get(DOCUMENTS).await["items"], json!([]));
    assert_eq!(world.get(&format!("{DOCUMENTS}/shop/export")).await, json!({}));

    // Nothing of the owner is wanted any more: by the one, then by the installation.
    let left = world.nbctl("show");
    let installation = world
        .post(&format!("{DOCUMENTS}/shop/apply?prune=true"), json!({}))
        .await;
    assert_eq!(installation.body["changed"], false, "{:#}", installation.body);
    assert_eq!(world.nbctl("show"), left);
    let gone = apply(&world, ACME, "prune=true", &json!({ "switches": [] })).await;
    assert_eq!(gone.status, 200, "{:#}", gone.body);
    let left = world.nbctl("show");
    assert!(left.contains("bolt-front-2") && !left.contains("acme"), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_document_reaches_what_is_anothers() {
    let world = World::new().await;
    let [_, others] = networks(&world).await;
    world.nbctl("ls-add whose -- lsp-add whose whose-1");
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/whose-1", Value::is_object)
        .await;
    let before = world.nbctl("show");
    let (port, switch) = (&others[1], |members: Value| {
        let mut switch = members;
        switch["name"] = json!("mine");
        json!({ "switches": [switch] })
    });
    let rule = |expression: &str| json!({"acls": [{"direction": "to-lport", "priority": 1, "match": expression, "action": "drop"}]});
    for document in [
        json!({"port_groups": [{"name": "all", "ports": ["bolt-vm1"]}]}),
        json!({"port_groups": [{"name": "all", "ports": [port]}]}),
        json!({"port_groups": [{"name": "all", "ports": ["whose-1"]}]}),
        switch(json!({"external_ids": {"purlin-tenant": "t-bolt"}})),
        switch(json!({"external_ids": {"purlin-shared": "true"}})),
        switch(rule("outport == \"bolt-vm1\"")),
        switch(rule("ip4.src == $bolt_hosts")),
        switch(
            json!({"ports": [{"name": "up", "type": "router", "options": {"router-port": "bolt-r0-web"}}]}),
        ),
        switch(
            json!({"ports": [{"name": "out", "type": "localnet", "options": {"network_name": "physnet"}}]}),
        ),
        switch(json!({"ports": [{"name": "here", "options": {"requested-chassis": "hv1"}}]})),
        switch(json!({"load_balancer": ["nobodys"]})),
        json!({"routers": [{"name": "mine", "ports": [{"name": "up", "mac": "02:00:00:00:09:09", "networks": ["10.9.0.1/24"],
            "gateway_chassis": [{"name": "c", "chassis_name": "hv1", "priority": 1}]}]}]}),
    ] {
        for query in ["", "adopt=true", "prune=true&dryRun=true"] {
            let refused = apply(&world, ACME, query, &document).await;
            assert!(
                [404, 422].contains(&refused.status.as_u16()),
                "{document}: {:#}",
                refused.body
            );
            let told = refused.body.to_string();
            let asked = document.to_string();
            for word in ["bolt", "whose", "t-bolt"]
                .into_iter()
                .chain(others.iter().map(String::as_str))
            {
                assert!(asked.contains(word) || !told.contains(word), "{document}: {told}");
            }
        }
    }
    let forced = apply(&world, ACME, "force=true", &json!({})).await;
    assert!(forced.status.is_client_error(), "{:#}", forced.body);
    let own = apply(
        &world,
        ACME,
        "prune=true&adopt=true",
        &json!({"switches": [{"name": "whose"}]}),
    )
    .await;
    assert_eq!(own.status, 200, "{:#}", own.body);
    let taken = ask(
        &world,
        ACME,
        Method::DELETE,
        "/api/v1/ovn/nb/Logical_Switch/acme-whose?owner=shop",
        Value::Null,
    )
    .await;
    assert_eq!(
        taken.status, 200,
        "a row of its own by the name: {:#}",
        taken.body
    );
    assert_eq!(
        world.nbctl("show"),
        before,
        "nothing of others is other than before"
    );
    for path in ["/shop/drift", "/purlin/drift"] {
        let bolts = get(&world, BOLT, path).await;
        assert_eq!(bolts.status, 404, "{path}: {:#}", bolts.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_documents_rows_count() {
    let world = World::new().await;
    let refused = apply(&world, "key:acme:max_ports=1", "", &network()).await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    assert!(
        refused.body["detail"]
            .as_str()
            .is_some_and(|told| told.contains("max_ports"))
    );
    assert_eq!(world.nbctl("ls-list"), "", "all of it or nothing");
    let made = apply(&world, "key:acme:max_ports=2", "", &network()).await;
    assert_eq!(made.status, 200, "{:#}", made.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_port_of_the_installation_refers_to_stays() {
    let world = World::new().await;
    let made = apply(&world, ACME, "", &network()).await;
    assert_eq!(made.status, 200, "{:#}", made.body);
    world
        .nbctl("ls-add far -- lsp-add far far-1 -- pg-set-ports acme_fronts acme-front-1 acme-front-2 far-1");
    world
        .until("/api/v1/ovn/nb/Port_Group/acme_fronts", |row| {
            row["ports"].as_array().is_some_and(|ports| ports.len() == 3)
        })
        .await;
    let same = apply(&world, ACME, "prune=true", &network()).await;
    assert_eq!(
        (same.status.as_u16(), &same.body["changed"]),
        (200, &json!(false)),
        "{:#}",
        same.body
    );
    let export = get(&world, ACME, "/shop/export").await.body;
    assert!(!export.to_string().contains("far"), "{export:#}");
}
