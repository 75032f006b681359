//! Overrides from the environment, and what `explain` and the JSON Schema say.

use crate::{ZOO, parse, zoo};
use purlin_config::{Document, Faults, Reader, check_section, explain, json_schema, redact};
use serde_json::json;

fn overlaid(text: &str, variables: &[(&str, &str)]) -> (Document, Faults) {
    let (mut document, mut faults) = parse("a.toml", text);
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let read = |path: &str| {
        if path == "/run/pw" {
            Ok("s3cret\n".to_owned())
        } else {
            Err("no such file".to_owned())
        }
    };
    document.overlay_environment(variables, read, &zoo(), &mut faults);
    check_section(&document, &ZOO, &mut faults);
    (document, faults)
}

#[test]
fn variables_override_files() {
    let text = "[zoo]\ncount = 2\n[[zoo.items]]\nname = \"a\"\n";
    let (document, faults) = overlaid(
        text,
        &[
            ("PATH", "/bin"),
            ("PURLIN_TOKEN", "not ours"),
            ("PURLIN__ZOO__COUNT", "5"),
            ("PURLIN__ZOO__LABEL", "123"),
            ("PURLIN__ZOO__LISTEN", "10.0.0.1:67, 10.0.0.2:67"),
            ("PURLIN__ZOO__POOLS", "[\"10.0.0.1-10.0.0.9\"]"),
            ("PURLIN__ZOO__ITEMS__0__NAME", "b"),
            ("PURLIN__ZOO__ITEMS__1__NAME", "c"),
            ("PURLIN__ZOO__PASSWORD_FILE", "/run/pw"),
        ],
    );
    assert!(faults.is_empty(), "{}", faults.to_text(&document, false));
    let expected = json!({ "zoo": {
        "count": 5, "items": [{ "name": "b" }, { "name": "c" }], "label": "123",
        "listen": ["10.0.0.1:67", "10.0.0.2:67"], "password": "s3cret", "pools": ["10.0.0.1-10.0.0.9"] } });
    assert_eq!(document.to_json(), expected);
    let count = document.get("zoo.count").expect("is set");
    assert_eq!(
        document.origin(count.span),
        "environment variable PURLIN__ZOO__COUNT"
    );
}

#[test]
fn a_bad_variable_is_a_fault_with_its_name() {
    let (document, faults) = overlaid("", &[("PURLIN__ZOO__COUNT", "99"), ("PURLIN__ZOO__CUONT", "1")]);
    let expected = "\
error[PUR-9106]: zoo.count: 99 is not from 1 to 10
 --> environment variable PURLIN__ZOO__COUNT
  |
  | 99
  | ^^

error[PUR-9108]: zoo.cuont: the environment variable PURLIN__ZOO__CUONT names no key
 --> environment variable PURLIN__ZOO__CUONT
  |
  | ***
  | ^^^
  = help: did you mean PURLIN__ZOO__COUNT?

2 errors
";
    assert_eq!(faults.to_text(&document, false), expected);
}

#[test]
fn an_unreadable_secret_and_an_index_too_far_are_faults() {
    let variables = [
        ("PURLIN__ZOO__PASSWORD_FILE", "/nowhere"),
        ("PURLIN__ZOO__ITEMS__7__NAME", "x"),
    ];
    let (document, faults) = overlaid("", &variables);
    let text = faults.to_text(&document, false);
    assert!(text.contains("cannot be read: no such file"), "{text}");
    assert!(
        text.contains("the list has 0 items, so there is no index 7"),
        "{text}"
    );
}

#[test]
fn explain_tells_value_origin_and_effect() {
    let (document, _) = parse("a.toml", "[zoo]\nwait = \"90s\"\npassword = \"x\"\n");
    let told = explain(&document, &zoo(), "zoo.wait").expect("is a key");
    let expected = "\
zoo.wait
  A wait. It takes long.

  holds     a duration such as 90, \"90s\" or \"1h30m\"
  unit      seconds
  default   1m
  now       \"90s\"
  from      a.toml:2:8
  changes   live, with the next revision
  example   90s
";
    assert_eq!(told.to_text(), expected);
    assert_eq!(
        explain(&document, &zoo(), "zoo.password").and_then(|e| e.present),
        Some(json!("(secret)"))
    );
    assert_eq!(
        explain(&document, &zoo(), "zoo.mode").map(|e| e.origin),
        Some("default".into())
    );
    assert!(explain(&document, &zoo(), "zoo.items.name").is_some());
    assert!(explain(&document, &zoo(), "zoo.items[0].name").is_some());
    assert!(explain(&document, &zoo(), "zoo.nothing").is_none());
    assert_eq!(explain(&document, &zoo(), "zoo").map(|e| e.keys.len()), Some(14));
}

#[test]
fn the_json_schema_holds_every_key() {
    let schema = json_schema(&zoo());
    let wait = &schema["properties"]["zoo"]["properties"]["wait"];
    assert_eq!(wait["default"], "1m");
    assert_eq!(wait["x-maximum"], "1h");
    assert_eq!(
        schema["properties"]["zoo"]["properties"]["items"]["items"]["required"],
        json!(["name"])
    );
    assert!(schema["properties"].get("infra").is_none());
}

#[test]
fn secrets_are_masked_before_showing() {
    let (document, _) = parse(
        "a.toml",
        "[zoo]\npassword = \"x\"\n[[zoo.items]]\nname = \"a\"\ntoken = \"t\"\n",
    );
    let mut shown = document.to_json();
    redact(&mut shown, &zoo());
    assert_eq!(shown["zoo"]["password"], "(secret)");
    assert_eq!(
        shown["zoo"]["items"][0],
        json!({ "name": "a", "token": "(secret)" })
    );
}

#[test]
fn defaults_fill_what_is_not_set() {
    let (document, _) = parse("a.toml", "");
    let reader = Reader::section(&document, &ZOO);
    assert_eq!(reader.get::<u32>("count"), 3);
    assert_eq!(reader.get::<std::time::Duration>("wait").as_secs(), 60);
    assert_eq!(reader.get::<Vec<std::net::SocketAddr>>("listen").len(), 1);
    assert_eq!(reader.opt::<String>("label"), None);
}

#[test]
fn what_came_from_a_file_or_is_a_secret_is_shown_in_no_fault() {
    let secrets = [
        ("PURLIN__ZOO__COUNT_FILE", "/run/pw"),
        ("PURLIN__ZOO__PASWORD", "hunter2"),
        ("PURLIN__ZOO__PASSWORD__X", "hunter2"),
    ];
    for (name, value) in secrets {
        let (document, faults) = overlaid("", &[(name, value)]);
        let text = faults.to_text(&document, false);
        assert!(text.contains(name) && text.contains("| ***\n"), "{text}");
        assert!(!text.contains("s3cret") && !text.contains("hunter2"), "{text}");
    }
}
