//! Conditions: `COLUMN[:KEY]` compared with a value.

use super::column::{self, any_number};
use crate::context::{Context, Row, fail};
use purlin_ovsdb::text;
use purlin_ovsdb::{Atom, ColumnType, Datum};
use std::cmp::Ordering;

const OPERATORS: [&str; 14] = [
    "=", "!=", "<", ">", "<=", ">=", "{=}", "{!=}", "{<}", "{>}", "{<=}", "{>=}", "{in}", "{not-in}",
];

/// Whether a row meets a condition.
pub(super) fn holds(ctx: &mut Context<'_, '_>, row: Row, argument: &str) -> Result<bool, String> {
    let head = column::head(row.table, argument)?;
    let (operator, wanted) = column::operator(argument, head.rest, &OPERATORS)?;
    let operator = OPERATORS[operator];
    let kind = &head.schema.kind;
    let found = ctx.value(row, head.column);
    let Some(key) = &head.key else {
        let wanted = text::datum(kind, wanted, ctx.symbols)?;
        return Ok(compare(&found, &wanted, operator));
    };
    let Some(base) = &kind.value else {
        return fail(format!(
            "cannot specify key to check for non-map column {}",
            head.column
        ));
    };
    let key = text::atom(&kind.key, key, ctx.symbols)?;
    let values = ColumnType {
        key: base.clone(),
        value: None,
        ..any_number(kind, kind.min)
    };
    let wanted = text::datum(&values, wanted, ctx.symbols)?;
    match found.get(&key) {
        Some(value) => Ok(compare(&Datum::One(value.clone()), &wanted, operator)),
        None if operator.starts_with('{') => Ok(compare(&Datum::EMPTY, &wanted, operator)),
        None => Ok(false),
    }
}

fn compare(found: &Datum, wanted: &Datum, operator: &str) -> bool {
    let order = || order(found, wanted);
    match operator {
        "=" | "{=}" => order().is_eq(),
        "!=" | "{!=}" => order().is_ne(),
        "<" => order().is_lt(),
        ">" => order().is_gt(),
        "<=" => order().is_le(),
        ">=" => order().is_ge(),
        "{<}" => found.len() < wanted.len() && within(found, wanted),
        "{>}" => found.len() > wanted.len() && within(wanted, found),
        "{<=}" | "{in}" => within(found, wanted),
        "{>=}" => within(wanted, found),
        _ => !shares(found, wanted),
    }
}

/// First by how many there are, then element by element.
fn order(a: &Datum, b: &Datum) -> Ordering {
    let keys = |value: &Datum| -> Vec<Atom> {
        let keys = value.pairs().iter().map(|(key, _)| key);
        value.atoms().iter().chain(keys).cloned().collect()
    };
    let values =
        |value: &Datum| -> Vec<Atom> { value.pairs().iter().map(|(_, value)| value.clone()).collect() };
    a.len()
        .cmp(&b.len())
        .then_with(|| keys(a).cmp(&keys(b)))
        .then_with(|| values(a).cmp(&values(b)))
}

fn within(a: &Datum, b: &Datum) -> bool {
    let atoms = a.atoms().iter().all(|atom| b.contains(atom));
    atoms && a.pairs().iter().all(|(key, value)| b.get(key) == Some(value))
}

fn shares(a: &Datum, b: &Datum) -> bool {
    let atoms = a.atoms().iter().any(|atom| b.contains(atom));
    atoms || a.pairs().iter().any(|(key, value)| b.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_compare_by_size_first_and_by_what_they_hold() {
        let set = |texts: &[&str]| Datum::set(texts.iter().copied());
        let cases = [
            (&["a"][..], &["a", "b"][..], "{<}", true),
            (&["a", "b"], &["a", "b"], "{<}", false),
            (&["a"], &["a", "b"], "{in}", true),
            (&["c"], &["a", "b"], "{not-in}", true),
            (&["a", "c"], &["b"], "<", false),
            (&["z"], &["a", "b"], "<", true),
            (&["a", "b"], &["a"], "{>=}", true),
            (&[], &["a"], "!=", true),
        ];
        for (found, wanted, operator, holds) in cases {
            assert_eq!(
                compare(&set(found), &set(wanted), operator),
                holds,
                "{found:?} {operator} {wanted:?}"
            );
        }
    }
}
