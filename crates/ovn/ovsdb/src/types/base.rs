//! An atom's type with its constraints.

use super::AtomicType;
use super::column::{Members, is_id};
use crate::error::Error;
use crate::value::{Atom, Datum};
use serde_json::{Map, Value, json};

/// A UUID that names a row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table.
    pub table: String,
    /// A strong reference keeps its row alive, and a transaction that would leave it without a row is refused; a weak
    /// one is taken away with the row.
    pub strong: bool,
}

/// An atom's type with its constraints.
///
/// Source: RFC 7047, section 3.2, `<base-type>`.
#[derive(Debug, Clone, PartialEq)]
pub struct BaseType {
    /// The kind of atom.
    pub atomic: AtomicType,
    /// The only values allowed, when there are such.
    pub allowed: Option<Datum>,
    /// Least and greatest integer.
    pub integers: (Option<i64>, Option<i64>),
    /// Least and greatest real.
    pub reals: (Option<f64>, Option<f64>),
    /// Least and greatest number of characters.
    pub lengths: (u32, u32),
    /// For UUIDs: the table they point to.
    pub reference: Option<Reference>,
}

impl BaseType {
    /// Any atom of this kind.
    #[must_use]
    pub const fn any(atomic: AtomicType) -> Self {
        Self {
            atomic,
            allowed: None,
            integers: (None, None),
            reals: (None, None),
            lengths: (0, u32::MAX),
            reference: None,
        }
    }

    /// Reads a type: its name, or an object with constraints.
    ///
    /// # Errors
    ///
    /// An unknown kind or member, or bounds that leave no value.
    pub fn parse(json: &Value) -> Result<Self, Error> {
        if let Some(name) = json.as_str() {
            return atomic(name, json).map(Self::any);
        }
        let mut members = Members::open(json, "ovsdb type")?;
        let kind = members.required("type")?;
        let name = kind.as_str().ok_or_else(|| members.mismatch("type"))?;
        let mut base = Self::any(atomic(name, kind)?);
        match members.optional("enum") {
            Some(allowed) => base.parse_allowed(allowed)?,
            None => base.parse_bounds(&mut members)?,
        }
        members.close()?;
        Ok(base)
    }

    fn parse_allowed(&mut self, json: &Value) -> Result<(), Error> {
        let kind = super::ColumnType {
            min: 1,
            max: super::ColumnType::UNLIMITED,
            ..super::ColumnType::scalar(Self::any(self.atomic))
        };
        self.allowed = Some(Datum::parse(&kind, json, crate::Names::Refused)?);
        Ok(())
    }

    fn parse_bounds(&mut self, members: &mut Members<'_>) -> Result<(), Error> {
        match self.atomic {
            AtomicType::Integer => {
                self.integers = (members.integer("minInteger")?, members.integer("maxInteger")?);
                let (least, most) = self.integers;
                ordered(members, least, most, "minInteger exceeds maxInteger")
            }
            AtomicType::Real => {
                self.reals = (members.real("minReal")?, members.real("maxReal")?);
                let (least, most) = self.reals;
                ordered(members, least, most, "minReal exceeds maxReal")
            }
            AtomicType::String => {
                let (least, most) = (members.length("minLength")?, members.length("maxLength")?);
                self.lengths = (least.unwrap_or(0), most.unwrap_or(u32::MAX));
                ordered(members, least, most, "minLength exceeds maxLength")
            }
            AtomicType::Uuid => self.parse_reference(members),
            AtomicType::Boolean => Ok(()),
        }
    }

    fn parse_reference(&mut self, members: &mut Members<'_>) -> Result<(), Error> {
        let Some(table) = members.optional("refTable") else {
            return Ok(());
        };
        let table = table.as_str().filter(|name| is_id(name));
        let table = table.ok_or_else(|| members.mismatch("refTable"))?.to_owned();
        let strong = match members.optional("refType").map(|kind| (kind, kind.as_str())) {
            None | Some((_, Some("strong"))) => true,
            Some((_, Some("weak"))) => false,
            Some((kind, _)) => {
                return Err(Error::syntax(kind, "refType must be \"strong\" or \"weak\""));
            }
        };
        self.reference = Some(Reference { table, strong });
        Ok(())
    }

