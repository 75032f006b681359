//! The schema as JSON Schema 2020-12, for editors and forms.

use super::{Effect, Key, Keys, Kind, Section};
use crate::scalar::format_duration;
use serde_json::{Map, Value as Json, json};

/// One JSON Schema for a whole configuration file.
#[must_use]
pub fn json_schema(sections: &[&'static Section]) -> Json {
    let mut properties = Map::new();
    properties.insert("$schema".into(), json!({ "type": "string" }));
    for section in sections.iter().filter(|section| section.not_yet.is_none()) {
        let mut schema = table(section.keys);
        schema["description"] = json!(section.doc);
        properties.insert(section.name.into(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Purlin configuration",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn table(keys: Keys) -> Json {
    let all = || keys.iter().flat_map(|group| group.iter());
    let properties: Map<String, Json> = all().map(|key| (key.name.to_owned(), of_key(key))).collect();
    let required: Vec<&str> = all().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn of_key(key: &Key) -> Json {
    let mut schema = of_kind(&key.kind);
    schema["description"] = json!(key.doc);
    if let Some(default) = key.default_node() {
        schema["default"] = default.to_json();
    }
    if !key.unit.is_empty() {
        schema["x-unit"] = json!(key.unit);
    }
    if key.effect == Effect::Restart {
        schema["x-restart"] = json!(true);
    }
    if !key.example.is_empty() {
        let example = super::written(key.example, &key.kind, crate::source::SourceId(u32::MAX));
        schema["examples"] = json!([example.to_json()]);
    }
    schema
}

fn of_kind(kind: &Kind) -> Json {
    match kind {
        Kind::Any => json!({}),
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Int { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Duration { min, max } => json!({
            "type": ["integer", "number", "string"],
            "pattern": "^[0-9]+$|^([0-9]+ ?(ms|s|sec|m|min|h|d|w) ?)+$",
            "x-minimum": format_duration(*min), "x-maximum": format_duration(*max),
        }),
        Kind::Size { .. } => {
            json!({ "type": ["integer", "string"], "pattern": "^[0-9]+ ?([kKMGT]i?)?[bB]?$" })
        }
        Kind::Text { max } => json!({ "type": "string", "minLength": 1, "maxLength": max }),
        Kind::Enum(words) => json!({ "enum": words }),
        Kind::Ip => json!({ "type": "string", "format": "ipv4" }),
        Kind::Prefix => json!({ "type": "string", "pattern": "^[0-9.]+/[0-9]{1,2}$" }),
        Kind::Secret => json!({ "type": "string", "writeOnly": true }),
        Kind::List(item) => json!({ "type": "array", "items": of_kind(item) }),
        Kind::Table(keys) => table(keys),
        Kind::Map(item) => json!({ "type": "object", "additionalProperties": of_kind(item) }),
        Kind::OneOf(kinds) => json!({ "anyOf": kinds.iter().map(of_kind).collect::<Vec<_>>() }),
        other => json!({ "type": "string", "description": other.expected() }),
    }
}
