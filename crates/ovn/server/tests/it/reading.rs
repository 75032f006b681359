//! What is there, and how far it can be trusted.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_table_of_the_schema_is_listed_and_rows_are_found_by_name() {
    let world = World::new().await;
    world.nbctl("ls-add web -- lsp-add web web-1 -- ls-add lab");
    let switch = world
        .until("/api/v1/ovn/nb/Logical_Switch/web", Value::is_object)
        .await;
    assert_eq!(
        (&switch["name"], &switch["_owner"]["kind"]),
        (&json!("web"), &json!("nobody"))
    );
    let tables = world.get("/api/v1/ovn/nb").await;
    let named = |name: &str| {
        tables
            .as_array()
            .expect("a list")
            .iter()
            .find(|table| table["name"] == name)
            .cloned()
    };
    assert_eq!(named("Logical_Switch").expect("it is there")["rows"], 2);
    assert_eq!(
        tables.as_array().map(Vec::len),
        Some(30),
        "the schema of OVN 23.03"
    );

    let port = world.get("/api/v1/ovn/nb/Logical_Switch_Port/web-1").await;
    assert_eq!(port["_parent"]["name"], "web");
    assert_eq!(switch["ports"], json!([port["_uuid"]]));
    let uuid = switch["_uuid"].as_str().expect("a UUID");
    assert_eq!(
        world.get(&format!("/api/v1/ovn/nb/Logical_Switch/{uuid}")).await,
        switch
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_in_pages() {
    let world = World::new().await;
    let changes: Vec<Value> = (0..7)
        .map(|n| json!({ "op": "insert", "table": "Address_Set", "columns": { "name": format!("set{n}") } }))
        .collect();
    world
        .make("/api/v1/ovn/changes", json!({ "changes": changes }))
        .await;
    let (mut names, mut cursor) = (Vec::new(), String::new());
    for pages in 1.. {
        let page = world
            .get(&format!("/api/v1/ovn/nb/Address_Set?limit=3&cursor={cursor}"))
            .await;
        let items = page["items"].as_array().expect("a list");
        names.extend(
            items
                .iter()
                .map(|row| row["name"].as_str().expect("a name").to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => {
                assert_eq!(pages, 3);
                break;
            }
        }
    }
    names.sort();
    assert_eq!(names, (0..7).map(|n| format!("set{n}")).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_table_or_row_is_named() {
    let world = World::new().await;
    world.until("/api/v1/ovn", |status| status["ready"] == true).await;
    let ask = async |path: &str| {
        world
            .send(Role::Viewer, Method::GET, path, None, &Value::Null)
            .await
    };
    let table = ask("/api/v1/ovn/nb/logical_switch").await;
    assert_eq!(
        (table.status.as_u16(), &table.body["code"]),
        (404, &json!("PUR-3002"))
    );
    assert!(
        table.body["detail"]
            .as_str()
            .expect("words")
            .contains("did you mean Logical_Switch?"),
        "{}",
        table.body
    );
    let row = ask("/api/v1/ovn/nb/Logical_Switch/nobody").await;
    assert_eq!(
        (row.status.as_u16(), &row.body["code"]),
        (404, &json!("PUR-9410")),
        "{}",
        row.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_is_read_from_memory_and_not_written_to() {
    let mut world = World::new().await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "web" }))
        .await;
    world.lose_database();
    let status = world
        .until("/api/v1/ovn", |status| status["northbound"]["state"] == "stale")
        .await;
    assert_eq!(status["ready"], false);
    assert!(
        status["reason"].as_str().expect("words").contains("was lost"),
        "{status}"
    );
    assert_eq!(
        world.get("/api/v1/ovn/nb/Logical_Switch/web").await["name"],
        "web"
    );
    let refused = world
        .post("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "lab" }))
        .await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (503, &json!("PUR-3001")),
        "{}",
        refused.body
    );

    world.start_database();
    world.until("/api/v1/ovn", |status| status["ready"] == true).await;
    world
        .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": "lab" }))
        .await;
    assert_eq!(
        world
            .nbctl("--bare --columns=name list Logical_Switch")
            .split_whitespace()
            .count(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_sorted_and_cut_down_to_what_is_asked_for() {
    let world = World::new().await;
    for (name, port) in [("web", "a"), ("db", "b")] {
        world
            .make(
                "/api/v1/ovn/nb/Logical_Switch?owner=shop",
                json!({ "name": name, "other_config": { "vlan-passthru": "true" } }),
            )
            .await;
        let path = format!("/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/{name}&owner=shop");
        for n in [2, 1, 3] {
            let kind = if n == 3 { "localport" } else { "" };
            let body =
                json!({ "name": format!("{port}{n}"), "type": kind, "options": { "n": n.to_string() } });
            world.make(&path, body).await;
        }
    }
    let ports = "/api/v1/ovn/nb/Logical_Switch_Port";
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().expect("a list");
        items
            .iter()
            .map(|row| row["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let get = async |query: &str| names(&world.get(&format!("{ports}?{query}")).await);
    assert_eq!(get("sort=name").await, ["a1", "a2", "a3", "b1", "b2", "b3"]);
    assert_eq!(get("sort=-name&type=localport").await, ["b3", "a3"]);
    assert_eq!(get("sort=name&options:n=2").await, ["a2", "b2"]);
    assert_eq!(get("sort=name&options:n=2&name=b2").await, ["b2"]);
    assert_eq!(get("sort=name&owned_by=shop&type=localport").await, ["a3", "b3"]);
    assert_eq!(get("owned_by=nobody").await, Vec::<String>::new());
    assert_eq!(
        names(
            &world
                .get("/api/v1/ovn/nb/Logical_Switch?other_config:vlan-passthru=true&sort=name")
                .await
        ),
        ["db", "web"]
    );

    let page = world
        .get(&format!("{ports}?sort=-name&limit=4&fields=name,_uuid"))
        .await;
    assert_eq!(names(&page), ["b3", "b2", "b1", "a3"]);
    assert_eq!(page["items"][0].as_object().expect("a row").len(), 2, "{page:#}");
    let cursor = page["next_cursor"].as_str().expect("more").to_owned();
    let next = world
        .get(&format!("{ports}?sort=-name&limit=4&cursor={cursor}"))
        .await;
    assert_eq!(
        (names(&next), &next["next_cursor"]),
        (vec!["a2".to_owned(), "a1".to_owned()], &Value::Null)
    );

    // What is written is in the next list, also in one that is kept in order.
    world
        .make(
            &format!("{ports}?parent=Logical_Switch/web&owner=shop"),
            json!({ "name": "a0", "type": "localport" }),
        )
        .await;
    assert_eq!(get("sort=name&limit=2").await, ["a0", "a1"]);
    assert_eq!(get("sort=name&type=localport").await, ["a0", "a3", "b3"]);

    for (query, words) in [
        ("typ=localport", "did you mean \"type\"?"),
        ("sort=addresses", "holds many values"),
        ("sort=nam", "did you mean \"name\"?"),
        ("_uuid=x", "is at its UUID"),
        ("sort=_etag", "not filtered or sorted by it"),
        ("fields=name,_etga", "did you mean \"_etag\"?"),
        ("fields=", "has no column \"\""),
        ("up=maybe", "holds values of type boolean"),
        ("type:x=y", "is no map"),
        (&format!("cursor={cursor}"), "sorted otherwise"),
    ] {
        let path = format!("{ports}?{query}");
        let answer = world
            .send(Role::Viewer, Method::GET, &path, None, &Value::Null)
            .await;
        let detail = answer.body["detail"].as_str().expect("words");
        assert_eq!(answer.status, 400, "{path}: {:#}", answer.body);
        assert!(detail.contains(words), "{path}: {detail}");
    }
}

/// The names of all pages of a typed list.
async fn walked(world: &World, path: &str) -> Vec<String> {
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}&limit=2&cursor={cursor}")).await;
        let items = page["items"].as_array().expect("a list");
        let name = |row: &Value| row["name"].as_str().expect("a name").to_owned();
        names.extend(items.iter().map(name));
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return names,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_lists_are_sorted_by_a_member_page_by_page() {
    let world = World::new().await;
    let port = |at: usize, switch: &str| {
        json!({ "op": "insert", "table": "Logical_Switch_Port", "parent": format!("Logical_Switch/{switch}"),
        "columns": { "name": format!("p{}", at * 5 % 7), "type": if at.is_multiple_of(2) { "localport" } else { "" } } })
    };
    let switch = |name: &str| json!({ "op": "insert", "table": "Logical_Switch", "as": name, "columns": { "name": name } });
    let mut changes = vec![switch("web"), switch("lab")];
    changes.extend((0..5).map(|at| port(at, "$web")));
    changes.extend((5..7).map(|at| port(at, "$lab")));
    world
        .make("/api/v1/ovn/changes", json!({ "changes": changes }))
        .await;
    let ports = "/api/v1/ovn/ports";
    let all = ["p0", "p1", "p2", "p3", "p4", "p5", "p6"];
    assert_eq!(walked(&world, &format!("{ports}?sort=name")).await, all);
    let mut back = walked(&world, &format!("{ports}?sort=-name")).await;
    back.reverse();
    assert_eq!(back, all);
    let of_web = walked(&world, &format!("{ports}?sort=name&switch=web")).await;
    assert_eq!(
        of_web,
        ["p0", "p1", "p3", "p5", "p6"],
        "what a reference leads to"
    );
    let of_web = walked(&world, &format!("{ports}?sort=-name&switch=web&type=localport")).await;
    assert_eq!(of_web, ["p6", "p3", "p0"]);
    let local = walked(&world, &format!("{ports}?sort=name&type=localport")).await;
    assert_eq!(local, ["p0", "p2", "p3", "p6"], "what an index finds");
    let mine = walked(&world, &format!("{ports}?sort=-name&owned_by=purlin")).await;
    assert_eq!(mine.len(), 7);
    assert!(mine.is_sorted_by(|a, b| a > b), "{mine:?}");

    let (status, body) = refused(&world, &format!("{ports}?sort=addresses")).await;
    assert_eq!(status, 400, "{body:#}");
    assert!(
        body["detail"].as_str().expect("words").contains("-name"),
        "{body:#}"
    );
    let page = world.get(&format!("{ports}?sort=name&limit=1")).await;
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let (status, body) = refused(&world, &format!("{ports}?cursor={cursor}")).await;
    assert_eq!((status, &body["code"].is_string()), (400, &true), "{body:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_for_a_word_that_no_row_can_have_is_refused_with_those_that_it_can() {
    let world = World::new().await;
    world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    for path in [
        "/api/v1/ovn/acls?direction=bogus",
        "/api/v1/ovn/acls?direction=bogus&switch=web",
        "/api/v1/ovn/nb/ACL?direction=bogus",
        "/api/v1/acls?direction=bogus",
    ] {
        let (status, body) = refused(&world, path).await;
        assert_eq!(status, 400, "{path}: {body:#}");
        let detail = body["detail"].as_str().expect("words");
        assert!(
            detail.contains("expected one of from-lport, to-lport"),
            "{path}: {detail}"
        );
    }
    let (status, body) = refused(&world, "/api/v1/ovn/acls?action=zzz").await;
    assert_eq!(status, 400, "{body:#}");
    assert!(body["detail"].to_string().contains("allow-related"), "{body:#}");
    assert_eq!(
        world.get("/api/v1/ovn/acls?direction=to-lport").await["items"],
        json!([])
    );
}

async fn refused(world: &World, path: &str) -> (u16, Value) {
    let answer = world
        .send(Role::Viewer, Method::GET, path, None, &Value::Null)
        .await;
    (answer.status.as_u16(), answer.body)
}
