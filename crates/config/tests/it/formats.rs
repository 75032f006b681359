//! The same meaning in three notations, with places, origins and merging.

use crate::{ZOO, parse};
use purlin_config::{Document, Faults, Format, Input, Value, diff};
use serde_json::json;

const TOML: &str = "[zoo]\nflag = false\ncount = 7\nwait = \"1h30m\"\nlabel = \"NO\"\nlisten = [\"10.0.0.1:67\"]\n\
    [[zoo.items]]\nname = \"a\"\n[[zoo.items]]\nname = \"b\"\n[zoo.tags]\nx = \"y\"\n";
const YAML: &str = "# sample\nzoo:\n  flag: false\n  count: 7\n  wait: 1h30m\n  label: NO\n  listen: [\"10.0.0.1:67\"]\n\
    \x20 items:\n    - name: a\n    - name: b\n  tags: {x: \"y\"}\n";
const JSON: &str = r#"{"zoo": {"flag": false, "count": 7, "wait": "1h30m", "label": "NO", "listen": ["10.0.0.1:67"],
    "items": [{"name": "a"}, {"name": "b"}], "tags": {"x": "y"}}}"#;

#[test]
fn three_notations_give_one_meaning() {
    let documents = [("a.toml", TOML), ("a.yaml", YAML), ("a.json", JSON)].map(|(name, text)| {
        let (document, faults) = parse(name, text);
        assert!(faults.is_empty(), "{}", faults.to_text(&document, false));
        document.to_json()
    });
    assert_eq!(documents[0], documents[1]);
    assert_eq!(documents[1], documents[2]);
}

#[test]
fn the_look_of_a_text_tells_its_notation() {
    for (text, format) in [(TOML, Format::Toml), (YAML, Format::Yaml), (JSON, Format::Json)] {
        assert_eq!(Format::detect("/dev/stdin", text), format);
    }
    assert_eq!(Format::detect("", "a = \"x: y\""), Format::Toml);
    assert_eq!(Format::detect("x.YML", JSON), Format::Yaml);
}

#[test]
fn every_value_knows_its_line_and_column() {
    for (name, text, place) in [
        ("a.toml", TOML, "a.toml:8:8"),
        ("a.yaml", YAML, "a.yaml:9:13"),
        ("a.json", JSON, "a.json:2:24"),
    ] {
        let (document, _) = parse(name, text);
        let node = document.get("zoo.items[0].name").expect("is set");
        assert_eq!(document.origin(node.span), place);
        assert_eq!(node.as_str(), Some("a"));
    }
}

#[test]
fn later_files_win_and_lists_are_replaced() {
    let mut faults = Faults::new();
    let first = Input::file("a.toml", TOML);
    let second = Input::file("b.yaml", "zoo:\n  count: 9\n  items: []\n  tags: {z: w}\n");
    let document = Document::parse([first, second], &mut faults);
    assert_eq!(
        document.get("zoo.count").map(|n| n.value.clone()),
        Some(Value::Integer(9))
    );
    assert_eq!(
        document
            .get("zoo.items")
            .and_then(|n| n.as_list().map(<[_]>::len)),
        Some(0)
    );
    assert_eq!(document.get("zoo.tags.x").and_then(|n| n.as_str()), Some("y"));
    assert_eq!(
        document.origin(document.get("zoo.count").expect("is set").span),
        "b.yaml:2:10"
    );
    assert_eq!(
        document.origin(document.get("zoo.flag").expect("is set").span),
        "a.toml:2:8"
    );
}

#[test]
fn canonical_json_survives_a_round() {
    let (document, _) = parse("a.toml", TOML);
    let json = document.to_json();
    let mut faults = Faults::new();
    let again = Document::from_json("revision 3", &json, &mut faults);
    assert!(faults.is_empty());
    assert!(diff(&json, &again.to_json()).is_empty());
    assert!(
        again
            .origin(again.get("zoo.count").expect("is set").span)
            .starts_with("revision 3:")
    );
}

#[test]
fn yaml_anchors_are_copied_and_limited() {
    let (document, faults) = parse("a.yaml", "a: &x {k: [1, 2]}\nb: *x\n");
    assert!(faults.is_empty());
    assert_eq!(
        document.to_json(),
        json!({ "a": { "k": [1, 2] }, "b": { "k": [1, 2] } })
    );

    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..10 {
        let below = format!("*a{}, ", i - 1).repeat(10);
        bomb.push_str(&format!("a{i}: &a{i} [{}]\n", below.trim_end_matches(", ")));
    }
    let (document, faults) = parse("bomb.yaml", &bomb);
    assert!(
        faults
            .to_text(&document, false)
            .contains("more than 1000000 values")
    );
}

#[test]
fn plain_yaml_words_follow_the_core_schema() {
    let text = "[no, on, 010, 0x1f, 0o17, 1e3, .5, ~, True, 1.2.3.4, 2026-01-01, 'true', +5, '']";
    let (document, _) = parse("a.yaml", &format!("v: {text}"));
    let expected = json!([
        "no",
        "on",
        10,
        31,
        15,
        1000.0,
        0.5,
        null,
        true,
        "1.2.3.4",
        "2026-01-01",
        "true",
        5,
        ""
    ]);
    assert_eq!(document.to_json()["v"], expected);
}

#[test]
fn defaults_and_examples_fit_their_own_schema() {
    for section in crate::zoo() {
        assert_eq!(purlin_config::schema_faults(section), Vec::<String>::new());
    }
    assert_eq!(ZOO.name, "zoo");
}

#[test]
fn list_items_are_found_by_number_and_by_name() {
    let (document, _) = parse("a.toml", TOML);
    for path in ["zoo.items[1].name", "zoo.items[b].name"] {
        assert_eq!(
            document.get(path).and_then(|node| node.as_str()),
            Some("b"),
            "{path}"
        );
    }
    assert!(document.get("zoo.items[c]").is_none() && document.get("zoo.items[2]").is_none());
}

#[test]
fn a_table_with_too_many_keys_is_refused() {
    let keys: Vec<String> = (0..10_001).map(|i| format!("\"k{i}\": 1")).collect();
    let text = format!("{{{}}}", keys.join(", "));
    for name in ["a.json", "a.yaml"] {
        let (document, faults) = parse(name, &text);
        assert!(
            faults
                .to_text(&document, false)
                .contains("more than 10000 keys in one table"),
            "{name}"
        );
    }
}
