//! What a tenant sees.

use super::{Confine, QUOTAS, SHARED_KEY, TENANT_KEY, tables_of};
use crate::model::{State, target};
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::{DatabaseSchema, Uuid};
use std::collections::{BTreeMap, BTreeSet};

/// The tenant's part of a northbound: rows with its mark, what only hangs on those, and what is shared with it.
///
/// Costs what the tenant has, not what there is, where the database has indexes on the marks.
pub fn view(schema: &DatabaseSchema, whole: &Database, confine: &Confine) -> Database {
    let state = State::new(schema, whole);
    let mut seen: BTreeSet<(String, Uuid)> = BTreeSet::new();
    let mut next: Vec<(String, Uuid)> = Vec::new();
    for table in marked_tables(schema) {
        let own = state.find_key(table, "external_ids", TENANT_KEY, &confine.tenant);
        next.extend(own.into_iter().map(|uuid| (table.to_owned(), uuid)));
        if confine.external {
            let shared = state.find_key(table, "external_ids", SHARED_KEY, "true");
            seen.extend(shared.into_iter().map(|uuid| (table.to_owned(), uuid)));
        }
    }
    let own: BTreeSet<(String, Uuid)> = next.iter().cloned().collect();
    seen = &seen - &own;
    while let Some((table, uuid)) = next.pop() {
        if !seen.insert((table.clone(), uuid)) {
            continue;
        }
        let children = children(&state, &table, uuid).into_iter();
        next.extend(children.filter(|(table, uuid)| {
            let mark = mark(&state, table, *uuid);
            mark.is_none_or(|mark| mark == confine.tenant)
        }));
    }
    whole.only(seen.iter().map(|(table, uuid)| (table.as_str(), *uuid)))
}

/// Rows that only this one keeps there.
fn children(state: &State<'_>, table: &str, uuid: Uuid) -> Vec<(String, Uuid)> {
    let Some(schema) = state.schema().table(table) else {
        return Vec::new();
    };
    let strong = schema.columns.iter().filter_map(|(name, column)| {
        let (to, strong) = target(&column.kind)?;
        let child = strong && !state.schema().table(to).is_none_or(|table| table.root);
        child.then_some((name, to))
    });
    strong
        .flat_map(|(name, to)| {
            let targets = state.targets(table, uuid, name).into_iter();
            targets.map(move |target| (to.to_owned(), target))
        })
        .collect()
}

fn marked_tables(schema: &DatabaseSchema) -> impl Iterator<Item = &str> {
    let marked = schema
        .tables
        .iter()
        .filter(|(_, table)| table.column("external_ids").is_some());
    marked.map(|(name, _)| name.as_str())
}

fn mark<'s>(state: &'s State<'_>, table: &str, uuid: Uuid) -> Option<&'s str> {
    state.value(table, uuid, "external_ids")?.get_str(TENANT_KEY)
}

/// Which tenant a row belongs to: by its own mark, else by that of the row that it hangs on.
pub fn tenant_of(state: &State<'_>, table: &str, uuid: Uuid) -> Option<String> {
    carrier(state, table, uuid).map(|(_, _, mark)| mark)
}

/// The row that carries the mark: this one or an ancestor.
pub(crate) fn carrier(state: &State<'_>, table: &str, uuid: Uuid) -> Option<(String, Uuid, String)> {
    if let Some(mark) = mark(state, table, uuid) {
        return Some((table.to_owned(), uuid, mark.to_owned()));
    }
    let (table, _, uuid) = state.parent(table, uuid)?;
    carrier(state, table, uuid)
}

/// Whether tenants may use the row.
pub(crate) fn is_shared(state: &State<'_>, table: &str, uuid: Uuid) -> bool {
    let ids = state.value(table, uuid, "external_ids");
    ids.and_then(|ids| ids.get_str(SHARED_KEY)) == Some("true")
}

/// Rows of these tenants that a quota counts.
pub fn count<'t>(state: &State<'_>, quota: &str, tenants: impl IntoIterator<Item = &'t str>) -> usize {
    let tables = tables_of(quota);
    let of = |tenant: &str| -> usize {
        let rows = tables
            .iter()
            .map(|table| state.find_key(table, "external_ids", TENANT_KEY, tenant).len());
        rows.sum()
    };
    tenants.into_iter().map(of).sum()
}

/// All rows with a tenant's mark.
pub fn rows(state: &State<'_>, tenant: &str) -> usize {
    let of = |table: &str| state.find_key(table, "external_ids", TENANT_KEY, tenant).len();
    marked_tables(state.schema()).map(of).sum()
}

/// How much a tenant has, by quota.
pub fn usage(state: &State<'_>, tenant: &str) -> BTreeMap<&'static str, usize> {
    let counted = QUOTAS
        .iter()
        .map(|(quota, _)| (*quota, count(state, quota, [tenant])));
    counted.collect()
}
