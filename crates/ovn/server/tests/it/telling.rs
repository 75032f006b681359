//! When a change has come so far: northd, and no hypervisors.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_waits_is_answered_when_northd_has_made_the_flows() {
    let world = World::with_northd().await;
    let made = world
        .make("/api/v1/ovn/nb/Logical_Switch?wait=sb", json!({ "name": "web" }))
        .await;
    assert_eq!(
        (&made["realised"]["wait"], &made["realised"]["done"]),
        (&json!("sb"), &json!(true)),
        "{made:#}"
    );
    assert!(
        made["realised"]["milliseconds"]
            .as_f64()
            .is_some_and(|time| time > 0.0)
    );
    let paths = world.get("/api/v1/ovn/sb/Datapath_Binding").await;
    assert_eq!(
        paths["items"].as_array().map(Vec::len),
        Some(1),
        "the switch has its datapath"
    );
    assert_eq!(
        (&made["realised"]["chassis"], &made["realised"]["chassis_applied"]),
        (&json!(0), &json!(0))
    );
}

/// What somebody asks who does not know whether the last wait was long enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_changes_nothing_waits_for_what_is_there() {
    let world = World::with_northd().await;
    let made = world.make("/api/v1/ovn/switches", json!({ "name": "web" })).await;
    assert_eq!(made["realised"], Value::Null, "nobody waited: {made:#}");
    let again = |query: &'static str| {
        let path = format!("/api/v1/ovn/nb/Logical_Switch/web{query}");
        let world = &world;
        async move {
            let same = world
                .send(
                    Role::Operator,
                    Method::PATCH,
                    &path,
                    None,
                    &json!({ "name": "web" }),
                )
                .await;
            assert_eq!(
                (same.status.as_u16(), &same.body["changed"]),
                (200, &json!(false)),
                "{:#}",
                same.body
            );
            same.body["realised"].clone()
        }
    };
    assert_eq!(again("?wait=sb&dryRun=true").await, Value::Null);
    let realised = again("?wait=sb").await;
    assert_eq!(
        (&realised["wait"], &realised["done"]),
        (&json!("sb"), &json!(true)),
        "{realised:#}"
    );
    let paths = world.get("/api/v1/ovn/sb/Datapath_Binding").await;
    assert_eq!(paths["items"].as_array().map(Vec::len), Some(1), "{paths:#}");
}

/// The first write of a network whose northd was started together with it.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_write_waits_for_a_northd_that_has_just_been_started() {
    let world = World::with_fresh_northd().await;
    let made = world
        .make(
            "/api/v1/ovn/nb/Logical_Switch?wait=sb&timeout=60",
            json!({ "name": "web" }),
        )
        .await;
    assert_eq!(made["realised"]["done"], true, "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_northd_a_wait_ends_with_the_reason() {
    let world = World::new().await;
    let made = world
        .make(
            "/api/v1/ovn/nb/Logical_Switch?wait=sb&timeout=1",
            json!({ "name": "web" }),
        )
        .await;
    assert_eq!(made["realised"]["done"], false, "{made:#}");
    assert!(
        made["realised"]["reason"]
            .as_str()
            .expect("words")
            .contains("northd"),
        "{made:#}"
    );
    assert_eq!(
        world.nbctl("--bare --columns=name list Logical_Switch"),
        "web",
        "the change itself is there"
    );
}
