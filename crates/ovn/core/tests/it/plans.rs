//! Wanted changes become one guarded transaction, or a refusal with its reason.

use crate::base::{
    as_writer, committed, database, delete, id, insert, planned, shop, state, text, under, update, writer,
};
use proptest::prelude::*;
use purlin_ovn_core::model::{Change, Kind, Owner, State, Why, etag, nb_schema};
use purlin_ovn_core::plan::{Expect, Reach, Reason, Refusal, Writer};
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::{Datum, Operation, Transaction};
use serde_json::{Value, json};

pub(crate) fn operations(transaction: &Transaction) -> Vec<Value> {
    transaction
        .operations()
        .iter()
        .map(|op| serde_json::to_value(op).unwrap())
        .collect()
}

pub(crate) fn refused<T>(result: Result<T, Refusal>) -> Refusal {
    match result {
        Err(refusal) => refusal,
        Ok(_) => panic!("it is planned"),
    }
}

pub(crate) fn refusal(database: &Database, changes: Vec<Change>) -> Refusal {
    refused(planned(database, changes))
}

pub(crate) fn vm3() -> Change {
    let columns = json!({"name": "vm3", "addresses": ["02:00:00:00:00:13 10.0.0.13"]});
    under(
        ("Logical_Switch", 1, "ports"),
        "Logical_Switch_Port",
        15,
        &columns,
    )
}

pub(crate) fn same(a: &State<'_>, b: &State<'_>) {
    for table in nb_schema().tables.keys() {
        assert_eq!(a.uuids(table), b.uuids(table), "{table}");
        for uuid in a.uuids(table) {
            assert_eq!(a.row(table, uuid), b.row(table, uuid), "{table} {uuid}");
        }
    }
}

