//! Answers held against the API document.

use crate::world::World;
use serde_json::Value;

/// What of `value` is not as the schema says.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "$", &mut faults);
    faults
}

/// Asserts that an answer of a route is what the document says.
pub(crate) async fn fits(world: &World, method: &str, path: &str, status: &str, answer: &Value) {
    let document = world.get("/api/v1/openapi.json").await;
    let content = &document["paths"][path][method]["responses"][status]["content"];
    let shape = content.as_object().and_then(|content| content.values().next());
    let shape = &shape.unwrap_or_else(|| panic!("{method} {path} {status} is documented"))["schema"];
    assert_eq!(
        faults(&document, shape, answer),
        Vec::<String>::new(),
        "{method} {path}"
    );
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(target) = schema["$ref"].as_str() {
        let pointer = target.trim_start_matches('#');
        match document.pointer(pointer) {
            Some(schema) => check(document, schema, value, at, faults),
            None => faults.push(format!("{target} is not in the document")),
        }
        return;
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = |schema: &Value| {
            let mut own = Vec::new();
            check(document, schema, value, at, &mut own);
            own.is_empty()
        };
        if !any.iter().any(fits) {
            faults.push(format!("{at}: {value} is none of what it may be"));
        }
        return;
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.contains(&kind_of(value)) {
        faults.push(format!("{at}: {value} is no {kinds:?}"));
        return;
    }
    if let Some(words) = schema["enum"].as_array()
        && !value.is_null()
        && !words.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {words:?}"));
    }
    match value {
        Value::Object(members) => {
            for name in schema["required"].as_array().into_iter().flatten() {
                if !members.contains_key(name.as_str().unwrap_or_default()) {
                    faults.push(format!("{at}: {name} is missing"));
                }
            }
            for (name, value) in members {
                let at = format!("{at}.{name}");
                match (&schema["properties"][name], &schema["additionalProperties"]) {
                    (Value::Null, Value::Bool(false)) => faults.push(format!("{at} is not in the document")),
                    (Value::Null, rest @ Value::Object(_)) => check(document, rest, value, &at, faults),
                    (Value::Null, _) => {}
                    (schema, _) => check(document, schema, value, &at, faults),
                }
            }
        }
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                check(document, &schema["items"], item, &format!("{at}[{n}]"), faults);
            }
        }
        _ => {}
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
