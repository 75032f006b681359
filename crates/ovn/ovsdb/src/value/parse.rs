//! Values out of JSON, every constraint of their type checked: for what people and requests bring.

use super::atom::{Atom, Str};
use super::{Datum, real};
use crate::error::{Error, Fault};
use crate::types::{AtomicType, BaseType, ColumnType};
use crate::uuid::Uuid;
use serde_json::Value;

/// Whether `["named-uuid", NAME]` may stand for a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// In requests: another operation of the transaction brings the row.
    Allowed,
    /// Everywhere else.
    Refused,
}

impl Atom {
    /// Reads an atom of `base` and checks the constraints.
    ///
    /// # Errors
    ///
    /// Another type of JSON, or a value that the constraints do not allow.
    pub fn parse(base: &BaseType, json: &Value, names: Names) -> Result<Self, Error> {
        let atom = Self::parse_unchecked(base.atomic, json, names)?;
        base.check(&atom)?;
        Ok(atom)
    }

    /// Reads an atom of this type, whatever its value.
    ///
    /// # Errors
    ///
    /// Another type of JSON.
    pub fn parse_unchecked(kind: AtomicType, json: &Value, names: Names) -> Result<Self, Error> {
        let atom = match kind {
            AtomicType::Integer => real::integer(json).map(Self::Integer),
            AtomicType::Real => json.as_f64().map(|r| Self::Real(real::canonical(r))),
            AtomicType::Boolean => json.as_bool().map(Self::Boolean),
            AtomicType::String => json.as_str().map(|text| Self::Text(Str::from(text))),
            AtomicType::Uuid => return uuid(json, names),
        };
        atom.ok_or_else(|| Error::syntax(json, format!("expected {kind}")))
    }
}

fn uuid(json: &Value, names: Names) -> Result<Atom, Error> {
    let expected = || Error::syntax(json, "expected [\"uuid\", <string>]");
    match json.as_array().map(Vec::as_slice) {
        Some([Value::String(tag), Value::String(text)]) if tag == "uuid" => match Uuid::parse(text) {
            Some(uuid) => Ok(Atom::Uuid(uuid)),
            None => Err(Error::syntax(json, format!("\"{text}\" is not a valid UUID"))),
        },
        Some([Value::String(tag), Value::String(name)]) if tag == "named-uuid" && names == Names::Allowed => {
            if !crate::types::is_id(name) {
                return Err(Error::syntax(json, format!("\"{name}\" is not a valid <id>")));
            }
            Ok(Atom::Named(Str::from(name.as_str())))
        }
        _ => Err(expected()),
    }
}

impl Datum {
    /// Reads a value of a column of this type; every element is checked, and how many they are.
    ///
    /// # Errors
    ///
    /// Another form, a value against the constraints, an element twice, too few or too many.
    pub fn parse(kind: &ColumnType, json: &Value, names: Names) -> Result<Self, Error> {
        let tag = kind.container();
        let inner = json.as_array().and_then(|array| match array.as_slice() {
            [Value::String(word), Value::Array(inner)] if word == tag => Some(inner),
            _ => None,
        });
        match (inner, &kind.value) {
            (Some(inner), Some(value)) => pairs(kind, value, inner, json, names),
            (Some(inner), None) => elements(kind, inner, json, names),
            (None, None) => Atom::parse(&kind.key, json, names).map(Self::One),
            (None, Some(_)) => Err(Error::syntax(json, "expected [\"map\", <array>]")),
        }
    }
}

fn elements(kind: &ColumnType, inner: &[Value], json: &Value, names: Names) -> Result<Datum, Error> {
    count(kind, inner.len(), json)?;
    let mut atoms = Vec::with_capacity(inner.len());
    for element in inner {
        atoms.push(Atom::parse(&kind.key, element, names)?);
    }
    atoms.sort_unstable();
    let twice = atoms.windows(2).any(|pair| pair[0] == pair[1]);
    if twice {
        return Err(Error::new(Fault::Duplicate, "set contains duplicate"));
    }
    Ok(Datum::from_sorted(atoms))
}

fn pairs(
    kind: &ColumnType,
    value: &BaseType,
    inner: &[Value],
    json: &Value,
    names: Names,
) -> Result<Datum, Error> {
    count(kind, inner.len(), json)?;
    let mut pairs = Vec::with_capacity(inner.len());
    for element in inner {
        let Some([k, v]) = element.as_array().map(Vec::as_slice) else {
            return Err(Error::syntax(element, "expected 2-element array"));
        };
        pairs.push((Atom::parse(&kind.key, k, names)?, Atom::parse(value, v, names)?));
    }
    pairs.sort_unstable();
    let twice = pairs.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if twice {
        return Err(Error::new(Fault::Duplicate, "map contains duplicate key"));
    }
    Ok(Datum::from_sorted_pairs(pairs))
}

fn count(kind: &ColumnType, found: usize, json: &Value) -> Result<(), Error> {
    let (least, most) = (kind.min as usize, kind.max as usize);
    if found >= least && (found <= most || kind.max == ColumnType::UNLIMITED) {
        return Ok(());
    }
    let expected = match (least, most) {
        (1, 1) => "exactly one member".to_owned(),
        _ if kind.max == ColumnType::UNLIMITED => format!("{least} or more members"),
        _ => format!("{least} to {most} members"),
    };
    let tag = kind.container();
    Err(Error::syntax(
        json,
        format!("{tag} must have {expected} but {found} are present"),
    ))
}
