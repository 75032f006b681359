//! What a tenant sees.

use super::{Confine, QUOTAS, SHARED_KEY, TENANT_KEY, tables_of};
use crate::model::{State, target};
use purlin_ovsdb::cache::{Changes, Database, Index};
use purlin_ovsdb::{Atom, DatabaseSchema, Datum, Uuid};
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

/// Makes a tenant's part of one state that of another; `changes` are what differs between the two. Costs what differs, not
/// what the tenant has.
pub fn follow(
    schema: &DatabaseSchema,
    part: &mut Database,
    (then, now): (&Database, &Database),
    changes: &Changes,
    confine: &Confine,
) {
    let (before, after) = (State::new(schema, then), State::new(schema, now));
    let mut next: Vec<(String, Uuid)> = Vec::new();
    for (table, change, _, _) in changes.iter() {
        next.push((table.to_owned(), change.uuid));
        next.extend(moved(&before, &after, table, change.uuid));
    }
    let mut seen = BTreeSet::new();
    while let Some((table, uuid)) = next.pop() {
        if !seen.insert((table.clone(), uuid)) {
            continue;
        }
        let (was, is) = (
            belongs(&before, &table, uuid, confine),
            belongs(&after, &table, uuid, confine),
        );
        if was != is {
            next.extend(children(&before, &table, uuid));
            next.extend(children(&after, &table, uuid));
        }
        let shared = || confine.external && is_shared(&after, &table, uuid);
        match is || shared() {
            true => part.adopt(&table, uuid, now),
            false => part.set(&table, uuid, None),
        }
    }
}

/// Whether a row has the tenant's mark, or only hangs on one that does.
fn belongs(state: &State<'_>, table: &str, uuid: Uuid, confine: &Confine) -> bool {
    if let Some(mark) = mark(state, table, uuid) {
        return mark == confine.tenant;
    }
    let root = state.schema().table(table).is_none_or(|table| table.root);
    // What is shared is seen as it is, without what hangs on it.
    if root || !state.contains(table, uuid) || (confine.external && is_shared(state, table, uuid)) {
        return false;
    }
    let mut referrers = state.referrers(table, uuid).into_iter();
    referrers.any(|(from, _, row, strong)| strong && belongs(state, from, row, confine))
}

/// Rows that this one keeps there in only one of two states.
fn moved(before: &State<'_>, after: &State<'_>, table: &str, uuid: Uuid) -> Vec<(String, Uuid)> {
    let columns = keeping(after.schema(), table);
    let rows = columns.flat_map(|(name, to)| {
        let held = |state: &State<'_>| state.value(table, uuid, name).cloned().unwrap_or(Datum::EMPTY);
        let (old, new) = (held(before), held(after));
        let differing = [old.without(&new), new.without(&old)];
        let atoms = differing.iter().flat_map(Datum::atoms);
        let rows: Vec<Uuid> = atoms.filter_map(Atom::as_uuid).collect();
        rows.into_iter().map(move |row| (to.to_owned(), row))
    });
    rows.collect()
}

/// Rows that only this one keeps there.
fn children(state: &State<'_>, table: &str, uuid: Uuid) -> Vec<(String, Uuid)> {
    let columns = keeping(state.schema(), table);
    let rows = columns.flat_map(|(name, to)| {
        let targets = state.targets(table, uuid, name).into_iter();
        targets.map(move |target| (to.to_owned(), target))
    });
    rows.collect()
}

/// The columns by which a table's rows keep others there, and the tables of those.
fn keeping<'s>(schema: &'s DatabaseSchema, table: &str) -> impl Iterator<Item = (&'s str, &'s str)> {
    let columns = schema.table(table).into_iter();
    let columns = columns.flat_map(|table| table.columns.iter());
    columns.filter_map(|(name, column)| {
        let (to, strong) = target(&column.kind)?;
        let child = strong && !schema.table(to).is_none_or(|table| table.root);
        child.then_some((name.as_str(), to))
    })
}

fn marked_tables(schema: &DatabaseSchema) -> impl Iterator<Item = &str> {
    let marked = schema
        .tables
        .iter()
        .filter(|(_, table)| table.column("external_ids").is_some());
    marked.map(|(name, _)| name.as_str())
}

/// Whether there is a row that any tenant sees. Costs nothing where the database has indexes on the marks.
pub(super) fn any_marked(state: &State<'_>) -> bool {
    let marks = [TENANT_KEY, SHARED_KEY].map(|key| Index::key("external_ids", key));
    marked_tables(state.schema()).any(|table| state.finds_any(table, &marks))
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
