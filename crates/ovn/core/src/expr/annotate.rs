//! Predicates written out, parts turned into bits of their fields, and what each field needs added: `tcp.dst == 80` is
//! also `ip.proto == 6` and one of the two kinds of IP.

use super::formula::{Bits, Formula, Join};
use super::lower::lower;
use super::names::NoNames;
use super::parser::parse;
use super::symbol::{Meaning, Symbol};
use super::syntax::Relation;

/// The formula over whole fields. What a field needs is needed also where it is compared with `!=`.
pub fn annotate(formula: &Formula) -> Formula {
    expand(formula, true)
}

/// The text of a predicate or of a need, from the table of names.
pub(super) fn expanded(text: &str) -> Formula {
    let parsed = parse(text).expect("the table holds expressions only");
    annotate(&lower(&parsed, &NoNames).expect("the table names no sets"))
}

fn expand(formula: &Formula, needs: bool) -> Formula {
    match formula {
        Formula::Bits(bits) => leaf(bits, needs),
        Formula::And(parts) => inner(formula, Join::And, parts, needs),
        Formula::Or(parts) => inner(formula, Join::Or, parts, needs),
        other => other.clone(),
    }
}

/// A chain about one field needs only once what the field needs; without this a port list would grow manyfold.
fn inner(formula: &Formula, kind: Join, parts: &[Formula], needs: bool) -> Formula {
    let only = if needs { only_symbol(formula) } else { None };
    let below = needs && only.is_none();
    let expanded = parts
        .iter()
        .flat_map(|part| expand(part, below).parts_of(kind))
        .collect();
    let expanded = Formula::joined(kind, expanded);
    match only.and_then(Symbol::need) {
        Some(need) => Formula::join(Join::And, expanded, need.clone()),
        None => expanded,
    }
}

fn leaf(bits: &Bits, needs: bool) -> Formula {
    let expanded = match bits.symbol.meaning {
        Meaning::Whole => Formula::Bits(bits.clone()),
        Meaning::Part { .. } => {
            let (symbol, low) = bits.symbol.whole();
            Formula::Bits(Bits {
                symbol,
                relation: bits.relation,
                value: bits.value << low,
                mask: bits.mask << low,
            })
        }
        Meaning::Predicate(_) => {
            let expansion = bits.symbol.expansion().expect("a predicate has one");
            match (bits.value & 1 == 1) == (bits.relation == Relation::Eq) {
                true => expansion.clone(),
                false => expansion.negated(),
            }
        }
    };
    match bits.symbol.need() {
        Some(need) if needs => Formula::join(Join::And, expanded, need.clone()),
        _ => expanded,
    }
}

/// The one symbol that all leaves are about.
fn only_symbol(formula: &Formula) -> Option<&'static Symbol> {
    match formula {
        Formula::Bits(bits) => Some(bits.symbol),
        Formula::Text { symbol, .. } => Some(symbol),
        Formula::And(parts) | Formula::Or(parts) => {
            let first = only_symbol(parts.first()?)?;
            parts[1..]
                .iter()
                .all(|part| only_symbol(part) == Some(first))
                .then_some(first)
        }
        Formula::Resident { .. } | Formula::Constant(_) => None,
    }
}
