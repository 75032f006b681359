//! A column's type: how many of what.

use super::{AtomicType, BaseType};
use crate::error::Error;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// A column's type: how many atoms, or pairs of atoms.
///
/// Source: RFC 7047, section 3.2, `<type>`.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnType {
    /// The elements of a set, or the keys of a map.
    pub key: BaseType,
    /// The values of a map.
    pub value: Option<BaseType>,
    /// Least number of elements: 0 or 1.
    pub min: u32,
    /// Greatest number of elements, or [`ColumnType::UNLIMITED`].
    pub max: u32,
}

impl ColumnType {
    /// As many elements as one likes.
    pub const UNLIMITED: u32 = u32::MAX;

    /// Exactly one atom.
    #[must_use]
    pub const fn scalar(key: BaseType) -> Self {
        Self {
            key,
            value: None,
            min: 1,
            max: 1,
        }
    }

    /// Whether a column holds exactly one atom.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        self.value.is_none() && self.min == 1 && self.max == 1
    }

    /// Whether a column holds none or one atom.
    #[must_use]
    pub const fn is_optional(&self) -> bool {
        self.value.is_none() && self.min == 0 && self.max == 1
    }

    pub(crate) const fn container(&self) -> &'static str {
        if self.value.is_some() { "map" } else { "set" }
    }

    /// Reads a type: an atomic type's name, or an object.
    ///
    /// # Errors
    ///
    /// An unknown member, or numbers of elements that RFC 7047 does not allow.
    pub fn parse(json: &Value) -> Result<Self, Error> {
        if json.is_string() {
            return BaseType::parse(json).map(Self::scalar);
        }
        let mut members = Members::open(json, "ovsdb type")?;
        let key = BaseType::parse(members.required("key")?)?;
        let value = members.optional("value").map(BaseType::parse).transpose()?;
        let bad = || Error::syntax(json, "bad min or max value");
        let number = |json: &Value| json.as_u64().and_then(|n| u32::try_from(n).ok());
        let min = members.optional("min").map_or(Some(1), number).ok_or_else(bad)?;
        let max = match members.optional("max") {
            None => Some(1),
            Some(Value::String(word)) if word == "unlimited" => Some(Self::UNLIMITED),
            Some(json) => number(json),
        };
        let max = max.ok_or_else(bad)?;
        members.close()?;
        if min > 1 || max == 0 || max < min {
            return Err(Error::syntax(json, "ovsdb type fails constraint checks"));
        }
        Ok(Self { key, value, min, max })
    }

    /// As schemas write it, as short as can be.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let key = self.key.to_json();
        if self.is_scalar() && key.is_string() {
            return key;
        }
        let mut object = Map::new();
        object.insert("key".to_owned(), key);
        if let Some(value) = &self.value {
            object.insert("value".to_owned(), value.to_json());
        }
        if self.min != 1 {
            object.insert("min".to_owned(), json!(self.min));
        }
        match self.max {
            1 => {}
            Self::UNLIMITED => drop(object.insert("max".to_owned(), json!("unlimited"))),
            max => drop(object.insert("max".to_owned(), json!(max))),
        }
        Value::Object(object)
    }

    /// Whether a value of `other` can be taken over unread: same containers, same kinds of atoms.
    #[must_use]
    pub fn same_shape(&self, other: &Self) -> bool {
        let kind = |value: &Option<BaseType>| value.as_ref().map(|value| value.atomic);
        self.key.atomic == other.key.atomic
            && kind(&self.value) == kind(&other.value)
            && self.is_scalar() == other.is_scalar()
    }
}

impl From<AtomicType> for ColumnType {
    fn from(kind: AtomicType) -> Self {
        Self::scalar(BaseType::any(kind))
    }
}

/// In words, for faults.
pub(crate) fn shown(kind: &ColumnType) -> String {
    let key = kind.key.atomic;
    match &kind.value {
        None if kind.is_scalar() => key.to_string(),
        None => format!("set of {}{key}s", amount(kind)),
        Some(value) => format!("map of {}{key}-{} pairs", amount(kind), value.atomic),
    }
}

