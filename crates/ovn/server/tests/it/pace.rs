//! What is kept beside the rows says what the rows say, whoever wrote them.

use crate::world::World;
use serde_json::{Value, json};

const PORTS: &str = "/api/v1/ovn/nb/Logical_Switch_Port";

/// Makes a port with this address; what is said against it.
async fn port(world: &World, switch: &str, name: &str, address: &str) -> Option<String> {
    let path = format!("{PORTS}?parent=Logical_Switch/{switch}");
    let body = json!({ "name": name, "addresses": [address] });
    let answer = world.post(&path, body).await;
    match answer.status.as_u16() {
        201 => None,
        422 => Some(answer.body["detail"].as_str().expect("words").to_owned()),
        _ => panic!("{:#}", answer.body),
    }
}

async fn names(world: &World, wanted: &[&str]) {
    let is = |page: &Value| {
        let items = page["items"].as_array().expect("a list");
        let mut names: Vec<&str> = items.iter().filter_map(|row| row["name"].as_str()).collect();
        names.sort_unstable();
        names == wanted
    };
    world.until(PORTS, is).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_for_just_as_long_as_somebody_has_it() {
    let world = World::new().await;
    world.nbctl("ls-add web");
    world.nbctl("lsp-add web foreign");
    let address = "02:00:00:00:00:01 10.0.0.5";
    names(&world, &["foreign"]).await;
    let addresses = |text: &str| world.nbctl_of(&["lsp-set-addresses", "foreign", text]);
    addresses(address);
    let taken = |row: &Value| row["addresses"] == json!([address]);
    world.until(&format!("{PORTS}/foreign"), taken).await;
    let refused = port(&world, "web", "ours", "02:00:00:00:00:02 10.0.0.5").await;
    let refused = refused.expect("it is taken");
    assert!(refused.contains("10.0.0.5 belongs to port foreign"), "{refused}");
    addresses("02:00:00:00:00:01 10.0.0.6");
    let free = |row: &Value| row["addresses"] != json!([address]);
    world.until(&format!("{PORTS}/foreign"), free).await;
    let of_mac = port(&world, "web", "ours", address).await;
    assert!(
        of_mac
            .expect("the MAC stays")
            .contains("02:00:00:00:00:01 belongs to")
    );
    assert_eq!(
        port(&world, "web", "ours", "02:00:00:00:00:02 10.0.0.5").await,
        None
    );
    let again = port(&world, "web", "twin", "02:00:00:00:00:03 10.0.0.5").await;
    assert!(again.expect("taken by our own").contains("belongs to port ours"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_comes_to_a_router_brings_its_addresses() {
    let world = World::new().await;
    for switch in ["a", "b"] {
        world
            .make("/api/v1/ovn/nb/Logical_Switch", json!({ "name": switch }))
            .await;
    }
    world
        .make("/api/v1/ovn/nb/Logical_Router", json!({ "name": "r" }))
        .await;
    for (port, mac) in [("ra", 1), ("rb", 2)] {
        let body = json!({ "name": port, "mac": format!("02:00:00:00:01:0{mac}"), "networks": [format!("10.{mac}.0.1/16")] });
        world
            .make("/api/v1/ovn/nb/Logical_Router_Port?parent=Logical_Router/r", body)
            .await;
    }
    let first = port(&world, "a", "a1", "02:00:00:00:00:01 10.1.0.5").await;
    let second = port(&world, "b", "b1", "02:00:00:00:00:02 10.1.0.5").await;
    assert_eq!((first, second), (None, None), "nothing joins the two yet");
    let gate = |switch: &str| {
        let body = json!({ "name": format!("to-r{switch}"), "type": "router", "addresses": ["router"], "options": { "router-port": format!("r{switch}") } });
        (format!("{PORTS}?parent=Logical_Switch/{switch}"), body)
    };
    let (path, body) = gate("a");
    world.make(&path, body).await;
    let (path, body) = gate("b");
    let answer = world.post(&path, body).await;
    let detail = answer.body["detail"].as_str().expect("words").to_owned();
    assert_eq!(answer.status, 422, "{:#}", answer.body);
    assert!(
        detail.contains("on another switch of the same router"),
        "{detail}"
    );
}
