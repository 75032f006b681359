//! What a tenant sees and may do, and what the database is asked to look at again.

use crate::base::{database, delete, id, insert, row, text, under, update, writer};
use crate::plans::{operations, refused};
use proptest::prelude::*;
use purlin_ovn_core::model::{Change, State, nb_schema};
use purlin_ovn_core::plan::{Plan, Reason, Refusal, Request};
use purlin_ovn_core::tenant::{Bound, Confine, SHARED_KEY, TENANT_KEY, follow, plan_within, usage, view};
use purlin_ovsdb::cache::{Changes, Database};
use purlin_ovsdb::{Datum, Row};
use serde_json::{Value, json};

pub(crate) fn acme() -> Confine {
    Confine {
        tenant: "t-acme".into(),
        name: "acme".into(),
        prefix: "acme-".into(),
        external: false,
        bounds: Vec::new(),
        root: "t-acme".into(),
    }
}

fn bounded(quota: &str, most: i64) -> Confine {
    Confine {
        bounds: vec![Bound {
            of: "acme".into(),
            tenants: vec!["t-acme".into(), "t-acme-dev".into()],
            quotas: [(quota.to_owned(), most)].into(),
        }],
        ..acme()
    }
}

fn of(tenant: &str) -> Value {
    json!({ TENANT_KEY: tenant, "purlin-owner": "shop" })
}

/// Switch `acme-web` (1) with ports `acme-vm1` (11) and the unmarked `acme-vm2` (12) and router (51, 52) of acme;
/// switch `bolt-web` (2) with port `bolt-vm1` (14), group `bolt_all` (32), router port `bolt-r0-web` (53) of bolt;
/// switch `outside` (3), shared, with a port (15) of nobody.
pub(crate) fn town() -> Database {
    let port = |name: &str, ids: Value| json!({"name": name, "external_ids": ids});
    database(&[
        ("NB_Global", 99, json!({})),
        (
            "Logical_Switch",
            1,
            json!({"name": "acme-web", "ports": [text(11), text(12)], "external_ids": of("t-acme")}),
        ),
        ("Logical_Switch_Port", 11, port("acme-vm1", of("t-acme"))),
        (
            "Logical_Switch_Port",
            12,
            port("acme-vm2", json!({"purlin-owner": "shop"})),
        ),
        (
            "Logical_Router",
            51,
            json!({"name": "acme-r0", "ports": [text(52)], "external_ids": of("t-acme")}),
        ),
        (
            "Logical_Router_Port",
            52,
            json!({"name": "acme-r0-web", "mac": "02:00:00:00:00:01", "networks": ["10.0.0.1/24"], "external_ids": of("t-acme")}),
        ),
        (
            "Logical_Switch",
            2,
            json!({"name": "bolt-web", "ports": [text(14)], "external_ids": of("t-bolt")}),
        ),
        ("Logical_Switch_Port", 14, port("bolt-vm1", of("t-bolt"))),
        (
            "Port_Group",
            32,
            json!({"name": "bolt_all", "ports": [text(14)], "external_ids": of("t-bolt")}),
        ),
        (
            "Logical_Router",
            54,
            json!({"name": "bolt-r0", "ports": [text(53)], "external_ids": of("t-bolt")}),
        ),
        (
            "Logical_Router_Port",
            53,
            json!({"name": "bolt-r0-web", "mac": "02:00:00:00:00:02", "networks": ["10.0.1.1/24"], "external_ids": of("t-bolt")}),
        ),
        (
            "Logical_Switch",
            3,
            json!({"name": "outside", "ports": [text(15)], "external_ids": {SHARED_KEY: "true", "purlin-owner": "shop"}}),
        ),
        ("Logical_Switch_Port", 15, port("uplink", json!({}))),
        ("Address_Set", 61, json!({"name": "nobodys"})),
    ])
}

/// A plan of a tenant: its transaction and its difference as JSON.
pub(crate) fn planned(
    whole: &Database,
    confine: &Confine,
    changes: Vec<Change>,
) -> Result<(Vec<Value>, Value), Refusal> {
    let seen = view(nb_schema(), whole, confine);
    let request = Request {
        actor: "alice",
        id: "req-1",
        writer: &writer("shop"),
        changes,
        expect: Vec::new(),
        book: None,
    };
    let whole = State::new(nb_schema(), whole).confined(confine);
    let seen = State::new(nb_schema(), &seen).confined(confine);
    let plan: Plan<'_> = plan_within(&whole, &seen, None, request)?;
    Ok((operations(&plan.transaction), plan.diff.to_json(nb_schema())))
}

pub(crate) fn refusal(confine: &Confine, change: Change) -> Refusal {
    refused(planned(&town(), confine, vec![change]))
}

