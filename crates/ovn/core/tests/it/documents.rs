//! An owner's part of the network as a document.

use crate::base::{committed, database, id, shop, state, text, writer};
use crate::plans::refused;
use purlin_ovn_core::document::{Apply, Document, Options, apply, drift, export};
use purlin_ovn_core::model::State;
use purlin_ovn_core::plan::{Plan, Refusal, Writer};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::cache::Database;
use serde_json::{Value, json};

fn put<'a>(
    database: &'a Database,
    document: &Value,
    writer: &Writer,
    options: Options,
) -> Result<Plan<'a>, Refusal> {
    let document =
        Document::read(document, &state(database)).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut next = 100u8;
    let mut uuids = || {
        next += 1;
        Uuid::from_bytes([next; 16])
    };
    let apply_as = Apply {
        actor: "alice",
        id: "req-1",
        writer,
        options,
        uuids: &mut uuids,
    };
    apply(&state(database), &document, apply_as)
}

const PRUNE: Options = Options {
    prune: true,
    adopt: false,
};

fn bank() -> Value {
    json!({
        "switches": [{
            "name": "front",
            "other_config": {"subnet": "10.1.0.0/24"},
            "load_balancer": ["vip"],
            "dns_records": "names",
            "ports": [
                {"name": "f1", "addresses": ["02:00:00:00:01:01 10.1.0.11"], "dhcpv4_options": "front-dhcp"},
                {"name": "front-up", "type": "router", "addresses": ["router"], "options": {"router-port": "up"}}
            ],
            "acls": [{"direction": "to-lport", "priority": 1000, "match": "outport == @fronts && ip4.src == $good", "action": "allow-related"}],
            "qos_rules": [{"direction": "from-lport", "priority": 1, "match": "inport == \"f1\"", "bandwidth": {"rate": 1000}}]
        }],
        "routers": [{
            "name": "edge",
            "ports": [{"name": "up", "mac": "02:00:00:00:01:fe", "networks": ["10.1.0.1/24"], "gateway_chassis": [{"name": "up-c1", "chassis_name": "c1", "priority": 10}]}],
            "static_routes": [{"ip_prefix": "0.0.0.0/0", "nexthop": "10.1.0.254"}],
            "policies": [{"priority": 10, "match": "ip4.src == 10.1.0.11", "action": "allow"}],
            "nat": [{"type": "snat", "external_ip": "192.0.2.1", "logical_ip": "10.1.0.0/24"}]
        }],
        "port_groups": [{"name": "fronts", "ports": ["f1"], "acls": []}],
        "address_sets": [{"name": "good", "addresses": ["10.0.0.0/8"]}],
        "load_balancers": [{"name": "vip", "vips": {"10.1.0.100:80": "10.1.0.11:8080"}, "protocol": "tcp"}],
        "dhcp_options": [{"name": "front-dhcp", "cidr": "10.1.0.0/24", "options": {"server_id": "10.1.0.1", "server_mac": "02:00:00:00:01:fe", "lease_time": "600", "domain_name": "bank.example"}}],
        "dns": [{"name": "names", "records": {"f1.bank.example": "10.1.0.11"}}]
    })
}

#[test]
fn a_document_makes_its_network_once() {
    let database = shop();
    let plan = put(&database, &bank(), &writer("bank"), PRUNE).unwrap();
    assert_eq!(plan.diff.counts(), (16, 0, 0), "{}", plan.diff);
    assert_eq!(plan.warnings, []);
    let later = committed(&plan.after);
    let again = put(&later, &bank(), &writer("bank"), PRUNE).unwrap();
    assert!(again.diff.is_empty(), "{}", again.diff);
    let state = state(&later);
    let options = state.by_name("Logical_Switch_Port", "f1").unwrap();
    assert_eq!(
        state
            .targets("Logical_Switch_Port", options, "dhcpv4_options")
            .len(),
        1
    );
    let dhcp = state.targets("Logical_Switch_Port", options, "dhcpv4_options")[0];
    assert_eq!(
        state.map("DHCP_Options", dhcp, "options")["domain_name"],
        "\"bank.example\""
    );
}

#[test]
fn what_is_exported_is_what_is_there() {
    for (database, owner) in [(shop(), "shop"), (committed_bank(), "bank")] {
        let document = export(&state(&database), owner);
        let plan =
            put(&database, &document, &writer(owner), PRUNE).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert!(plan.diff.is_empty(), "{owner}: {}\n{document:#}", plan.diff);
    }
    let document = export(&state(&committed_bank()), "bank");
    assert_eq!(
        document["switches"][0]["ports"][0]["dhcpv4_options"],
        "front-dhcp"
    );
    assert!(document["switches"][0].get("external_ids").is_none());
}

fn committed_bank() -> Database {
    let database = shop();
    let plan = put(&database, &bank(), &writer("bank"), PRUNE).unwrap();
    committed(&plan.after)
}

fn names(state: &State<'_>, table: &str) -> Vec<String> {
    state
        .uuids(table)
        .into_iter()
        .map(|uuid| state.label(table, uuid))
        .collect()
}

