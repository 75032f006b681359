//! Which rows an operation or a monitor speaks of.

use crate::error::{Error, Fault};
use crate::row::{Name, Row, column_type};
use crate::schema::TableSchema;
use crate::types::ColumnType;
use crate::uuid::Uuid;
use crate::value::{Atom, Datum, Names};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// How a column is compared.
///
/// Source: RFC 7047, section 5.1, `<function>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// Less; numbers only.
    Less,
    /// Less or equal; numbers only.
    LessOrEqual,
    /// The same value.
    Equal,
    /// Another value.
    NotEqual,
    /// Greater or equal; numbers only.
    GreaterOrEqual,
    /// Greater; numbers only.
    Greater,
    /// All elements, or pairs, of the argument are in the column.
    Includes,
    /// None of them is.
    Excludes,
}

impl Function {
    const ALL: [Self; 8] = [
        Self::Less,
        Self::LessOrEqual,
        Self::Equal,
        Self::NotEqual,
        Self::GreaterOrEqual,
        Self::Greater,
        Self::Includes,
        Self::Excludes,
    ];

    /// As requests write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::GreaterOrEqual => ">=",
            Self::Greater => ">",
            Self::Includes => "includes",
            Self::Excludes => "excludes",
        }
    }

    const fn is_order(self) -> bool {
        matches!(
            self,
            Self::Less | Self::LessOrEqual | Self::Greater | Self::GreaterOrEqual
        )
    }
}

/// One clause; several are all to be true in an operation, and one of them in a monitor.
///
/// Clauses are ordered, so that two lists that hold the same in another order can be known as the same.
///
/// Source: RFC 7047, section 5.1, `<condition>`; booleans from ovsdb-server(7), section 5.1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Every row, or none.
    Always(bool),
    /// Rows whose column compares so.
    Clause {
        /// The column, which may be `_uuid`.
        column: Name,
        /// How it is compared.
        function: Function,
        /// With what.
        value: Datum,
    },
}

impl Condition {
    /// A clause.
    #[must_use]
    pub fn new(column: &str, function: Function, value: impl Into<Datum>) -> Self {
        Self::Clause {
            column: Name::Owned(column.to_owned()),
            function,
            value: value.into(),
        }
    }

    /// The column has this value.
    #[must_use]
    pub fn equal(column: &str, value: impl Into<Datum>) -> Self {
        Self::new(column, Function::Equal, value)
    }

    /// The column has all of these elements or pairs.
    #[must_use]
    pub fn includes(column: &str, value: impl Into<Datum>) -> Self {
        Self::new(column, Function::Includes, value)
    }

    /// Just this row.
    #[must_use]
    pub const fn row(uuid: Uuid) -> Self {
        Self::Clause {
            column: Name::Borrowed("_uuid"),
            function: Function::Equal,
            value: Datum::One(Atom::Uuid(uuid)),
        }
    }

    /// Reads a clause on this table.
    ///
    /// # Errors
    ///
    /// An unknown column or function, or one that the column's type does not have.
    pub fn parse(table: &TableSchema, json: &Value, names: Names) -> Result<Self, Error> {
        if let Some(always) = json.as_bool() {
            return Ok(Self::Always(always));
        }
        let Some([Value::String(column), Value::String(function), value]) =
            json.as_array().map(Vec::as_slice)
        else {
            return Err(Error::syntax(
                json,
                "Parse error in condition: 3-element array or boolean expected",
            ));
        };
        let kind = column_type(table, column).ok_or_else(|| {
            let text = format!("No column {column} in table.");
            Error::new(Fault::UnknownColumn, text).at(json)
        })?;
        let function = function_by_name(function)?;
        let mut kind = kind;
        if function.is_order() && !(kind.key.atomic.is_number() && (kind.is_scalar() || kind.is_optional())) {
            return Err(Error::syntax(
                json,
                format!(
                    "Type mismatch: \"{}\" operator may not be applied to column {column} of type {}.",
                    function.name(),
                    crate::types::shown(&kind)
                ),
            ));
        }
        loosen(&mut kind, function);
        let value = Datum::parse(&kind, value, names)?;
        Ok(Self::new(column, function, value))
    }

    /// Whether a row is one of those meant. A column that the row does not speak of has its default.
    #[must_use]
    pub fn matches(&self, table: &TableSchema, row: &Row) -> bool {
        match self {
            Self::Always(always) => *always,
            Self::Clause {
                column,
                function,
                value,
            } => match (row.get(column), column_type(table, column)) {
                (Some(found), _) => compare(found, *function, value),
                (None, Some(kind)) => compare(&Datum::default_of(&kind), *function, value),
                (None, None) => false,
            },
        }
    }

    /// As requests write it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Always(always) => Value::Bool(*always),
            Self::Clause {
                column,
                function,
                value,
            } => {
                serde_json::json!([column, function.name(), value.to_json()])
            }
        }
    }

    pub(crate) fn rename(&mut self, rename: &dyn Fn(&str) -> Atom) {
        if let Self::Clause { value, .. } = self {
            value.rename(rename);
        }
    }
}

fn function_by_name(name: &str) -> Result<Function, Error> {
    Function::ALL
        .into_iter()
        .find(|function| function.name() == name)
        .ok_or_else(|| Error::new(Fault::UnknownFunction, format!("No function named {name}.")))
}

/// What the argument of this function may be, given the column's type.
fn loosen(kind: &mut ColumnType, function: Function) {
    match function {
        Function::Includes | Function::Excludes if !kind.is_scalar() => {
            kind.min = 0;
            if function == Function::Excludes {
                kind.max = ColumnType::UNLIMITED;
            }
        }
        _ if function.is_order() => kind.min = 1,
        _ => {}
    }
}

fn compare(found: &Datum, function: Function, value: &Datum) -> bool {
    let order = || Some(found.one()?.cmp(value.one()?));
    match function {
        Function::Equal => found == value,
        Function::NotEqual => found != value,
        Function::Less => order().is_some_and(std::cmp::Ordering::is_lt),
        Function::LessOrEqual => order().is_some_and(std::cmp::Ordering::is_le),
        Function::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
        Function::GreaterOrEqual => order().is_some_and(std::cmp::Ordering::is_ge),
        Function::Includes => held(found, value).all(|held| held),
        Function::Excludes => !held(found, value).any(|held| held),
    }
}

/// For each element or pair of `value`, whether `found` has it.
fn held<'a>(found: &'a Datum, value: &'a Datum) -> impl Iterator<Item = bool> {
    let pair = |(key, value): &(Atom, Atom)| found.get(key) == Some(value);
    let atoms = value.atoms().iter().map(|atom| found.contains(atom));
    atoms.chain(value.pairs().iter().map(pair))
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Always(always) => serializer.serialize_bool(*always),
            Self::Clause {
                column,
                function,
                value,
            } => (column, function.name(), value).serialize(serializer),
        }
    }
}
