//! A whole network copied beside itself.

use super::{back_up, dump, restore};
use crate::world::World;
use axum::http::Method;
use purlin_api::Role;
use serde_json::{Value, json};

/// A network whose parts name each other in every way there is.
const NETWORK: &str = r#"
ls-add web -- lsp-add web w1 -- lsp-set-addresses w1 02:00:00:00:00:01\ 10.0.0.5
lsp-add web w1-in w1 7 -- lsp-add web v1 -- lsp-set-type v1 virtual -- lsp-set-options v1 virtual-ip=10.0.0.50 virtual-parents=w1
lsp-add web up -- lsp-set-type up router -- lsp-set-addresses up router -- lsp-set-options up router-port=r0-web
ls-add lab -- lsp-add lab l1 -- lsp-set-addresses l1 02:00:00:00:00:02\ 10.0.1.5
lsp-add lab up-lab -- lsp-set-type up-lab router -- lsp-set-addresses up-lab router -- lsp-set-options up-lab router-port=r0-lab
lr-add r0 -- lrp-add r0 r0-web 02:00:00:00:00:fe 10.0.0.1/24 -- lrp-add r0 r0-lab 02:00:00:00:00:fd 10.0.1.1/24
lr-add r1 -- lrp-add r0 to-r1 02:00:00:00:01:01 10.9.0.1/30 peer=to-r0 -- lrp-add r1 to-r0 02:00:00:00:01:02 10.9.0.2/30 peer=to-r1
lrp-set-gateway-chassis r0-web chassis-1 10
lr-route-add r0 0.0.0.0/0 10.0.0.9 r0-web -- lr-policy-add r0 10 inport\ ==\ "r0-web"\ &&\ ip4.src\ ==\ $good drop
lr-nat-add r0 snat 192.0.2.1 10.0.0.0/24 -- lr-nat-add r0 dnat_and_snat 192.0.2.2 10.0.0.5 w1 02:00:00:00:00:77
create Address_Set name=good addresses="10.0.0.7"
pg-add servers w1 l1 -- meter-add slow drop 10 kbps
acl-add servers to-lport 1000 outport\ ==\ @servers\ &&\ ip4.src\ ==\ {$good,\ $servers_ip4} drop
acl-add web to-lport 900 outport\ ==\ "w1"\ &&\ ip4 drop -- --log --meter=slow acl-add web from-lport 5 inport\ ==\ "w1" allow
lb-add vip 192.0.2.9:80 10.0.0.5:80 -- ls-lb-add web vip -- set Load_Balancer vip ip_port_mappings:10.0.0.5=w1:10.0.0.250
--id=@hc create Load_Balancer_Health_Check vip="192.0.2.9:80" -- add Load_Balancer vip health_check @hc
create Load_Balancer_Group name=lbg
create DHCP_Options cidr=10.0.0.0/24 options:server_id=10.0.0.1 options:server_mac="02:00:00:00:00:fe" options:lease_time=3600 external_ids:purlin-name=front
mirror-add tap gre 0 from-lport 192.0.2.7 -- ha-chassis-group-add hg -- ha-chassis-group-add-chassis hg chassis-1 5
fwd-group-add fg web 10.0.0.77 02:00:00:00:00:78 w1
static-mac-binding-add r0-web 10.0.0.66 02:00:00:00:00:66 -- create BFD logical_port=r0-web dst_ip=10.0.0.9
create Copp name=cp meters:arp=slow -- create Chassis_Template_Var chassis=chassis-1 variables:a=b
"#;

async fn network() -> World {
    let world = World::new().await;
    for line in NETWORK.lines().filter(|line| !line.is_empty()) {
        world.nbctl(line);
    }
    let last = |rows: &Value| rows["items"][0].is_object();
    world.until("/api/v1/ovn/nb/Chassis_Template_Var", last).await;
    world
}

