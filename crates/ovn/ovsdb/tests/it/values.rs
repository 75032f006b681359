//! Values, types, conditions and mutations by example.

use purlin_ovsdb::{Atom, ColumnType, Condition, Datum, Mutation, Names, Row, TableSchema};
use serde_json::{Value, json};

fn kind(json: &Value) -> ColumnType {
    ColumnType::parse(json).unwrap()
}

fn parse(kind: &Value, datum: &Value) -> Result<Datum, String> {
    Datum::parse(&self::kind(kind), datum, Names::Refused).map_err(|e| e.to_string())
}

#[track_caller]
fn round(kind: &Value, datum: &Value, expected: &Value) {
    assert_eq!(parse(kind, datum).unwrap().to_json(), *expected);
}

#[track_caller]
fn refused(kind: &Value, datum: &Value, words: &str) {
    let fault = parse(kind, datum).unwrap_err();
    assert!(fault.contains(words), "{fault}");
}

#[test]
fn one_element_and_its_set_are_the_same_value() {
    let optional = json!({"key": "string", "min": 0});
    round(&optional, &json!(["set", ["a"]]), &json!("a"));
    round(&optional, &json!("a"), &json!("a"));
    round(&optional, &json!(["set", []]), &json!(["set", []]));
}

#[test]
fn sets_and_maps_come_out_sorted() {
    let many = json!({"key": "integer", "min": 0, "max": "unlimited"});
    round(&many, &json!(["set", [3, 1, 2]]), &json!(["set", [1, 2, 3]]));
    let map = json!({"key": "string", "value": "integer", "min": 0, "max": "unlimited"});
    round(
        &map,
        &json!(["map", [["b", 1], ["a", 2]]]),
        &json!(["map", [["a", 2], ["b", 1]]]),
    );
}

#[test]
fn whole_reals_are_integers_and_others_are_not() {
    round(&json!("integer"), &json!(1e3), &json!(1000));
    refused(&json!("integer"), &json!(0.5), "expected integer");
    round(&json!("real"), &json!(-0.0), &json!(0));
    round(&json!("real"), &json!(7), &json!(7));
}

#[test]
fn another_type_is_named() {
    refused(
        &json!("boolean"),
        &json!("true"),
        "syntax \"\"true\"\": syntax error: expected boolean",
    );
    refused(&json!("uuid"), &json!("x"), "expected [\"uuid\", <string>]");
    refused(
        &json!("uuid"),
        &json!(["named-uuid", "x"]),
        "expected [\"uuid\", <string>]",
    );
    refused(
        &json!({"key": "string", "value": "string"}),
        &json!("a"),
        "expected [\"map\", <array>]",
    );
}

#[test]
fn what_comes_twice_is_refused() {
    let set = json!({"key": "real", "max": 5});
    refused(&set, &json!(["set", [0.0, -0.0]]), "set contains duplicate");
    let map = json!({"key": "integer", "value": "boolean", "max": 5});
    refused(
        &map,
        &json!(["map", [[1, true], [1, false]]]),
        "map contains duplicate key",
    );
}

#[test]
fn constraints_are_told_with_their_bounds() {
    let enumeration = json!({"key": {"type": "string", "enum": ["set", ["router", "localnet"]]}});
    refused(
        &enumeration,
        &json!("x"),
        "x is not one of the allowed values ([localnet, router])",
    );
    let range = json!({"key": {"type": "integer", "minInteger": 1, "maxInteger": 4095}});
    refused(
        &range,
        &json!(0),
        "0 is not in the valid range 1 to 4095 (inclusive)",
    );
    let length = json!({"key": {"type": "string", "minLength": 2}});
    refused(
        &length,
        &json!("ä"),
        "length 1 is less than minimum allowed length 2",
    );
    let three = json!({"key": "string", "min": 0, "max": 3});
    refused(
        &three,
        &json!(["set", ["a", "b", "c", "d"]]),
        "set must have 0 to 3 members but 4 are present",
    );
}

fn table() -> TableSchema {
    let json = json!({"columns": {
        "i": {"type": "integer"},
        "oi": {"type": {"key": "integer", "min": 0}},
        "b": {"type": "boolean"},
        "s": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
        "m": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
        "fixed": {"type": "integer", "mutable": false}
    }});
    TableSchema::parse("t", &json, true).unwrap()
}

fn row(json: &Value) -> Row {
    Row::parse(&table(), json, Names::Refused).unwrap()
}

#[track_caller]
fn matches(condition: &Value, row: &Value, expected: bool) {
    let table = table();
    let condition = Condition::parse(&table, condition, Names::Refused).unwrap();
    assert_eq!(
        condition.matches(&table, &self::row(row)),
        expected,
        "{condition:?}"
    );
}

