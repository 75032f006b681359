//! The way back over several transactions.

use crate::base::{as_writer, committed, delete, id, insert, planned, shop, state, under, update, writer};
use crate::plan_undo::menu;
use crate::plans::same;
use proptest::prelude::*;
use purlin_ovn_core::model::{Change, Diff, Kind, nb_schema};
use purlin_ovn_core::plan::{compose, undo, unmet};
use purlin_ovsdb::Datum;
use serde_json::{Value, json};

fn ids(key: &str, value: &str) -> Change {
    Change::Add {
        table: "Logical_Switch".to_owned(),
        uuid: id(1),
        column: "other_config".to_owned(),
        values: Datum::map([(key, value)]),
    }
}

/// As a journal gives it back.
fn kept(diff: &Diff) -> Diff {
    Diff::from_json(nb_schema(), &diff.to_json(nb_schema())).unwrap()
}

#[test]
fn steps_are_one_step_and_the_way_back_is_one_transaction() {
    let database = shop();
    let port =
        |n: u8, columns: &Value| under(("Logical_Switch", 3, "ports"), "Logical_Switch_Port", n, columns);
    let steps = [
        vec![
            insert("Logical_Switch", 3, &json!({"name": "new"})),
            ids("mtu", "1400"),
        ],
        vec![port(81, &json!({"name": "new-1"})), ids("mtu", "1500")],
        vec![update("ACL", 21, &json!({"action": "allow"}))],
        vec![
            update("ACL", 21, &json!({"action": "reject"})),
            delete("Logical_Switch_Port", 11),
        ],
        vec![update("Logical_Switch", 3, &json!({"name": "newer"}))],
    ];
    let mut now = database.clone();
    let mut net = Diff::default();
    for changes in steps {
        let plan = planned(&now, changes).unwrap();
        let diff = kept(&plan.diff);
        let next = committed(&plan.after);
        now = next;
        net = compose(nb_schema(), net, diff).unwrap();
    }
    let switch = net.rows.iter().find(|row| row.uuid == id(3)).unwrap();
    assert_eq!(switch.kind, Kind::Added);
    let (changes, expect) = undo(nb_schema(), &net);
    assert!(unmet(&state(&now), &expect).is_empty());
    let back = as_writer(&now, &writer("shop"), changes, expect).unwrap();
    same(&back.after, &state(&database));
}

#[test]
fn what_others_did_elsewhere_stays_and_what_they_did_in_between_is_told() {
    let database = shop();
    let first = planned(
        &database,
        vec![update("ACL", 21, &json!({"action": "allow"})), ids("mtu", "1400")],
    )
    .unwrap();
    let one = committed(&first.after);
    // Others, elsewhere and in the same values.
    let theirs = planned(&one, vec![ids("vlan-passthru", "true")]).unwrap();
    let two = committed(&theirs.after);
    let second = planned(&two, vec![ids("mcast_snoop", "true")]).unwrap();
    let three = committed(&second.after);
    let net = compose(nb_schema(), kept(&first.diff), kept(&second.diff)).unwrap();
    let (changes, expect) = undo(nb_schema(), &net);
    let back = as_writer(&three, &writer("shop"), changes, expect).unwrap();
    let config = back.after.map("Logical_Switch", id(1), "other_config");
    assert_eq!(config.keys().collect::<Vec<_>>(), ["subnet", "vlan-passthru"]);

    let theirs = planned(
        &one,
        vec![
            update("ACL", 21, &json!({"action": "reject"})),
            ids("mtu", "9000"),
        ],
    )
    .unwrap();
    let two = committed(&theirs.after);
    let second = planned(
        &two,
        vec![update("ACL", 21, &json!({"action": "drop"})), ids("mtu", "1500")],
    )
    .unwrap();
    let problems = compose(nb_schema(), kept(&first.diff), kept(&second.diff)).unwrap_err();
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].contains("others have written `action` in between"),
        "{told:?}"
    );
    assert!(
        told[1].contains("others have written `other_config` in between"),
        "{told:?}"
    );
}

#[test]
fn what_others_have_hung_on_a_row_keeps_it_from_being_taken_back() {
    let database = shop();
    let made = planned(
        &database,
        vec![insert("Logical_Switch", 3, &json!({"name": "new"}))],
    )
    .unwrap();
    let one = committed(&made.after);
    let child = under(
        ("Logical_Switch", 3, "ports"),
        "Logical_Switch_Port",
        81,
        &json!({"name": "theirs"}),
    );
    let two = committed(&planned(&one, vec![child]).unwrap().after);
    let (_, expect) = undo(nb_schema(), &kept(&made.diff));
    let problems = unmet(&state(&two), &expect);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].to_string().contains("`ports` has been changed since"),
        "{problems:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    #[test]
    fn two_steps_are_taken_back_as_one(
        first in prop::sample::subsequence(menu(), 1..5).prop_shuffle(),
        second in prop::sample::subsequence(menu(), 1..5).prop_shuffle(),
    ) {
        let database = shop();
        if let Ok(one) = planned(&database, first) {
            let middle = committed(&one.after);
            if let Ok(two) = planned(&middle, second) {
                let end = committed(&two.after);
                let net = compose(nb_schema(), kept(&one.diff), kept(&two.diff));
                let net = net.map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
                let (changes, expect) = undo(nb_schema(), &net);
                match as_writer(&end, &writer("shop"), changes, expect) {
                    Ok(back) => same(&back.after, &state(&database)),
                    Err(refusal) => prop_assert!(false, "{}\n{}", net, refusal),
                }
            }
        }
    }
}
