//! Why a port is as it is.

use crate::world::World;
use serde_json::{Value, json};

async fn story(world: &World, subject: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/api/v1/why?subject={subject}");
    world
        .until(&path, |story| {
            story["ports"][0].is_object() && holds(&story["ports"][0])
        })
        .await
}

fn summary(story: &Value) -> &str {
    let parts = story["services"].as_array().or(story["parts"].as_array());
    let part = parts.and_then(|parts| parts.iter().find(|part| part["service"] == "ovn"));
    part.and_then(|part| part["summary"].as_str())
        .or(story["summary"].as_str())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_tells_its_hypervisor_its_dhcp_and_what_is_in_the_way() {
    let world = World::with_northd().await;
    world.nbctl(
        "ls-add web -- lsp-add web web-1 -- lsp-set-addresses web-1 02:00:00:00:00:11\\ 10.0.0.11 \
         -- lsp-add web web-2 -- lsp-set-addresses web-2 02:00:00:00:00:12\\ 10.9.0.12",
    );
    world.nbctl("--wait=sb sync");
    let quiet = story(&world, "web-1", |_| true).await;
    assert!(
        summary(&quiet).contains("OVN does not answer its DHCP"),
        "{quiet:#}"
    );

    let made = world
        .make(
            "/api/v1/ovn/nb/DHCP_Options",
            json!({ "cidr": "10.0.0.0/24", "options": { "server_id": "10.0.0.1", "server_mac": "02:00:00:00:01:01", "lease_time": "3600" } }),
        )
        .await;
    let options = made["row"]["_uuid"].as_str().expect("a UUID");
    for port in ["web-1", "web-2"] {
        world.nbctl(&format!("lsp-set-dhcpv4-options {port} {options}"));
    }
    // A hypervisor takes the first port.
    world.sbctl(
        "chassis-add hv-1 geneve 127.0.0.1 -- set Chassis hv-1 hostname=rack-7 -- lsp-bind web-1 hv-1",
    );
    let good = story(&world, "02:00:00:00:00:11", |port| {
        port["up"] == true && port["dhcp"]["native"] == true
    })
    .await;
    assert_eq!(
        summary(&good),
        "it is port web-1 of switch web, which is up on hypervisor rack-7, OVN answers its DHCP for 10.0.0.0/24",
        "{good:#}"
    );
    let elsewhere = story(&world, "web-2", |port| port["dhcp"]["native"] == true).await;
    assert!(
        summary(&elsewhere).contains("the port has no address in 10.0.0.0/24"),
        "{elsewhere:#}"
    );

    // What no hypervisor could parse, and nobody would tell.
    world.nbctl(&format!("set DHCP_Options {options} options:bootfile_name=pxe.0"));
    let wrong = story(&world, "web-1", |port| port["dhcp"]["problems"][0].is_string()).await;
    assert!(
        summary(&wrong).contains("OVN cannot answer its DHCP: "),
        "{wrong:#}"
    );

    world.nbctl("--name=no-dhcp acl-add web from-lport 900 inport==\"web-1\"&&udp.dst==67 drop");
    let dropped = story(&world, "web-1", |port| port["dhcp"]["dropped"].is_object()).await;
    assert!(
        summary(&dropped).contains("ACL no-dhcp drops its DHCP"),
        "{dropped:#}"
    );
    let checks = dropped.to_string();
    assert!(
        checks.contains("ACL no-dhcp (priority 900) drops its DHCP where it leaves: /api/v1/ovn/nb/ACL/"),
        "{dropped:#}"
    );
    let other = story(&world, "web-2", |_| true).await;
    assert_eq!(
        other["ports"][0]["dhcp"]["dropped"],
        Value::Null,
        "the rule is about web-1 only"
    );
}