fn vm(switch: u8, n: u8, name: &str) -> Change {
    let switch = ("Logical_Switch", switch, "ports");
    under(switch, "Logical_Switch_Port", n, &json!({"name": name}))
}

fn set(n: u8, name: &str) -> Change {
    insert("Address_Set", n, &json!({"name": name}))
}

#[test]
fn a_tenant_sees_its_rows_and_what_hangs_on_them() {
    let whole = town();
    let seen = view(nb_schema(), &whole, &acme());
    let state = State::new(nb_schema(), &seen);
    assert_eq!(state.uuids("Logical_Switch"), [id(1)]);
    assert_eq!(state.uuids("Logical_Switch_Port"), [id(11), id(12)]);
    assert_eq!(state.uuids("Logical_Router_Port"), [id(52)]);
    assert!(state.uuids("Port_Group").is_empty() && state.uuids("NB_Global").is_empty());
    assert!(state.by_name("Logical_Switch", "bolt-web").is_none());
    let external = Confine {
        external: true,
        ..acme()
    };
    let seen = view(nb_schema(), &whole, &external);
    let state = State::new(nb_schema(), &seen);
    assert_eq!(state.uuids("Logical_Switch"), [id(1), id(3)]);
    assert!(
        !state.contains("Logical_Switch_Port", id(15)),
        "what hangs on it is others'"
    );
}

#[test]
fn what_a_tenant_makes_is_marked_and_the_database_looks_again() {
    let (operations, diff) = planned(&town(), &acme(), vec![vm(1, 16, "acme-vm3")]).unwrap();
    assert_eq!(
        operations[1]["row"]["external_ids"]
            .to_string()
            .matches("t-acme")
            .count(),
        1
    );
    assert_eq!(operations[0]["op"], "wait");
    assert!(operations[0].to_string().contains("t-acme"), "{}", operations[0]);
    assert!(diff.to_string().contains("acme-vm3"));
}

#[test]
fn names_get_the_prefix_of_the_tenant() {
    for (change, name) in [(vm(1, 16, "vm3"), "acme-vm3"), (set(62, "webs"), "acme_webs")] {
        let (operations, _) = planned(&town(), &acme(), vec![change]).unwrap();
        let made = operations.iter().find(|op| op["op"] == "insert").unwrap();
        assert_eq!(made["row"]["name"], name);
    }
}

#[test]
fn rows_of_another_tenant_are_not_there() {
    let bolts = [
        delete("Logical_Switch", 2),
        update("Logical_Switch", 2, &json!({"name": "x"})),
        vm(2, 16, "acme-vm3"),
        delete("Logical_Switch_Port", 14),
        Change::Add {
            table: "Port_Group".into(),
            uuid: id(32),
            column: "ports".into(),
            values: Datum::from(id(11)),
        },
        delete("Address_Set", 61),
        vm(3, 16, "acme-vm3"),
    ];
    for change in bolts {
        let told = format!("{change:?}");
        let refusal = refusal(&acme(), change);
        assert_eq!(refusal.reason, Reason::NotFound, "{told}: {refusal}");
        let words = refusal.to_string();
        assert!(!words.contains("bolt") && !words.contains("owner"), "{words}");
    }
}

#[test]
fn the_builder_itself_refuses_what_a_view_would_have_hidden() {
    let (whole, confine) = (town(), acme());
    let state = State::new(nb_schema(), &whole).confined(&confine);
    for change in [delete("Logical_Switch", 2), vm(2, 16, "acme-vm3")] {
        let request = Request {
            actor: "alice",
            id: "req-1",
            writer: &writer("shop"),
            changes: vec![change],
            expect: Vec::new(),
            book: None,
        };
        let refusal = refused(purlin_ovn_core::plan::plan(&state, request));
        assert_eq!(refusal.reason, Reason::NotFound, "{refusal}");
    }
}

#[test]
fn references_to_another_tenant_are_refused_by_uuid_and_by_name() {
    let router = |peer: &str| {
        under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            16,
            &json!({"name": "acme-up", "type": "router", "addresses": ["router"], "options": {"router-port": peer}}),
        )
    };
    assert!(planned(&town(), &acme(), vec![router("acme-r0-web")]).is_ok());
    let rule = |text: &str| {
        under(
            ("Logical_Switch", 1, "acls"),
            "ACL",
            21,
            &json!({"priority": 1, "direction": "to-lport", "match": text, "action": "drop"}),
        )
    };
    assert!(planned(&town(), &acme(), vec![rule("outport == \"acme-vm1\"")]).is_ok());
    for change in [
        router("bolt-r0-web"),
        rule("outport == @bolt_all"),
        rule("outport == \"bolt-vm1\""),
        rule("ip4.src == $nobodys"),
        insert(
            "Port_Group",
            33,
            &json!({"name": "acme_all", "ports": [text(14)]}),
        ),
    ] {
        let told = format!("{change:?}");
        let refusal = refusal(&acme(), change);
        assert!(
            matches!(refusal.reason, Reason::Invalid | Reason::NotFound),
            "{told}: {refusal}"
        );
    }
}

