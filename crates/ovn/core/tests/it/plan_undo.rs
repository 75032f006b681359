//! The way back.

use crate::base::{as_writer, committed, delete, id, insert, planned, shop, state, under, update, writer};
use crate::plans::{operations, refused, same, vm3};
use proptest::prelude::*;
use purlin_ovn_core::model::{Change, Diff, nb_schema};
use purlin_ovn_core::plan::{Reason, undo};
use purlin_ovsdb::Datum;
use serde_json::json;

#[test]
fn undo_brings_back_every_row_that_went() {
    let database = shop();
    let removed = planned(&database, vec![delete("Logical_Switch", 1)]).unwrap();
    let later = committed(&removed.after);
    // As a journal gives it back.
    let kept = removed.diff.to_json(nb_schema()).to_string();
    let diff = Diff::from_json(nb_schema(), &serde_json::from_str(&kept).unwrap()).unwrap();
    assert_eq!(diff, removed.diff);
    let (changes, expect) = undo(nb_schema(), &diff);
    let back = as_writer(&later, &writer("shop"), changes, expect).unwrap();
    same(&back.after, &state(&database));
}

#[test]
fn undo_takes_back_what_came_and_changed() {
    let database = shop();
    let changes = vec![
        vm3(),
        insert("Logical_Switch", 3, &json!({"name": "new"})),
        update("ACL", 21, &json!({"action": "allow"})),
        Change::Add {
            table: "Logical_Switch".to_owned(),
            uuid: id(1),
            column: "other_config".to_owned(),
            values: Datum::map([("subnet", "10.0.0.0/23"), ("vlan-passthru", "true")]),
        },
    ];
    let plan = planned(&database, changes).unwrap();
    let later = committed(&plan.after);
    let json = plan.diff.to_json(nb_schema());
    let switch = json
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["uuid"] == json!(id(1).to_string()));
    let columns = &switch.unwrap()["columns"];
    // Not the ports that stay, however many there are.
    assert_eq!(
        columns["ports"],
        json!({"removed": [], "added": [id(15).to_string()]})
    );
    assert_eq!(
        columns["other_config"]["added"],
        json!({"subnet": "10.0.0.0/23", "vlan-passthru": "true"})
    );
    let diff = Diff::from_json(nb_schema(), &json).unwrap();
    assert_eq!(diff, plan.diff);
    let (changes, expect) = undo(nb_schema(), &diff);
    let back = as_writer(&later, &writer("shop"), changes, expect).unwrap();
    same(&back.after, &state(&database));
}

#[test]
fn undo_refuses_when_somebody_has_walked_on() {
    let database = shop();
    let plan = planned(
        &database,
        vec![update("ACL", 21, &json!({"action": "allow"})), vm3()],
    )
    .unwrap();
    let later = committed(&plan.after);
    let since = planned(&later, vec![update("ACL", 21, &json!({"action": "reject"}))]).unwrap();
    let latest = committed(&since.after);
    let (changes, expect) = undo(nb_schema(), &plan.diff);
    let refusal = refused(as_writer(&latest, &writer("shop"), changes, expect));
    assert_eq!(refusal.reason, Reason::Changed);
    assert!(
        refusal.to_string().contains("`action` has been changed since"),
        "{refusal}"
    );
    // Another port on the same switch is no reason: sets are undone by their elements.
    let columns = json!({"name": "vm4"});
    let since = planned(
        &later,
        vec![under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            16,
            &columns,
        )],
    )
    .unwrap();
    let latest = committed(&since.after);
    let (changes, expect) = undo(nb_schema(), &plan.diff);
    let back = as_writer(&latest, &writer("shop"), changes, expect).unwrap();
    assert!(
        back.after.contains("Logical_Switch_Port", id(16))
            && !back.after.contains("Logical_Switch_Port", id(15))
    );
}

#[test]
fn undo_is_guarded_in_the_database_too() {
    let database = shop();
    let plan = planned(&database, vec![vm3()]).unwrap();
    let later = committed(&plan.after);
    let (changes, expect) = undo(nb_schema(), &plan.diff);
    let back = as_writer(&later, &writer("shop"), changes, expect).unwrap();
    let ops = operations(&back.transaction);
    let includes = ops
        .iter()
        .any(|op| op["op"] == "wait" && op["where"].to_string().contains("\"includes\",[\"uuid\""));
    assert!(includes, "{ops:?}");
}

/// Changes of every kind, some of which exclude each other.
pub(crate) fn menu() -> Vec<Change> {
    let set = |column: &str, values: Datum| Change::Add {
        table: "Logical_Switch".to_owned(),
        uuid: id(1),
        column: column.to_owned(),
        values,
    };
    let nat = json!({"type": "snat", "external_ip": "192.0.2.1", "logical_ip": "10.0.0.0/24"});
    let out = |table: &str, n: u8, column: &str, values: Datum| Change::Remove {
        table: table.to_owned(),
        uuid: id(n),
        column: column.to_owned(),
        values,
    };
    vec![
        vm3(),
        insert("Logical_Switch", 3, &json!({"name": "new"})),
        insert(
            "Address_Set",
            61,
            &json!({"name": "good", "addresses": ["10.0.0.0/8"]}),
        ),
        under(("Logical_Router", 51, "nat"), "NAT", 72, &nat),
        update("ACL", 21, &json!({"action": "allow", "name": "ssh"})),
        update(
            "Logical_Switch_Port",
            12,
            &json!({"enabled": false, "dhcpv4_options": crate::base::text(41)}),
        ),
        update(
            "Logical_Router",
            51,
            &json!({"options": {"always_learn_from_arp_request": "false"}}),
        ),
        set(
            "other_config",
            Datum::map([("subnet", "10.0.0.0/23"), ("mcast_snoop", "true")]),
        ),
        out("Logical_Switch", 1, "other_config", Datum::from("subnet")),
        out("Port_Group", 31, "ports", Datum::from(id(12))),
        out("Logical_Switch", 1, "acls", Datum::from(id(21))),
        delete("Logical_Switch_Port", 11),
        delete("ACL", 21),
        delete("DHCP_Options", 41),
        delete("Logical_Router", 51),
        delete("Logical_Switch", 1),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn whatever_is_planned_can_be_undone(picked in prop::sample::subsequence(menu(), 1..6).prop_shuffle()) {
        let database = shop();
        if let Ok(plan) = planned(&database, picked) {
            let later = committed(&plan.after);
            let (changes, expect) = undo(nb_schema(), &plan.diff);
            match as_writer(&later, &writer("shop"), changes, expect) {
                Ok(back) => same(&back.after, &state(&database)),
                Err(refusal) => prop_assert!(false, "{}\n{}", plan.diff, refusal),
            }
        }
    }
}
