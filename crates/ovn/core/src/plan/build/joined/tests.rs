use crate::model::{Change, Child, Diff, State, Why, layout, nb_schema, row_from_natural};
use crate::plan::build::Builder;
use crate::plan::{Reach, Refusal, Writer};
use crate::tenant::{Confine, SHARED_KEY, TENANT_KEY};
use proptest::prelude::*;
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::{Datum, Operation, Row, Transaction, Uuid};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const PORT: &str = "Logical_Switch_Port";
const GATE: &str = "Logical_Router_Port";

const fn id(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

fn row(table: &str, columns: &Value) -> Row {
    let schema = nb_schema().table(table).expect("a table of OVN");
    row_from_natural(columns.as_object().expect("columns"), schema).expect("good columns")
}

/// Switch 1 is ours, 2 another manager's, 3 nobody's, 4 ours and lent to tenants; router 5 has port 50 with a gateway chassis
/// 60; group 6 has some of the ports. All that is ours is tenant `t`'s, but the switch that is lent.
fn world() -> Database {
    let uuids = |numbers: &[u8]| -> Value { numbers.iter().map(|n| id(*n).to_string()).collect() };
    let ours = json!({"purlin-owner": "shop", TENANT_KEY: "t"});
    let mut rows = vec![
        (
            "Logical_Switch",
            1,
            json!({"name": "s1", "ports": uuids(&[11, 12, 13]), "external_ids": ours}),
        ),
        (
            "Logical_Switch",
            2,
            json!({"name": "s2", "ports": uuids(&[14]), "external_ids": {"neutron:name": "n"}}),
        ),
        ("Logical_Switch", 3, json!({"name": "s3", "ports": uuids(&[15])})),
        (
            "Logical_Switch",
            4,
            json!({"name": "s4", "external_ids": {"purlin-owner": "shop", SHARED_KEY: "true"}}),
        ),
        (
            "Logical_Router",
            5,
            json!({"name": "r5", "ports": uuids(&[50]), "external_ids": ours}),
        ),
        (
            GATE,
            50,
            json!({"name": "g50", "mac": "02:00:00:00:00:50", "networks": ["10.0.0.1/24"], "gateway_chassis": uuids(&[60])}),
        ),
        (
            "Gateway_Chassis",
            60,
            json!({"name": "c60", "chassis_name": "c60"}),
        ),
        (
            "Port_Group",
            6,
            json!({"name": "g6", "ports": uuids(&[11, 14]), "external_ids": ours}),
        ),
    ];
    for n in 11..16 {
        let ids = if n < 13 { ours.clone() } else { json!({}) };
        rows.push((PORT, n, json!({"name": format!("p{n}"), "external_ids": ids})));
    }
    let mut database = Database::empty(Arc::new(layout(nb_schema())));
    for (table, n, columns) in &rows {
        database.set(table, id(*n), Some(&row(table, columns)));
    }
    database
}

fn under(table: &str, n: u8, columns: &Value, (of, on, column): (&str, u8, &str)) -> Change {
    Change::Insert {
        table: table.to_owned(),
        uuid: id(n),
        row: row(table, columns),
        parent: Some(Child {
            table: of.to_owned(),
            uuid: id(on),
            column: column.to_owned(),
        }),
    }
}

fn moved(adds: bool, (table, n, column): (&str, u8, &str), values: &[u8]) -> Change {
    let values = Datum::set(values.iter().map(|n| id(*n)));
    let (table, uuid, column) = (table.to_owned(), id(n), column.to_owned());
    match adds {
        true => Change::Add {
            table,
            uuid,
            column,
            values,
        },
        false => Change::Remove {
            table,
            uuid,
            column,
            values,
        },
    }
}

fn update(table: &str, n: u8, columns: &Value) -> Change {
    Change::Update {
        table: table.to_owned(),
        uuid: id(n),
        row: row(table, columns),
    }
}

/// A change of any kind; numbers are few, so that they meet.
fn change() -> impl Strategy<Value = Change> {
    let ports = || prop::collection::vec(11u8..22, 1..4);
    let delete = |(table, n): (&str, u8)| Change::Delete {
        table: table.to_owned(),
        uuid: id(n),
    };
    prop_oneof![
        6 => (16u8..22, prop::sample::select(vec![1, 2, 3, 4, 7, 8])).prop_map(|(n, on)| {
            under(PORT, n, &json!({"name": format!("p{n}")}), ("Logical_Switch", on, "ports"))
        }),
        2 => (7u8..9).prop_map(|n| Change::Insert {
            table: "Logical_Switch".to_owned(),
            uuid: id(n),
            row: row("Logical_Switch", &json!({"name": format!("s{n}")})),
            parent: None,
        }),
        2 => (51u8..53).prop_map(|n| {
            let columns = json!({"name": format!("g{n}"), "mac": "02:00:00:00:00:51", "networks": ["10.0.9.1/24"]});
            under(GATE, n, &columns, ("Logical_Router", 5, "ports"))
        }),
        3 => (61u8..64, 50u8..53).prop_map(|(n, on)| {
            let columns = json!({"name": format!("c{n}"), "chassis_name": format!("c{n}")});
            under("Gateway_Chassis", n, &columns, (GATE, on, "gateway_chassis"))
        }),
        4 => (any::<bool>(), 1u8..5, ports()).prop_map(|(adds, n, ports)| moved(adds, ("Logical_Switch", n, "ports"), &ports)),
        4 => (any::<bool>(), ports()).prop_map(|(adds, ports)| moved(adds, ("Port_Group", 6, "ports"), &ports)),
        1 => any::<bool>().prop_map(|adds| moved(adds, ("Logical_Router", 5, "ports"), &[50])),
        1 => any::<bool>().prop_map(|adds| moved(adds, (PORT, 11, "dhcpv4_options"), &[99])),
        4 => (11u8..22).prop_map(move |n| delete((PORT, n))),
        1 => (60u8..64).prop_map(move |n| delete(("Gateway_Chassis", n))),
        1 => (50u8..53).prop_map(move |n| delete((GATE, n))),
        1 => (1u8..5).prop_map(move |n| delete(("Logical_Switch", n))),
        1 => (1u8..5).prop_map(|n| update("Logical_Switch", n, &json!({"other_config": {"subnet": "10.0.0.0/24"}}))),
        1 => ports().prop_map(|ports| {
            let ports: Vec<String> = ports.iter().map(|n| id(*n).to_string()).collect();
            update("Port_Group", 6, &json!({"ports": ports}))
        }),
        1 => (1u8..5).prop_map(|n| update("Logical_Switch", n, &json!({"external_ids": {"note": "x"}}))),
    ]
}

type Rows = BTreeMap<(String, Uuid), Row>;

fn rows(database: &Database) -> Rows {
    let rows = database.tables().flat_map(|table| {
        let rows = table
            .rows()
            .map(move |row| ((table.layout().name().to_owned(), row.uuid()), row.to_row()));
        rows.collect::<Vec<_>>()
    });
    rows.collect()
}

/// Does what a server does with the operations, one after the other.
fn done(transaction: &Transaction, mut rows: Rows) -> Rows {
    let uuid = |conditions: &[purlin_ovsdb::Condition]| match conditions {
        [purlin_ovsdb::Condition::Clause { value, .. }] => value.one().and_then(purlin_ovsdb::Atom::as_uuid),
        _ => None,
    };
    for operation in transaction.operations() {
        match operation {
            Operation::Insert(insert) => {
                let schema = nb_schema().table(&insert.table).expect("a table of OVN");
                let defaults = schema.columns.iter();
                let mut whole: Row = defaults
                    .map(|(name, column)| (name.clone(), Datum::default_of(&column.kind)))
                    .collect();
                insert
                    .row
                    .columns()
                    .for_each(|(name, value)| whole.set(name, value.clone()));
                rows.insert((insert.table.to_string(), insert.uuid.expect("chosen")), whole);
            }
            Operation::Update {
                table,
                conditions,
                row,
            } => {
                let held = rows.get_mut(&(table.to_string(), uuid(conditions).expect("one row")));
                let held = held.expect("it is there");
                row.columns()
                    .for_each(|(name, value)| held.set(name, value.clone()));
            }
            Operation::Mutate {
                table,
                conditions,
                mutations,
            } => {
                let schema = nb_schema().table(table).expect("a table of OVN");
                let held = rows.get_mut(&(table.to_string(), uuid(conditions).expect("one row")));
                let held = held.expect("it is there");
                for mutation in mutations {
                    mutation.apply(schema, held).expect("sets of any size");
                }
            }
            Operation::Delete { table, conditions } => {
                rows.remove(&(table.to_string(), uuid(conditions).expect("one row")));
            }
            _ => {}
        }
    }
    rows
}

fn waits(transaction: &Transaction) -> Vec<String> {
    let waits = transaction.operations().iter();
    let waits = waits.filter(|operation| matches!(operation, Operation::Wait(_)));
    waits
        .map(|wait| serde_json::to_string(wait).expect("JSON"))
        .collect()
}

/// One builder that gathers, and one that does each change at once.
fn both<'a>(
    state: &State<'a>,
    writer: &'a Writer,
    changes: &[Change],
) -> Result<[Builder<'a, 'a>; 2], (Refusal, Option<Refusal>)> {
    let [mut together, mut single] = [Builder::new(state, writer), Builder::new(state, writer)];
    for change in changes {
        let (one, other) = (together.change(change.clone()), single.change(change.clone()));
        single.settle();
        match (one, other) {
            (Ok(()), Ok(())) => {}
            (Ok(()), Err(refusal)) => return Err((refusal, None)),
            (Err(refusal), other) => return Err((refusal, other.err())),
        }
    }
    together.settle();
    Ok([together, single])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    /// The same rows, differences, guards and refusals, and the same in the database, also when others have written to its
    /// sets meanwhile.
    #[test]
    fn many_at_once_are_one_by_one(
        changes in prop::collection::vec(change(), 1..14),
        reach in prop::sample::select(vec![Reach::Own, Reach::Unmarked, Reach::All]),
        confined in any::<bool>(),
        others in prop::collection::vec((any::<bool>(), 0usize..3, 11u8..22), 0..6),
    ) {
        let database = world();
        let confine = Confine { tenant: "t".to_owned(), external: true, ..Confine::default() };
        let state = State::new(nb_schema(), &database);
        let state = if confined { state.confined(&confine) } else { state };
        let writer = Writer { owner: "shop".to_owned(), reach };
        let [together, single] = match both(&state, &writer, &changes) {
            Ok(both) => both,
            Err((refusal, other)) => {
                prop_assert_eq!(Some(refusal), other, "{:?}", changes);
                return Ok(());
            }
        };
        let touched = |state: &State<'_>| -> BTreeSet<(String, Uuid)> {
            state.touched().map(|(table, uuid)| (table.to_owned(), uuid)).collect()
        };
        prop_assert_eq!(touched(&together.after), touched(&single.after));
        for table in nb_schema().tables.keys() {
            let uuids = single.after.uuids(table);
            prop_assert_eq!(together.after.uuids(table), uuids.clone());
            for uuid in uuids {
                prop_assert_eq!(together.after.row(table, uuid), single.after.row(table, uuid));
                prop_assert_eq!(together.after.parent(table, uuid), single.after.parent(table, uuid));
            }
        }
        let why = |_: &str, _: Uuid| Why::Asked;
        prop_assert_eq!(Diff::between(&together.after, why), Diff::between(&single.after, why));
        let (together, _) = together.finish("somebody", "one");
        let (single, _) = single.finish("somebody", "one");
        prop_assert_eq!(waits(&together), waits(&single));
        let mut disturbed = rows(&database);
        for (comes, set, element) in others {
            let (table, n) = [("Logical_Switch", 1), ("Logical_Switch", 3), ("Port_Group", 6)][set];
            let held = disturbed.get_mut(&(table.to_owned(), id(n))).expect("it is there");
            let (ports, port) = (held.get("ports").cloned().expect("a set"), Datum::from(id(element)));
            held.set("ports", if comes { ports.with_atoms(port.atoms()) } else { ports.without(&port) });
        }
        for rows in [rows(&database), disturbed] {
            prop_assert_eq!(done(&together, rows.clone()), done(&single, rows), "{:?}", changes);
        }
    }
}

