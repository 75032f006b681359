//! Kinds as JSON schemas: what is shown, what a new object needs, what a change may say.

use super::make::adjustable;
use super::{Field, Form, Kind, Of, Values};
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::nb_schema;
use purlin_ovsdb::{AtomicType, BaseType, ColumnType, DatabaseSchema, schemas};
use serde_json::{Value, json};
use std::sync::OnceLock;

/// What is shown. Members that this OVN does not know are null.
pub(crate) fn shown(kind: &Kind) -> Schema {
    let mut members = vec![("uuid", schema::formatted("uuid", "UUID of its row."))];
    for field in kind.fields {
        members.push((field.name, described(shown_member(kind.table, field), field.doc)));
    }
    if kind.marks {
        members.push(("owner", schema::open_object(&["kind"], &[])));
        let etag = "Of all that is written in it; good for If-Match, in double quotes.";
        members.push(("etag", schema::nullable(schema::string(etag))));
    }
    described(schema::object(&members), kind.about)
}

/// What makes a new one.
pub(crate) fn new(kind: &Kind) -> Schema {
    let members = kind.writable().map(|field| {
        let schema = described(written_member(kind.table, field), field.doc);
        let optional = if field.needed { "" } else { "?" };
        (format!("{}{optional}", field.name), schema)
    });
    let mut schema = object(&members.collect::<Vec<_>>());
    if let Ok(example) = serde_json::from_str::<Value>(kind.example) {
        schema["examples"] = json!([example]);
    }
    schema
}

/// What a change may say. What was shown may come back with it.
pub(crate) fn change(kind: &Kind) -> Schema {
    let members = kind.fields.iter().map(|field| {
        let schema = schema::nullable(written_member(kind.table, field));
        (format!("{}?", field.name), described(schema, field.doc))
    });
    let told = ["uuid", "owner", "etag"].map(|name| {
        let words = "May be sent back as it is.";
        (format!("{name}?"), schema::anything(words))
    });
    object(&members.chain(told).collect::<Vec<_>>())
}

/// What may be added or taken out.
pub(crate) fn elements(kind: &Kind, remove: bool) -> Schema {
    let members = adjustable(kind).into_iter().map(|field| {
        let schema = match field.of {
            Of::Map { .. } if remove => schema::array(schema::string("A key.")),
            _ => written_member(kind.table, field),
        };
        (format!("{}?", field.name), described(schema, field.doc))
    });
    let mut schema = object(&members.collect::<Vec<_>>());
    schema["minProperties"] = json!(1);
    schema
}

/// The parameter of a list that chooses by this member.
pub(crate) fn filter(kind: &Kind, field: &Field) -> Schema {
    let scalar = match field.of {
        Of::Column(column) => column_type(kind.table, column).map(|kind| base(&kind.key, true)),
        _ => None,
    };
    match scalar {
        Some(schema) if schema["type"] != "string" => described(schema, field.doc),
        _ => schema::word(field.doc),
    }
}

/// What a list may be sorted by: members that are a column of one value. With a minus the greatest comes first.
pub(crate) fn sorts(kind: &Kind) -> Vec<String> {
    let one = |field: &&Field| match field.of {
        Of::Column(column) => {
            column_type(kind.table, column).is_some_and(|kind| kind.max == 1 && kind.value.is_none())
        }
        _ => false,
    };
    let names = kind.fields.iter().filter(one).map(|field| field.name);
    names
        .flat_map(|name| [name.to_owned(), format!("-{name}")])
        .collect()
}

fn object(members: &[(String, Schema)]) -> Schema {
    let members: Vec<(&str, Schema)> = members
        .iter()
        .map(|(name, schema)| (name.as_str(), schema.clone()))
        .collect();
    schema::object(&members)
}

fn described(mut schema: Schema, doc: &str) -> Schema {
    if let Some(members) = schema.as_object_mut() {
        members.insert("description".to_owned(), json!(doc));
    }
    schema
}

/// A column of the northbound; else, of the southbound.
fn column_type(table: &str, column: &str) -> Option<&'static ColumnType> {
    let table = nb_schema().table(table).or_else(|| sb_schema().table(table));
    let column = table?.column(column)?;
    Some(&column.kind)
}

/// The southbound schema that OVN ships, read.
fn sb_schema() -> &'static DatabaseSchema {
    static SCHEMA: OnceLock<DatabaseSchema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let json = serde_json::from_str(schemas::SB).expect("the schema is JSON");
        DatabaseSchema::parse(&json).expect("the schema is OVN's own")
    })
}