#[test]
fn only_what_the_document_speaks_of_is_managed() {
    let database = committed_bank();
    let mut document = bank();
    document["switches"][0]["ports"][0]["addresses"] = json!(["02:00:00:00:01:01 10.1.0.12"]);
    document["switches"][0].as_object_mut().unwrap().remove("acls");
    document["routers"][0]["nat"] = json!([]);
    document.as_object_mut().unwrap().remove("dns");
    document["switches"][0]
        .as_object_mut()
        .unwrap()
        .remove("dns_records");

    let kept = put(&database, &document, &writer("bank"), Options::default()).unwrap();
    assert_eq!(kept.diff.counts(), (0, 1, 0), "{}", kept.diff);

    let pruned = put(&database, &document, &writer("bank"), PRUNE).unwrap();
    assert_eq!(names(&pruned.after, "NAT"), Vec::<String>::new());
    assert_eq!(names(&pruned.after, "DNS"), Vec::<String>::new());
    let acls = names(&pruned.after, "ACL");
    assert_eq!(acls.len(), 2, "a list that is not there says nothing: {acls:?}");
    assert_eq!(
        names(&pruned.after, "Logical_Switch").len(),
        3,
        "nobody else's switch goes"
    );
}

#[test]
fn a_document_does_not_touch_what_others_have() {
    let database = shop();
    for (document, word) in [
        (json!({"switches": [{"name": "web"}]}), "it belongs to shop"),
        (json!({"switches": [{"name": "theirs"}]}), "it belongs to neutron"),
    ] {
        let refusal = refused(put(&database, &document, &writer("bank"), PRUNE));
        assert!(refusal.to_string().contains(word), "{refusal}");
    }
    let nothing = put(&database, &json!({}), &writer("bank"), PRUNE).unwrap();
    assert!(nothing.diff.is_empty());
}

#[test]
fn rows_without_an_owner_can_be_taken_over() {
    let database = database(&[
        ("Logical_Switch", 1, json!({"name": "old", "ports": [text(2)]})),
        ("Logical_Switch_Port", 2, json!({"name": "p"})),
    ]);
    let document = json!({"switches": [{"name": "old", "ports": [{"name": "p", "enabled": true}]}]});
    let refusal = refused(put(&database, &document, &writer("bank"), Options::default()));
    assert!(refusal.to_string().contains("`adopt`"), "{refusal}");
    let adopt = Options {
        prune: false,
        adopt: true,
    };
    let unmarked = Writer {
        owner: "bank".to_owned(),
        reach: purlin_ovn_core::plan::Reach::Unmarked,
    };
    let plan = put(&database, &document, &unmarked, adopt).unwrap();
    for (table, n) in [("Logical_Switch", 1), ("Logical_Switch_Port", 2)] {
        assert_eq!(
            plan.after.map(table, id(n), "external_ids")["purlin-owner"],
            "bank"
        );
    }
}

#[test]
fn drift_says_what_is_missing_different_and_too_much() {
    let database = committed_bank();
    let wanted = Document::read(&bank(), &state(&database)).unwrap();
    assert!(drift(&state(&database), &wanted, "bank").unwrap().is_none());

    let mut other = bank();
    other["switches"][0]["ports"][0]["enabled"] = json!(false);
    other["routers"][0]["nat"] = json!([]);
    other["address_sets"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "bad", "addresses": ["192.0.2.0/24"]}));
    let drifted = drift(
        &state(&database),
        &Document::read(&other, &state(&database)).unwrap(),
        "bank",
    )
    .unwrap();
    let shown = drifted.to_string();
    for line in [
        "missing: Address_Set bad",
        "different: Logical_Switch_Port f1 (enabled)",
        "not in the document: NAT 192.0.2.1",
        "bank: 1 missing, 2 different, 1 not in the document",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn every_problem_of_a_document_is_named() {
    let document = json!({
        "switchs": [],
        "switches": [
            {"name": "a", "prots": []},
            {"name": "a"},
            {"ports": []},
            {"name": "b", "acls": [{"priority": "high"}], "ports": [{"name": "p", "up": true}]}
        ],
        "dhcp_options": [{"name": "d", "cidr": "10.0.0.0/24", "options": {"mtuu": "1"}}],
        "routers": {}
    });
    let problems: Vec<String> = Document::read(&document, &state(&shop()))
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    let all = problems.join("\n");
    for word in [
        "switchs: a document has no such key (did you mean `switches`?)",
        "switches[0].prots",
        "did you mean `ports`?",
        "switches a stands in the list twice",
        "switches[2]: `name` is missing",
        "acls[0].priority",
        "ports[0].up",
        "OVN knows no option `mtuu` (did you mean `mtu`?)",
        "routers: a list is expected",
    ] {
        assert!(all.contains(word), "{word}\n{all}");
    }
}

#[test]
fn a_name_that_nobody_has_is_named_with_the_nearest() {
    let document = json!({"port_groups": [{"name": "g", "ports": ["vm11"]}]});
    let refusal = refused(put(&shop(), &document, &writer("bank"), PRUNE));
    assert!(
        refusal
            .to_string()
            .contains("there is no Logical_Switch_Port `vm11` (did you mean `vm1`?)"),
        "{refusal}"
    );
}