#[test]
fn a_new_port_is_one_transaction_with_a_chosen_uuid_and_a_mutation() {
    let database = shop();
    let plan = planned(&database, vec![vm3()]).unwrap();
    let ops = operations(&plan.transaction);
    let kinds: Vec<&str> = ops.iter().map(|op| op["op"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["wait", "insert", "mutate", "comment"]);
    assert_eq!(ops[1]["uuid"], json!(text(15)));
    assert_eq!(
        ops[2]["mutations"],
        json!([["ports", "insert", ["uuid", text(15)]]])
    );
    assert!(ops[3]["comment"].as_str().unwrap().contains("req-1 by alice"));
    assert!(ops[0]["where"].to_string().contains("purlin-owner"), "{}", ops[0]);
    assert!(
        plan.transaction.can_travel(),
        "guards do not keep it from travelling with others"
    );
    assert_eq!(plan.affected, ["vm3"]);
    assert_eq!(plan.warnings, []);
    assert_eq!(
        plan.after.owner("Logical_Switch_Port", id(15)),
        Owner::Purlin("shop".to_owned())
    );
}

#[test]
fn sets_and_maps_are_never_written_as_a_whole() {
    let database = shop();
    let changes = vec![
        vm3(),
        Change::Add {
            table: "Logical_Switch".to_owned(),
            uuid: id(1),
            column: "other_config".to_owned(),
            values: Datum::map([("mcast_snoop", "true"), ("subnet", "10.0.0.0/23")]),
        },
        Change::Remove {
            table: "Port_Group".to_owned(),
            uuid: id(31),
            column: "ports".to_owned(),
            values: Datum::from(id(12)),
        },
    ];
    let plan = planned(&database, changes).unwrap();
    let updates = plan
        .transaction
        .operations()
        .iter()
        .filter(|op| matches!(op, Operation::Update { .. }));
    assert_eq!(updates.count(), 0);
    let ops = operations(&plan.transaction);
    // A key that is there is taken out first: `insert` would leave it alone.
    let config = ops
        .iter()
        .find(|op| op.to_string().contains("mcast_snoop"))
        .unwrap();
    assert_eq!(
        config["mutations"][0],
        json!(["other_config", "delete", "subnet"])
    );
    assert_eq!(
        plan.after.map("Logical_Switch", id(1), "other_config")["subnet"],
        "10.0.0.0/23"
    );
}

#[test]
fn the_difference_is_exact_in_text_and_json() {
    let database = shop();
    let plan = planned(
        &database,
        vec![
            vm3(),
            update("ACL", 21, &json!({"action": "allow-related", "priority": 1001})),
        ],
    )
    .unwrap();
    let expected = "\
~ ACL 21212121
    action: \"drop\" -> \"allow-related\"
    priority: 1000 -> 1001
~ Logical_Switch web
    ports + 0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f
+ Logical_Switch_Port vm3
    addresses: \"02:00:00:00:00:13 10.0.0.13\"
    external_ids: {\"purlin-owner\"=\"shop\"}
    name: \"vm3\"
1 added, 2 changed, 0 removed";
    let expected = expected.replace("ACL 21212121", "ACL outport == @web && tcp.dst == 22");
    assert_eq!(plan.diff.to_string(), expected);
    let json = plan.diff.to_json(nb_schema());
    assert_eq!(
        json[0]["columns"]["priority"],
        json!({"before": 1000, "after": 1001})
    );
    assert_eq!(json[2]["change"], "added");
    assert_eq!(
        json[2]["columns"]["addresses"]["after"],
        json!(["02:00:00:00:00:13 10.0.0.13"])
    );
}

#[test]
fn what_goes_along_is_part_of_the_difference() {
    let database = shop();
    let plan = planned(&database, vec![delete("Logical_Switch", 1)]).unwrap();
    let of = |kind: Kind| -> Vec<(&str, &str, Why)> {
        let rows = plan.diff.rows.iter().filter(|row| row.kind == kind);
        rows.map(|row| (row.table.as_str(), row.label.as_str(), row.why))
            .collect()
    };
    assert_eq!(
        of(Kind::Removed),
        [
            ("ACL", "outport == @web && tcp.dst == 22", Why::Orphaned),
            ("Logical_Switch", "web", Why::Asked),
            ("Logical_Switch_Port", "vm1", Why::Orphaned),
            ("Logical_Switch_Port", "vm2", Why::Orphaned),
            ("Logical_Switch_Port", "web-r0", Why::Orphaned),
        ]
    );
    assert_eq!(of(Kind::Changed), [("Port_Group", "web", Why::Unlinked)]);
    // What was looked at must be the same when it goes: a port that somebody adds meanwhile is not taken along.
    let ops = operations(&plan.transaction);
    let guard = ops
        .iter()
        .find(|op| op["op"] == "wait" && op["until"] == "==")
        .unwrap();
    assert!(
        guard["rows"][0]["ports"].to_string().contains(&text(11)),
        "{guard}"
    );
}

#[test]
fn foreign_rows_are_read_only_and_their_owner_is_named() {
    let database = shop();
    for (change, owner) in [
        (
            update("Logical_Switch_Port", 14, &json!({"enabled": false})),
            "neutron",
        ),
        (delete("Logical_Switch", 2), "neutron"),
        (
            under(
                ("Logical_Switch", 2, "ports"),
                "Logical_Switch_Port",
                15,
                &json!({"name": "vm3"}),
            ),
            "neutron",
        ),
    ] {
        let refusal = refusal(&database, vec![change]);
        assert_eq!(refusal.reason, Reason::Foreign);
        assert!(
            refusal
                .to_string()
                .contains(&format!("belongs to {owner}, and shop may not")),
            "{refusal}"
        );
    }
    let other = refused(as_writer(
        &database,
        &writer("bank"),
        vec![delete("Logical_Switch", 1)],
        vec![],
    ));
    assert!(other.to_string().contains("belongs to shop"), "{other}");
    let all = Writer {
        owner: "bank".to_owned(),
        reach: Reach::All,
    };
    assert!(as_writer(&database, &all, vec![delete("Logical_Switch", 2)], vec![]).is_ok());
}

#[test]
fn the_owner_is_looked_at_again_by_the_database() {
    let database = shop();
    let plan = planned(
        &database,
        vec![update("Logical_Switch_Port", 11, &json!({"enabled": false}))],
    )
    .unwrap();
    let ops = operations(&plan.transaction);
    let owner = json!(["external_ids", "includes", ["map", [["purlin-owner", "shop"]]]]);
    assert_eq!(ops[0]["where"][1], owner);
    assert_eq!(
        (&ops[0]["until"], &ops[0]["rows"], &ops[0]["timeout"]),
        (&json!("!="), &json!([]), &json!(0))
    );
    // And so is the value that the difference shows as the one before.
    assert_eq!(ops[1]["columns"], json!(["enabled"]));
    // A child without a mark is its parent's: the mark there is what is looked at.
    let plan = planned(&database, vec![update("ACL", 21, &json!({"log": true}))]).unwrap();
    let ops = operations(&plan.transaction);
    assert_eq!(ops[0]["table"], "Logical_Switch");
}

#[test]
fn the_mark_of_the_owner_stays() {
    let database = shop();
    let plan = planned(
        &database,
        vec![update(
            "Logical_Switch",
            1,
            &json!({"external_ids": {"note": "x"}}),
        )],
    )
    .unwrap();
    assert_eq!(
        plan.after.map("Logical_Switch", id(1), "external_ids")["purlin-owner"],
        "shop"
    );
    let remove = Change::Remove {
        table: "Logical_Switch".to_owned(),
        uuid: id(1),
        column: "external_ids".to_owned(),
        values: Datum::from("purlin-owner"),
    };
    assert!(
        refusal(&database, vec![remove])
            .to_string()
            .contains("mark of the owner")
    );
    let stolen = insert(
        "Logical_Switch",
        3,
        &json!({"name": "x", "external_ids": {"purlin-owner": "bank"}}),
    );
    assert_eq!(refusal(&database, vec![stolen]).reason, Reason::Foreign);
}

#[test]
fn an_etag_of_yesterday_is_refused_and_one_of_today_is_guarded() {
    let database = shop();
    let tag = etag(&state(&database), "Logical_Switch_Port", id(11)).unwrap();
    let with = |etag: &str| {
        let expect = Expect::Etag {
            table: "Logical_Switch_Port".to_owned(),
            uuid: id(11),
            etag: etag.to_owned(),
        };
        let change = update("Logical_Switch_Port", 11, &json!({"enabled": false}));
        as_writer(&database, &writer("shop"), vec![change], vec![expect])
    };
    let plan = with(&format!("\"{tag}\"")).unwrap();
    let ops = operations(&plan.transaction);
    let guard = ops.iter().find(|op| op["until"] == "==").unwrap();
    assert!(guard["columns"].as_array().unwrap().len() > 5, "{guard}");
    assert!(
        !guard["columns"].to_string().contains("\"up\""),
        "OVN writes `up` itself"
    );
    let refusal = refused(with("00000000000000000000000000000000"));
    assert_eq!(refusal.reason, Reason::Changed);
    let after = committed(&plan.after);
    assert_ne!(etag(&state(&after), "Logical_Switch_Port", id(11)).unwrap(), tag);
}

#[test]
fn a_change_that_changes_nothing_is_an_empty_difference() {
    let database = shop();
    let plan = planned(&database, vec![update("ACL", 21, &json!({"action": "drop"}))]).unwrap();
    assert!(plan.diff.is_empty());
    assert!(plan.affected.is_empty());
}

#[test]
fn a_foreign_port_on_our_switch_does_not_go_with_it() {
    let database = database(&[
        (
            "Logical_Switch",
            1,
            json!({"name": "web", "ports": [text(11)], "external_ids": {"purlin-owner": "shop"}}),
        ),
        (
            "Logical_Switch_Port",
            11,
            json!({"name": "vm1", "external_ids": {"neutron:port_name": "p"}}),
        ),
    ]);
    let refusal = refusal(&database, vec![delete("Logical_Switch", 1)]);
    assert_eq!(refusal.reason, Reason::Foreign);
    assert!(
        refusal
            .to_string()
            .contains("Logical_Switch_Port vm1 belongs to neutron"),
        "{refusal}"
    );
}

#[test]
fn the_row_of_the_database_itself_stays_unless_that_is_said() {
    let rows = [
        ("NB_Global", 1, json!({ "connections": [text(2)] })),
        ("Connection", 2, json!({ "target": "ptcp:6641" })),
    ];
    let database = database(&rows);
    let unmarked = |reach| Writer {
        owner: "shop".to_owned(),
        reach,
    };
    let gone = || vec![delete("NB_Global", 1)];
    let refusal = as_writer(&database, &unmarked(Reach::Unmarked), gone(), Vec::new()).unwrap_err();
    assert_eq!(refusal.reason, Reason::Foreign);
    assert!(refusal.to_string().contains("force=true"), "{refusal}");
    let forced = as_writer(&database, &unmarked(Reach::All), gone(), Vec::new()).unwrap();
    assert_eq!(forced.diff.rows.len(), 2, "what hangs on it goes along");
    let changed = update("NB_Global", 1, &json!({ "name": "lab" }));
    as_writer(&database, &unmarked(Reach::Unmarked), vec![changed], Vec::new()).unwrap();
}

#[test]
fn what_others_refer_to_does_not_go_together_with_their_changes() {
    let database = shop();
    // The group may be changed by another plan, and the server would keep the port in it.
    let port = planned(&database, vec![delete("Logical_Switch_Port", 11)]).unwrap();
    assert!(!port.transaction.can_travel());
    let acl = planned(&database, vec![delete("ACL", 21)]).unwrap();
    assert!(acl.transaction.can_travel());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Sets that are mutated are not walked; what they are said to have lost and gained is what a walk would find.
    #[test]
    fn what_a_set_is_said_to_have_moved_is_what_has(
        first in prop::collection::btree_set(0u8..8, 0..8),
        steps in prop::collection::vec((any::<bool>(), prop::collection::btree_set(0u8..8, 1..4), any::<bool>()), 1..6),
    ) {
        let of = |ports: &std::collections::BTreeSet<u8>| Datum::set(ports.iter().map(|n| id(11 + n)));
        let named: Vec<String> = first.iter().map(|n| text(11 + n)).collect();
        let mut rows = vec![("Port_Group", 31, json!({"name": "all", "ports": named, "external_ids": {"purlin-owner": "shop"}}))];
        rows.extend((0..8).map(|n| ("Logical_Switch_Port", 11 + n, json!({"name": format!("p{n}")}))));
        let before = database(&rows);
        let (table, uuid, column) = ("Port_Group".to_owned(), id(31), "ports".to_owned());
        let changes = steps.iter().flat_map(|(add, ports, renamed)| {
            let (table, column, values) = (table.clone(), column.clone(), of(ports));
            let moved = match add {
                true => Change::Add { table, uuid, column, values },
                false => Change::Remove { table, uuid, column, values },
            };
            let name = renamed.then(|| update("Port_Group", 31, &json!({"name": "others"})));
            name.into_iter().chain([moved])
        });
        let plan = planned(&before, changes.collect()).unwrap();
        let value = |state: &State<'_>| state.value(&table, uuid, &column).cloned().unwrap();
        let (old, new) = (value(&state(&before)), value(&plan.after));
        let found = plan.diff.rows.iter().find(|row| row.uuid == uuid);
        let found = found.and_then(|row| row.columns.iter().find(|found| found.column == column));
        let walked = (old != new).then(|| (old.without(&new), new.without(&old)));
        prop_assert_eq!(found.map(|found| (found.before.clone().unwrap(), found.after.clone().unwrap())), walked);
        for n in 0..8 {
            let has = new.contains(&purlin_ovsdb::Atom::Uuid(id(11 + n)));
            let found = plan.after.find(&table, &column, &purlin_ovsdb::Atom::Uuid(id(11 + n)));
            prop_assert_eq!(found.len(), usize::from(has), "the index follows");
        }
    }
}
