use super::*;
use purlin_ovn_core::model::{layout, nb_schema};
use purlin_ovsdb::cache::Cache;
use serde_json::{Map, Value, json};

const TABLE: &str = "Logical_Switch_Port";

fn id(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

/// Ports with a type each.
fn state(cache: &mut Cache, generation: u64, ports: &[(u8, &str)]) -> Rows {
    let row = |(n, kind): &(u8, &str)| {
        let row = json!({ "name": format!("p{n}"), "type": kind, "addresses": ["set", [kind, "unknown"]] });
        (id(*n).to_string(), json!({ "initial": row }))
    };
    let rows: Map<String, Value> = ports.iter().map(row).collect();
    let rows = json!({ TABLE: rows }).to_string();
    cache.reload(rows.as_bytes(), None).expect("rows of the schema");
    let database = cache.database().clone();
    Rows { database, generation }
}

fn cache() -> Cache {
    Cache::new(Arc::new(layout(nb_schema())))
}

fn walked(orders: &Orders, now: &Rows, by: &By, walk: &Walk) -> Vec<Uuid> {
    orders.walk(now, TABLE, by, walk, |_, _| true).1
}

fn all() -> Walk {
    Walk {
        limit: 100,
        ..Walk::default()
    }
}

#[test]
fn an_order_follows_the_rows_and_never_goes_back() {
    let (mut cache, orders) = (cache(), Orders::default());
    let by = By::Value("type".to_owned());
    let first = state(&mut cache, 1, &[(1, "b"), (2, "a"), (3, "c")]);
    assert_eq!(walked(&orders, &first, &by, &all()), [id(2), id(1), id(3)]);
    let second = state(&mut cache, 2, &[(1, "d"), (3, "c"), (4, "a")]);
    assert_eq!(walked(&orders, &second, &by, &all()), [id(4), id(3), id(1)]);
    let (database, rows) = orders.walk(&first, TABLE, &by, &all(), |_, _| true);
    assert_eq!(rows, [id(4), id(3), id(1)], "a late request gets the newer state");
    assert!(
        database
            .table(TABLE)
            .is_some_and(|table| table.get(id(2)).is_none())
    );
    let backwards = Walk {
        backwards: true,
        ..all()
    };
    assert_eq!(walked(&orders, &second, &by, &backwards), [id(1), id(3), id(4)]);
}

#[test]
fn pages_go_on_behind_their_cursor_and_within_one_value() {
    let (mut cache, orders) = (cache(), Orders::default());
    let now = state(&mut cache, 1, &[(1, "a"), (2, "b"), (3, "b"), (4, "b"), (5, "c")]);
    let by = By::Found(Index::column("addresses"));
    let value = |text: &str| Datum::One(Atom::from(text));
    let only = |after: Option<u8>, backwards: bool| Walk {
        only: Some(value("b")),
        after: after.map(|after| (value("b"), id(after))),
        backwards,
        limit: 2,
    };
    assert_eq!(walked(&orders, &now, &by, &only(None, false)), [id(2), id(3)]);
    assert_eq!(walked(&orders, &now, &by, &only(Some(3), false)), [id(4)]);
    assert_eq!(walked(&orders, &now, &by, &only(Some(4), false)), []);
    assert_eq!(walked(&orders, &now, &by, &only(None, true)), [id(4), id(3)]);
    assert_eq!(walked(&orders, &now, &by, &only(Some(3), true)), [id(2)]);
    let beyond = Walk {
        after: Some((value("z"), id(1))),
        ..only(None, false)
    };
    assert_eq!(
        walked(&orders, &now, &by, &beyond),
        [],
        "a cursor of another value"
    );
    let fits = |_: &Database, row: &RowRef<'_>| row.uuid() != id(2);
    assert_eq!(
        orders.walk(&now, TABLE, &by, &only(None, false), fits).1,
        [id(3), id(4)]
    );
}

#[test]
fn a_few_orders_are_kept() {
    let (mut cache, orders) = (cache(), Orders::default());
    let now = state(&mut cache, 1, &[(1, "a")]);
    for n in 0..2 * KEPT_MAX {
        let by = By::Found(Index::key("options", &format!("k{n}")));
        assert_eq!(walked(&orders, &now, &by, &all()), []);
    }
    let kept = || orders.0.lock().expect("nobody else").len();
    assert_eq!(kept(), KEPT_MAX);
    let next = state(&mut cache, 2, &[(2, "a")]);
    orders.keep_up(&next);
    let entries = orders.0.lock().expect("nobody else");
    let generation = |entry: &Entry| {
        entry
            .order
            .lock()
            .expect("nobody else")
            .as_ref()
            .map(|order| order.generation)
    };
    assert!(
        entries.iter().all(|entry| generation(entry) == Some(2)),
        "no old rows are held"
    );
}
