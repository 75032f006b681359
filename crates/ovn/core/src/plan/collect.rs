//! What the database will do by itself at the end of the transaction, done on the copy, so that the difference shows it.
//!
//! Source: RFC 7047, section 3.2, "isRoot" and "refType".

use super::build::Builder;
use super::{Reason, Refusal};
use crate::model::{State, Why};
use crate::problem::Problem;
use purlin_ovsdb::{Atom, Datum, Uuid};
use std::collections::BTreeMap;

type Whys = BTreeMap<(String, Uuid), Why>;

pub(super) fn collect(builder: &mut Builder<'_, '_>) -> Result<Whys, Refusal> {
    let state = &mut builder.after;
    let mut whys = Whys::new();
    orphans(state, &mut whys);
    let gone: Vec<(String, Uuid)> = state
        .touched()
        .filter(|(table, uuid)| !state.contains(table, *uuid))
        .map(|(table, uuid)| (table.to_owned(), uuid))
        .collect();
    let mut left = Vec::new();
    for (table, uuid) in gone {
        unlink(state, &table, uuid, &mut whys, &mut left)?;
    }
    if !left.is_empty() || whys.values().any(|why| *why == Why::Unlinked) {
        builder.travels_alone();
    }
    for (table, row, column, uuid) in left {
        builder.take_out(&table, row, &column, uuid);
    }
    Ok(whys)
}

/// Rows that cannot be alone go when nothing holds them any more, and then what only they held.
fn orphans(state: &mut State<'_>, whys: &mut Whys) {
    let touched: Vec<(String, Uuid)> = state
        .touched()
        .map(|(table, uuid)| (table.to_owned(), uuid))
        .collect();
    let mut candidates: Vec<(String, Uuid)> = Vec::new();
    let base = state.base();
    for (table, uuid) in touched {
        // What it still holds is safe; a switch with a thousand ports is not looked through for one more.
        if base.contains(&table, uuid) {
            candidates.extend(held(&base, &table, uuid, Some(state)));
        }
        candidates.push((table, uuid));
    }
    while let Some((table, uuid)) = candidates.pop() {
        let root = state.schema().table(&table).is_none_or(|table| table.root);
        if root || !state.contains(&table, uuid) || state.parent(&table, uuid).is_some() {
            continue;
        }
        candidates.extend(held(state, &table, uuid, None));
        let known = state.base().contains(&table, uuid);
        state.put(&table, uuid, None);
        if known {
            whys.insert((table, uuid), Why::Orphaned);
        }
    }
}

/// Rows that this one keeps alive, and does not any more in a later state.
fn held(state: &State<'_>, table: &str, uuid: Uuid, later: Option<&State<'_>>) -> Vec<(String, Uuid)> {
    let Some(schema) = state.schema().table(table) else {
        return Vec::new();
    };
    let columns = schema.columns.iter().filter_map(|(name, column)| {
        let (to, strong) = crate::model::target(&column.kind)?;
        strong.then_some((name, to))
    });
    columns
        .flat_map(|(name, to)| {
            let gone = match later.and_then(|later| later.moved(table, uuid, name)) {
                Some((gone, _)) => gone.clone(),
                None => {
                    let held = state.value(table, uuid, name).unwrap_or(&Datum::EMPTY);
                    let still = later.and_then(|later| later.value(table, uuid, name));
                    held.without(still.unwrap_or(&Datum::EMPTY))
                }
            };
            let targets: Vec<Uuid> = gone.atoms().iter().filter_map(Atom::as_uuid).collect();
            targets.into_iter().map(|target| (to.to_owned(), target))
        })
        .collect()
}

/// Takes weak references to a row that goes out of other rows; a strong one refuses the plan.
///
/// `ovsdb-server` 3.1.0 forgets to do so in rows that the same transaction changes otherwise, and keeps a reference to
/// nothing there: `left` are those that the transaction must take out by itself.
fn unlink(
    state: &mut State<'_>,
    table: &str,
    uuid: Uuid,
    whys: &mut Whys,
    left: &mut Vec<(String, Uuid, String, Uuid)>,
) -> Result<(), Refusal> {
    for (from, column, row, strong) in state.referrers(table, uuid) {
        if strong {
            let label = state.base().label(table, uuid);
            let message = format!("{from} {} still uses it in `{column}`", state.label(from, row));
            let problem = Problem::error("row-used", format!("{table} {label}"), message);
            return Err(Refusal::one(
                Reason::Invalid,
                problem.help("take it out there first"),
            ));
        }
        let mut whole = state.row(from, row).expect("it was just found");
        let value = whole.get(column).cloned().unwrap_or(Datum::EMPTY);
        let others = value.atoms().iter().filter(|atom| atom.as_uuid() != Some(uuid));
        whole.set(column, Datum::set(others.cloned()));
        let key = (from.to_owned(), row);
        let touched = state.touched().any(|(table, uuid)| (table, uuid) == (from, row));
        state.put(from, row, Some(&whole));
        if touched && !whys.contains_key(&key) {
            left.push((key.0, row, column.to_owned(), uuid));
        } else {
            whys.insert(key, Why::Unlinked);
        }
    }
    Ok(())
}
