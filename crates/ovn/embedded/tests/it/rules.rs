//! The rules of a database, by the words of ovsdb-client.

use crate::world::{NB, World};
use serde_json::{Value, json};

fn world() -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB]);
    (folder, world)
}

fn insert_switch(world: &World, name: &str) -> Value {
    let done = world.transact(&format!(
        r#"{{"op":"insert","table":"Logical_Switch","row":{{"name":"{name}"}}}}"#
    ));
    done[0]["uuid"].clone()
}

#[test]
fn a_transaction_happens_whole_or_not_at_all() {
    let (_folder, world) = world();
    let done = world.transact(
        r#"{"op":"insert","table":"Logical_Switch","row":{"name":"web"}},
           {"op":"insert","table":"Nothing","row":{}},
           {"op":"comment","comment":"never reached"}"#,
    );
    assert_eq!(done[1]["error"], "unknown table");
    assert_eq!(done[2], Value::Null);
    let rows = world.transact(r#"{"op":"select","table":"Logical_Switch","where":[],"columns":["name"]}"#);
    assert_eq!(rows[0]["rows"], json!([]));
}

#[test]
fn an_index_has_each_value_once_and_rows_may_trade_them() {
    let (_folder, world) = world();
    let add = |name: &str, mac: &str| {
        let insert = format!(
            r#"{{"op":"insert","table":"Static_MAC_Binding","row":{{"logical_port":"{name}","ip":"10.0.0.1","mac":"{mac}"}}}}"#
        );
        world.transact(&insert)
    };
    assert!(add("a", "m1")[0]["error"].is_null());
    let twice = add("a", "m2");
    assert_eq!(twice[1]["error"], "constraint violation");
    let details = twice[1]["details"].as_str().expect("words");
    assert!(
        details.contains("identical values") && details.contains("Static_MAC_Binding"),
        "{details}"
    );
    assert!(add("b", "m2")[0]["error"].is_null());
    let traded = world.transact(
        r#"{"op":"update","table":"Static_MAC_Binding","where":[["mac","==","m1"]],"row":{"logical_port":"b"}},
           {"op":"update","table":"Static_MAC_Binding","where":[["mac","==","m2"]],"row":{"logical_port":"a"}}"#,
    );
    assert_eq!(traded, json!([{"count": 1}, {"count": 1}]));
}

#[test]
fn a_strong_reference_leads_somewhere_and_keeps_its_row() {
    let (_folder, world) = world();
    let lost = world.transact(
        r#"{"op":"insert","table":"Logical_Switch","row":{"name":"web","ports":["uuid","550e8400-e29b-41d4-a716-446655440000"]}}"#,
    );
    assert_eq!(lost[1]["error"], "referential integrity violation");

    world.nbctl("ls-add web -- lsp-add web web-1");
    let gone = world.transact(r#"{"op":"delete","table":"Logical_Switch_Port","where":[]}"#);
    assert_eq!(gone[1]["error"], "referential integrity violation");
    let details = gone[1]["details"].as_str().expect("words");
    assert!(details.contains("1 remaining reference"), "{details}");
    // A port that nobody points at is garbage at once.
    let orphan = world.transact(r#"{"op":"insert","table":"Logical_Switch_Port","row":{"name":"nobody's"}}"#);
    assert!(orphan[0]["uuid"].is_array());
    assert_eq!(
        world
            .nbctl("--bare --columns=name list Logical_Switch_Port")
            .trim(),
        "web-1"
    );
}

#[test]
fn a_weak_reference_goes_with_its_row() {
    let (_folder, world) = world();
    world.nbctl("ls-add web -- lsp-add web web-1 -- pg-add servers web-1");
    assert_ne!(world.nbctl("--bare --columns=ports list Port_Group").trim(), "");
    world.nbctl("lsp-del web-1");
    assert_eq!(world.nbctl("--bare --columns=ports list Port_Group").trim(), "");
}

#[test]
fn a_chosen_name_is_taken_once() {
    let (_folder, world) = world();
    let insert = r#"{"op":"insert","table":"Logical_Switch","uuid":"550e8400-e29b-41d4-a716-446655440000","row":{"name":"web"}}"#;
    let first = world.transact(insert);
    assert_eq!(
        first[0]["uuid"],
        json!(["uuid", "550e8400-e29b-41d4-a716-446655440000"])
    );
    assert_eq!(world.transact(insert)[0]["error"], "duplicate uuid");
}

#[test]
fn operations_speak_of_rows_that_later_ones_bring() {
    let (_folder, world) = world();
    let done = world.transact(
        r#"{"op":"insert","table":"Logical_Switch","row":{"name":"web","ports":["named-uuid","port"]}},
           {"op":"insert","table":"Logical_Switch_Port","uuid-name":"port",
            "uuid":"550e8400-e29b-41d4-a716-446655440001","row":{"name":"web-1"}}"#,
    );
    assert_eq!(
        done[1]["uuid"],
        json!(["uuid", "550e8400-e29b-41d4-a716-446655440001"])
    );
    assert!(world.nbctl("lsp-get-ls web-1").contains("web"));
}

#[test]
fn a_wait_guards_what_a_decision_was_made_on() {
    let (_folder, world) = world();
    insert_switch(&world, "web");
    let guarded = |old: &str| {
        world.transact(&format!(
            r#"{{"op":"wait","timeout":0,"table":"Logical_Switch","where":[["name","==","web"]],"columns":["external_ids"],
                "until":"==","rows":[{{"external_ids":{old}}}]}},
               {{"op":"mutate","table":"Logical_Switch","where":[["name","==","web"]],
                "mutations":[["external_ids","insert",["map",[["owner","me"]]]]]}}"#
        ))
    };
    assert_eq!(guarded(r#"["map",[]]"#), json!([{}, {"count": 1}]));
    let stale = guarded(r#"["map",[]]"#);
    assert_eq!(
        (&stale[0]["error"], &stale[1]),
        (&json!("timed out"), &Value::Null)
    );
}

#[test]
fn a_row_without_a_change_is_no_change() {
    let (_folder, world) = world();
    insert_switch(&world, "web");
    let version =
        || world.transact(r#"{"op":"select","table":"Logical_Switch","where":[],"columns":["_version"]}"#);
    let before = version();
    world.transact(r#"{"op":"update","table":"Logical_Switch","where":[],"row":{"name":"web"}}"#);
    assert_eq!(version(), before);
    world.transact(r#"{"op":"update","table":"Logical_Switch","where":[],"row":{"name":"lab"}}"#);
    assert_ne!(version(), before);
}
