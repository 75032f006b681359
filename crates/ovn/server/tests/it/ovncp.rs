//! The paths of ovncp, as its documents and its code have them.

use crate::schema::fits;
use crate::world::{Answer, World};
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

async fn put(world: &World, path: &str, body: Value) -> Answer {
    world.send(Role::Operator, Method::PUT, path, None, &body).await
}

async fn ask(world: &World, path: &str) -> Answer {
    world
        .send(Role::Viewer, Method::GET, path, None, &Value::Null)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_lives_with_the_members_of_both_documents() {
    let world = World::new().await;
    let body = json!({ "name": "web", "description": "front ends", "subnet": "10.0.0.0/24", "external_ids": { "team": "a" },
        "uuid": "", "created_at": "0001-01-01T00:00:00Z", "updated_at": "0001-01-01T00:00:00Z", "vlan": 0 });
    let made = world.post("/api/v1/switches", body).await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    let uuid = made.body["uuid"].as_str().expect("a UUID").to_owned();
    assert_eq!(
        made.headers["location"].to_str().expect("text"),
        format!("/api/v1/switches/{uuid}")
    );
    fits(&world, "post", "/api/v1/switches", "201", &made.body).await;
    assert_eq!(
        world.nbctl("get Logical_Switch web other_config:subnet"),
        "\"10.0.0.0/24\""
    );
    let read = world.get("/api/v1/switches/web").await;
    assert_eq!(read, world.get(&format!("/api/v1/switches/{uuid}")).await);
    fits(&world, "get", "/api/v1/switches/{id}", "200", &read).await;
    assert_eq!(
        (&read["description"], &read["external_ids"]),
        (&json!("front ends"), &json!({ "team": "a" }))
    );
    assert_eq!(
        (&read["created_at"], &read["ports_count"]),
        (&Value::Null, &json!(0))
    );

    // What was read may be sent back; what is not named stays.
    let same = put(&world, "/api/v1/switches/web", read).await;
    assert_eq!(same.status, 200, "{:#}", same.body);
    let changed = put(
        &world,
        "/api/v1/switches/web",
        json!({ "external_ids": { "cost": "1" } }),
    )
    .await;
    assert_eq!(
        changed.body["external_ids"],
        json!({ "cost": "1" }),
        "a map that is named is the whole map"
    );
    assert_eq!(
        (&changed.body["description"], &changed.body["subnet"]),
        (&json!("front ends"), &json!("10.0.0.0/24"))
    );
    let patched = world
        .patch(
            "/api/v1/switches/web",
            json!({ "external_ids": { "team": "b" }, "description": null }),
        )
        .await;
    assert_eq!(patched.body["external_ids"], json!({ "cost": "1", "team": "b" }));
    assert_eq!(patched.body["description"], Value::Null);
    let gone = world.delete("/api/v1/switches/web").await;
    assert_eq!((gone.status.as_u16(), &gone.body), (204, &Value::Null));
    assert_eq!(world.nbctl("ls-list"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_numbered_pages_sorted_and_chosen_by_name() {
    let world = World::new().await;
    let switches = ["d", "a", "web-2", "c", "web-1"];
    for name in switches {
        world.make("/api/v1/switches", json!({ "name": name })).await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let items = answer["switches"].as_array().expect("a list").iter();
        items
            .map(|item| item["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let first = world
        .get("/api/v1/switches?page=1&page_size=2&sort=name:asc")
        .await;
    assert_eq!(names(&first), ["a", "c"]);
    assert_eq!(
        first["pagination"],
        json!({ "page": 1, "page_size": 2, "total_count": 5, "total_pages": 3 })
    );
    fits(&world, "get", "/api/v1/switches", "200", &first).await;
    assert_eq!(
        names(&world.get("/api/v1/switches?name=web-*&sort=-name").await),
        ["web-2", "web-1"]
    );
    assert_eq!(names(&world.get("/api/v1/switches?name=c").await), ["c"]);
    let mut all = Vec::new();
    for page in 1..=3 {
        all.extend(names(
            &world.get(&format!("/api/v1/switches?page={page}&limit=2")).await,
        ));
    }
    all.sort();
    assert_eq!(all, ["a", "c", "d", "web-1", "web-2"]);
    let refused = ask(&world, "/api/v1/switches?sort=created_at:desc").await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.body["details"]
            .as_str()
            .expect("words")
            .contains("name:asc"),
        "{:#}",
        refused.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_the_members_of_both_worlds() {
    let world = World::new().await;
    world.make("/api/v1/switches", json!({ "name": "web" })).await;
    let cases = [
        (ask(&world, "/api/v1/switches/nobody").await, 404),
        (ask(&world, "/api/v1/switches?pgae=1").await, 400),
        (
            world.post("/api/v1/switches", json!({ "name": "web" })).await,
            409,
        ),
        (
            world.post("/api/v1/switches", json!({ "nmae": "lab" })).await,
            422,
        ),
        (
            world
                .post("/api/v1/switches/nobody/ports", json!({ "name": "p" }))
                .await,
            404,
        ),
    ];
    for (answer, status) in cases {
        assert_eq!(answer.status.as_u16(), status, "{:#}", answer.body);
        assert_eq!(
            (&answer.body["error"], &answer.body["details"]),
            (&answer.body["title"], &answer.body["detail"])
        );
        let id = answer.headers["x-request-id"].to_str().expect("text");
        assert_eq!(answer.body["request_id"], id);
        assert!(
            answer.body["details"]
                .as_str()
                .is_some_and(|words| !words.is_empty())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_said_by_mac_and_addresses_or_as_ovn_has_it() {
    let world = World::new().await;
    world.make("/api/v1/switches", json!({ "name": "web" })).await;
    world.nbctl("pg-add servers");
    world
        .until("/api/v1/ovn/port-groups/servers", Value::is_object)
        .await;
    let ports = "/api/v1/switches/web/ports";
    let body = json!({ "name": "web-1", "type": "switch", "mac_address": "02:00:00:00:00:01", "ip_addresses": ["10.0.0.10"], "security_groups": ["servers"] });
    let made = world.post(ports, body).await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    fits(&world, "post", "/api/v1/switches/{id}/ports", "201", &made.body).await;
    assert_eq!(
        world.nbctl("lsp-get-addresses web-1"),
        "02:00:00:00:00:01 10.0.0.10"
    );
    assert_eq!(made.body["parent_type"], "switch");
    let switch = world.get("/api/v1/switches/web").await;
    assert_eq!(
        (&made.body["switch_id"], &made.body["parent_uuid"]),
        (&switch["uuid"], &switch["uuid"])
    );
    assert_eq!(switch["ports"], json!([made.body["uuid"]]));
    assert_eq!(made.body["security_groups"].as_array().map(Vec::len), Some(1));

    // ovncp's code: mac beside bare addresses.
    let other = world
        .post(
            ports,
            json!({ "name": "web-2", "mac": "02:00:00:00:00:02", "addresses": ["10.0.0.11"] }),
        )
        .await;
    assert_eq!(
        other.body["addresses"],
        json!(["02:00:00:00:00:02 10.0.0.11"]),
        "{:#}",
        other.body
    );
    let changed = put(
        &world,
        "/api/v1/ports/web-1",
        json!({ "ip_addresses": ["10.0.0.20", "10.0.0.21"] }),
    )
    .await;
    assert_eq!(
        changed.body["addresses"],
        json!(["02:00:00:00:00:01 10.0.0.20 10.0.0.21"]),
        "{:#}",
        changed.body
    );
    let back = put(&world, "/api/v1/ports/web-1", changed.body.clone()).await;
    assert_eq!((back.status.as_u16(), &back.body), (200, &changed.body));
    let mut edited = changed.body;
    edited["mac"] = json!("02:00:00:00:00:77");
    let edited = put(&world, "/api/v1/ports/web-1", edited).await;
    assert_eq!(
        edited.body["addresses"],
        json!(["02:00:00:00:00:77 10.0.0.20 10.0.0.21"]),
        "{:#}",
        edited.body
    );
    let bare = world
        .post(ports, json!({ "name": "web-3", "ip_addresses": ["10.0.0.12"] }))
        .await;
    assert_eq!(bare.status, 422, "{:#}", bare.body);
    assert!(
        bare.body["details"].as_str().expect("words").contains("MAC IP"),
        "{:#}",
        bare.body
    );
    let moved = put(
        &world,
        "/api/v1/ports/web-1",
        json!({ "switch_id": other.body["uuid"] }),
    )
    .await;
    assert_eq!(moved.status, 422, "{:#}", moved.body);

    let page = world.get(&format!("{ports}?sort=name:desc&page_size=1")).await;
    assert_eq!(
        (&page["ports"][0]["name"], &page["pagination"]["total_count"]),
        (&json!("web-2"), &json!(2))
    );
    fits(&world, "get", "/api/v1/switches/{id}/ports", "200", &page).await;
    assert_eq!(world.delete("/api/v1/ports/web-2").await.status, 204);
    assert_eq!(world.nbctl("lsp-list web").lines().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_has_its_routes_and_translations_inside() {
    let world = World::new().await;
    let body = json!({ "name": "edge", "description": "way out",
        "static_routes": [{ "destination": "10.9.0.0/16", "next_hop": "192.0.2.9" }],
        "external_gateway": "192.0.2.1",
        "nat_rules": [{ "type": "snat", "external_ip": "192.0.2.2", "internal_ip": "10.0.0.0/24" }] });
    let made = world.post("/api/v1/routers", body).await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    fits(&world, "post", "/api/v1/routers", "201", &made.body).await;
    let routes = world.nbctl("lr-route-list edge");
    assert!(
        routes.contains("10.9.0.0/16") && routes.contains("192.0.2.1"),
        "{routes}"
    );
    assert!(world.nbctl("lr-nat-list edge").contains("snat"));
    assert_eq!(
        (&made.body["external_gateway"], &made.body["nat"][0]["logical_ip"]),
        (&json!("192.0.2.1"), &json!("10.0.0.0/24"))
    );
    let mut router = world.get("/api/v1/routers/edge").await;
    assert_eq!(
        put(&world, "/api/v1/routers/edge", router.clone()).await.body["static_routes"],
        router["static_routes"]
    );
    let kept = router["static_routes"]
        .as_array()
        .expect("routes")
        .iter()
        .find(|route| route["ip_prefix"] == "10.9.0.0/16")
        .expect("it")
        .clone();
    router["static_routes"] =
        json!([{ "uuid": kept["uuid"], "nexthop": "192.0.2.10", "ip_prefix": "10.9.0.0/16" }]);
    router["external_gateway"] = json!(null);
    let changed = put(&world, "/api/v1/routers/edge", router).await;
    let routes = changed.body["static_routes"].as_array().expect("routes");
    assert_eq!(
        (routes.len(), &routes[0]["uuid"], &routes[0]["next_hop"]),
        (1, &kept["uuid"], &json!("192.0.2.10")),
        "{:#}",
        changed.body
    );
    for (body, word) in [
        (
            json!({ "static_routes": [{ "destination": "10.1.0.0/16", "next_hop": "192.0.2.9", "metric": 5 }] }),
            "static_routes[0].metric",
        ),
        (
            json!({ "nat": [{ "type": "dnat", "external_ip": "192.0.2.3", "logical_ip": "10.0.0.9", "external_port": 80 }] }),
            "load balancer",
        ),
    ] {
        let refused = put(&world, "/api/v1/routers/edge", body).await;
        assert_eq!(refused.status, 422, "{:#}", refused.body);
        assert!(
            refused.body["details"].as_str().expect("words").contains(word),
            "{:#}",
            refused.body
        );
    }
    assert_eq!(
        world.get("/api/v1/routers?name=ed*").await["pagination"]["total_count"],
        1
    );
    assert_eq!(world.delete("/api/v1/routers/edge").await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn acls_hang_on_switches_and_port_groups_and_are_chosen() {
    let world = World::new().await;
    for name in ["web", "lab"] {
        world.make("/api/v1/switches", json!({ "name": name })).await;
    }
    world.nbctl("pg-add servers");
    let group = world
        .until("/api/v1/ovn/port-groups/servers", Value::is_object)
        .await;
    let rule = |direction: &str, action: &str| json!({ "name": format!("{direction}-{action}"), "priority": 1000, "direction": direction, "match": "tcp.dst == 80", "action": action, "log": false, "alert": false });
    let made = world
        .post("/api/v1/acls?switch_id=web", rule("to-lport", "drop"))
        .await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    fits(&world, "post", "/api/v1/acls", "201", &made.body).await;
    world
        .make("/api/v1/acls?switch_id=web", rule("from-lport", "allow-related"))
        .await;
    let mut both = rule("to-lport", "reject");
    both["apply_to"] =
        json!([{ "type": "switch", "uuid": "lab" }, { "type": "port-group", "uuid": group["uuid"] }]);
    let both = world.make("/api/v1/acls", both).await;
    assert_eq!(both["applied_to"].as_array().map(Vec::len), Some(2), "{both:#}");
    assert_eq!(world.nbctl("acl-list servers").lines().count(), 1);
    let count = async |query: &str| {
        world.get(&format!("/api/v1/acls{query}")).await["pagination"]["total_count"].clone()
    };
    assert_eq!(count("").await, 3);
    assert_eq!(count("?switch_id=web").await, 2);
    assert_eq!(count("?switch_id=web&direction=to-lport").await, 1);
    assert_eq!(count("?action=reject").await, 1);
    let path = format!("/api/v1/acls/{}", made.body["uuid"].as_str().expect("a UUID"));
    let changed = put(&world, &path, json!({ "priority": 7, "severity": "info" })).await;
    assert_eq!(
        (&changed.body["priority"], &changed.body["match"]),
        (&json!(7), &json!("tcp.dst == 80"))
    );
    let wrong = put(&world, &path, json!({ "match": "tcp.dst = 80" })).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.body["details"].as_str().expect("words").contains("=="),
        "{:#}",
        wrong.body
    );
    let nowhere = world.post("/api/v1/acls", rule("to-lport", "drop")).await;
    assert!(
        nowhere.body["details"]
            .as_str()
            .expect("words")
            .contains("switch_id, port_group_id"),
        "{:#}",
        nowhere.body
    );
    assert_eq!(world.delete(&path).await.status, 204);
    assert_eq!(count("?switch_id=web").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn vlan_and_dns_servers_are_where_ovn_has_them_or_refused() {
    let world = World::new().await;
    world
        .make(
            "/api/v1/switches",
            json!({ "name": "web", "subnet": "10.0.0.0/24" }),
        )
        .await;
    let path = "/api/v1/switches/web";
    for (body, word) in [
        (json!({ "vlan": 12 }), "localnet"),
        (json!({ "dns_servers": ["10.0.0.2"] }), "dhcp-options"),
    ] {
        let refused = put(&world, path, body).await;
        assert_eq!(refused.status, 422, "{:#}", refused.body);
        assert!(
            refused.body["details"].as_str().expect("words").contains(word),
            "{:#}",
            refused.body
        );
    }
    let uplink = json!({ "name": "uplink", "type": "localnet", "addresses": ["unknown"], "options": { "network_name": "phys" } });
    world.make("/api/v1/switches/web/ports", uplink).await;
    let options = json!({ "server_id": "10.0.0.1", "server_mac": "02:00:00:00:00:01", "lease_time": 60 });
    world
        .make(
            "/api/v1/ovn/dhcp-options",
            json!({ "cidr": "10.0.0.0/24", "options": options }),
        )
        .await;
    let changed = put(
        &world,
        path,
        json!({ "vlan": 12, "dns_servers": ["10.0.0.2", "10.0.0.3"] }),
    )
    .await;
    assert_eq!(
        (&changed.body["vlan"], &changed.body["dns_servers"]),
        (&json!(12), &json!(["10.0.0.2", "10.0.0.3"])),
        "{:#}",
        changed.body
    );
    assert_eq!(world.nbctl("get Logical_Switch_Port uplink tag"), "12");
    assert!(
        world.nbctl("list DHCP_Options").contains("{10.0.0.2, 10.0.0.3}"),
        "{}",
        world.nbctl("list DHCP_Options")
    );
}