#[test]
fn a_port_is_a_tenants_as_soon_as_it_hangs_on_its_switch() {
    let database = world();
    let confine = Confine {
        tenant: "t".to_owned(),
        external: true,
        ..Confine::default()
    };
    let state = State::new(nb_schema(), &database).confined(&confine);
    let writer = Writer {
        owner: "shop".to_owned(),
        reach: Reach::Own,
    };
    let comes = moved(true, ("Logical_Switch", 1, "ports"), &[15]);
    let goes = moved(false, ("Logical_Switch", 4, "ports"), &[15]);
    assert!(both(&state, &writer, &[comes, goes.clone()]).is_ok());
    // Before that the shared switch is none that it may write.
    let refused = both(&state, &writer, &[goes]).err();
    assert!(refused.is_some_and(|(one, other)| Some(one) == other));
}

#[test]
fn a_hundred_ports_of_two_switches_are_two_mutations() {
    let database = world();
    let state = State::new(nb_schema(), &database);
    let writer = Writer {
        owner: "shop".to_owned(),
        reach: Reach::Own,
    };
    let mut builder = Builder::new(&state, &writer);
    for n in 100..200 {
        let switch = if n % 2 == 0 { 1 } else { 4 };
        let port = under(
            PORT,
            n,
            &json!({"name": format!("p{n}")}),
            ("Logical_Switch", switch, "ports"),
        );
        builder.change(port).expect("a good change");
    }
    builder
        .change(moved(false, ("Logical_Switch", 1, "ports"), &[12]))
        .expect("a good change");
    builder.settle();
    let (transaction, after) = builder.finish("somebody", "one");
    let operations = transaction.operations().iter();
    let mutations = operations.filter_map(|operation| match operation {
        Operation::Mutate { mutations, .. } => Some(mutations.len()),
        _ => None,
    });
    assert_eq!(
        mutations.collect::<Vec<_>>(),
        [2, 1],
        "one takes a port out as well"
    );
    let ports = |n: u8| after.targets("Logical_Switch", id(n), "ports").len();
    assert_eq!((ports(1), ports(4)), (52, 50));
}
