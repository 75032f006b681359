//! Schemas as OVN ships them, and servers that are older or newer.

use purlin_ovsdb::schema::{Mismatch, Wanted};
use purlin_ovsdb::schemas::{NB, SB};
use purlin_ovsdb::{AtomicType, DatabaseSchema};
use serde_json::{Value, json};

fn schema(text: &str) -> DatabaseSchema {
    DatabaseSchema::parse(&serde_json::from_str(text).unwrap()).unwrap()
}

#[test]
fn the_schemas_of_ovn_are_read_and_written_again() {
    for text in [NB, SB] {
        let read = schema(text);
        assert_eq!(DatabaseSchema::parse(&read.to_json()).unwrap(), read);
    }
    let nb = schema(NB);
    assert_eq!(
        (nb.name.as_str(), nb.version.as_str()),
        ("OVN_Northbound", "7.0.0")
    );
    assert_eq!(nb.tables.len(), 30);
    let ports = &nb.tables["Logical_Switch"].columns["ports"].kind;
    assert!(
        ports
            .key
            .reference
            .as_ref()
            .is_some_and(|to| to.strong && to.table == "Logical_Switch_Port")
    );
    assert!(!nb.tables["Logical_Switch_Port"].root);
    assert_eq!(nb.tables["Logical_Switch_Port"].indexes, [["name"]]);
}

#[test]
fn columns_that_only_one_side_has_are_neither_asked_for_nor_sent() {
    let nb = schema(NB);
    let wanted = [
        Wanted::any("name"),
        Wanted::any("of_a_later_version"),
        Wanted {
            name: "tag".to_owned(),
            kind: Some(AtomicType::String.into()),
        },
    ];
    let (columns, missing) = nb.negotiate("Logical_Switch_Port", &wanted);
    assert_eq!(
        columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["name"]
    );
    let table = "Logical_Switch_Port".to_owned();
    assert_eq!(
        missing,
        [
            Mismatch::Column(table.clone(), "of_a_later_version".to_owned()),
            Mismatch::Type(table, "tag".to_owned()),
        ]
    );
    assert_eq!(
        nb.negotiate("Sampling_App", &wanted).1,
        [Mismatch::Table("Sampling_App".to_owned())]
    );
}

#[test]
fn a_schema_at_fault_says_where() {
    let fault = |json: &Value| DatabaseSchema::parse(json).unwrap_err().details;
    assert!(fault(&json!({"tables": {}})).contains("Required 'name' member is missing"));
    assert!(
        fault(&json!({"name": "x", "tables": {}, "more": 1}))
            .contains("Member 'more' is present but not allowed")
    );
    let dangling = json!({"name": "x", "tables": {"a": {"columns": {
        "c": {"type": {"key": {"type": "uuid", "refTable": "b"}}}}}}});
    assert!(fault(&dangling).contains("refers to undefined table b"));
    let reserved = json!({"name": "x", "tables": {"_a": {"columns": {"c": {"type": "integer"}}}}});
    assert!(fault(&reserved).contains("names beginning with \"_\" are reserved"));
}

#[test]
fn a_schema_says_what_stays_and_what_may_change() {
    let json = json!({"name": "x", "version": "1.2.3", "tables": {
        "a": {"isRoot": true, "mutable": false, "columns": {
            "weak": {"mutable": false, "type": {"key": {"type": "uuid", "refTable": "b", "refType": "weak"}}},
            "kept": {"ephemeral": true, "type": {"key": {"type": "uuid", "refTable": "b"}}}}},
        "b": {"columns": {"lost": {"ephemeral": true, "type": {"key": {"type": "uuid", "refTable": "a"}}}}}}});
    let schema = DatabaseSchema::parse(&json).unwrap();
    let (a, b) = (&schema.tables["a"], &schema.tables["b"]);
    assert_eq!((a.root, a.mutable, b.root, b.mutable), (true, false, false, true));
    assert!(
        a.columns["weak"].mutable,
        "the server takes weak references away by itself"
    );
    assert!(!a.columns["kept"].ephemeral, "losing it would take the row along");
    assert!(b.columns["lost"].ephemeral);
    let version = json!({"name": "x", "version": "seven", "tables": {}});
    let fault = DatabaseSchema::parse(&version).unwrap_err().details;
    assert_eq!(fault, "schema version \"seven\" not in format x.y.z");
}
