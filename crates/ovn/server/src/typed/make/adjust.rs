//! Elements added to lists and maps of an object, or taken out, whatever others do to the same lists at the same time.

use super::{Making, Manner, unknown};
use crate::typed::place::Aliases;
use crate::typed::{Access, Fault, Field, Kind, Of, Subject, Values, forms, read, refusal};
use purlin_api::Problem;
use purlin_ovn_core::model::{Change, from_natural};
use purlin_ovsdb::{Atom, ColumnType, Datum};
use serde_json::{Map, Value};

/// What happens to the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    Remove,
}

/// The members of a kind that can be adjusted, by the schema that OVN ships.
pub(crate) fn adjustable(kind: &Kind) -> Vec<&'static Field> {
    let schema = purlin_ovn_core::model::nb_schema().table(kind.table);
    let is_set = |column: &str| {
        let column = schema.and_then(|schema| schema.column(column));
        column.is_some_and(|column| column.kind.max > 1)
    };
    let may = |field: &&Field| match field.of {
        Of::Column(column) | Of::Rows { column, .. } => is_set(column),
        Of::Map { .. } | Of::Referrers { .. } => true,
        _ => false,
    };
    kind.fields
        .iter()
        .filter(|field| field.access == Access::Write)
        .filter(may)
        .collect()
}

/// The changes that add elements or take them out.
///
/// # Errors
/// 422 with every fault of the body.
pub(crate) fn adjust(
    subject: Subject<'_, '_>,
    body: &Map<String, Value>,
    verb: Verb,
    aliases: &Aliases,
) -> Result<Vec<Change>, Problem> {
    let kind = subject.kind;
    let known = adjustable(kind);
    let mut making = Making::of(subject, Manner::Merge, aliases);
    for (name, value) in body {
        let done = match known.iter().find(|field| field.name == name) {
            Some(field) => making.elements(field, value, verb),
            None => {
                let known: Vec<Field> = known.iter().map(|field| **field).collect();
                Err(unknown(&known, name, value))
            }
        };
        if let Err(fault) = done {
            making.faults.push(fault);
        }
    }
    if body.is_empty() {
        let names: Vec<&str> = known.iter().map(|field| field.name).collect();
        let message = format!("nothing is said; expected one of {}", names.join(", "));
        making.faults.push(Fault::new("body", &Value::Null, message));
    }
    match making.faults.is_empty() {
        true => Ok(making.changed()),
        false => Err(refusal(kind, &making.faults)),
    }
}

impl Making<'_, '_> {
    fn elements(&mut self, field: &Field, value: &Value, verb: Verb) -> Result<(), Fault> {
        let (column, datum) = match field.of {
            Of::Column(column) => {
                let kind = ColumnType {
                    min: 0,
                    max: ColumnType::UNLIMITED,
                    ..self.kind_of(field, column, value)?
                };
                let datum = from_natural(value, &kind);
                (column, datum.map_err(|why| Fault::new(field.name, value, why))?)
            }
            Of::Rows { column, .. } => {
                let to = read::target(self.state, self.table, column).unwrap_or_default();
                let rows = self.resolve_all(field, &to, value)?;
                (column, Datum::set(rows.into_iter().map(Atom::Uuid)))
            }
            Of::Map { column, values, .. } => (column, map(field, values, value, verb)?),
            Of::Referrers { table, column, .. } => {
                for row in self.resolve_all(field, table, value)? {
                    self.then
                        .push(self.pointing(table, column, row, verb == Verb::Add));
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.then.push(match verb {
            Verb::Add => self.add(column, datum),
            Verb::Remove => self.remove(column, datum),
        });
        Ok(())
    }
}

/// Keys with values to add, keys to take out.
fn map(field: &Field, values: Values, value: &Value, verb: Verb) -> Result<Datum, Fault> {
    match (verb, value) {
        (Verb::Add, Value::Object(pairs)) => {
            let pair = |(key, value): (&String, &Value)| {
                let text = forms::map_value(value, values);
                let place = format!("{}.{key}", field.name);
                Ok((
                    Atom::from(key),
                    text.map_err(|why| Fault::new(place, value, why))?,
                ))
            };
            Ok(Datum::map(
                pairs.iter().map(pair).collect::<Result<Vec<_>, Fault>>()?,
            ))
        }
        (Verb::Remove, Value::Array(keys)) if keys.iter().all(Value::is_string) => {
            Ok(Datum::set(keys.iter().filter_map(Value::as_str).map(Atom::from)))
        }
        (Verb::Add, _) => {
            let message = format!("{value} stands where an object is expected");
            Err(Fault::new(field.name, value, message))
        }
        (Verb::Remove, _) => {
            let message = format!("{value} stands where a list of keys is expected");
            Err(Fault::new(field.name, value, message))
        }
    }
}
