//! Who answers DHCP on a switch: from each choice to each other.

use crate::base::{committed, id, planned, shop, state, text, under, update};
use purlin_ovn_core::plan::Refusal;
use purlin_ovn_core::serving::{Found, Held, Names, Server, Wanted, changes, found, held};
use purlin_ovsdb::cache::Database;
use serde_json::json;
use std::collections::BTreeMap;

const NAMES: Names = Names {
    options: id(90),
    port: id(91),
};

fn by_ovn(options: &[(&str, &str)]) -> Wanted {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Wanted::Ovn {
        cidr: None,
        options: options.iter().map(pair).collect(),
    }
}

fn by_purlin() -> Wanted {
    Wanted::Purlin {
        addresses: "02:00:00:00:00:fe 10.0.0.2".to_owned(),
    }
}

/// The network with the choice carried out.
fn chosen(database: &Database, wanted: &Wanted) -> Result<Database, Refusal> {
    let changes = changes(&state(database), id(1), wanted, NAMES).expect("nothing is missing");
    planned(database, changes).map(|plan| committed(&plan.after))
}

fn seen(database: &Database) -> Found {
    found(&state(database), id(1))
}

#[test]
fn ovn_answers_every_port_with_the_router_as_server() {
    let database = chosen(&shop(), &by_ovn(&[("domain_name", "example.org")])).expect("a good plan");
    let now = seen(&database);
    assert_eq!(
        (now.server, now.served, now.cidr.as_str()),
        (Server::Ovn, 2, "10.0.0.0/24")
    );
    let value = |name: &str| now.values.get(name).map(String::as_str);
    assert_eq!(value("server_id"), Some("10.0.0.1"));
    assert_eq!(value("router"), Some("10.0.0.1"));
    assert_eq!(value("lease_time"), Some("3600"));
    assert_eq!(value("domain_name"), Some("\"example.org\""), "quoted by us");
    assert!(value("server_mac").is_some_and(|mac| mac.starts_with("02:")));
    // Said again it changes nothing, and the same MAC stays.
    let again = changes(
        &state(&database),
        id(1),
        &by_ovn(&[("domain_name", "example.org")]),
        NAMES,
    );
    let again = planned(&database, again.expect("nothing is missing")).expect("a good plan");
    assert!(again.diff.is_empty(), "{:?}", again.diff);
}

#[test]
fn a_port_that_comes_later_is_answered_too_unless_it_says_otherwise() {
    let database = chosen(&shop(), &by_ovn(&[])).expect("a good plan");
    let made = [
        under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            15,
            &json!({"name": "vm5", "addresses": ["02:00:00:00:00:15 10.0.0.15"]}),
        ),
        under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            16,
            &json!({"name": "vm6", "dhcpv4_options": [text(41)]}),
        ),
        under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            17,
            &json!({"name": "ln", "type": "localnet", "addresses": ["unknown"], "options": {"network_name": "phys"}}),
        ),
        under(
            ("Logical_Switch", 2, "ports"),
            "Logical_Switch_Port",
            18,
            &json!({"name": "n2"}),
        ),
    ];
    let database = committed(&planned(&database, made[..3].to_vec()).expect("a good plan").after);
    let now = seen(&database);
    assert_eq!((now.served, now.others.as_slice()), (3, &["vm6".to_owned()][..]));
    assert!(
        planned(&database, vec![made[3].clone()]).is_err(),
        "somebody else's switch"
    );
    // Whoever takes them away by hand is told of.
    let undone = planned(
        &database,
        vec![update("Logical_Switch_Port", 15, &json!({"dhcpv4_options": []}))],
    );
    let database = committed(&undone.expect("a good plan").after);
    assert_eq!(seen(&database).missing, ["vm5"]);
}

#[test]
fn from_ovn_to_purlin_to_nobody_nothing_is_left_behind() {
    let before = shop();
    let ovn = chosen(&before, &by_ovn(&[])).expect("a good plan");
    let purlin = chosen(&ovn, &by_purlin()).expect("a good plan");
    let now = seen(&purlin);
    assert_eq!((now.server, now.served, now.options), (Server::Purlin, 0, None));
    assert_eq!(now.port, Some(id(91)));
    let port = state(&purlin);
    assert_eq!(
        port.text("Logical_Switch_Port", id(91), "type"),
        Some("localport")
    );
    assert_eq!(port.label("Logical_Switch_Port", id(91)), "purlin-dhcp-web");
    // Another address for it: the same port.
    let moved = Wanted::Purlin {
        addresses: "02:00:00:00:00:fe 10.0.0.3".to_owned(),
    };
    let moved = chosen(&purlin, &moved).expect("a good plan");
    assert_eq!(seen(&moved).port, Some(id(91)));
    let nobody = chosen(&moved, &Wanted::Nobody).expect("a good plan");
    for table in ["Logical_Switch", "Logical_Switch_Port", "DHCP_Options"] {
        let (was, is) = (state(&before), state(&nobody));
        assert_eq!(was.uuids(table), is.uuids(table), "{table}");
        for uuid in was.uuids(table) {
            assert_eq!(was.row(table, uuid), is.row(table, uuid), "{table}");
        }
    }
}

