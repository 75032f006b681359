//! Secrets are masked before a configuration is shown.

use crate::schema::{Keys, Kind, Section, find_key};
use serde_json::{Map, Value as Json};

/// What stands in place of a secret.
const MASK: &str = "(secret)";

/// Masks every value that the schema calls a secret.
pub fn redact(config: &mut Json, sections: &[&'static Section]) {
    let Some(top) = config.as_object_mut() else { return };
    for section in sections {
        if let Some(Json::Object(table)) = top.get_mut(section.name) {
            redact_table(table, section.keys);
        }
    }
}

fn redact_table(table: &mut Map<String, Json>, keys: Keys) {
    for (name, value) in table.iter_mut() {
        if let Some(key) = find_key(keys, name) {
            redact_value(value, &key.kind);
        }
    }
}

fn redact_value(value: &mut Json, kind: &Kind) {
    match (kind, value) {
        (Kind::Secret, Json::Null) => {}
        (Kind::Secret, value) => *value = Json::from(MASK),
        (Kind::Table(keys), Json::Object(table)) => redact_table(table, keys),
        (Kind::Map(item), Json::Object(table)) => {
            table.values_mut().for_each(|value| redact_value(value, item));
        }
        (Kind::List(item), Json::Array(items)) => {
            items.iter_mut().for_each(|value| redact_value(value, item));
        }
        (Kind::OneOf(kinds), value) => kinds.iter().for_each(|kind| redact_value(value, kind)),
        _ => {}
    }
}
