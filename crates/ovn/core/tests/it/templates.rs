//! Templates make rules that OVN takes, whatever the values are.

use crate::base::{id, planned, shop};
use proptest::prelude::*;
use purlin_ovn_core::expr::parse;
use purlin_ovn_core::model::Child;
use purlin_ovn_core::template::{Template, builtins, changes};
use purlin_ovsdb::Uuid;
use serde_json::json;
use std::collections::BTreeMap;

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn builtin(id: &str) -> Template {
    builtins().into_iter().find(|template| template.id == id).unwrap()
}

fn examples(template: &Template) -> BTreeMap<String, String> {
    template
        .variables
        .iter()
        .map(|v| (v.name.clone(), v.example.clone()))
        .collect()
}

#[test]
fn every_rule_of_every_builtin_is_planned() {
    let database = shop();
    let ids: Vec<String> = builtins().iter().map(|template| template.id.clone()).collect();
    assert_eq!(
        ids,
        [
            "web-server",
            "database-server",
            "microservice",
            "dmz",
            "zero-trust",
            "k8s-pod"
        ]
    );
    let group = Child {
        table: "Port_Group".to_owned(),
        uuid: id(31),
        column: "acls".to_owned(),
    };
    for template in builtins() {
        assert_eq!(template.check(), [], "{}", template.id);
        let mut values = examples(&template);
        values.insert("group".to_owned(), "web".to_owned());
        // Names that the database of this test has: OVN makes them for the group.
        for name in ["callers", "backends"] {
            values
                .entry(name.to_owned())
                .and_modify(|value| *value = "web_ip4".to_owned());
        }
        let rules = template.preview(&values).unwrap();
        let mut next = 100u8;
        let wanted = changes(&rules, &group, || {
            next += 1;
            Uuid::from_bytes([next; 16])
        });
        let plan = planned(&database, wanted).unwrap_or_else(|refusal| panic!("{}: {refusal}", template.id));
        assert_eq!(plan.diff.counts().0, template.rules.len());
        let never = plan
            .warnings
            .iter()
            .find(|warning| warning.code == "match-never" || warning.code == "rule-shadowed");
        assert_eq!(never, None, "{}", template.id);
    }
}

#[test]
fn directions_are_those_of_ovn() {
    let rules = builtin("dmz")
        .preview(&given(&[("group", "web"), ("inside", "10.0.0.0/8")]))
        .unwrap();
    let directions: Vec<(&str, &str)> = rules
        .iter()
        .map(|rule| (rule.name.as_str(), rule.direction))
        .collect();
    assert_eq!(directions[0], ("allow-outside", "to-lport"));
    assert_eq!(directions[1], ("drop-inward", "from-lport"));
    assert_eq!(rules[1].expression, "inport == @web && ip4.dst == 10.0.0.0/8");
}

#[test]
fn wrong_values_are_all_named() {
    let values = given(&[
        ("group", "web ports"),
        ("admins", "10.0.0.0/40"),
        ("port", "80"),
        ("ports", "80,0"),
    ]);
    let problems = builtin("web-server").preview(&values).unwrap_err();
    let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let all = all.join("\n");
    for word in [
        "port: the template has no such variable (did you mean `ports`?)",
        "group: `web ports` is no name",
        "ports: `0` is no port number",
        "admins: `40` is no prefix length",
    ] {
        assert!(all.contains(word), "{word}\n{all}");
    }
    let missing = builtin("web-server")
        .preview(&given(&[("group", "web")]))
        .unwrap_err();
    assert_eq!(
        missing[0].to_string(),
        "admins: a value is missing (as in `10.0.0.0/24`)"
    );
}

#[test]
fn templates_of_others_are_read_and_checked() {
    let json = json!({
        "id": "mine", "name": "Mine", "description": "", "category": "own",
        "variables": [{"name": "vm", "type": "port", "description": "", "example": "vm1"}],
        "rules": [
            {"name": "a", "direction": "to-lport", "priority": 1, "match": "outport == {{vm}}", "action": "drop"},
            {"name": "b", "direction": "egress", "priority": 1, "match": "inport == {{vn}}", "action": "drop"},
            {"name": "c", "direction": "egress", "priority": 1, "match": "inport = {{vm}}", "action": "drop"}
        ]
    });
    let template: Template = serde_json::from_value(json).unwrap();
    let problems: Vec<String> = template.check().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].contains("no variable `vn` is declared (did you mean `vm`?)"),
        "{}",
        problems[0]
    );
    assert!(problems[1].contains("a comparison is `==`"), "{}", problems[1]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// No value changes what a rule is: a port stays the one port of the expression.
    #[test]
    fn no_value_becomes_more_than_a_value(text in "\\PC{1,30}", list in "[0-9a-f:./,{} |&\"!=]{1,30}") {
        for text in [text, list] {
            for template in builtins() {
                let plain = template.preview(&examples(&template)).unwrap();
                for variable in &template.variables {
                    let mut values = examples(&template);
                    values.insert(variable.name.clone(), text.clone());
                    if let Ok(rules) = template.preview(&values) {
                        for (rule, plain) in rules.iter().zip(&plain) {
                            let uses = |text: &str| parse(text).unwrap().uses.len();
                            prop_assert_eq!(uses(&rule.expression), uses(&plain.expression));
                            let joins = |text: &str| text.matches("&&").count() + text.matches("||").count();
                            prop_assert_eq!(joins(&rule.expression), joins(&plain.expression));
                        }
                    }
                }
            }
        }
    }
}
