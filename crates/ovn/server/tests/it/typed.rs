//! Objects by their nouns.

use crate::schema;
use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

/// Every kind, in an order in which each finds what it refers to; and what is needed beside.
const NOUNS: [(&str, &str); 25] = [
    ("switches", ""),
    ("ports", "lsp-add web web-2"),
    ("forwarding-groups", ""),
    ("mirrors", ""),
    ("routers", ""),
    (
        "router-ports",
        "lrp-add edge edge-uplink 02:00:00:00:09:01 192.0.2.3/24",
    ),
    ("routes", ""),
    ("policies", ""),
    ("nat", ""),
    ("bfd", ""),
    ("static-mac-bindings", ""),
    ("load-balancers", ""),
    ("health-checks", ""),
    ("load-balancer-groups", ""),
    ("port-groups", ""),
    ("acls", ""),
    ("address-sets", ""),
    ("qos", ""),
    ("meters", ""),
    ("copp", ""),
    ("dhcp-options", ""),
    ("dns", ""),
    ("gateway-chassis", ""),
    ("ha-groups", ""),
    ("template-vars", ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_made_from_its_example_read_sent_back_and_taken_away() {
    let world = World::new().await;
    let document = world.get("/api/v1/openapi.json").await;
    let listed = document["paths"].as_object().expect("paths").iter();
    let of_kinds = listed.filter(|(path, item)| {
        path.starts_with("/api/v1/ovn/")
            && path.matches('/').count() == 4
            && item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"].is_string()
    });
    assert_eq!(of_kinds.count(), NOUNS.len(), "every kind is in this test");
    let mut made = Vec::new();
    for (noun, beside) in NOUNS {
        let path = format!("/api/v1/ovn/{noun}");
        let operation = &document["paths"][&path]["post"];
        let named = &operation["requestBody"]["content"]["application/json"]["schema"];
        let name = named["$ref"].as_str().expect("a component");
        let shape = document
            .pointer(name.trim_start_matches('#'))
            .expect("it is there");
        let example = shape["examples"][0].clone();
        assert_eq!(
            schema::faults(&document, shape, &example),
            Vec::<String>::new(),
            "{noun}"
        );
        let answer = world.make(&path, example.clone()).await;
        let answers = &operation["responses"]["201"]["content"]["application/json"]["schema"];
        assert_eq!(
            schema::faults(&document, answers, &answer),
            Vec::<String>::new(),
            "{noun}"
        );
        for (member, value) in example.as_object().expect("an object") {
            holds(noun, member, value, &answer["item"][member]);
        }
        let row = format!("{path}/{}", answer["item"]["uuid"].as_str().expect("a UUID"));
        let read = world.get(&row).await;
        assert_eq!(read, answer["item"], "{noun}");
        let same = world.patch(&row, read.clone()).await;
        assert_eq!(
            (same.status.as_u16(), &same.body["changed"]),
            (200, &json!(false)),
            "{noun}: {:#}",
            same.body
        );
        let page = world.get(&path).await;
        let lists =
            &document["paths"][&path]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(
            schema::faults(&document, lists, &page),
            Vec::<String>::new(),
            "{noun}"
        );
        assert!(
            page["items"].as_array().expect("a list").contains(&read),
            "{noun}"
        );
        if !beside.is_empty() {
            world.nbctl(beside);
            let last = beside.split(' ').nth(2).expect("a name");
            world.until(&format!("{path}/{last}"), Value::is_object).await;
        }
        made.push(row);
    }
    // A switch holds it by a strong reference.
    world
        .patch(
            "/api/v1/ovn/load-balancer-groups/cluster",
            json!({ "switches": [] }),
        )
        .await;
    for row in made.iter().rev() {
        let gone = world.delete(row).await;
        // What hung under another object has gone with it.
        assert_eq!(gone.status, 200, "{row}: {:#}", gone.body);
    }
}

/// What was asked for is what is shown; objects may show more.
fn holds(noun: &str, member: &str, asked: &Value, shown: &Value) {
    match (asked, shown) {
        (Value::Array(asked), Value::Array(shown)) => {
            assert_eq!(asked.len(), shown.len(), "{noun}.{member}");
            for asked in asked {
                let fits = |shown: &Value| match (asked, shown) {
                    (Value::Object(asked), Value::Object(shown)) => {
                        asked.iter().all(|(name, value)| shown.get(name) == Some(value))
                    }
                    _ => asked == shown,
                };
                assert!(shown.iter().any(fits), "{noun}.{member}: {asked} in {shown:?}");
            }
        }
        _ => assert_eq!(asked, shown, "{noun}.{member}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_member_is_named_with_its_value_and_what_would_be_right() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    let cases = [
        (
            "ports",
            json!({ "name": "p", "switch": "web", "adresses": [] }),
            "adresses",
            "did you mean `addresses`?",
        ),
        (
            "ports",
            json!({ "name": "p", "switch": "wbe" }),
            "switch",
            "did you mean \"web\"?",
        ),
        ("ports", json!({ "name": "p" }), "switch", "is needed"),
        (
            "ports",
            json!({ "name": "p", "switch": "web", "up": true }),
            "up",
            "only shown",
        ),
        (
            "ports",
            json!({ "name": "p", "switch": "web", "tag": 5000 }),
            "tag",
            "4095",
        ),
        (
            "switches",
            json!({ "name": "x", "mac_only": "yes" }),
            "mac_only",
            "true or false",
        ),
        (
            "switches",
            json!({ "name": "x", "load_balancers": ["nobody"] }),
            "load_balancers",
            "there is no Load_Balancer",
        ),
        (
            "acls",
            json!({ "direction": "in", "priority": 1, "match": "1", "action": "drop", "switch": "web" }),
            "direction",
            "from-lport",
        ),
        (
            "acls",
            json!({ "direction": "to-lport", "priority": 1, "match": "1", "action": "drop" }),
            "switch",
            "port_group",
        ),
        (
            "meters",
            json!({ "name": "m", "unit": "pktps", "bands": [{ "rate": 0 }] }),
            "bands[0].rate",
            "0",
        ),
        (
            "meters",
            json!({ "name": "m", "unit": "pktps", "bands": [{}] }),
            "bands[0].rate",
            "is needed",
        ),
        (
            "dhcp-options",
            json!({ "cidr": "10.0.0.0/24", "options": { "router": { "a": 1 } } }),
            "options.router",
            "a text, a number",
        ),
    ];
    for (noun, body, member, word) in cases {
        let refused = world.post(&format!("/api/v1/ovn/{noun}"), body.clone()).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (422, &json!("PUR-3003")),
            "{body}: {:#}",
            refused.body
        );
        let problems = refused.body["problems"].as_array().expect("a list");
        let found = problems.iter().find(|problem| problem["member"] == member);
        let found = found.unwrap_or_else(|| panic!("{body}: {:#}", refused.body));
        let message = found["message"].as_str().expect("words");
        assert!(message.contains(word), "{body}: {message}");
    }
    assert_eq!(world.nbctl("--bare --columns=name list Logical_Switch_Port"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_a_conflict() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    world
        .make("/api/v1/ovn/ports", json!({ "name": "p", "switch": "web" }))
        .await;
    for (noun, body) in [
        ("switches", json!({ "name": "web" })),
        ("ports", json!({ "name": "p", "switch": "web" })),
    ] {
        let refused = world.post(&format!("/api/v1/ovn/{noun}"), body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (409, &json!("PUR-9409")),
            "{:#}",
            refused.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_balancer_is_attached_and_detached_by_name() {
    let world = World::new().await;
    world.nbctl("ls-add web -- ls-add lab -- lr-add edge -- lb-add api 10.0.0.1:80 10.0.0.2:80");
    let path = "/api/v1/ovn/load-balancers/api";
    world.until(path, Value::is_object).await;
    let lb = world
        .make(
            &format!("{path}/attach"),
            json!({ "switches": ["web", "lab"], "routers": ["edge"] }),
        )
        .await;
    assert_eq!(
        (&lb["item"]["switches"], &lb["item"]["routers"]),
        (&json!(["lab", "web"]), &json!(["edge"]))
    );
    assert!(world.nbctl("ls-lb-list web").contains("api"));
    world
        .make(&format!("{path}/detach"), json!({ "switches": ["lab"] }))
        .await;
    let replaced = world.patch(path, json!({ "switches": ["lab"] })).await;
    assert_eq!(
        replaced.body["item"]["switches"],
        json!(["lab"]),
        "{:#}",
        replaced.body
    );
    assert_eq!(world.nbctl("ls-lb-list web"), "");
    let wrong = world
        .post(&format!("{path}/add"), json!({ "protocol": "tcp" }))
        .await;
    assert_eq!(wrong.status, 422, "{:#}", wrong.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_are_merged_key_by_key_and_children_by_their_keys() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web", "subnet": "10.0.0.0/24", "other_config": { "mcast_snoop": "true" }, "external_ids": { "a": "1", "b": "2" } })).await;
    let path = "/api/v1/ovn/switches/web";
    let changed = world.patch(path, json!({ "external_ids": { "a": null, "c": "3" }, "exclude_ips": ["10.0.0.2", "10.0.0.4..10.0.0.9"] })).await;
    let item = &changed.body["item"];
    assert_eq!(
        item["external_ids"],
        json!({ "b": "2", "c": "3" }),
        "{:#}",
        changed.body
    );
    assert_eq!(
        (&item["subnet"], &item["mcast_snoop"]),
        (&json!("10.0.0.0/24"), &json!(true))
    );
    assert_eq!(
        world.nbctl("get Logical_Switch web other_config:exclude_ips"),
        "\"10.0.0.2 10.0.0.4..10.0.0.9\""
    );
    assert_eq!(
        item["owner"],
        json!({ "kind": "purlin", "name": "purlin" }),
        "the mark stays"
    );
    world
        .patch(path, json!({ "subnet": null, "exclude_ips": [] }))
        .await;
    assert_eq!(
        world.get(path).await["other_config"],
        json!({ "mcast_snoop": "true" })
    );

    let group = json!({ "name": "gw", "chassis": [{ "chassis": "a", "priority": 20 }, { "chassis": "b", "priority": 10 }] });
    let made = world.make("/api/v1/ovn/ha-groups", group).await;
    let first = made["item"]["chassis"][0]["uuid"].clone();
    let path = "/api/v1/ovn/ha-groups/gw";
    let changed = world
        .patch(
            path,
            json!({ "chassis": [{ "chassis": "c", "priority": 5 }, { "chassis": "a", "priority": 30 }] }),
        )
        .await;
    let chassis = &changed.body["item"]["chassis"];
    assert_eq!(
        (&chassis[0]["uuid"], &chassis[0]["priority"]),
        (&first, &json!(30)),
        "{:#}",
        changed.body
    );
    assert_eq!(
        (chassis.as_array().map(Vec::len), &chassis[1]["chassis"]),
        (Some(2), &json!("c"))
    );
    assert_eq!(
        world
            .nbctl("--bare --columns=chassis_name list HA_Chassis")
            .split_whitespace()
            .count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_shown_comes_back_as_it_is_or_is_refused() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    let path = "/api/v1/ovn/switches/web";
    let patch = async |body: &Value| world.send(Role::Operator, Method::PATCH, path, None, body).await;
    for (member, value) in [
        ("uuid", json!("0000")),
        ("owner", json!("evil")),
        ("etag", json!("x")),
    ] {
        let answer = patch(&json!({ member: value })).await;
        assert_eq!(answer.status, 422, "{:#}", answer.body);
        assert_eq!(answer.body["problems"][0]["member"], member, "{:#}", answer.body);
    }
    let chosen = json!({ "name": "lab", "uuid": "01a209df-c862-4000-8000-94413644ed6d" });
    let answer = world.post("/api/v1/ovn/switches", chosen).await;
    assert_eq!(answer.status, 422, "{:#}", answer.body);
    let same = patch(&world.get(path).await).await;
    assert_eq!(
        (same.status.as_u16(), &same.body["changed"]),
        (200, &json!(false)),
        "{:#}",
        same.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_covers_the_children_and_not_what_ovn_writes_by_itself() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    world
        .make("/api/v1/ovn/ports", json!({ "name": "p", "switch": "web" }))
        .await;
    let read = async |path: &str| {
        world
            .send(Role::Viewer, Method::GET, path, None, &Value::Null)
            .await
    };
    let tag = |answer: &crate::world::Answer| answer.headers["etag"].to_str().expect("text").to_owned();
    let port = "/api/v1/ovn/ports/p";
    let before = tag(&read(port).await);
    world.nbctl("set Logical_Switch_Port p up=true");
    world.until(port, |port| port["up"] == true).await;
    let after = tag(&read(port).await);
    assert_ne!(before, after, "a conditional read sees it");
    let set = async |path: &str, tag: &str, body: Value| {
        world
            .send(Role::Operator, Method::PATCH, path, Some(tag), &body)
            .await
    };
    assert_eq!(
        set(port, &before, json!({ "enabled": true })).await.status,
        200,
        "a conditional write does not mind"
    );
    assert_eq!(set(port, &before, json!({ "enabled": false })).await.status, 412);

    world
        .make(
            "/api/v1/ovn/meters",
            json!({ "name": "m", "unit": "kbps", "bands": [{ "rate": 10 }] }),
        )
        .await;
    let meter = "/api/v1/ovn/meters/m";
    let before = tag(&read(meter).await);
    let band = world.get(meter).await["bands"][0]["uuid"]
        .as_str()
        .expect("a UUID")
        .to_owned();
    world.nbctl(&format!("set Meter_Band {band} burst_size=7"));
    world.until(meter, |meter| meter["bands"][0]["burst"] == 7).await;
    let stale = set(meter, &before, json!({ "unit": "pktps" })).await;
    assert_eq!(
        (stale.status.as_u16(), &stale.body["code"]),
        (412, &json!("PUR-9412")),
        "{:#}",
        stale.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn dhcp_options_are_typed_both_ways() {
    let world = World::new().await;
    let options = json!({
        "server_id": "10.0.0.1", "server_mac": "02:00:00:00:00:01", "lease_time": 3600, "router": "10.0.0.1",
        "dns_server": ["10.0.0.2", "10.0.0.3"], "domain_name": "lab.example", "ip_forward_enable": true,
        "classless_static_route": [{ "destination": "10.1.0.0/16", "router": "10.0.0.1" }],
    });
    let made = world
        .make(
            "/api/v1/ovn/dhcp-options",
            json!({ "name": "web", "cidr": "10.0.0.0/24", "options": options }),
        )
        .await;
    assert_eq!(made["item"]["options"], options);
    assert_eq!(made["item"]["version"], "ipv4");
    assert!(
        world
            .nbctl("list DHCP_Options")
            .contains("domain_name=\"\\\"lab.example\\\"\""),
        "{}",
        world.nbctl("list DHCP_Options")
    );
    let path = "/api/v1/ovn/dhcp-options/web";
    let changed = world
        .patch(
            path,
            json!({ "options": { "lease_time": 60, "dns_server": null } }),
        )
        .await;
    assert_eq!(
        changed.body["item"]["options"]["lease_time"], 60,
        "{:#}",
        changed.body
    );
    assert!(changed.body["item"]["options"].get("dns_server").is_none());
    let wrong = world
        .patch(path, json!({ "options": { "lease_time": "soon" } }))
        .await;
    assert_eq!(wrong.status, 422, "{:#}", wrong.body);
}
