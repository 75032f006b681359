use super::*;
use purlin_ovn_core::model::{layout, nb_schema};
use purlin_ovsdb::cache::{Cache, Layout, TableLayout};
use purlin_ovsdb::schemas;
use serde_json::{Value, json};

fn id(n: usize) -> String {
    Uuid::from_bytes([u8::try_from(n).expect("small"); 16]).to_string()
}

/// A switch with these ports, one address each.
fn switch(ports: &[usize]) -> Value {
    let row = |n: &usize| {
        let address = format!("02:00:00:00:00:{n:02x} 10.0.0.{n}");
        (
            id(*n),
            json!({"initial": {"name": format!("p{n}"), "addresses": address}}),
        )
    };
    let rows: serde_json::Map<String, Value> = ports.iter().map(row).collect();
    let hung: Vec<Value> = ports.iter().map(|n| json!(["uuid", id(*n)])).collect();
    json!({
        "Logical_Switch": {id(200): {"initial": {"name": "s", "ports": ["set", hung]}}},
        "Logical_Switch_Port": rows,
    })
}

fn cache() -> Cache {
    Cache::new(Arc::new(layout(nb_schema())))
}

fn loaded(cache: &mut Cache, ports: &[usize]) -> Database {
    let rows = switch(ports).to_string();
    cache.reload(rows.as_bytes(), None).expect("rows of the schema");
    cache.database().clone()
}

fn gathered(database: &Database) -> Book {
    book(&State::new(nb_schema(), database))
}

#[test]
fn each_snapshot_gets_its_own_book_whatever_was_asked_about_before() {
    let mut cache = cache();
    let states = [vec![1, 2], vec![1, 2, 3], vec![2, 3], vec![], vec![4]];
    let states: Vec<Database> = states.iter().map(|ports| loaded(&mut cache, ports)).collect();
    let books = Books::default();
    for (generation, at) in [(0, 0), (2, 2), (1, 1), (2, 2), (4, 4), (0, 0), (3, 3), (4, 4)] {
        let book = books.of(nb_schema(), &states[at], generation);
        assert!(book == gathered(&states[at]), "state {at}");
        let kept = books.0.lock().expect("nobody else");
        let kept = kept.as_ref().expect("kept");
        assert!(kept.generation >= generation, "never back");
        assert!(
            kept.book == gathered(&kept.database),
            "book and state go together"
        );
    }
}

#[test]
fn rows_of_another_layout_are_gathered_anew() {
    let books = Books::default();
    let first = loaded(&mut cache(), &[1, 2]);
    assert!(books.of(nb_schema(), &first, 1) == gathered(&first));
    let second = loaded(&mut cache(), &[2, 3]);
    assert!(books.of(nb_schema(), &second, 2) == gathered(&second));
}

#[test]
fn options_are_those_that_the_southbound_lists() {
    let column = |name: &str| {
        let schema = serde_json::from_str(schemas::SB).expect("JSON");
        let schema = DatabaseSchema::parse(&schema).expect("OVN's own");
        let table = schema.table("DHCP_Options").expect("a table");
        (
            name.to_owned(),
            table.column(name).expect("a column").kind.clone(),
        )
    };
    let columns = ["name", "code", "type"].map(column);
    let table = TableLayout::new("DHCP_Options", columns, []);
    let mut cache = Cache::new(Arc::new(Layout::new([table])));
    let options = Options::default();
    let of = |cache: &Cache| options.of(Some(cache.database()));
    assert!(
        of(&cache).v4.get("router").is_some(),
        "as long as nobody lists any"
    );
    assert!(Arc::ptr_eq(&of(&cache), &of(&cache)));
    let row = |n: usize, name: &str| {
        (
            id(n),
            json!({"insert": {"name": name, "code": 250, "type": "uint8"}}),
        )
    };
    let update =
        |rows: Vec<(String, Value)>| json!({"DHCP_Options": serde_json::Map::from_iter(rows)}).to_string();
    let first = update(vec![row(1, "of_tomorrow")]);
    cache.apply(first.as_bytes(), None).expect("an update");
    let listed = of(&cache);
    assert!(listed.v4.get("of_tomorrow").is_some() && listed.v4.get("router").is_none());
    assert!(
        listed.v6.get("server_id").is_some(),
        "the other family as it is known"
    );
    assert!(Arc::ptr_eq(&listed, &of(&cache)), "kept while the rows stay");
    let second = update(vec![(id(1), json!({"delete": null})), row(2, "of_next_week")]);
    cache.apply(second.as_bytes(), None).expect("an update");
    assert!(of(&cache).v4.get("of_tomorrow").is_none() && of(&cache).v4.get("of_next_week").is_some());
}