#[test]
fn a_tenant_cannot_write_marks_or_reach_beyond_its_networks() {
    let ids = |key: &str, value: &str| update("Logical_Switch", 1, &json!({"external_ids": {key: value}}));
    let typed = |kind: &str| {
        under(
            ("Logical_Switch", 1, "ports"),
            "Logical_Switch_Port",
            16,
            &json!({"name": "acme-p", "type": kind, "options": {"network_name": "phys"}, "addresses": ["unknown"]}),
        )
    };
    let given_away = Change::Add {
        table: "Logical_Switch".into(),
        uuid: id(1),
        column: "external_ids".into(),
        values: Datum::map([(TENANT_KEY, "t-bolt")]),
    };
    let unmarked = Change::Remove {
        table: "Logical_Switch".into(),
        uuid: id(1),
        column: "external_ids".into(),
        values: Datum::set([TENANT_KEY]),
    };
    for change in [
        ids(TENANT_KEY, "t-bolt"),
        ids(SHARED_KEY, "true"),
        given_away,
        unmarked,
        typed("localnet"),
        typed("vtep"),
        update("NB_Global", 99, &json!({"name": "mine"})),
        insert("Meter", 71, &json!({"name": "m", "unit": "kbps"})),
        update("Logical_Router", 51, &json!({"options": {"chassis": "hv1"}})),
    ] {
        let told = format!("{change:?}");
        let refusal = refusal(&acme(), change);
        assert_eq!(refusal.problems[0].code, "tenant-bounds", "{told}: {refusal}");
    }
}

#[test]
fn marks_stay_when_external_ids_are_written_anew() {
    let whole = town();
    let ids = json!({"external_ids": {"colour": "green"}});
    let (operations, _) = planned(&whole, &acme(), vec![update("Logical_Switch", 1, &ids)]).unwrap();
    let written = operations
        .iter()
        .find(|op| op["op"] == "update")
        .unwrap()
        .to_string();
    assert!(
        written.contains("t-acme") && written.contains("green"),
        "{written}"
    );
}

#[test]
fn a_shared_switch_takes_ports_of_those_who_may_use_it() {
    let external = Confine {
        external: true,
        ..acme()
    };
    let (operations, _) = planned(&town(), &external, vec![vm(3, 16, "acme-up")]).unwrap();
    assert!(operations[0].to_string().contains(SHARED_KEY), "{operations:?}");
    // Nothing else of it is theirs.
    for change in [
        update("Logical_Switch", 3, &json!({"name": "acme-x"})),
        delete("Logical_Switch", 3),
        delete("Logical_Switch_Port", 15),
    ] {
        assert_eq!(refusal(&external, change).reason, Reason::NotFound);
    }
}

#[test]
fn quotas_count_the_whole_tree_and_name_whose_they_are() {
    let confine = bounded("max_switches", 1);
    let switch = insert("Logical_Switch", 4, &json!({"name": "acme-db"}));
    let refusal = refusal(&confine, switch.clone());
    assert_eq!(refusal.problems[0].code, "tenant-quota", "{refusal}");
    assert!(
        refusal.to_string().contains("may have 1 (max_switches)"),
        "{refusal}"
    );
    assert!(planned(&town(), &bounded("max_switches", 2), vec![switch.clone()]).is_ok());
    assert!(planned(&town(), &bounded("max_switches", -1), vec![switch]).is_ok());
    // Who is over its quota may still change and remove.
    let over = bounded("max_ports", 1);
    assert!(planned(&town(), &over, vec![delete("Logical_Switch_Port", 11)]).is_ok());
    // Switch ports and router ports count together; the unmarked port was never counted.
    let whole = town();
    let usage = usage(&State::new(nb_schema(), &whole), "t-acme");
    assert_eq!((usage["max_ports"], usage["max_switches"]), (2, 1));
}

#[test]
fn two_who_saw_the_same_rows_cannot_both_take_the_last_place() {
    let confine = bounded("max_switches", 2);
    let switch = insert("Logical_Switch", 4, &json!({"name": "acme-db"}));
    let (operations, diff) = planned(&town(), &confine, vec![switch]).unwrap();
    let waits: Vec<&Value> = operations.iter().filter(|op| op["op"] == "wait").collect();
    assert!(waits.iter().any(|wait| wait["table"] == "NB_Global"), "{waits:?}");
    let tally = operations
        .iter()
        .find(|op| op["op"] == "mutate" && op["table"] == "NB_Global");
    assert!(tally.unwrap().to_string().contains("purlin-tally-t-acme"));
    assert!(
        !diff.to_string().contains("tally"),
        "it is no change that anybody asked for"
    );
}