fn amount(kind: &ColumnType) -> String {
    match (kind.min, kind.max) {
        (0, ColumnType::UNLIMITED) => String::new(),
        (least, ColumnType::UNLIMITED) => format!("{least} or more "),
        (0, most) => format!("up to {most} "),
        (least, most) if least == most => format!("{least} "),
        (least, most) => format!("{least} to {most} "),
    }
}

/// Whether a text may name a table, a column or a row of a transaction: letters, digits and `_`, no digit in front.
///
/// Source: RFC 7047, section 3.1, `<id>`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    let mut octets = text.bytes();
    octets
        .next()
        .is_some_and(|c| c == b'_' || c.is_ascii_alphabetic())
        && octets.all(|c| c == b'_' || c.is_ascii_alphanumeric())
}

/// A JSON object that is read member by member; what nobody asked for is a fault at the end.
pub(crate) struct Members<'a> {
    pub(crate) json: &'a Value,
    what: Cow<'static, str>,
    object: &'a Map<String, Value>,
    read: Vec<&'static str>,
}

impl<'a> Members<'a> {
    pub(crate) fn open(json: &'a Value, what: impl Into<Cow<'static, str>>) -> Result<Self, Error> {
        let what = what.into();
        let object = json
            .as_object()
            .ok_or_else(|| Error::syntax(json, format!("Parsing {what} failed: Object expected.")))?;
        Ok(Self {
            json,
            what,
            object,
            read: Vec::new(),
        })
    }

    pub(crate) fn optional(&mut self, name: &'static str) -> Option<&'a Value> {
        self.read.push(name);
        self.object.get(name)
    }

    pub(crate) fn required(&mut self, name: &'static str) -> Result<&'a Value, Error> {
        self.optional(name).ok_or_else(|| {
            Error::syntax(
                self.json,
                format!(
                    "Parsing {} failed: Required '{name}' member is missing.",
                    self.what
                ),
            )
        })
    }

    pub(crate) fn mismatch(&self, name: &str) -> Error {
        Error::syntax(
            self.json,
            format!("Parsing {} failed: Type mismatch for member '{name}'.", self.what),
        )
    }

    /// An object of named things, such as the tables of a schema.
    pub(crate) fn named(&self, name: &str, json: &'a Value) -> Result<&'a Map<String, Value>, Error> {
        json.as_object().ok_or_else(|| self.mismatch(name))
    }

    pub(crate) fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, Error> {
        self.convert(name, Value::as_bool)
    }

    pub(crate) fn integer(&mut self, name: &'static str) -> Result<Option<i64>, Error> {
        self.convert(name, Value::as_i64)
    }

    pub(crate) fn real(&mut self, name: &'static str) -> Result<Option<f64>, Error> {
        self.convert(name, Value::as_f64)
    }

    pub(crate) fn string(&mut self, name: &'static str) -> Result<Option<&'a str>, Error> {
        self.convert(name, Value::as_str)
    }

    pub(crate) fn length(&mut self, name: &'static str) -> Result<Option<u32>, Error> {
        let Some(integer) = self.integer(name)? else {
            return Ok(None);
        };
        let length = u32::try_from(integer)
            .map_err(|_| Error::syntax(self.json, format!("{name} out of valid range 0 to {}", u32::MAX)))?;
        Ok(Some(length))
    }

    fn convert<T>(
        &mut self,
        name: &'static str,
        as_t: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        match self.optional(name) {
            None => Ok(None),
            Some(value) => as_t(value).map(Some).ok_or_else(|| self.mismatch(name)),
        }
    }

    pub(crate) fn close(self) -> Result<(), Error> {
        let unknown = self
            .object
            .keys()
            .find(|name| !self.read.contains(&name.as_str()));
        match unknown {
            None => Ok(()),
            Some(name) => Err(Error::syntax(
                self.json,
                format!(
                    "Parsing {} failed: Member '{name}' is present but not allowed here.",
                    self.what
                ),
            )),
        }
    }
}
