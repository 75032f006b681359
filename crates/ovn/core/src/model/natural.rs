//! Values as people write them in JSON: a set is a list, a map an object, none is `null`, a row its UUID.

use purlin_ovsdb::{Atom, AtomicType, BaseType, ColumnType, Datum, Row, TableSchema, Uuid};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// An object of these members. The macro of the JSON library copies what is put into it, however deep; this takes it.
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members.into_iter();
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A value of a column of this type, as people write it.
pub fn natural(value: &Datum, kind: &ColumnType) -> Value {
    serde_json::to_value(Natural(value, kind)).expect("a value has nothing that JSON cannot say")
}

/// The same for a serializer, without a tree.
pub(super) struct Natural<'v>(pub(super) &'v Datum, pub(super) &'v ColumnType);

impl Serialize for Natural<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, kind) = self;
        if kind.value.is_some() {
            // Serializers of JSON make texts of keys that are numbers.
            return serializer.collect_map(value.pairs().iter().map(|(k, v)| (One(k), One(v))));
        }
        if kind.max == 1 {
            return value.one().map(One).serialize(serializer);
        }
        serializer.collect_seq(value.atoms().iter().map(One))
    }
}

/// An element.
struct One<'v>(&'v Atom);

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Atom::Integer(integer) => serializer.serialize_i64(*integer),
            Atom::Real(real) => serializer.serialize_f64(*real),
            Atom::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Atom::Text(text) | Atom::Named(text) => serializer.serialize_str(text),
            Atom::Uuid(uuid) => uuid.serialize(serializer),
        }
    }
}

/// The named columns of a row.
pub fn row_natural(row: &Row, table: &TableSchema) -> Map<String, Value> {
    let columns = row.columns().filter_map(|(name, value)| {
        let kind = &table.column(name)?.kind;
        Some((name.to_owned(), natural(value, kind)))
    });
    columns.collect()
}

/// Reads a value for a column of this type. The reason of a refusal says what would be right.
pub fn from_natural(json: &Value, kind: &ColumnType) -> Result<Datum, String> {
    let datum = match (json, &kind.value) {
        (Value::Object(pairs), Some(value)) => {
            let pair = |(k, v): (&String, &Value)| {
                let key = element(&key_json(k, &kind.key), &kind.key)?;
                Ok((key, element(v, value).map_err(|why| format!("{k}: {why}"))?))
            };
            Datum::map(pairs.iter().map(pair).collect::<Result<Vec<_>, String>>()?)
        }
        (Value::Null, Some(_)) => Datum::EMPTY_MAP,
        (_, Some(_)) => return Err(format!("{json} stands where an object is expected")),
        (Value::Null, None) => Datum::EMPTY,
        (Value::Array(elements), None) => {
            let elements: Result<Vec<Atom>, String> =
                elements.iter().map(|e| element(e, &kind.key)).collect();
            Datum::set(elements?)
        }
        (one, None) => Datum::One(element(one, &kind.key)?),
    };
    let count = u32::try_from(datum.len()).unwrap_or(u32::MAX);
    if count < kind.min || count > kind.max {
        let most = match kind.max {
            ColumnType::UNLIMITED => String::from("any number"),
            most => most.to_string(),
        };
        return Err(format!(
            "{count} values stand where {} to {most} are expected",
            kind.min
        ));
    }
    Ok(datum)
}

/// Keys of objects are texts; those of a map of integers are read as such.
fn key_json(key: &str, base: &BaseType) -> Value {
    match base.atomic {
        AtomicType::Integer => key.parse::<i64>().map_or(Value::from(key), Value::from),
        _ => Value::from(key),
    }
}

fn element(json: &Value, base: &BaseType) -> Result<Atom, String> {
    let wrong = |what: &str| Err(format!("{json} stands where {what} is expected"));
    let atom = match (base.atomic, json) {
        (AtomicType::Integer, Value::Number(number)) => match number.as_i64() {
            Some(integer) => Atom::Integer(integer),
            None => return wrong("an integer"),
        },
        (AtomicType::Real, Value::Number(number)) => Atom::Real(number.as_f64().unwrap_or_default()),
        (AtomicType::Boolean, Value::Bool(boolean)) => Atom::Boolean(*boolean),
        (AtomicType::String, Value::String(text)) if text.contains('\0') => {
            return wrong("a text without NUL");
        }
        (AtomicType::String, Value::String(text)) => Atom::from(text),
        (AtomicType::Uuid, Value::String(text)) => match Uuid::parse(text) {
            Some(uuid) => Atom::Uuid(uuid),
            None => return wrong("a UUID"),
        },
        (AtomicType::Integer, _) => return wrong("an integer"),
        (AtomicType::Real, _) => return wrong("a number"),
        (AtomicType::Boolean, _) => return wrong("true or false"),
        (AtomicType::String, _) => return wrong("a text"),
        (AtomicType::Uuid, _) => return wrong("a UUID"),
    };
    base.check(&atom).map_err(|error| error.details)?;
    Ok(atom)
}

/// What is right instead of a column that is not there: the word that was meant, or all there are.
fn no_such_column(name: &str, table: &TableSchema) -> String {
    let known = || table.columns.keys().map(String::as_str);
    match purlin_config::nearest(name, known()) {
        Some(near) => format!("there is no such column; did you mean `{near}`?"),
        None => format!(
            "there is no such column; there are {}",
            known().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Reads columns of a row. Every fault is found, each with its column.
pub fn row_from_natural(
    json: &Map<String, Value>,
    table: &TableSchema,
) -> Result<Row, Vec<(String, String)>> {
    let mut row = Row::new();
    let mut faults = Vec::new();
    for (name, value) in json {
        let Some(column) = table.column(name) else {
            faults.push((name.clone(), no_such_column(name, table)));
            continue;
        };
        match from_natural(value, &column.kind) {
            Ok(value) => row.set(name, value),
            Err(why) => faults.push((name.clone(), why)),
        }
    }
    if faults.is_empty() { Ok(row) } else { Err(faults) }
}