#[test]
fn what_collides_outside_is_refused_without_telling_with_whom() {
    let mut confine = acme();
    confine.prefix.clear();
    let refusal = refusal(
        &confine,
        insert("Logical_Switch", 4, &json!({"name": "bolt-web"})),
    );
    let words = refusal.to_string();
    assert!(words.contains("outside of this tenant"), "{words}");
    assert!(!words.contains("owner") && !words.contains(&text(2)), "{words}");
}

#[test]
fn rows_under_a_tenants_row_become_the_tenants_whoever_makes_them() {
    let whole = town();
    let state = State::new(nb_schema(), &whole);
    let request = Request {
        actor: "root",
        id: "req-2",
        writer: &writer("shop"),
        changes: vec![vm(1, 16, "vm9")],
        expect: Vec::new(),
        book: None,
    };
    let plan = purlin_ovn_core::plan::plan(&state, request).unwrap();
    let made: Row = plan.after.row("Logical_Switch_Port", id(16)).unwrap();
    assert_eq!(
        made.get("external_ids").unwrap().get_str(TENANT_KEY),
        Some("t-acme")
    );
    assert_eq!(
        row("Address_Set", &json!({"name": "x"})).get("name"),
        Some(&Datum::from("x"))
    );
}

/// Rows of three tables that hang on one another, as a few numbers decide: where each hangs, and whose it is.
fn street(numbers: &[[u8; 2]]) -> Database {
    let ids = |mark: u8| match mark {
        0 => json!({ TENANT_KEY: "t-acme" }),
        1 => json!({ TENANT_KEY: "t-bolt" }),
        2 => json!({ SHARED_KEY: "true" }),
        _ => json!({}),
    };
    let hanging = |first: usize, on: usize| -> Vec<String> {
        let here = (first..first + 4).filter(|at| usize::from(numbers[*at][0]) == on);
        here.map(|at| text(40 + u8::try_from(at).unwrap())).collect()
    };
    let mut rows = Vec::new();
    for (at, [_, mark]) in numbers.iter().enumerate() {
        let (n, name) = (40 + u8::try_from(at).unwrap(), format!("n{at}"));
        rows.push(match at {
            0..4 => ("Logical_Router", n, json!({"name": name, "ports": hanging(4, at), "external_ids": ids(*mark)})),
            4..8 => ("Logical_Router_Port", n, json!({"name": name, "mac": "02:00:00:00:00:01", "gateway_chassis": hanging(8, at - 4), "external_ids": ids(*mark)})),
            _ => ("Gateway_Chassis", n, json!({"name": name, "external_ids": ids(*mark)})),
        });
    }
    database(&rows)
}

/// A street, and how it changes: a few rows at a time.
fn streets() -> impl Strategy<Value = Vec<Database>> {
    let one = || (0u8..5, 0u8..5).prop_map(|(on, mark)| [on, mark]);
    let step = prop::collection::vec((0usize..12, one()), 1..3);
    let steps = prop::collection::vec(step, 1..6);
    (prop::collection::vec(one(), 12), steps).prop_map(|(mut now, steps)| {
        let mut streets = vec![street(&now)];
        for step in steps {
            step.into_iter().for_each(|(row, values)| now[row] = values);
            streets.push(street(&now));
        }
        streets
    })
}

fn rows_of(part: &Database) -> Vec<(String, String)> {
    let state = State::new(nb_schema(), part);
    let tables = nb_schema().tables.keys();
    let rows = tables.flat_map(|table| state.uuids(table).into_iter().map(move |uuid| (table, uuid)));
    rows.map(|(table, uuid)| (format!("{table} {uuid}"), format!("{:?}", state.row(table, uuid))))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_part_that_follows_is_the_one_that_would_be_made(streets in streets(), external: bool) {
        let confine = Confine { external, ..acme() };
        let mut part = view(nb_schema(), &streets[0], &confine);
        // And all the way back.
        let steps = streets.windows(2).map(|pair| (&pair[0], &pair[1]));
        let back = streets.windows(2).rev().map(|pair| (&pair[1], &pair[0]));
        for (then, now) in steps.chain(back) {
            let changes = Changes::between(then, now, None);
            follow(nb_schema(), &mut part, (then, now), &changes, &confine);
            let made = view(nb_schema(), now, &confine);
            prop_assert_eq!(rows_of(&part), rows_of(&made));
            let marked = |part: &Database| State::new(nb_schema(), part).find_key("Logical_Router", "external_ids", TENANT_KEY, "t-acme");
            prop_assert_eq!(marked(&part), marked(&made), "its indexes follow too");
        }
    }
}
