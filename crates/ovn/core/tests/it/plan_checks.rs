//! What rows must be, and what is said about those that are not.

use crate::base::{as_writer, delete, id, insert, planned, shop, state, text, under, update, writer};
use crate::plans::{refusal, refused};
use purlin_ovn_core::address::book;
use purlin_ovn_core::check::lint;
use purlin_ovn_core::dhcp::{Catalog, Catalogs, DhcpOption, Family, Kind};
use purlin_ovn_core::model::Change;
use purlin_ovn_core::plan::{Reach, Request, Writer, plan};
use purlin_ovsdb::Datum;
use serde_json::{Value, json};

fn all_refused(cases: Vec<(Change, &str, &str)>) {
    let database = shop();
    for (change, code, word) in cases {
        let refusal = refusal(&database, vec![change]);
        let shown = refusal.to_string();
        assert!(
            refusal.problems.iter().any(|problem| problem.code == code),
            "{code}: {refusal:?}"
        );
        assert!(shown.contains(word), "{code}: {shown}");
    }
}

#[test]
fn ports_that_make_no_sense_are_refused_with_their_place() {
    let port = |columns: Value| {
        under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            15,
            &columns,
        )
    };
    all_refused(vec![
        (port(json!({"name": "vm1"})), "index-taken", "same name"),
        (
            port(json!({"name": "r0-web"})),
            "name-taken",
            "Logical_Router_Port",
        ),
        (
            port(json!({"name": "a", "addresses": ["10.0.0.1"]})),
            "address-syntax",
            "no MAC address",
        ),
        (
            port(json!({"name": "a", "addresses": ["02:00:00:00:00:14 10.0.0.11"]})),
            "address-taken",
            "port vm1",
        ),
        (
            port(json!({"name": "a", "addresses": ["02:00:00:00:00:14 10.0.0.1"]})),
            "address-taken",
            "router port r0-web",
        ),
        (
            port(json!({"name": "a", "type": "roter"})),
            "port-type",
            "`router`",
        ),
        (
            port(json!({"name": "a", "type": "router"})),
            "port-option-missing",
            "router-port",
        ),
        (
            port(json!({"name": "a", "dhcpv4_options": text(99)})),
            "reference-missing",
            "DHCP_Options",
        ),
        (
            port(json!({"name": "a", "parent_name": "vm1"})),
            "port-tag-missing",
            "tag",
        ),
    ]);
}

#[test]
fn rules_and_sets_that_make_no_sense_are_refused_with_their_place() {
    let acl = |text: &str| {
        let columns = json!({"priority": 1, "direction": "to-lport", "match": text, "action": "allow"});
        under(("Logical_Switch", 1, "acls"), "ACL", 22, &columns)
    };
    all_refused(vec![
        (acl("tpc.dst == 80"), "match-syntax", "`tcp.dst`"),
        (acl("outport == @webb"), "match-name-unknown", "`web`"),
        (acl("ip4.src == $nobody"), "match-name-unknown", "no address set"),
        (
            update("ACL", 21, &json!({"match": "ip4 ||"})),
            "match-syntax",
            "the end",
        ),
        (
            insert("Address_Set", 61, &json!({"name": "a-b"})),
            "set-name",
            "letters, digits",
        ),
        (
            insert(
                "Address_Set",
                61,
                &json!({"name": "a", "addresses": ["10.0.0.300"]}),
            ),
            "set-member",
            "10.0.0.300",
        ),
        (
            insert("Port_Group", 61, &json!({"name": "1a"})),
            "set-name",
            "`1a`",
        ),
    ]);
}

#[test]
fn other_rows_that_make_no_sense_are_refused_with_their_place() {
    all_refused(vec![
        (
            insert("Logical_Switch", 3, &json!({"name": "web"})),
            "name-taken",
            "web",
        ),
        (
            insert("DNS", 61, &json!({"records": {"VM1": "10.0.0.1"}})),
            "dns-name",
            "`vm1`",
        ),
        (
            insert("DNS", 61, &json!({"records": {"vm1": "10.0.0"}})),
            "dns-address",
            "10.0.0",
        ),
        (
            insert(
                "Load_Balancer",
                61,
                &json!({"name": "lb", "vips": {"10.0.0.1": "10.0.0.2:80"}}),
            ),
            "lb-backend",
            "or neither",
        ),
        (
            insert("Load_Balancer", 61, &json!({"name": "lb", "vips": {"x": ""}})),
            "lb-vip",
            "no virtual address",
        ),
        (
            insert("DHCP_Options", 61, &json!({"cidr": "10.0.0.0/24"})),
            "dhcp-option-missing",
            "server_id",
        ),
        (
            update("DHCP_Options", 41, &json!({"options": {"mtuu": "1"}})),
            "dhcp-option-unknown",
            "`mtu`",
        ),
        (
            update("Logical_Router_Port", 52, &json!({"networks": ["10.0.0.1"]})),
            "router-port-network",
            "no prefix length",
        ),
        (
            update("Logical_Switch_Port", 11, &json!({"up": true})),
            "column-fixed",
            "OVN itself",
        ),
        (
            update("Logical_Switch_Port", 77, &json!({"enabled": true})),
            "row-missing",
            "no such row",
        ),
        (vm3_twice(), "row-exists", "already"),
    ]);
}