    /// Checks an atom against the constraints.
    ///
    /// # Errors
    ///
    /// The first constraint that it breaks, with its bounds.
    pub fn check(&self, atom: &Atom) -> Result<(), Error> {
        if let (Some(allowed), false) = (&self.allowed, matches!(atom, Atom::Named(_))) {
            return self.check_allowed(allowed, atom);
        }
        match atom {
            Atom::Integer(integer) => {
                let display = |bound: &i64| bound.to_string();
                between(integer, &self.integers.0, &self.integers.1, integer, display)
            }
            Atom::Real(real) => {
                let shown = Atom::Real(*real).to_json();
                let display = |bound: &f64| Atom::Real(*bound).to_json().to_string();
                between(real, &self.reals.0, &self.reals.1, shown, display)
            }
            Atom::Text(text) => self.check_length(text),
            Atom::Boolean(_) | Atom::Uuid(_) | Atom::Named(_) => Ok(()),
        }
    }

    fn check_allowed(&self, allowed: &Datum, atom: &Atom) -> Result<(), Error> {
        if allowed.contains(atom) {
            return Ok(());
        }
        let shown = |atom: &Atom| match atom {
            Atom::Uuid(uuid) => uuid.to_string(),
            Atom::Text(text) if is_id(text) && !matches!(&**text, "true" | "false") => text.to_string(),
            other => other.to_json().to_string(),
        };
        let all: Vec<_> = allowed.atoms().iter().map(shown).collect();
        let all = all.join(", ");
        let atom = shown(atom);
        Err(Error::constraint(format!(
            "{atom} is not one of the allowed values ([{all}])"
        )))
    }

    fn check_length(&self, text: &str) -> Result<(), Error> {
        let (least, most) = self.lengths;
        if (least, most) == (0, u32::MAX) {
            return Ok(());
        }
        let length = text.chars().count();
        if length < least as usize {
            return Err(Error::constraint(format!(
                "\"{text}\" length {length} is less than minimum allowed length {least}"
            )));
        }
        if length > most as usize {
            return Err(Error::constraint(format!(
                "\"{text}\" length {length} is greater than maximum allowed length {most}"
            )));
        }
        Ok(())
    }

    /// As schemas write it: the name alone where nothing constrains it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        put("enum", self.allowed.as_ref().map(Datum::to_json));
        put("minInteger", self.integers.0.map(Value::from));
        put("maxInteger", self.integers.1.map(Value::from));
        let real = |bound: f64| Atom::Real(bound).to_json();
        put("minReal", self.reals.0.map(real));
        put("maxReal", self.reals.1.map(real));
        let (least, most) = self.lengths;
        put("minLength", (least > 0).then(|| json!(least)));
        put("maxLength", (most < u32::MAX).then(|| json!(most)));
        if let Some(reference) = &self.reference {
            put("refTable", Some(json!(reference.table)));
            put("refType", (!reference.strong).then(|| json!("weak")));
        }
        if object.is_empty() {
            return json!(self.atomic.name());
        }
        object.insert("type".to_owned(), json!(self.atomic.name()));
        Value::Object(object)
    }
}

fn atomic(name: &str, json: &Value) -> Result<AtomicType, Error> {
    let fault = || Error::syntax(json, format!("\"{name}\" is not an atomic-type"));
    AtomicType::by_name(name).ok_or_else(fault)
}

fn ordered<T: PartialOrd>(
    members: &Members<'_>,
    least: Option<T>,
    most: Option<T>,
    fault: &str,
) -> Result<(), Error> {
    match (least, most) {
        (Some(least), Some(most)) if least > most => Err(Error::syntax(members.json, fault)),
        _ => Ok(()),
    }
}

fn between<T: PartialOrd>(
    value: &T,
    least: &Option<T>,
    most: &Option<T>,
    shown: impl std::fmt::Display,
    display: impl Fn(&T) -> String,
) -> Result<(), Error> {
    let low = least.as_ref().is_some_and(|least| value < least);
    let high = most.as_ref().is_some_and(|most| value > most);
    if !low && !high {
        return Ok(());
    }
    let range = match (least, most) {
        (Some(least), Some(most)) => format!(
            "is not in the valid range {} to {} (inclusive)",
            display(least),
            display(most)
        ),
        (Some(least), None) => format!("is less than minimum allowed value {}", display(least)),
        (_, most) => format!(
            "is greater than maximum allowed value {}",
            most.as_ref().map_or_else(String::new, &display)
        ),
    };
    Err(Error::constraint(format!("{shown} {range}")))
}
