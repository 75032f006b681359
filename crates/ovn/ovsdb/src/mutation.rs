//! Changes that are calculated in the server, from the value that it has then.

use crate::error::{Error, Fault};
use crate::row::{Name, Row};
use crate::schema::TableSchema;
use crate::types::{AtomicType, ColumnType};
use crate::value::{Atom, Datum, Names};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// What is done to a column.
///
/// Source: RFC 7047, section 5.1, `<mutator>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutator {
    /// Adds to each element.
    Add,
    /// Subtracts from each element.
    Subtract,
    /// Multiplies each element.
    Multiply,
    /// Divides each element; integers towards zero.
    Divide,
    /// Keeps the remainder of each element; integers only.
    Remainder,
    /// Brings elements, or pairs whose keys are new.
    Insert,
    /// Takes elements away; of a map pairs, or keys whatever they have.
    Delete,
}

impl Mutator {
    const ALL: [Self; 7] = [
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::Remainder,
        Self::Insert,
        Self::Delete,
    ];

    /// As requests write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "+=",
            Self::Subtract => "-=",
            Self::Multiply => "*=",
            Self::Divide => "/=",
            Self::Remainder => "%=",
            Self::Insert => "insert",
            Self::Delete => "delete",
        }
    }
}

/// One change of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// The column.
    pub column: Name,
    /// What is done to it.
    pub mutator: Mutator,
    /// With what.
    pub value: Datum,
}

impl Mutation {
    /// A change.
    #[must_use]
    pub fn new(column: &str, mutator: Mutator, value: impl Into<Datum>) -> Self {
        Self {
            column: Name::Owned(column.to_owned()),
            mutator,
            value: value.into(),
        }
    }

    /// Brings elements or pairs.
    #[must_use]
    pub fn insert(column: &str, value: impl Into<Datum>) -> Self {
        Self::new(column, Mutator::Insert, value)
    }

    /// Takes elements, pairs or keys away.
    #[must_use]
    pub fn delete(column: &str, value: impl Into<Datum>) -> Self {
        Self::new(column, Mutator::Delete, value)
    }

    /// Reads a change of this table; `named` is the table's name, for the words of a fault.
    ///
    /// # Errors
    ///
    /// An unknown column or mutator, one that the column's type does not have, or a column that may not change.
    pub fn parse(table: &TableSchema, named: &str, json: &Value, names: Names) -> Result<Self, Error> {
        let Some([Value::String(column), Value::String(mutator), value]) = json.as_array().map(Vec::as_slice)
        else {
            return Err(Error::syntax(
                json,
                "Parse error in mutation: 3-element array expected",
            ));
        };
        let schema = table.column(column).ok_or_else(|| {
            let text = format!("No column {column} in table {named}.");
            Error::new(Fault::UnknownColumn, text).at(json)
        })?;
        let mutator = Mutator::ALL
            .into_iter()
            .find(|known| known.name() == mutator)
            .ok_or_else(|| Error::new(Fault::UnknownMutator, format!("No mutator named {mutator}.")))?;
        if !schema.mutable {
            let text = format!("Cannot mutate immutable column {column} in table {named}.");
            return Err(Error::constraint(text).at(json));
        }
        let kind = &schema.kind;
        let mismatch = || {
            let (name, shown) = (mutator.name(), crate::types::shown(kind));
            let text = format!(
                "Type mismatch: \"{name}\" operator may not be applied to column {column} of type {shown}."
            );
            Error::syntax(json, text)
        };
        let value = argument(kind, mutator, value, names).ok_or_else(mismatch)??;
        Ok(Self::new(column, mutator, value))
    }

