//! What a database tells, taken apart into ours and others'.

use crate::base::{as_writer, committed, delete, id, planned, shop, state, update, writer};
use crate::plan_undo::menu;
use crate::plans::vm3;
use proptest::prelude::*;
use purlin_ovn_core::model::{Change, Diff, Known, RowDiff, attribute, nb_schema};
use purlin_ovn_core::plan::{Evidence, Reach, Writer, evidence, roll_back, undo};
use purlin_ovsdb::Datum;
use purlin_ovsdb::cache::Database;
use serde_json::json;
use std::collections::BTreeSet;

/// What a database tells between two states.
fn told<'d>(from: &'d Database, to: &'d Database) -> Diff {
    let (old, new) = (from, to);
    let (from, to) = (state(from), state(to));
    let rows = nb_schema().tables.keys().flat_map(|table| {
        let uuids: BTreeSet<_> = from.uuids(table).into_iter().chain(to.uuids(table)).collect();
        uuids
            .into_iter()
            .filter_map(|uuid| {
                let row = |database: &'d Database| database.table(table)?.get(uuid);
                let label = || uuid.to_string();
                RowDiff::between(nb_schema(), (table, uuid), label, (row(old), row(new)))
            })
            .collect::<Vec<_>>()
    });
    Diff { rows: rows.collect() }
}

/// Without words that do not count here.
fn plain(diff: &Diff) -> Vec<RowDiff> {
    let mut rows = diff.rows.clone();
    for row in &mut rows {
        row.label.clear();
        row.why = purlin_ovn_core::model::Why::Asked;
        row.columns.retain(|column| column.before != column.after);
        row.columns.sort_by(|a, b| a.column.cmp(&b.column));
    }
    rows
}

const fn known(diff: &Diff, sure: bool) -> Known<'_> {
    Known { diff, sure }
}

#[test]
fn a_port_of_ours_and_one_of_theirs_on_one_switch_are_told_apart() {
    let before = shop();
    let ours = planned(&before, vec![vm3()]).unwrap();
    let middle = committed(&ours.after);
    let theirs = crate::base::under(
        ("Logical_Switch", 1, "ports"),
        "Logical_Switch_Port",
        16,
        &json!({"name": "vm4"}),
    );
    let theirs = planned(&middle, vec![theirs]).unwrap();
    let after = committed(&theirs.after);
    // Told as one, as a server does that was busy.
    let kept = ours.diff;
    let parts = attribute(nb_schema(), &told(&before, &after), &[known(&kept, true)]);
    assert_eq!(parts.ours, [0]);
    assert_eq!(plain(&parts.others), plain(&told(&middle, &after)));
}

#[test]
fn what_we_asked_for_and_others_did_is_theirs() {
    let before = shop();
    let ours = planned(&before, vec![update("ACL", 21, &json!({"action": "allow"}))]).unwrap();
    let theirs = planned(&before, vec![update("ACL", 21, &json!({"action": "reject"}))]).unwrap();
    let seen = told(&before, &committed(&theirs.after));
    let parts = attribute(nb_schema(), &seen, &[known(&ours.diff, false)]);
    assert_eq!(parts.ours, [0usize; 0]);
    assert_eq!(plain(&parts.others), plain(&seen));
}

/// Who watches may be behind: what came after is confirmed already.
#[test]
fn what_we_did_later_is_not_in_an_earlier_update() {
    let before = shop();
    let first = planned(&before, vec![update("ACL", 21, &json!({"action": "allow"}))]).unwrap();
    let middle = committed(&first.after);
    let second = planned(&middle, vec![update("ACL", 21, &json!({"action": "reject"}))]).unwrap();
    let after = committed(&second.after);
    let (first, second) = (known(&first.diff, true), known(&second.diff, true));
    let none = Diff::default();
    for (from, to, known, ours) in [
        (&before, &middle, &[first, second][..], &[0][..]),
        (&middle, &after, &[second], &[0]),
        // Told as one.
        (&before, &after, &[first, second], &[0, 1]),
    ] {
        let parts = attribute(nb_schema(), &told(from, to), known);
        assert_eq!((&*parts.ours, &parts.others), (ours, &none));
    }
}

