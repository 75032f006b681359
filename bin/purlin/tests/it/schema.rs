//! Asks the API without the command line, and holds each answer against the OpenAPI document.

use crate::harness::Node;
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;

/// The API of a running node.
pub(crate) struct Api {
    address: String,
    token: String,
    document: Value,
}

impl Api {
    pub(crate) fn of(node: &Node) -> Self {
        let url = node.json(&["status"])["api"]["http"]
            .as_str()
            .expect("it listens")
            .to_owned();
        let token = std::fs::read_to_string(node.path("purlin-data/admin-token")).expect("it was made");
        let mut api = Self {
            address: url.trim_start_matches("http://").to_owned(),
            token: token.trim().to_owned(),
            document: Value::Null,
        };
        api.document = api.raw("GET", "/api/v1/openapi.json", None, "").1;
        api
    }

    /// Status and body; the answer is what the document says.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.ask_with(method, path, body, "")
    }

    /// The same with a header line.
    pub(crate) fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        header: &str,
    ) -> (u16, Value) {
        let (status, answer) = self.raw(method, path, body, header);
        let schema = self.schema(method, path, status);
        let mut faults = Vec::new();
        check(&self.document, &schema, &answer, "$", &mut faults);
        assert!(
            faults.is_empty(),
            "{method} {path} {status}: {faults:?}\n{answer:#}"
        );
        (status, answer)
    }

    fn raw(&self, method: &str, path: &str, body: Option<&Value>, header: &str) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n{header}\r\n{body}",
            self.token,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).expect("the node listens");
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let status = text
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("an answer");
        let (head, rest) = text.split_once("\r\n\r\n").expect("a head");
        assert!(!head.to_lowercase().contains("chunked"), "bodies have a length");
        (status, serde_json::from_str(rest).unwrap_or(Value::Null))
    }

    /// The schema of that answer; a path without braces wins over one with them.
    fn schema(&self, method: &str, path: &str, status: u16) -> Value {
        let path = path.split('?').next().unwrap_or_default();
        let fits = |template: &str| {
            let (a, b): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || a.starts_with('{'))
        };
        let paths = self.document["paths"].as_object().expect("a document");
        let item = paths.get(path).or_else(|| {
            paths
                .iter()
                .find(|(template, _)| fits(template))
                .map(|(_, item)| item)
        });
        let operation = &item.expect("the document has the path")[method.to_lowercase()];
        let content = operation["responses"][status.to_string()]["content"].as_object();
        let media = content.and_then(|content| content.values().next());
        media.unwrap_or_else(|| panic!("{method} {path} {status} is not in the document"))["schema"].clone()
    }
}

/// As much of JSON Schema as the document uses.
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
    members(document, schema, value, at, faults);
}

fn members(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(members) = value.as_object() else { return };
    let required = schema["required"].as_array().into_iter().flatten();
    for name in required
        .filter_map(Value::as_str)
        .filter(|name| !members.contains_key(*name))
    {
        faults.push(format!("{at}.{name} is missing"));
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(own) => check(document, own, member, &format!("{at}.{name}"), faults),
            None if schema["additionalProperties"] == false => faults.push(format!("{at}.{name} is unknown")),
            None => {}
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
