//! JSON Schema (2020-12, as OpenAPI 3.1 uses it) in a few words.

use serde_json::{Map, Value, json};

/// A schema.
pub type Schema = Value;

/// A text.
#[must_use]
pub fn string(description: &str) -> Schema {
    json!({ "type": "string", "description": description })
}

/// A text of a known form: `ipv4`, `date-time`, and the like.
#[must_use]
pub fn formatted(format: &str, description: &str) -> Schema {
    json!({ "type": "string", "format": format, "description": description })
}

/// One of a few words.
#[must_use]
pub fn one_of(words: &[&str], description: &str) -> Schema {
    json!({ "type": "string", "enum": words, "description": description })
}

/// A whole number that is not negative.
#[must_use]
pub fn count(description: &str) -> Schema {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

/// A whole number from `min` to `max`.
#[must_use]
pub fn whole(min: u64, max: u64, description: &str) -> Schema {
    json!({ "type": "integer", "minimum": min, "maximum": max, "description": description })
}

/// A text that is not empty.
#[must_use]
pub fn word(description: &str) -> Schema {
    json!({ "type": "string", "minLength": 1, "description": description })
}

/// A text that a regular expression (ECMA 262, anchored by its writer) holds for.
#[must_use]
pub fn matching(pattern: &str, description: &str) -> Schema {
    json!({ "type": "string", "pattern": pattern, "description": description })
}

/// A number.
#[must_use]
pub fn number(description: &str) -> Schema {
    json!({ "type": "number", "description": description })
}

/// Yes or no.
#[must_use]
pub fn boolean(description: &str) -> Schema {
    json!({ "type": "boolean", "description": description })
}

/// A list.
#[must_use]
pub fn array(of: Schema) -> Schema {
    let mut schema = json!({ "type": "array" });
    schema["items"] = of;
    schema
}

/// The schema of that name among the components.
#[must_use]
pub fn reference(name: &str) -> Schema {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// What `of` is, or `null`.
#[must_use]
pub fn nullable(mut of: Schema) -> Schema {
    match of.get_mut("type") {
        Some(kind) if kind.is_string() => {
            *kind = json!([kind.clone(), "null"]);
            of
        }
        _ => json!({ "anyOf": [of, { "type": "null" }] }),
    }
}

/// Any JSON value.
#[must_use]
pub fn anything(description: &str) -> Schema {
    json!({ "description": description })
}

/// An object that may have members beyond the named ones, like a part of the configuration.
#[must_use]
pub fn open_object(required: &[&str], members: &[(&str, Schema)]) -> Schema {
    let members: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({ "type": "object", "required": required, "properties": members })
}

/// An object whose members are all named; those whose name ends in `?` may be absent.
#[must_use]
pub fn object(members: &[(&str, Schema)]) -> Schema {
    let required: Vec<&str> = members
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.ends_with('?'))
        .collect();
    let members: Vec<(&str, Schema)> = members
        .iter()
        .map(|(name, schema)| (name.trim_end_matches('?'), schema.clone()))
        .collect();
    let mut schema = open_object(&required, &members);
    schema["additionalProperties"] = json!(false);
    schema
}

/// Ends the names of components that are made from others: the same members, none of them required.
pub(crate) const PART: &str = "Part";

/// A page of objects of the component `name`, whole or with the members that `fields` named.
#[must_use]
pub fn page_of(name: &str) -> Schema {
    let part = reference(&format!("{name}{PART}"));
    let item = json!({ "anyOf": [reference(name), part] });
    object(&[
        ("items", array(item)),
        (
            "next_cursor",
            nullable(string(
                "Pass as cursor for the next page; null when this was the last.",
            )),
        ),
    ])
}

/// The members that the items of a [`page_of`] have, as `component` knows them; `None` for any other answer.
pub(crate) fn members_of_page<'a>(
    page: &Schema,
    component: impl Fn(&str) -> Option<&'a Schema>,
) -> Option<Vec<String>> {
    let item = page.pointer("/properties/items/items/anyOf/0/$ref")?.as_str()?;
    let members = component(item.rsplit('/').next()?)?
        .get("properties")?
        .as_object()?;
    Some(members.keys().cloned().collect())
}