/// What names a copied row names its copy.
fn wired(world: &World) {
    let copies = |table: &str, column: &str, old: &str, new: &str| {
        let texts = world.nbctl(&format!("--bare --columns={column} list {table}"));
        let mut texts: Vec<&str> = texts.lines().filter(|line| !line.is_empty()).collect();
        texts.sort_unstable();
        let mut wanted = [old, new];
        wanted.sort_unstable();
        for wanted in wanted {
            assert!(
                texts.contains(&wanted),
                "{table} {column}: {wanted:?} of {texts:?}"
            );
        }
    };
    copies("BFD", "logical_port", "r0-web", "r0-web-restored");
    copies("Static_MAC_Binding", "logical_port", "r0-web", "r0-web-restored");
    copies(
        "Gateway_Chassis",
        "name",
        "r0-web-chassis-1",
        "r0-web-chassis-1-restored",
    );
    copies("Gateway_Chassis", "chassis_name", "chassis-1", "chassis-1");
    copies("NAT", "logical_port", "w1", "w1-restored");
    copies(
        "Logical_Router_Static_Route",
        "output_port",
        "r0-web",
        "r0-web-restored",
    );
    copies("Forwarding_Group", "child_port", "w1", "w1-restored");
    copies(
        "Load_Balancer",
        "ip_port_mappings",
        "10.0.0.5=w1:10.0.0.250",
        "10.0.0.5=w1-restored:10.0.0.250",
    );
    copies("ACL", "meter", "slow", "slow-restored");
    copies("Copp", "meters", "arp=slow", "arp=slow-restored");
    copies(
        "DHCP_Options",
        "external_ids",
        "purlin-name=front",
        "purlin-name=front-restored",
    );
    copies(
        "ACL",
        "match",
        "outport == @servers && ip4.src == {$good, $servers_ip4}",
        "outport == @servers_restored && ip4.src == {$good_restored, $servers_restored_ip4}",
    );
    copies(
        "ACL",
        "match",
        "outport == \"w1\" && ip4",
        "outport == \"w1-restored\" && ip4",
    );
    copies(
        "Logical_Router_Policy",
        "match",
        "inport == \"r0-web\" && ip4.src == $good",
        "inport == \"r0-web-restored\" && ip4.src == $good_restored",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_is_copied_whole_beside_itself() {
    let world = network().await;
    let backup = back_up(&world, json!({ "name": "all" })).await;
    let before = dump(&world);
    let both = restore(
        &world,
        &backup,
        json!({ "conflict_policy": "rename", "exact": true }),
    )
    .await;
    assert_eq!(both.status, 422, "{:#}", both.body);
    let copied = restore(&world, &backup, json!({ "conflict_policy": "rename" })).await;
    assert_eq!(copied.status, 200, "{:#}", copied.body);
    let warnings = copied.body["warnings"].to_string();
    assert!(
        warnings.contains("Chassis_Template_Var chassis-1 is not copied and stays as it is: there is one for each hypervisor"),
        "{warnings}"
    );
    let after = dump(&world);
    assert!(before.is_subset(&after), "the originals are as they were");
    assert_eq!(
        after.len(),
        before.len() * 2 - 1,
        "all but the variables of a hypervisor"
    );

    let get = |what: &str| world.nbctl(&format!("--bare get {what}"));
    assert_eq!(
        get("Logical_Switch_Port up-restored options:router-port"),
        "r0-web-restored"
    );
    assert_eq!(
        get("Logical_Switch_Port v1-restored options:virtual-parents"),
        "w1-restored"
    );
    assert_eq!(
        get("Logical_Switch_Port w1-in-restored parent_name"),
        "w1-restored"
    );
    assert_eq!(get("Logical_Router_Port to-r1-restored peer"), "to-r0-restored");
    wired(&world);
    // Once more: the names of the first copies are taken.
    let again = restore(&world, &backup, json!({ "conflict_policy": "rename" })).await;
    assert_eq!(again.status, 200, "{:#}", again.body);
    assert_eq!(
        get("Logical_Switch_Port up-restored-2 options:router-port"),
        "r0-web-restored-2"
    );
    assert_eq!(get("Port_Group servers_restored_2 name"), "servers_restored_2");
    // Names that were chosen are followed, too.
    let chosen =
        json!({ "conflict_policy": "rename", "resource_mapping": { "r0-web": "gate", "good": "better" } });
    let chosen = restore(&world, &backup, chosen).await;
    assert_eq!(chosen.status, 200, "{:#}", chosen.body);
    assert_eq!(
        get("Logical_Switch_Port up-restored-3 options:router-port"),
        "gate"
    );
    let rules = world.nbctl("--bare --columns=match list Logical_Router_Policy");
    assert!(
        rules.contains("inport == \"gate\" && ip4.src == $better"),
        "{rules}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_whose_copy_collides_is_refused_by_name() {
    let world = network().await;
    let backup = back_up(&world, json!({ "name": "all" })).await;
    let before = dump(&world);
    let part = json!({ "conflict_policy": "rename", "restore_filter": { "names": ["web"] } });
    let refused = restore(&world, &backup, part).await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    assert!(
        refused.body["detail"].to_string().contains("-restored"),
        "{:#}",
        refused.body
    );
    let bindings =
        json!({ "conflict_policy": "rename", "restore_filter": { "tables": ["BFD", "Address_Set"] } });
    let kept = restore(&world, &backup, bindings.clone()).await;
    assert_eq!(kept.status, 200, "{:#}", kept.body);
    assert!(
        kept.body["warnings"]
            .to_string()
            .contains("its port is not copied"),
        "{:#}",
        kept.body
    );
    assert!(before.is_subset(&dump(&world)));
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_mean_no_row_are_refused_with_the_nearest() {
    let world = World::new().await;
    world.nbctl("ls-add web -- lsp-add web w1 -- set Logical_Switch web external_ids:purlin-owner=shop");
    world
        .until("/api/v1/ovn/nb/Logical_Switch_Port/w1", Value::is_object)
        .await;
    let backup = back_up(&world, json!({ "name": "all" })).await;
    let filters = [
        (
            json!({ "tables": ["Logical_Swich"] }),
            "did you mean \"Logical_Switch\"?",
        ),
        (
            json!({ "tables": ["ACL"] }),
            "name Logical_Switch or Port_Group instead",
        ),
        (json!({ "names": ["wep"] }), "did you mean \"web\"?"),
        (json!({ "names": ["w1"] }), "is a row of Logical_Switch_Port"),
        (
            json!({ "tables": ["Logical_Router"], "names": ["web"] }),
            "no row that is meant has the name \"web\"",
        ),
        (json!({ "owner": "shopp" }), "did you mean \"shop\"?"),
    ];
    for (filter, words) in filters {
        let new = json!({ "name": "part", "type": "selective", "resource_filter": filter });
        let made = world
            .send(Role::Admin, Method::POST, "/api/v1/backups", None, &new)
            .await;
        let back = restore(&world, &backup, json!({ "restore_filter": filter })).await;
        for (answer, member) in [(made, "resource_filter"), (back, "restore_filter")] {
            let detail = answer.body["detail"].as_str().unwrap_or_default();
            assert_eq!(answer.status, 422, "{filter}: {:#}", answer.body);
            assert!(
                detail.starts_with(member) && detail.contains(words),
                "{filter}: {detail}"
            );
        }
    }
    let mapped = restore(&world, &backup, json!({ "resource_mapping": { "wep": "lab" } })).await;
    assert_eq!(mapped.status, 422, "{:#}", mapped.body);
    assert!(
        mapped.body["detail"].to_string().contains("web"),
        "{:#}",
        mapped.body
    );
    let server = json!({ "restore_filter": { "tables": ["Connection", "Logical_Router"] } });
    assert_eq!(
        restore(&world, &backup, server).await.status,
        200,
        "known tables without a row"
    );
}
