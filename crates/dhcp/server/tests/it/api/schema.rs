//! Holds an answer against the OpenAPI document: as much of JSON Schema as the document uses.

use axum::http::{Method, StatusCode};
use serde_json::Value;

/// What does not fit; empty when everything does.
pub(super) fn conforms(
    document: &Value,
    method: &Method,
    path: &str,
    status: StatusCode,
    body: &Value,
) -> Vec<String> {
    let path = path.split('?').next().unwrap();
    let method = method.as_str().to_lowercase();
    let Some(operation) = operation(document, path, &method) else {
        return vec!["the document does not have the operation".into()];
    };
    let Some(response) = operation["responses"].get(status.as_str()) else {
        return vec![format!("the document does not have status {status} there")];
    };
    let content = response["content"]
        .as_object()
        .and_then(|content| content.values().next());
    let mut faults = Vec::new();
    if let Some(content) = content {
        check(document, &content["schema"], body, "$", &mut faults);
    }
    faults
}

/// The operation; a path without braces wins over one with them.
fn operation<'a>(document: &'a Value, path: &str, method: &str) -> Option<&'a Value> {
    let fits = |template: &str| {
        let (a, b): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || a.starts_with('{'))
    };
    let paths = document["paths"].as_object()?;
    let exact = paths.get(path).and_then(|item| item.get(method));
    exact.or_else(|| {
        paths
            .iter()
            .filter(|(template, _)| fits(template))
            .find_map(|(_, item)| item.get(method))
    })
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        let target = document.pointer(&target[1..]).expect("references hold");
        return check(document, target, value, at, faults);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = |option: &&Value| {
            let mut own = Vec::new();
            check(document, option, value, at, &mut own);
            own.is_empty()
        };
        if any.iter().find(fits).is_none() {
            faults.push(format!("{at}: none of anyOf fits {value}"));
        }
        return;
    }
    if !is_of(&schema["type"], value) {
        faults.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if let (Some(words), false) = (schema["enum"].as_array(), value.is_null())
        && !words.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {words:?}"));
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{at}[{i}]"), faults);
    }
    if let Some(members) = value.as_object() {
        for name in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !members.contains_key(name) {
                faults.push(format!("{at}.{name} is missing"));
            }
        }
        for (name, member) in members {
            match schema["properties"].get(name) {
                Some(own) => check(document, own, member, &format!("{at}.{name}"), faults),
                None if schema["additionalProperties"] == false => {
                    faults.push(format!("{at}.{name} is unknown"));
                }
                None => {}
            }
        }
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
        kind => match kind.as_str().expect("a type is a word") {
            "string" => value.is_string(),
            "integer" => value.is_u64() || value.is_i64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => value.is_null(),
        },
    }
}