fn vm3_twice() -> Change {
    insert("Logical_Switch_Port", 11, &json!({"name": "vm1b"}))
}

#[test]
fn routes_and_translations_are_checked_against_their_router() {
    let database = shop();
    let route = |columns: Value| {
        under(
            ("Logical_Router", 51, "static_routes"),
            "Logical_Router_Static_Route",
            71,
            &columns,
        )
    };
    let nat = |columns: Value| under(("Logical_Router", 51, "nat"), "NAT", 72, &columns);
    for (change, code) in [
        (
            route(json!({"ip_prefix": "10.1.0.0", "nexthop": "x"})),
            "route-nexthop",
        ),
        (
            route(json!({"ip_prefix": "0.0.0.0/0", "nexthop": "::1"})),
            "route-family",
        ),
        (
            route(json!({"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.254", "output_port": "r0-wep"})),
            "route-port",
        ),
        (
            nat(json!({"type": "snat", "external_ip": "x", "logical_ip": "10.0.0.0/24"})),
            "nat-external",
        ),
        (
            nat(json!({"type": "dnat", "external_ip": "192.0.2.1", "logical_ip": "10.0.0.0/24"})),
            "nat-logical",
        ),
        (
            nat(
                json!({"type": "dnat_and_snat", "external_ip": "192.0.2.1", "logical_ip": "10.0.0.11", "logical_port": "vm1"}),
            ),
            "nat-distributed",
        ),
        (
            nat(json!({"type": "dnat_and_snat", "external_ip": "10.0.0.11", "logical_ip": "10.0.0.12"})),
            "address-taken",
        ),
    ] {
        let refusal = refusal(&database, vec![change]);
        assert!(
            refusal.problems.iter().any(|problem| problem.code == code),
            "{code}: {refusal:?}"
        );
    }
    let far = planned(
        &database,
        vec![route(json!({"ip_prefix": "0.0.0.0/0", "nexthop": "192.0.2.1"}))],
    )
    .unwrap();
    assert_eq!(far.warnings[0].code, "route-unreachable");
    let near = planned(
        &database,
        vec![route(json!({"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.254"}))],
    )
    .unwrap();
    assert_eq!(near.warnings, []);
    assert_eq!(near.affected, ["vm1", "vm2", "web-r0"]);
}

#[test]
fn dhcp_values_reach_the_database_in_quotes() {
    let database = shop();
    let change = Change::Add {
        table: "DHCP_Options".to_owned(),
        uuid: id(41),
        column: "options".to_owned(),
        values: Datum::map([
            ("bootfile_name", "undionly.kpxe"),
            ("dns_server", "10.0.0.2,10.0.0.3"),
        ]),
    };
    let plan = planned(&database, vec![change]).unwrap();
    let options = plan.after.map("DHCP_Options", id(41), "options");
    assert_eq!(options["bootfile_name"], "\"undionly.kpxe\"");
    assert_eq!(options["dns_server"], "{10.0.0.2, 10.0.0.3}");
}

#[test]
fn what_is_used_elsewhere_does_not_go() {
    let database = shop();
    let refused = refusal(&database, vec![delete("Port_Group", 31)]);
    assert!(
        refused
            .to_string()
            .contains("uses the port group `web`, which goes"),
        "{refused}"
    );
    assert!(planned(&database, vec![delete("Port_Group", 31), delete("ACL", 21)]).is_ok());
}

#[test]
fn a_rule_that_another_covers_is_warned_of() {
    let database = shop();
    let columns = json!({"priority": 900, "direction": "to-lport", "match": "outport == \"vm1\" && tcp.dst == 22", "action": "allow"});
    let plan = planned(
        &database,
        vec![under(("Logical_Switch", 1, "acls"), "ACL", 22, &columns)],
    )
    .unwrap();
    assert_eq!(plan.warnings[0].code, "rule-shadowed");
    assert!(
        plan.warnings[0].message.contains("never decides"),
        "{}",
        plan.warnings[0]
    );
}

#[test]
fn two_that_come_together_do_not_collide_unseen() {
    let database = shop();
    let kept = book(&state(&database));
    let port = |n: u8, name: &str| {
        let columns = json!({"name": name, "addresses": [format!("02:00:00:00:01:{n:02x} 10.0.0.50")]});
        under(("Logical_Switch", 1, "ports"), "Logical_Switch_Port", n, &columns)
    };
    for kept in [None, Some(&kept)] {
        let request = Request {
            actor: "a",
            id: "b",
            writer: &writer("shop"),
            changes: vec![port(15, "a"), port(16, "b")],
            expect: vec![],
            book: kept,
        };
        let refusal = refused(plan(&state(&database), request));
        assert_eq!(refusal.problems[0].code, "address-taken", "{refusal}");
    }
}

