//! One function for the laws, the corpus and the fuzz target.

use purlin_ovsdb::cache::{Cache, Changes, Database, Index, Layout, TableLayout};
use purlin_ovsdb::session::{Event, Limits, Session, methods};
use purlin_ovsdb::{ColumnType, DatabaseSchema, Outcome};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Takes the octets as what a server sends: whole and in pieces they come to the same, and whatever they carry is read as a
/// schema, as an answer and as rows without a panic; an update applies whole or not at all.
pub(crate) fn ask_everything(octets: &[u8]) {
    let whole = events(octets, octets.len().max(1));
    assert_eq!(whole, events(octets, 1), "in pieces");
    let mut cache = Cache::new(Arc::new(layout()));
    for event in whole.0 {
        match event {
            Event::Update(update) => take(&mut cache, &update.tables),
            Event::Reply(_, Ok(json)) => {
                let _ = Outcome::parse(&json, 2);
                take(&mut cache, &json);
                let _ = Cache::new(Arc::new(layout())).catch_up(&json);
                let schema = serde_json::from_slice(&json).map(|json| DatabaseSchema::parse(&json));
                if let Ok(Ok(schema)) = schema {
                    assert_eq!(DatabaseSchema::parse(&schema.to_json()), Ok(schema));
                }
            }
            _ => {}
        }
    }
}

fn events(octets: &[u8], piece: usize) -> (Vec<Event>, bool) {
    let limits = Limits {
        message_max: 1 << 16,
        depth_max: 32,
    };
    let mut session = Session::new(Duration::ZERO, Duration::from_secs(5), limits);
    for _ in 0..4 {
        session.call("list_dbs", &methods::NONE);
    }
    let mut ended = false;
    for piece in octets.chunks(piece) {
        ended = ended || session.receive(Duration::ZERO, piece).is_err();
    }
    let events = std::iter::from_fn(|| session.poll_event()).collect();
    (events, ended)
}

fn take(cache: &mut Cache, json: &[u8]) {
    let before = cache.database().clone();
    if let Ok(changes) = cache.apply(json, None) {
        let between = Changes::between(&before, cache.database(), None);
        assert!(between.rows.len() <= changes.rows.len());
    } else {
        assert_eq!(rows(&before), rows(cache.database()));
    }
    let _ = cache.reload(json, None);
}

fn rows(database: &Database) -> usize {
    database
        .tables()
        .flat_map(|table| table.rows())
        .map(|row| row.columns().count())
        .sum()
}

fn layout() -> Layout {
    let kind = |json: &serde_json::Value| ColumnType::parse(json).expect("a type");
    let many = |key: &str| kind(&json!({"key": key, "min": 0, "max": "unlimited"}));
    let map = kind(&json!({"key": "string", "value": "string", "min": 0, "max": "unlimited"}));
    let columns = [
        ("name".to_owned(), kind(&json!("string"))),
        ("ports".to_owned(), many("uuid")),
        ("tag".to_owned(), kind(&json!({"key": "integer", "min": 0}))),
        ("external_ids".to_owned(), map),
    ];
    let indexes = [
        Index::column("name"),
        Index::column("ports"),
        Index::key("external_ids", "owner"),
    ];
    Layout::new([TableLayout::new("Logical_Switch", columns, indexes)])
}
