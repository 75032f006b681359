//! What an owner has, as the document that would make it.

use super::spec::{Identity, Spec, TOP};
use super::within::is_own;
use crate::model::{NAME_KEY, OWNER_KEY, State, is_volatile, natural};
use crate::tenant::TENANT_KEY;
use purlin_ovsdb::{Datum, Uuid};
use serde_json::{Map, Value};

/// The document of an owner's rows. Applying it changes nothing.
pub fn export(state: &State<'_>, owner: &str) -> Value {
    let mut document = Map::new();
    for spec in TOP {
        let mut rows = state.find_key(spec.table, "external_ids", OWNER_KEY, owner);
        rows.retain(|uuid| is_own(state, spec.table, *uuid));
        rows.sort_by_key(|uuid| state.label(spec.table, *uuid));
        if !rows.is_empty() {
            let items = rows.into_iter().map(|uuid| item(state, spec, uuid));
            document.insert(spec.key.to_owned(), items.collect());
        }
    }
    Value::Object(document)
}

fn item(state: &State<'_>, spec: &Spec, uuid: Uuid) -> Value {
    let mut object = Map::new();
    if spec.identity == Identity::Kept {
        object.insert("name".to_owned(), Value::from(state.label(spec.table, uuid)));
    }
    let columns = state
        .schema()
        .table(spec.table)
        .into_iter()
        .flat_map(|table| &table.columns);
    for (name, column) in columns {
        let Some(value) = state.value(spec.table, uuid, name) else {
            continue;
        };
        if is_volatile(spec.table, name) || *value == Datum::default_of(&column.kind) {
            continue;
        }
        let json = if let Some(child) = spec.child(name) {
            let mut rows = state.targets(spec.table, uuid, name);
            rows.retain(|row| state.contains(child.table, *row));
            rows.sort_by_key(|row| state.label(child.table, *row));
            rows.into_iter().map(|row| item(state, child, row)).collect()
        } else if let Some(target) = spec.reference(name) {
            let rows = state.targets(spec.table, uuid, name).into_iter();
            let mut names: Vec<Value> = rows
                .filter(|row| state.contains(target.table, *row))
                .map(|row| Value::from(state.label(target.table, row)))
                .collect();
            match (column.kind.max, names.pop()) {
                (1, Some(name)) => name,
                (_, Some(last)) => names.into_iter().chain([last]).collect(),
                // What a tenant does not see is not its document's.
                (_, None) => continue,
            }
        } else if name == "external_ids" {
            noted(state, natural(value, &column.kind))
        } else {
            natural(value, &column.kind)
        };
        if json != Value::Object(Map::new()) {
            object.insert(name.clone(), json);
        }
    }
    Value::Object(object)
}

/// Without the marks that Purlin puts there by itself.
fn noted(state: &State<'_>, json: Value) -> Value {
    match json {
        Value::Object(mut ids) => {
            ids.remove(OWNER_KEY);
            ids.remove(NAME_KEY);
            if state.confine().is_some() {
                ids.remove(TENANT_KEY);
            }
            Value::Object(ids)
        }
        other => other,
    }
}
