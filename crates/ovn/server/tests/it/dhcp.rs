//! Who answers DHCP on a switch: as northd understands it.

use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

const CHOICE: &str = "/api/v1/ovn/switches/web/dhcp";

async fn network() -> World {
    let world = World::with_northd().await;
    for words in [
        "lr-add r0",
        "lrp-add r0 r0-web 02:00:00:00:00:01 10.0.0.1/24",
        "ls-add web",
        "lsp-add web web-r0",
        "lsp-set-type web-r0 router",
        "lsp-set-addresses web-r0 router",
        "lsp-set-options web-r0 router-port=r0-web",
        "lsp-add web vm1",
    ] {
        world.nbctl(words);
    }
    world.nbctl_of(&["lsp-set-addresses", "vm1", "02:00:00:00:00:11 10.0.0.11"]);
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/vm1", |row| {
            row["addresses"][0] == "02:00:00:00:00:11 10.0.0.11"
        })
        .await;
    world
}

async fn choose(world: &World, path: &str, order: Value) -> Value {
    let answer = world.send(Role::Operator, Method::PUT, path, None, &order).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    answer.body
}

/// Ports that have flows by which OVN answers DHCP.
async fn answered(world: &World) -> Vec<String> {
    let flows = world.get("/api/v1/ovn/sb/Logical_Flow?limit=1000").await;
    let flows = flows["items"].as_array().expect("flows").clone();
    let mut ports: Vec<String> = flows
        .iter()
        .filter(|flow| {
            flow["actions"]
                .as_str()
                .is_some_and(|actions| actions.contains("put_dhcp_opts"))
        })
        .filter_map(|flow| {
            let words = flow["match"].as_str()?;
            let (_, rest) = words.split_once("inport == \"")?;
            Some(rest.split('"').next()?.to_owned())
        })
        .collect();
    ports.sort();
    ports.dedup();
    ports
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_answered_by_ovn_then_by_purlin_then_by_nobody() {
    let world = network().await;
    let before = world.get(CHOICE).await;
    assert_eq!(
        (&before["served_by"], &before["ports"]),
        (&json!("nobody"), &json!(0))
    );

    let order = json!({ "served_by": "ovn", "cidr": "10.0.0.0/24",
        "options": { "bootfile_name": "ipxe.efi", "tftp_server_address": "10.0.0.9", "lease_time": 600,
            "dns_server": ["10.0.0.2", "10.0.0.3"], "mtu": "1400" } });
    let tried = choose(&world, &format!("{CHOICE}?dryRun=true"), order.clone()).await;
    assert_eq!(
        (&tried["dry_run"], &tried["item"]["ports"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(answered(&world).await, [""; 0], "only tried");
    let done = choose(&world, &format!("{CHOICE}?wait=sb"), order).await;
    assert_eq!(done["item"]["options"]["server_id"], "10.0.0.1", "{done}");
    let options = &done["item"]["options"];
    assert_eq!(options["bootfile_name"], "ipxe.efi");
    assert_eq!(
        (&options["lease_time"], &options["mtu"], &options["dns_server"]),
        (&json!(600), &json!(1400), &json!(["10.0.0.2", "10.0.0.3"]))
    );
    let again = choose(
        &world,
        CHOICE,
        json!({ "served_by": "ovn", "cidr": "10.0.0.0/24", "options": options }),
    )
    .await;
    assert_eq!(again["changed"], false, "what is shown can be sent back: {again}");
    assert_eq!(answered(&world).await, ["vm1"]);

    // One that comes later, by the API.
    world
        .make(
            "/api/v1/ovn/nb/Logical_Switch_Port?parent=Logical_Switch/web&wait=sb",
            json!({ "name": "vm2", "addresses": ["02:00:00:00:00:12 10.0.0.12"] }),
        )
        .await;
    assert_eq!(answered(&world).await, ["vm1", "vm2"]);
    // And one by another program, which nobody completes: it is told of, and choosing again mends it.
    world.nbctl("lsp-add web vm3");
    world.until(CHOICE, |now| now["missing"] == json!(["vm3"])).await;

    let order = json!({ "served_by": "purlin", "addresses": "02:00:00:00:00:fe 10.0.0.2" });
    let done = choose(&world, &format!("{CHOICE}?wait=sb"), order).await;
    assert_eq!(done["item"]["port"], "purlin-dhcp-web", "{done}");
    assert!(
        done["item"]["next"]
            .as_str()
            .is_some_and(|words| words.contains("iface-id=purlin-dhcp-web"))
    );
    assert_eq!(answered(&world).await, [""; 0]);
    let bindings = world.get("/api/v1/ovn/sb/Port_Binding?limit=100").await;
    let bindings = bindings["items"].as_array().expect("bindings").clone();
    let port = bindings
        .iter()
        .find(|row| row["logical_port"] == "purlin-dhcp-web");
    assert_eq!(port.expect("it is bound")["type"], "localport");

    let done = choose(
        &world,
        &format!("{CHOICE}?wait=sb"),
        json!({ "served_by": "nobody" }),
    )
    .await;
    assert_eq!(done["item"]["port"], Value::Null);
    assert_eq!(world.nbctl("list DHCP_Options"), "");
    assert!(!world.nbctl("lsp-list web").contains("purlin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_says_too_much_or_too_little_is_refused_by_name() {
    let world = World::new().await;
    world.nbctl("ls-add web");
    world
        .until("/api/v1/ovn/nb/Logical_Switch", |rows| {
            rows["items"][0].is_object()
        })
        .await;
    for (order, status, words) in [
        (json!({ "served_by": "dnsmasq" }), 422, "served_by"),
        (json!({ "served_by": "dnsmasq" }), 422, "PUR-9417"),
        (
            json!({ "served_by": "ovn", "options": { "mtu": null } }),
            422,
            "options.mtu: null stands where",
        ),
        (json!({ "served_by": "purlin" }), 422, "addresses"),
        (
            json!({ "served_by": "purlin", "addresses": "10.0.0.2" }),
            422,
            "10.0.0.2",
        ),
        (
            json!({ "served_by": "nobody", "cidr": "10.0.0.0/24" }),
            422,
            "served_by = ovn",
        ),
        (json!({ "served_by": "ovn" }), 422, "other_config:subnet"),
        (
            json!({ "served_by": "ovn", "cidr": "10.0.0.0/24" }),
            422,
            "server_id",
        ),
        (
            json!({ "served_by": "ovn", "cidr": "10.0.0.0/24", "options": { "server_id": "10.0.0.1", "lease_tiem": "60" } }),
            422,
            "lease_time",
        ),
    ] {
        let answer = world
            .send(Role::Operator, Method::PUT, CHOICE, None, &order)
            .await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(
            answer.body.to_string().contains(words),
            "{words}: {}",
            answer.body
        );
    }
    assert_eq!(world.nbctl("list DHCP_Options"), "");
    let nowhere = world
        .send(
            Role::Viewer,
            Method::GET,
            "/api/v1/ovn/switches/none/dhcp",
            None,
            &Value::Null,
        )
        .await;
    assert_eq!(nowhere.status, 404);
}