#[test]
fn conditions_compare() {
    matches(&json!(["i", "<", 2]), &json!({"i": 1}), true);
    matches(&json!(["i", ">=", 2]), &json!({"i": 1}), false);
    matches(&json!(["i", "!=", 2]), &json!({}), true);
    matches(
        &json!(["s", "includes", ["set", ["a", "b"]]]),
        &json!({"s": ["set", ["a", "b", "c"]]}),
        true,
    );
    matches(
        &json!(["s", "excludes", ["set", ["x", "b"]]]),
        &json!({"s": ["set", ["a", "b", "c"]]}),
        false,
    );
    matches(
        &json!(["m", "includes", ["map", [["k", "v"]]]]),
        &json!({"m": ["map", [["k", "v"], ["l", "w"]]]}),
        true,
    );
    matches(
        &json!(["m", "includes", ["map", [["k", "w"]]]]),
        &json!({"m": ["map", [["k", "v"]]]}),
        false,
    );
    matches(&json!(["oi", ">", 1]), &json!({}), false);
    matches(&json!(true), &json!({}), true);
}

#[test]
fn a_condition_that_the_type_does_not_have_is_refused() {
    let parse = |json: &Value| {
        Condition::parse(&table(), json, Names::Refused)
            .unwrap_err()
            .to_string()
    };
    let fault = parse(&json!(["b", ">", true]));
    assert!(fault.ends_with("Type mismatch: \">\" operator may not be applied to column b of type boolean."));
    assert!(parse(&json!(["x", "==", 1])).contains("No column x"));
    assert_eq!(
        parse(&json!(["i", "~", 1])),
        "unknown function: No function named ~."
    );
}

#[track_caller]
fn mutated(mutation: &Value, row: &Value) -> Result<Value, String> {
    let (table, mut row) = (table(), self::row(row));
    let mutation = Mutation::parse(&table, "t", mutation, Names::Refused).map_err(|e| e.to_string())?;
    mutation.apply(&table, &mut row).map_err(|e| e.to_string())?;
    Ok(row.get(&mutation.column).unwrap().to_json())
}

#[test]
fn mutations_calculate_and_refuse_what_overflows() {
    assert_eq!(mutated(&json!(["i", "+=", 2]), &json!({"i": 1})), Ok(json!(3)));
    assert_eq!(mutated(&json!(["i", "/=", -2]), &json!({"i": 5})), Ok(json!(-2)));
    let over = mutated(&json!(["i", "*=", 2]), &json!({"i": i64::MAX})).unwrap_err();
    assert_eq!(over, "range error: Result of \"*=\" operation is out of range.");
    let zero = mutated(&json!(["i", "%=", 0]), &json!({"i": 1})).unwrap_err();
    assert_eq!(zero, "domain error: Division by zero.");
}

#[test]
fn mutations_of_sets_and_maps() {
    let set = json!({"s": ["set", ["a", "b"]]});
    assert_eq!(
        mutated(&json!(["s", "insert", ["set", ["b", "c"]]]), &set),
        Ok(json!(["set", ["a", "b", "c"]]))
    );
    assert_eq!(mutated(&json!(["s", "delete", "a"]), &set), Ok(json!("b")));
    let map = json!({"m": ["map", [["k", "v"], ["l", "w"]]]});
    let kept = mutated(&json!(["m", "insert", ["map", [["k", "other"]]]]), &map);
    assert_eq!(
        kept,
        Ok(json!(["map", [["k", "v"], ["l", "w"]]])),
        "a key that is there keeps its value"
    );
    assert_eq!(
        mutated(&json!(["m", "delete", ["set", ["k"]]]), &map),
        Ok(json!(["map", [["l", "w"]]]))
    );
    let other = mutated(&json!(["m", "delete", ["map", [["k", "x"]]]]), &map);
    assert_eq!(
        other,
        Ok(json!(["map", [["k", "v"], ["l", "w"]]])),
        "only a pair that is there goes"
    );
}

#[test]
fn a_mutation_that_the_column_does_not_have_is_refused() {
    let fixed = mutated(&json!(["fixed", "+=", 1]), &json!({})).unwrap_err();
    assert!(
        fixed.contains("Cannot mutate immutable column fixed in table t"),
        "{fixed}"
    );
    let insert = mutated(&json!(["i", "insert", 1]), &json!({})).unwrap_err();
    assert!(
        insert.contains("\"insert\" operator may not be applied to column i of type integer"),
        "{insert}"
    );
}

#[test]
fn one_word_in_many_rows_is_one_allocation() {
    use serde::de::DeserializeSeed;
    let kind = kind(&json!({"key": "string", "value": "string", "min": 0, "max": "unlimited"}));
    let mut interner = purlin_ovsdb::value::Interner::new();
    let mut read = || {
        let seed = purlin_ovsdb::value::DatumSeed {
            kind: &kind,
            interner: &mut interner,
        };
        seed.deserialize(&mut serde_json::Deserializer::from_str(
            r#"["map",[["owner","purlin"]]]"#,
        ))
        .unwrap()
    };
    let (a, b) = (read(), read());
    let (Atom::Text(a), Atom::Text(b)) = (&a.pairs()[0].1, &b.pairs()[0].1) else {
        panic!("texts")
    };
    assert!(std::sync::Arc::ptr_eq(a, b));
}
