//! The smallest values.

use super::real;
use crate::types::AtomicType;
use crate::uuid::Uuid;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Text that rows share: the same word in many rows is one allocation.
pub type Str = Arc<str>;

/// One integer, real, boolean, string or UUID.
///
/// Atoms of one column have one type and are ordered as `ovsdb-server` orders them.
///
/// Source: RFC 7047, section 5.1, `<atom>`.
#[derive(Debug, Clone)]
pub enum Atom {
    /// A signed 64-bit integer.
    Integer(i64),
    /// A double; neither infinite nor NaN, since JSON has neither. There is one zero.
    Real(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// Unicode text.
    Text(Str),
    /// A row's name.
    Uuid(Uuid),
    /// A row that an `insert` of the same transaction brings, by its `uuid-name`; only in requests.
    Named(Str),
}

impl Atom {
    /// What a column of `kind` holds before anyone wrote it.
    ///
    /// Source: RFC 7047, section 5.2.1.
    #[must_use]
    pub fn default_of(kind: AtomicType) -> Self {
        match kind {
            AtomicType::Integer => Self::Integer(0),
            AtomicType::Real => Self::Real(0.0),
            AtomicType::Boolean => Self::Boolean(false),
            AtomicType::String => Self::Text(Str::from("")),
            AtomicType::Uuid => Self::Uuid(Uuid::ZERO),
        }
    }

    /// The type that it belongs to.
    #[must_use]
    pub const fn kind(&self) -> AtomicType {
        match self {
            Self::Integer(_) => AtomicType::Integer,
            Self::Real(_) => AtomicType::Real,
            Self::Boolean(_) => AtomicType::Boolean,
            Self::Text(_) => AtomicType::String,
            Self::Uuid(_) | Self::Named(_) => AtomicType::Uuid,
        }
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, when it is one.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// The real, when it is one.
    #[must_use]
    pub const fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(real) => Some(*real),
            _ => None,
        }
    }

    /// The boolean, when it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            _ => None,
        }
    }

    /// The UUID, when it is one.
    #[must_use]
    pub const fn as_uuid(&self) -> Option<Uuid> {
        match self {
            Self::Uuid(uuid) => Some(*uuid),
            _ => None,
        }
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Integer(integer) => json!(integer),
            Self::Real(real) => real::number(*real),
            Self::Boolean(boolean) => json!(boolean),
            Self::Text(text) => json!(&**text),
            Self::Uuid(uuid) => json!(["uuid", uuid]),
            Self::Named(name) => json!(["named-uuid", &**name]),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Self::Integer(_) => 0,
            Self::Real(_) => 1,
            Self::Boolean(_) => 2,
            Self::Text(_) => 3,
            Self::Uuid(_) => 4,
            Self::Named(_) => 5,
        }
    }
}

impl Ord for Atom {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Real(a), Self::Real(b)) => real::canonical(*a).total_cmp(&real::canonical(*b)),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) | (Self::Named(a), Self::Named(b)) => a.cmp(b),
            (Self::Uuid(a), Self::Uuid(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }
}

impl PartialOrd for Atom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Atom {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Atom {}

impl Hash for Atom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
        match self {
            Self::Integer(integer) => integer.hash(state),
            Self::Real(real) => real::canonical(*real).to_bits().hash(state),
            Self::Boolean(boolean) => boolean.hash(state),
            Self::Text(text) | Self::Named(text) => text.hash(state),
            Self::Uuid(uuid) => uuid.hash(state),
        }
    }
}

impl Serialize for Atom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Real(real) => real::number(*real).serialize(serializer),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Uuid(uuid) => ("uuid", uuid).serialize(serializer),
            Self::Named(name) => ("named-uuid", &**name).serialize(serializer),
        }
    }
}

impl From<i64> for Atom {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<f64> for Atom {
    fn from(real: f64) -> Self {
        Self::Real(real)
    }
}

impl From<bool> for Atom {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<&str> for Atom {
    fn from(text: &str) -> Self {
        Self::Text(Str::from(text))
    }
}

impl From<String> for Atom {
    fn from(text: String) -> Self {
        Self::Text(Str::from(text))
    }
}

impl From<&String> for Atom {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Str> for Atom {
    fn from(text: Str) -> Self {
        Self::Text(text)
    }
}

impl From<Uuid> for Atom {
    fn from(uuid: Uuid) -> Self {
        Self::Uuid(uuid)
    }
}