#[test]
fn of_a_set_the_journal_keeps_what_came_and_went() {
    let database = shop();
    let plan = planned(&database, vec![vm3()]).unwrap();
    let kept = plan.diff;
    let ports = kept
        .rows
        .iter()
        .find(|row| row.table == "Logical_Switch")
        .unwrap();
    assert_eq!(ports.columns[0].before, Some(Datum::EMPTY));
    assert_eq!(ports.columns[0].after, Some(Datum::from(id(15))));
    let text = kept.to_json(nb_schema()).to_string();
    let read = Diff::from_json(nb_schema(), &serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(read, kept);
}

#[test]
fn a_lost_answer_is_found_out_from_the_rows() {
    let before = shop();
    for changes in [
        vec![vm3()],
        vec![update("ACL", 21, &json!({"action": "allow"}))],
        vec![delete("Logical_Switch", 1)],
    ] {
        let plan = planned(&before, changes).unwrap();
        let (kept, after) = (plan.diff.clone(), committed(&plan.after));
        assert_eq!(
            evidence(&state(&after), &kept),
            Evidence::Happened,
            "{}",
            plan.diff
        );
        assert_eq!(
            evidence(&state(&before), &kept),
            Evidence::Absent,
            "{}",
            plan.diff
        );
    }
    let ours = planned(&before, vec![update("ACL", 21, &json!({"action": "allow"}))]).unwrap();
    let theirs = planned(&before, vec![update("ACL", 21, &json!({"action": "reject"}))]).unwrap();
    assert_eq!(
        evidence(&state(&committed(&theirs.after)), &ours.diff),
        Evidence::Unclear
    );
}

#[test]
fn of_a_row_that_came_changed_and_went_each_step_is_found_out() {
    let before = shop();
    let came = planned(&before, vec![vm3()]).unwrap();
    let middle = committed(&came.after);
    let changed = planned(
        &middle,
        vec![update("Logical_Switch_Port", 15, &json!({"enabled": false}))],
    )
    .unwrap();
    let later = committed(&changed.after);
    let port = Change::Remove {
        table: "Logical_Switch".to_owned(),
        uuid: id(1),
        column: "ports".to_owned(),
        values: Datum::from(id(15)),
    };
    let went = planned(&later, vec![port]).unwrap();
    let after = committed(&went.after);
    let mut now = state(&after);
    assert_eq!(
        evidence(&now, &came.diff),
        Evidence::Absent,
        "nothing is left of it"
    );
    for diff in [&went.diff, &changed.diff, &came.diff] {
        assert_eq!(evidence(&now, diff), Evidence::Happened, "{diff}");
        roll_back(&mut now, diff);
    }
    assert_eq!(plain(&told(&committed(&now), &before)), []);
}

/// What went before it would not have happened otherwise.
#[test]
fn a_key_that_others_wrote_anew_is_rolled_back_with_the_transaction_that_set_it() {
    let config = |column: &str, values: Datum, remove: bool| {
        let (table, uuid, column) = ("Logical_Switch".to_owned(), id(1), column.to_owned());
        match remove {
            true => Change::Remove {
                table,
                uuid,
                column,
                values,
            },
            false => Change::Add {
                table,
                uuid,
                column,
                values,
            },
        }
    };
    let subnet = |net: &str| config("other_config", Datum::map([("subnet", net)]), false);
    let before = shop();
    let gone = planned(&before, vec![config("other_config", "subnet".into(), true)]).unwrap();
    let without = committed(&gone.after);
    let set = planned(&without, vec![vm3(), subnet("10.0.0.0/23")]).unwrap();
    let theirs = planned(&committed(&set.after), vec![subnet("10.0.0.0/22")])
        .map(|plan| committed(&plan.after))
        .unwrap();
    let mut now = state(&theirs);
    for diff in [&set.diff, &gone.diff] {
        assert_eq!(evidence(&now, diff), Evidence::Happened, "{diff}");
        roll_back(&mut now, diff);
    }
    crate::plans::same(&now, &state(&before));
}

fn anybody() -> Writer {
    Writer {
        owner: "shop".to_owned(),
        reach: Reach::All,
    }
}

fn walked(from: &Database, changes: Vec<Change>) -> Option<(Diff, Database)> {
    let plan = as_writer(from, &anybody(), changes, Vec::new()).ok()?;
    let after = committed(&plan.after);
    Some((plan.diff, after))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(150) })]

    /// Ours, then others', told as one: the rest is exactly what others did, wherever ours can be seen at all.
    #[test]
    fn the_rest_is_what_others_did(
        first in prop::sample::subsequence(menu(), 1..4),
        second in prop::sample::subsequence(menu(), 1..4),
    ) {
        let before = shop();
        let Some((ours, middle)) = walked(&before, first) else { return Ok(()) };
        let Some((theirs, after)) = walked(&middle, second) else { return Ok(()) };
        let parts = attribute(nb_schema(), &told(&before, &after), &[known(&ours, true)]);
        if parts.ours == [0] {
            prop_assert_eq!(plain(&parts.others), plain(&told(&middle, &after)), "{}\n{}", ours, theirs);
        }
        // Two of ours leave nothing for others.
        let both = attribute(nb_schema(), &told(&before, &after), &[known(&ours, true), known(&theirs, true)]);
        if both.ours == [0, 1] {
            prop_assert!(both.others.is_empty(), "{}\n{}\n{}", ours, theirs, both.others);
        }
    }

    /// What happened and is rolled back, the last first, leaves what was there before.
    #[test]
    fn what_is_rolled_back_has_not_happened(
        first in prop::sample::subsequence(menu(), 1..4),
        second in prop::sample::subsequence(menu(), 1..4),
    ) {
        let before = shop();
        let Some((one, middle)) = walked(&before, first) else { return Ok(()) };
        let Some((two, after)) = walked(&middle, second) else { return Ok(()) };
        let mut now = state(&after);
        roll_back(&mut now, &two);
        crate::plans::same(&now, &state(&middle));
        roll_back(&mut now, &one);
        crate::plans::same(&now, &state(&before));
    }

    /// The elements are enough for the way back.
    #[test]
    fn what_the_journal_keeps_can_be_undone(picked in prop::sample::subsequence(menu(), 1..6).prop_shuffle()) {
        let database = shop();
        if let Ok(plan) = planned(&database, picked) {
            let later = committed(&plan.after);
            let (changes, expect) = undo(nb_schema(), &plan.diff);
            match as_writer(&later, &writer("shop"), changes, expect) {
                Ok(back) => crate::plans::same(&back.after, &state(&database)),
                Err(refusal) => prop_assert!(false, "{}\n{}", plan.diff, refusal),
            }
        }
    }
}
