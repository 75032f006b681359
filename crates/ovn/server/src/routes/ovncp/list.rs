//! Lists in numbered pages.

use crate::orders::{By, Walk};
use crate::ovncp::{Pages, order, turned};
use crate::platform::Platform;
use crate::routes::typed::Chosen;
use crate::typed::kinds::ovncp::{PORT, SWITCH};
use crate::typed::{Kind, Of, place, read};
use axum::Json;
use purlin_api::Problem;
use purlin_api::asked::{Asked, Name};
use purlin_ovn_core::model::State as Rows;
use purlin_ovsdb::cache::TableRef;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, Uuid};
use serde_json::Value;

pub(super) async fn all(
    kind: &'static Kind,
    platform: Platform,
    asked: Asked,
    sorts: &[&str],
) -> Result<Json<Value>, Problem> {
    let pages = Pages::of(&asked, sorts)?;
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    place::known(&state, kind.table)?;
    let chosen = Chosen::of(&state, kind, &asked)?;
    let plain = chosen.rows.is_none() && !chosen.looks() && !pages.by_name() && pages.sort().is_none();
    if plain {
        return Ok(Json(window(&state, &rows, kind, &pages)));
    }
    if chosen.rows.is_none()
        && !chosen.looks()
        && !pages.by_name()
        && let Some((column, descending)) = column(kind, &pages)
    {
        let total = rows.table(kind.table).map_or(0, |table| TableRef::len(&table));
        let window = pages.window(total);
        let walk = Walk {
            backwards: descending,
            limit: window.end,
            ..Walk::default()
        };
        let by = By::Value(column.to_owned());
        let orders = &platform.north().orders;
        let (database, uuids) = orders.walk(&rows.into(), kind.table, &by, &walk, |_, _| true);
        let state = Rows::new(&schema, &database);
        let uuids = uuids.iter().skip(window.start);
        let items = uuids
            .filter_map(|uuid| read::object(&state, kind, *uuid))
            .collect();
        return Ok(Json(pages.wrap(kind.noun, items, total)));
    }
    let found = match (&chosen.rows, pages.exact_name()) {
        (Some(rows), _) => rows.clone(),
        (None, Some(name)) => state.find(kind.table, "name", &Atom::from(name)),
        (None, None) => state.uuids(kind.table),
    };
    let found = found.into_iter().filter(|uuid| chosen.means(&state, kind, *uuid));
    Ok(Json(page(&state, kind, &pages, found)))
}

/// The column that a list is sorted by, where a kept order of it will do.
fn column(kind: &Kind, pages: &Pages) -> Option<(&'static str, bool)> {
    let (member, descending) = pages.sort()?;
    let field = kind.fields.iter().find(|field| field.name == member)?;
    match field.of {
        Of::Column(column) => Some((column, descending)),
        _ => None,
    }
}

pub(super) async fn ports(
    platform: Platform,
    id: Name,
    asked: Asked,
    sorts: &[&str],
) -> Result<Json<Value>, Problem> {
    let pages = Pages::of(&asked, sorts)?;
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    let switch = place::of_path(&state, SWITCH.one, SWITCH.table, &id.0)?;
    let ports = state.targets(SWITCH.table, switch, "ports");
    Ok(Json(page(&state, &PORT, &pages, ports.into_iter())))
}

/// A page of a whole table in the order of its UUIDs: nothing but its rows is looked at.
fn window(state: &Rows<'_>, rows: &Snapshot, kind: &Kind, pages: &Pages) -> Value {
    let table = rows.table(kind.table);
    let total = table.as_ref().map_or(0, TableRef::len);
    let window = pages.window(total);
    let uuids = table
        .into_iter()
        .flat_map(|table| table.rows())
        .map(|row| row.uuid());
    let uuids = uuids.skip(window.start).take(window.len());
    let items = uuids.filter_map(|uuid| read::object(state, kind, uuid)).collect();
    pages.wrap(kind.noun, items, total)
}

fn page(state: &Rows<'_>, kind: &Kind, pages: &Pages, uuids: impl Iterator<Item = Uuid>) -> Value {
    let name = |uuid: Uuid| state.text(kind.table, uuid, "name").unwrap_or_default();
    let mut uuids: Vec<Uuid> = uuids.filter(|uuid| pages.means(name(*uuid))).collect();
    if let Some((member, descending)) = pages.sort()
        && let Some(field) = kind.fields.iter().find(|field| field.name == member)
    {
        let mut keyed: Vec<(Value, Uuid)> = uuids
            .into_iter()
            .map(|uuid| (read::member(state, kind.table, field, uuid), uuid))
            .collect();
        keyed.sort_by(|(a, _), (b, _)| turned(order(a, b), descending));
        uuids = keyed.into_iter().map(|(_, uuid)| uuid).collect();
    }
    let total = uuids.len();
    let shown = uuids[pages.window(total)].iter();
    let items = shown
        .filter_map(|uuid| read::object(state, kind, *uuid))
        .collect();
    pages.wrap(kind.noun, items, total)
}
