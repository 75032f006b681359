//! From what was written to OVN's own form: negation pushed down, sets and groups by their members.

use super::check;
use super::fault::Fault;
use super::formula::{Bits, Formula, Join};
use super::names::{Kind, Names};
use super::number::{Number, ones};
use super::parser::Match;
use super::syntax::{Comparison, Constant, Field, Relation, Syntax, Test};
use std::sync::Arc;

/// Lowers an expression. Refused: a set or group that `names` does not know, and a set whose members are too wide for the
/// field.
pub fn lower(parsed: &Match, names: &dyn Names) -> Result<Formula, Fault> {
    Lower { parsed, names }.syntax(&parsed.syntax)
}

struct Lower<'a> {
    parsed: &'a Match,
    names: &'a dyn Names,
}

enum Value {
    Number(Number),
    Text(Arc<str>),
}

impl Lower<'_> {
    fn syntax(&self, syntax: &Syntax) -> Result<Formula, Fault> {
        match syntax {
            Syntax::Compare(comparison) => self.comparison(comparison),
            Syntax::And(parts) => self.joined(Join::And, parts),
            Syntax::Or(parts) => self.joined(Join::Or, parts),
            Syntax::Not(inner) => Ok(self.syntax(inner)?.negated()),
            Syntax::Constant(value) => Ok(Formula::Constant(*value)),
            Syntax::Resident(port) => Ok(Formula::Resident {
                port: port.as_str().into(),
                is: true,
            }),
        }
    }

    fn joined(&self, kind: Join, parts: &[Syntax]) -> Result<Formula, Fault> {
        let mut flat = Vec::with_capacity(parts.len());
        for part in parts {
            flat.extend(self.syntax(part)?.parts_of(kind));
        }
        Ok(Formula::joined(kind, flat))
    }

    fn comparison(&self, comparison: &Comparison) -> Result<Formula, Fault> {
        let field = comparison.field;
        match &comparison.test {
            Test::Set => Ok(compare(field, Relation::Ne, &Value::Number(Number::decimal(0)))),
            Test::Range(low, first, second, high) => Ok(Formula::join(
                Join::And,
                compare(field, first.turned(), &Value::Number(*low)),
                compare(field, *second, &Value::Number(*high)),
            )),
            Test::Relation(relation, constants, _) => {
                let mut values = Vec::with_capacity(constants.len());
                for constant in constants {
                    self.values(field, constant, &mut values)?;
                }
                let kind = if *relation == Relation::Eq {
                    Join::Or
                } else {
                    Join::And
                };
                let parts = values.iter().map(|value| compare(field, *relation, value));
                Ok(Formula::joined(kind, parts.collect()))
            }
        }
    }

    fn values(&self, field: Field, constant: &Constant, into: &mut Vec<Value>) -> Result<(), Fault> {
        match constant {
            Constant::Number(number) => into.push(Value::Number(*number)),
            Constant::Text(text) => into.push(Value::Text(text.as_str().into())),
            Constant::AddressSet(name) => {
                let members = self.names.address_set(name);
                let members = members.ok_or_else(|| self.unknown(Kind::AddressSet, name))?;
                if let Some(wide) = check::too_wide(field, &members) {
                    return Err(self.fault(Kind::AddressSet, name, wide));
                }
                into.extend(members.into_iter().map(Value::Number));
            }
            Constant::PortGroup(name) => {
                let ports = self.names.port_group(name);
                let ports = ports.ok_or_else(|| self.unknown(Kind::PortGroup, name))?;
                into.extend(ports.into_iter().map(Value::Text));
            }
        }
        Ok(())
    }

    fn unknown(&self, kind: Kind, name: &str) -> Fault {
        let all = self.names.all(kind);
        self.fault(kind, name, format!("there is no {} `{name}`", kind.word()))
            .nearest(name, all.iter().map(String::as_str))
    }

    fn fault(&self, kind: Kind, name: &str, message: String) -> Fault {
        let uses = &self.parsed.uses;
        let used = uses.iter().find(|used| used.kind == kind && used.name == name);
        Fault::new(
            &self.parsed.text,
            used.map(|used| used.span).unwrap_or_default(),
            message,
        )
    }
}

fn compare(field: Field, relation: Relation, value: &Value) -> Formula {
    match value {
        Value::Text(text) => Formula::Text {
            symbol: field.symbol,
            equal: relation == Relation::Eq,
            value: text.clone(),
        },
        Value::Number(number) => {
            let within = ones(field.width);
            let mask = number.mask_of(field.width) & within;
            Formula::Bits(Bits {
                symbol: field.symbol,
                relation,
                value: (number.value & mask) << field.low,
                mask: mask << field.low,
            })
        }
    }
}