/// One value. A newer OVN may have words that this one does not list, so what is shown is not bound to them.
fn base(base: &BaseType, shown: bool) -> Schema {
    match base.atomic {
        AtomicType::Boolean => json!({ "type": "boolean" }),
        AtomicType::Integer => {
            let mut schema = json!({ "type": "integer" });
            let whole = base.to_json();
            for (from, to) in [("minInteger", "minimum"), ("maxInteger", "maximum")] {
                if let Some(bound) = whole.get(from).filter(|_| !shown) {
                    schema[to] = bound.clone();
                }
            }
            schema
        }
        AtomicType::Real => json!({ "type": "number" }),
        AtomicType::String | AtomicType::Uuid => {
            let mut schema = json!({ "type": "string" });
            let words = base.to_json()["enum"][1].clone();
            if !shown && words.is_array() {
                schema["enum"] = words;
            }
            schema
        }
    }
}

fn column(kind: Option<&ColumnType>, shown: bool) -> Schema {
    let Some(kind) = kind else {
        return json!({});
    };
    match (&kind.value, kind.max) {
        (Some(value), _) => {
            json!({ "type": "object", "additionalProperties": base(value, shown) })
        }
        (None, 1) if kind.min == 1 && !shown => base(&kind.key, shown),
        (None, 1) => schema::nullable(base(&kind.key, shown)),
        (None, _) => schema::array(base(&kind.key, shown)),
    }
}

fn shown_member(table: &str, field: &Field) -> Schema {
    match field.of {
        Of::Key { form, .. } => match form {
            Form::Text => json!({ "type": ["string", "integer", "null"] }),
            Form::Flag => json!({ "type": ["boolean", "string", "null"] }),
            Form::Whole(..) => json!({ "type": ["integer", "string", "null"] }),
            Form::Words => schema::array(json!({ "type": "string" })),
        },
        Of::Map { values, .. } => json!({ "type": "object", "additionalProperties": map_value(values) }),
        Of::Column(name) => column(column_type(table, name), true),
        Of::Rows { column: name, .. } => references(table, name),
        Of::Referrers { .. } | Of::Datapath { many: true, .. } => schema::array(json!({ "type": "string" })),
        Of::Parent { .. } | Of::Datapath { many: false, .. } => json!({ "type": ["string", "null"] }),
        Of::Children { table, fields, .. } => {
            let members = fields
                .iter()
                .map(|field| (field.name, described(shown_member(table, field), field.doc)));
            let uuid = ("uuid", schema::formatted("uuid", "UUID of its row."));
            let members: Vec<(&str, Schema)> = std::iter::once(uuid).chain(members).collect();
            schema::array(schema::object(&members))
        }
        Of::Shown(_, schema) => schema(),
    }
}

fn written_member(table: &str, field: &Field) -> Schema {
    match field.of {
        Of::Key { form, .. } => schema::nullable(match form {
            Form::Text => json!({ "type": "string" }),
            Form::Flag => json!({ "type": "boolean" }),
            Form::Whole(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
            Form::Words => schema::array(json!({ "type": "string" })),
        }),
        Of::Map { values, .. } => {
            let value = schema::nullable(map_value(values));
            json!({ "type": "object", "additionalProperties": value })
        }
        Of::Column(name) => column(column_type(table, name), false),
        Of::Children { table, fields, .. } => {
            let members = fields.iter().map(|field| {
                let optional = if field.needed { "" } else { "?" };
                let schema = described(written_member(table, field), field.doc);
                (format!("{}{optional}", field.name), schema)
            });
            let uuid = (
                "uuid?".to_owned(),
                schema::string("Which of those that are there is meant."),
            );
            schema::array(object(&std::iter::once(uuid).chain(members).collect::<Vec<_>>()))
        }
        _ => shown_member(table, field),
    }
}

fn map_value(values: Values) -> Schema {
    match values {
        Values::Text => json!({ "type": "string" }),
        Values::Words => json!({ "type": ["array", "string"], "items": { "type": "string" } }),
        Values::Dhcp => json!({ "type": ["array", "boolean", "integer", "string"] }),
    }
}

fn references(table: &str, column: &str) -> Schema {
    match column_type(table, column).map(|kind| kind.max) {
        Some(1) => json!({ "type": ["string", "null"] }),
        _ => schema::array(json!({ "type": "string" })),
    }
}