#[test]
fn what_nothing_stands_for_is_asked_for() {
    let database = shop();
    let nowhere = Wanted::Ovn {
        cidr: Some("10.9.0.0/24".to_owned()),
        options: BTreeMap::new(),
    };
    let refused = changes(&state(&database), id(1), &nowhere, NAMES).expect_err("no router is there");
    assert_eq!(refused.place, "options:server_id");
    let six = Wanted::Ovn {
        cidr: Some("2001:db8::/64".to_owned()),
        options: BTreeMap::new(),
    };
    let refused = changes(&state(&database), id(1), &six, NAMES).expect_err("DHCPv4 is meant");
    assert_eq!(refused.place, "cidr");
    // What is said and wrong is found by the checks of every row.
    let wrong = chosen(&database, &by_ovn(&[("lease_tiem", "60")])).expect_err("no such option");
    assert!(wrong.problems[0].to_string().contains("lease_time"), "{wrong}");
    let taken = Wanted::Purlin {
        addresses: "02:00:00:00:00:fe 10.0.0.11".to_owned(),
    };
    let wrong = chosen(&database, &taken).expect_err("vm1 has it");
    assert!(wrong.to_string().contains("10.0.0.11"), "{wrong}");
}

#[test]
fn the_addresses_of_ports_that_purlin_answers_are_told_with_whose_they_are() {
    assert!(held(&state(&shop())).is_empty(), "nobody chose Purlin");
    let by_ovn = chosen(&shop(), &by_ovn(&[])).expect("a good plan");
    assert!(held(&state(&by_ovn)).is_empty(), "OVN answers");
    let database = chosen(&by_ovn, &by_purlin()).expect("a good plan");
    let said = |held: &Held| {
        let Held {
            switch,
            port,
            mac,
            address,
            within,
            ..
        } = held;
        format!("{switch} {port} {mac} {address} {within}")
    };
    let told: Vec<String> = held(&state(&database)).iter().map(said).collect();
    assert_eq!(
        told,
        [
            "web purlin-dhcp-web 02:00:00:00:00:fe 10.0.0.2 10.0.0.2",
            "web vm1 02:00:00:00:00:11 10.0.0.11 10.0.0.2",
            "web vm2 02:00:00:00:00:12 10.0.0.12 10.0.0.2",
            "web web-r0 02:00:00:00:00:01 10.0.0.1 10.0.0.2",
        ],
        "those of routers and of Purlin itself too; not those of other switches"
    );
    // What OVN has chosen, several addresses, and what is no IPv4 address.
    let port = |columns: &serde_json::Value, chosen: &str| {
        let port = under(("Logical_Switch", 1, "ports"), "Logical_Switch_Port", 81, columns);
        let mut after = planned(&database, vec![port]).expect("a good plan").after;
        let mut row = after.row("Logical_Switch_Port", id(81)).expect("just made");
        row.set("dynamic_addresses", chosen);
        after.put("Logical_Switch_Port", id(81), Some(&row));
        let held = held(&after).into_iter().filter(|held| held.port == "vm3");
        held.map(|held| held.address.to_string()).collect::<Vec<_>>()
    };
    let fixed = ["02:00:00:00:00:13 10.0.0.14 10.0.0.13 2001:db8::13", "unknown"];
    let fixed = json!({ "name": "vm3", "addresses": fixed });
    assert_eq!(
        port(&fixed, ""),
        ["10.0.0.14", "10.0.0.13"],
        "the first one first"
    );
    let dynamic = json!({ "name": "vm3", "addresses": ["dynamic"] });
    assert_eq!(port(&dynamic, "0a:00:00:00:00:13 10.0.0.15"), ["10.0.0.15"]);
    assert_eq!(port(&dynamic, ""), [""; 0]);
    let gone = planned(&database, vec![crate::base::delete("Logical_Switch_Port", 11)]).expect("a good plan");
    assert_eq!(held(&state(&committed(&gone.after))).len(), 3);
}

#[test]
fn purlin_needs_an_address_to_answer_from() {
    for addresses in [
        "02:00:00:00:00:fe",
        "02:00:00:00:00:fe 2001:db8::2",
        "unknown",
        "10.0.0.2",
    ] {
        let wanted = Wanted::Purlin {
            addresses: addresses.to_owned(),
        };
        let refused = changes(&state(&shop()), id(1), &wanted, NAMES).expect_err(addresses);
        assert_eq!(refused.place, "addresses", "{addresses}");
    }
}
