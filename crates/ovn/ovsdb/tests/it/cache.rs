//! Updates become states: laws, and what does not fit.

use proptest::collection::btree_map;
use proptest::prelude::*;
use purlin_ovsdb::cache::{
    Cache, CacheError, Changes, Database, Index, Layout, RowRef, TableLayout, differences,
};
use purlin_ovsdb::{Atom, ColumnType, Datum, Uuid};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

type State = BTreeMap<u8, (i64, Vec<String>, BTreeMap<String, String>)>;

fn columns() -> Vec<(String, ColumnType)> {
    let kind = |json: Value| ColumnType::parse(&json).unwrap();
    vec![
        ("n".to_owned(), kind(json!("integer"))),
        (
            "set".to_owned(),
            kind(json!({"key": "string", "min": 0, "max": "unlimited"})),
        ),
        (
            "map".to_owned(),
            kind(json!({"key": "string", "value": "string", "min": 0, "max": "unlimited"})),
        ),
    ]
}

fn cache() -> Cache {
    let indexes = [Index::column("n"), Index::column("set"), Index::key("map", "a")];
    Cache::new(Arc::new(Layout::new([TableLayout::new("t", columns(), indexes)])))
}

fn uuid(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

fn data(row: &(i64, Vec<String>, BTreeMap<String, String>)) -> [(&'static str, Datum); 3] {
    [
        ("n", row.0.into()),
        ("set", Datum::set(&row.1)),
        ("map", Datum::map(&row.2)),
    ]
}

/// What a server sends to bring `old` to `new`.
fn update(old: &State, new: &State) -> Value {
    let mut rows = Map::new();
    for n in old.keys().chain(new.keys()) {
        let change = match (old.get(n), new.get(n)) {
            (None, Some(row)) => {
                let columns = data(row).into_iter().filter(|(_, datum)| !datum.is_empty());
                json!({"insert": columns.map(|(name, datum)| (name.to_owned(), datum.to_json())).collect::<Map<_, _>>()})
            }
            (Some(old), Some(new)) => {
                let kinds = columns();
                let diffs = data(old).into_iter().zip(data(new)).zip(&kinds);
                let diffs = diffs.filter_map(|(((name, a), (_, b)), (_, kind))| {
                    Some((name.to_owned(), a.diff(&b, kind)?.to_json()))
                });
                let diffs: Map<_, _> = diffs.collect();
                if diffs.is_empty() {
                    continue;
                }
                json!({ "modify": diffs })
            }
            (Some(_), None) => json!({"delete": null}),
            (None, None) => continue,
        };
        rows.insert(uuid(*n).to_string(), change);
    }
    json!({ "t": rows })
}

fn check(database: &Database, state: &State) {
    let table = database.table("t").unwrap();
    assert_eq!(table.len(), state.len());
    for (n, row) in state {
        let found = table.get(uuid(*n)).unwrap();
        for (name, datum) in data(row) {
            assert_eq!(found.get(name), Some(&datum));
        }
        let has = |index: &Index, atom: &Atom| table.find(index, atom).any(|found| found.uuid() == uuid(*n));
        assert!(has(&Index::column("n"), &row.0.into()));
        assert!(
            row.1
                .iter()
                .all(|element| has(&Index::column("set"), &element.into()))
        );
        assert_eq!(
            row.2
                .get("a")
                .is_some_and(|value| has(&Index::key("map", "a"), &value.into())),
            row.2.contains_key("a")
        );
    }
    for n in -2i64..3 {
        let found: Vec<_> = table
            .find(&Index::column("n"), &n.into())
            .map(|row| row.uuid())
            .collect();
        let expected: Vec<_> = state
            .iter()
            .filter(|(_, row)| row.0 == n)
            .map(|(key, _)| uuid(*key))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(table.names_by("n", &n.into()), expected);
    }
    for word in ["a", "b", "c"] {
        let index = Index::column("set");
        let atom = Atom::from(word);
        let found: Vec<_> = table.find(&index, &atom).map(|row| row.uuid()).collect();
        assert_eq!(table.names_by("set", &atom), found);
        // Without an index on it.
        let has = |row: &(i64, Vec<String>, BTreeMap<String, String>)| row.2.contains_key(word);
        let expected: Vec<_> = state
            .iter()
            .filter(|(_, row)| has(row))
            .map(|(key, _)| uuid(*key))
            .collect();
        assert_eq!(table.names_by("map", &atom), expected);
    }
    for index in [Index::column("set"), Index::key("map", "a")] {
        let finds = state.values().any(|row| match index {
            Index::Column(_) => !row.1.is_empty(),
            Index::Key(..) => row.2.contains_key("a"),
        });
        assert_eq!(table.finds_any(&index), Some(finds));
    }
    assert_eq!(table.finds_any(&Index::column("map")), None);
}

/// What a look at every column finds.
fn check_differences(before: &Database, after: &Database) {
    let (old, new) = (before.table("t").unwrap(), after.table("t").unwrap());
    for n in 0..40 {
        let (old, new) = (old.get(uuid(n)), new.get(uuid(n)));
        let found: Vec<_> = differences(old, new).collect();
        let defaults = columns();
        let default = |name: &str| {
            defaults
                .iter()
                .find(|(own, _)| own == name)
                .map(|(_, kind)| Datum::default_of(kind))
        };
        let mut expected = Vec::new();
        for name in ["map", "n", "set"] {
            let value = |row: Option<RowRef<'_>>| {
                row.map_or_else(|| default(name).unwrap(), |row| row.get(name).unwrap().clone())
            };
            if value(old) != value(new) {
                expected.push((name, value(old), value(new)));
            }
        }
        let found: Vec<_> = found
            .into_iter()
            .map(|(name, a, b)| (name, a.clone(), b.clone()))
            .collect();
        assert_eq!(found, expected);
    }
}

fn replay(changes: &Changes, state: &mut BTreeMap<Uuid, purlin_ovsdb::cache::RowData>) {
    for change in &changes.rows {
        assert_eq!(state.get(&change.uuid), change.before.as_ref());
        match &change.after {
            Some(row) => state.insert(change.uuid, row.clone()),
            None => state.remove(&change.uuid),
        };
    }
}

fn rows(database: &Database) -> BTreeMap<Uuid, purlin_ovsdb::cache::RowData> {
    let rows = database.table("t").unwrap().rows();
    rows.map(|row| (row.uuid(), row.data().clone())).collect()
}

fn states() -> impl Strategy<Value = Vec<State>> {
    let set = prop::collection::btree_set("[a-c]", 0..3).prop_map(|set| set.into_iter().collect());
    let row = (-2i64..3, set, btree_map("[a-c]", "[x-z]", 0..3));
    prop::collection::vec(btree_map(0u8..40, row, 0..40), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn updates_make_the_state_and_old_states_stay(states in states()) {
        let mut cache = cache();
        let mut followed = BTreeMap::new();
        let mut kept: Vec<(Database, State)> = Vec::new();
        let mut old = State::new();
        for (turn, new) in states.into_iter().enumerate() {
            let changes = if turn % 3 == 2 {
                let whole = update(&State::new(), &new).to_string();
                cache.reload(whole.as_bytes(), None).unwrap()
            } else {
                cache.apply(update(&old, &new).to_string().as_bytes(), None).unwrap()
            };
            replay(&changes, &mut followed);
            prop_assert_eq!(&rows(cache.database()), &followed);
            check(cache.database(), &new);
            if let Some((before, _)) = kept.last() {
                check_differences(before, cache.database());
                let between = Changes::between(before, cache.database(), None);
                let mut rows_before = rows(before);
                replay(&between, &mut rows_before);
                prop_assert_eq!(&rows_before, &followed);
            }
            kept.push((cache.database().clone(), new.clone()));
            old = new;
        }
        for (database, state) in kept {
            check(&database, &state);
        }
    }
}

#[test]
fn an_update_that_does_not_fit_changes_nothing() {
    let mut cache = cache();
    let one = json!({"t": {uuid(1).to_string(): {"insert": {"n": 1}}}}).to_string();
    cache.apply(one.as_bytes(), None).unwrap();
    let twice =
        json!({"t": {uuid(2).to_string(): {"insert": {"n": 2}}, uuid(3).to_string(): {"modify": {"n": 3}}}})
            .to_string();
    assert!(matches!(
        cache.apply(twice.as_bytes(), None),
        Err(CacheError::NotThere(..))
    ));
    assert!(matches!(
        cache.apply(one.as_bytes(), None),
        Err(CacheError::AlreadyThere(..))
    ));
    for bad in [
        "",
        "[]",
        r#"{"t":{"x":{}}}"#,
        r#"{"t":7}"#,
        r#"{"t":{"01010101-0101-0101-0101-010101010101":{"modify":{"n":"text"}}}}"#,
    ] {
        assert!(
            matches!(cache.apply(bad.as_bytes(), None), Err(CacheError::Unreadable(_))),
            "{bad}"
        );
    }
    let words = cache.apply(
        br#"{"t":{"01010101-0101-0101-0101-010101010101":{"modify":{"n":"x"}}}}"#,
        None,
    );
    assert!(
        words
            .unwrap_err()
            .to_string()
            .contains("t.n: a string, expected integer")
    );
    assert_eq!(cache.database().len(), 1);
}

#[test]
fn the_first_protocol_brings_whole_rows() {
    let mut cache = cache();
    let id = uuid(1).to_string();
    let mut apply = |json: Value| cache.apply(json.to_string().as_bytes(), None).unwrap().rows;
    assert_eq!(
        apply(json!({"t": {&id: {"new": {"n": 1, "set": ["set", ["a", "b"]]}}}})).len(),
        1
    );
    let changed = apply(json!({"t": {&id: {"old": {"n": 1}, "new": {"n": 2, "set": ["set", ["a", "b"]]}}}}));
    assert_eq!(changed[0].columns().count(), 1);
    assert!(apply(json!({"t": {&id: {"old": {"n": 2}}}}))[0].after.is_none());
}

#[test]
fn tables_and_columns_that_nobody_asked_for_are_skipped() {
    let mut cache = cache();
    let json =
        json!({"other": {"x": 1}, "t": {uuid(1).to_string(): {"insert": {"n": 1, "later": ["deep", [{}]]}}}});
    assert_eq!(
        cache.apply(json.to_string().as_bytes(), None).unwrap().rows.len(),
        1
    );
}