#[test]
fn joining_two_switches_shows_who_collides_then() {
    let database = shop();
    let columns = json!({"name": "r0-theirs", "mac": "02:00:00:00:00:02", "networks": ["10.9.0.1/24"]});
    let all = Writer {
        owner: "shop".to_owned(),
        reach: Reach::All,
    };
    let changes = vec![
        under(
            ("Logical_Router", 51, "ports"),
            "Logical_Router_Port",
            53,
            &columns,
        ),
        under(
            ("Logical_Switch", 2, "ports"),
            "Logical_Switch_Port",
            17,
            &json!({"name": "theirs-r0", "type": "router", "addresses": ["router"], "options": {"router-port": "r0-theirs"}}),
        ),
    ];
    let refusal = refused(as_writer(&database, &all, changes, vec![]));
    assert!(
        refusal.to_string().contains("10.0.0.11 belongs to port"),
        "{refusal}"
    );
}

#[test]
fn the_lint_of_a_state_names_what_is_wrong_in_it() {
    let database = crate::base::database(&[
        (
            "Logical_Switch",
            1,
            json!({"name": "a", "acls": [text(2), text(3)]}),
        ),
        (
            "ACL",
            2,
            json!({"priority": 2, "direction": "to-lport", "match": "ip4", "action": "drop"}),
        ),
        (
            "ACL",
            3,
            json!({"priority": 1, "direction": "to-lport", "match": "tcp && ip4", "action": "allow"}),
        ),
        (
            "DHCP_Options",
            4,
            json!({"cidr": "10.0.0.0/24", "options": {"server_id": "10.0.0.1", "server_mac": "02:00:00:00:00:01", "lease_time": "60", "domain_name": "example.com"}}),
        ),
    ]);
    let codes: Vec<&str> = lint(&state(&database)).iter().map(|p| p.code).collect();
    assert_eq!(codes, ["dhcp-option-unquoted", "rule-shadowed"]);
}

#[test]
fn options_of_a_newer_ovn_are_known_when_it_lists_them() {
    let database = shop();
    let mut catalogs = Catalogs::builtin().clone();
    let newer = DhcpOption {
        name: "fqdn".to_owned(),
        code: 81,
        kind: Kind::Text,
    };
    catalogs.v4 = Catalog::new(Family::V4, catalogs.v4.iter().cloned().chain([newer]));
    let change = Change::Add {
        table: "DHCP_Options".to_owned(),
        uuid: id(41),
        column: "options".to_owned(),
        values: Datum::map([("fqdn", "a.example")]),
    };
    assert_eq!(
        refusal(&database, vec![change.clone()]).problems[0].code,
        "dhcp-option-unknown"
    );
    let request = Request {
        actor: "a",
        id: "b",
        writer: &writer("shop"),
        changes: vec![change],
        expect: vec![],
        book: None,
    };
    let plan = plan(&state(&database).with_dhcp(&catalogs), request).unwrap();
    assert_eq!(
        plan.after.map("DHCP_Options", id(41), "options")["fqdn"],
        "\"a.example\""
    );
}

#[test]
fn smaller_tables_have_their_rules_too() {
    let rows = [
        insert("BFD", 61, &json!({"logical_port": "r0-web", "dst_ip": "x"})),
        insert(
            "Static_MAC_Binding",
            61,
            &json!({"logical_port": "r0-web", "ip": "10.0.0.9", "mac": "x"}),
        ),
        under(
            ("Logical_Switch", 1, "forwarding_groups"),
            "Forwarding_Group",
            61,
            &json!({"name": "f", "vip": "x", "vmac": "02:00:00:00:00:02", "child_port": ["vm1"]}),
        ),
    ];
    let codes = ["address-value", "mac-value", "address-value"];
    for (row, code) in rows.into_iter().zip(codes) {
        assert_eq!(refusal(&shop(), vec![row]).problems[0].code, code);
    }
    let warned = [
        (
            insert(
                "BFD",
                61,
                &json!({"logical_port": "nobody", "dst_ip": "10.0.0.9"}),
            ),
            "port-unknown",
        ),
        (
            under(
                ("Logical_Switch", 1, "acls"),
                "ACL",
                62,
                &json!({"priority": 1, "direction": "to-lport", "match": "ip4 && reg3 == 1", "action": "drop"}),
            ),
            "match-reserved",
        ),
        (
            under(
                ("Logical_Switch", 1, "acls"),
                "ACL",
                62,
                &json!({"priority": 1, "direction": "from-lport", "match": "ip4 && outport == \"vm1\"", "action": "drop"}),
            ),
            "match-outport-early",
        ),
    ];
    for (row, code) in warned {
        let database = shop();
        let plan = planned(&database, vec![row]).unwrap();
        assert_eq!(plan.warnings[0].code, code);
    }
    let database = shop();
    let twins = [("c1", 71), ("c2", 72)].map(|(chassis, n)| {
        let columns = json!({"name": format!("r0-web-{chassis}"), "chassis_name": chassis, "priority": 10});
        under(
            ("Logical_Router_Port", 52, "gateway_chassis"),
            "Gateway_Chassis",
            n,
            &columns,
        )
    });
    assert_eq!(
        planned(&database, twins.to_vec()).unwrap().warnings[0].code,
        "chassis-priority"
    );
}