    /// Does it to a row. A row that does not speak of the column has its default.
    ///
    /// # Errors
    ///
    /// A division by zero, a result out of range, or a value that the column's constraints do not allow.
    pub fn apply(&self, table: &TableSchema, row: &mut Row) -> Result<(), Error> {
        let unknown = || {
            Error::new(
                Fault::UnknownColumn,
                format!("No column {} in table.", self.column),
            )
        };
        let kind = &table.column(&self.column).ok_or_else(unknown)?.kind;
        let old = row.get(&self.column).cloned();
        let old = old.unwrap_or_else(|| Datum::default_of(kind));
        let new = match self.mutator {
            Mutator::Insert => insert(&old, &self.value),
            Mutator::Delete => delete(&old, &self.value),
            _ => self.calculate(&old, kind)?,
        };
        let (least, most) = (kind.min as usize, kind.max as usize);
        if new.len() < least || new.len() > most {
            return Err(Error::constraint(format!(
                "Attempted to store {} elements in {}.",
                new.len(),
                crate::types::shown(kind)
            )));
        }
        row.set(&self.column, new);
        Ok(())
    }

    fn calculate(&self, old: &Datum, kind: &ColumnType) -> Result<Datum, Error> {
        let argument = self.value.one().expect("parse reads one number");
        let mut atoms = Vec::with_capacity(old.len());
        for atom in old.atoms() {
            let atom = crate::arithmetic::calculate(atom, self.mutator, argument)?;
            kind.key.check(&atom)?;
            atoms.push(atom);
        }
        let count = atoms.len();
        let new = Datum::set(atoms);
        if new.len() < count {
            let name = self.mutator.name();
            let text = format!("Result of \"{name}\" operation contains duplicates.");
            return Err(Error::constraint(text));
        }
        Ok(new)
    }

    pub(crate) fn rename(&mut self, rename: &dyn Fn(&str) -> Atom) {
        self.value.rename(rename);
    }

    /// As requests write it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!([self.column, self.mutator.name(), self.value.to_json()])
    }
}

/// `None`: this type of column has no such mutator.
fn argument(kind: &ColumnType, mutator: Mutator, json: &Value, names: Names) -> Option<Result<Datum, Error>> {
    let many = |kind: &ColumnType| ColumnType {
        min: 0,
        max: ColumnType::UNLIMITED,
        ..kind.clone()
    };
    match mutator {
        Mutator::Insert | Mutator::Delete if kind.is_scalar() => None,
        Mutator::Insert => Some(Datum::parse(&many(kind), json, names)),
        Mutator::Delete if kind.value.is_some() => {
            let keys = ColumnType {
                value: None,
                ..many(kind)
            };
            let pairs = Datum::parse(&many(kind), json, names);
            Some(pairs.or_else(|_| Datum::parse(&keys, json, names)))
        }
        Mutator::Delete => Some(Datum::parse(&many(kind), json, names)),
        Mutator::Remainder if kind.key.atomic != AtomicType::Integer => None,
        _ if kind.value.is_some() || !kind.key.atomic.is_number() => None,
        // The operand is no element: the column's own bounds do not bind it.
        _ => Some(Datum::parse(&kind.key.atomic.into(), json, names)),
    }
}

fn insert(old: &Datum, value: &Datum) -> Datum {
    match old {
        // A key that is there keeps its value.
        Datum::Map(_) => Datum::map(value.pairs().iter().chain(old.pairs()).cloned()),
        _ => Datum::set(old.atoms().iter().chain(value.atoms()).cloned()),
    }
}

fn delete(old: &Datum, value: &Datum) -> Datum {
    match old {
        Datum::Map(_) => {
            let goes = |(key, found): &(Atom, Atom)| value.contains(key) || value.get(key) == Some(found);
            let stays = old.pairs().iter().filter(|pair| !goes(pair));
            Datum::from_sorted_pairs(stays.cloned().collect())
        }
        _ => {
            let stays = old.atoms().iter().filter(|atom| !value.contains(atom));
            Datum::from_sorted(stays.cloned().collect())
        }
    }
}

impl Serialize for Mutation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.column, self.mutator.name(), &self.value).serialize(serializer)
    }
}
