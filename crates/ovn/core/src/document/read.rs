//! From JSON to wanted rows.

use super::spec::{Identity, Spec, TOP};
use super::{Document, Item};
use crate::dhcp::Catalogs;
use crate::model::{from_natural, is_volatile};
use crate::problem::Problem;
use purlin_ovsdb::{AtomicType, BaseType, ColumnType, DatabaseSchema};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn document(
    json: &Value,
    schema: &DatabaseSchema,
    dhcp: &Catalogs,
) -> Result<Document, Vec<Problem>> {
    let Some(object) = json.as_object() else {
        return Err(vec![Problem::error(
            "document-form",
            "",
            "a document is an object",
        )]);
    };
    let mut reader = Reader {
        schema,
        dhcp,
        problems: Vec::new(),
    };
    let mut items = Vec::new();
    for (key, list) in object {
        match TOP.iter().find(|spec| spec.key == key) {
            Some(spec) => items.extend(reader.list(spec, "", list)),
            None => {
                let known = TOP.iter().map(|spec| spec.key);
                let problem = Problem::error("document-key", key.as_str(), "a document has no such key");
                reader.problems.push(problem.nearest(key, known));
            }
        }
    }
    match reader.problems.is_empty() {
        true => Ok(Document { items }),
        false => Err(reader.problems),
    }
}

struct Reader<'r> {
    schema: &'r DatabaseSchema,
    dhcp: &'r Catalogs,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn fault(&mut self, place: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::error("document-value", place, message));
    }

    fn list(&mut self, spec: &'static Spec, within: &str, json: &Value) -> Vec<Item> {
        let place = format!("{within}{}", spec.key);
        let Some(list) = json.as_array() else {
            self.fault(&place, "a list is expected");
            return Vec::new();
        };
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, json) in list.iter().enumerate() {
            let place = format!("{place}[{at}]");
            let Some(object) = json.as_object() else {
                self.fault(&place, "an object is expected");
                continue;
            };
            if let Some(item) = self.item(spec, &place, within, object) {
                if !seen.insert(Value::from(item.identity.clone()).to_string()) {
                    self.fault(&place, format!("{} stands in the list twice", item.place));
                }
                items.push(item);
            }
        }
        items
    }

    fn item(
        &mut self,
        spec: &'static Spec,
        place: &str,
        within: &str,
        json: &Map<String, Value>,
    ) -> Option<Item> {
        let identity = self.identity(spec, place, json)?;
        let named = words(&identity);
        let mut item = Item {
            spec,
            place: format!("{within}{} {named}", spec.key),
            identity,
            columns: Map::new(),
            references: BTreeMap::new(),
            children: BTreeMap::new(),
        };
        let inner = format!("{}: ", item.place);
        for (key, value) in json {
            if key == "name" && spec.identity == Identity::Kept {
                continue;
            }
            if let Some(child) = spec.child(key) {
                let children = self.list(child, &inner, value);
                item.children.insert(child.key, children);
            } else if spec.reference(key).is_some() {
                let names = self.names(&format!("{place}.{key}"), value);
                item.references.insert(key.clone(), names);
            } else {
                self.column(&mut item, place, key, value);
            }
        }
        Some(item)
    }

    fn column(&mut self, item: &mut Item, place: &str, key: &str, value: &Value) {
        let spec = item.spec;
        let Some(table) = self.schema.table(spec.table) else {
            self.fault(place, format!("the database has no table {}", spec.table));
            return;
        };
        let Some(column) = table.column(key).filter(|_| !is_volatile(spec.table, key)) else {
            let children = spec.children.iter().map(|child| child.key);
            let known = table.columns.keys().map(String::as_str).chain(children);
            let problem = Problem::error(
                "document-key",
                format!("{place}.{key}"),
                format!("{} has no such key", spec.key),
            );
            self.problems.push(problem.nearest(key, known));
            return;
        };
        let value = &texts(value, &column.kind);
        if let Err(why) = from_natural(value, &column.kind) {
            self.fault(&format!("{place}.{key}"), why);
            return;
        }
        let value = match (spec.table, key) {
            ("DHCP_Options", "options") => self.options(item, place, value),
            _ => value.clone(),
        };
        item.columns.insert(key.to_owned(), value);
    }

    /// As they are in the database, so that they can be compared with what is there.
    fn options(&mut self, item: &Item, place: &str, value: &Value) -> Value {
        let cidr = item.columns.get("cidr").map(plain).unwrap_or_default();
        let catalog = self.dhcp.of(&cidr);
        let mut written = Map::new();
        for (name, value) in value.as_object().into_iter().flatten() {
            match catalog.write(name, &plain(value)) {
                Ok(value) => {
                    written.insert(name.clone(), Value::from(value));
                }
                Err(problem) => self
                    .problems
                    .push(problem.within(&format!("{place}.options.{name}"))),
            }
        }
        Value::Object(written)
    }

    fn identity(&mut self, spec: &Spec, place: &str, json: &Map<String, Value>) -> Option<Vec<Value>> {
        let identity = identity(spec, json);
        let unnamed = || {
            identity
                .iter()
                .all(|value| value.as_str().is_none_or(str::is_empty))
        };
        if matches!(spec.identity, Identity::Name | Identity::Kept) && unnamed() {
            self.fault(place, "`name` is missing");
            return None;
        }
        Some(identity)
    }

    fn names(&mut self, place: &str, json: &Value) -> Vec<String> {
        let names: Option<Vec<String>> = match json {
            Value::Null => Some(Vec::new()),
            Value::String(name) => Some(vec![name.clone()]),
            Value::Array(names) => names
                .iter()
                .map(|name| name.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        };
        names.unwrap_or_else(|| {
            self.fault(place, "a name or a list of names is expected");
            Vec::new()
        })
    }
}

/// YAML reads `lease_time: 3600` as a number; where the column has texts, it is one.
fn texts(value: &Value, kind: &ColumnType) -> Value {
    let text = |base: &BaseType, value: &Value| match value {
        Value::Number(_) | Value::Bool(_) if base.atomic == AtomicType::String => Value::from(plain(value)),
        other => other.clone(),
    };
    match (value, &kind.value) {
        (Value::Object(pairs), Some(base)) => {
            let pair = |(key, value): (&String, &Value)| (key.clone(), text(base, value));
            Value::Object(pairs.iter().map(pair).collect())
        }
        (Value::Array(items), None) => items.iter().map(|item| text(&kind.key, item)).collect(),
        (one, None) => text(&kind.key, one),
        (other, Some(_)) => other.clone(),
    }
}

/// By what an item is found.
fn identity(spec: &Spec, json: &Map<String, Value>) -> Vec<Value> {
    let columns: &[&str] = match spec.identity {
        Identity::Columns(columns) => columns,
        Identity::Name | Identity::Kept => &["name"],
    };
    let value = |column: &&str| json.get(*column).cloned().unwrap_or(Value::Null);
    columns.iter().map(value).collect()
}

fn words(identity: &[Value]) -> String {
    let words = identity.iter().map(plain).filter(|text| !text.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// How findings call an item.
pub(super) fn named(spec: &Spec, json: &Map<String, Value>) -> String {
    words(&identity(spec, json))
}

/// A value without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
