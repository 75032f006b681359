//! Lists of objects: which rows a request is about, a page of them.

use crate::platform::{Platform, Side};
use crate::typed::{self, Field, Kind, Of, datapath, place, read};
use axum::Json;
use purlin_api::Problem;
use purlin_api::asked::Asked;
use purlin_ovn_core::model::State as Rows;
use purlin_ovsdb::{Atom, Uuid};
use serde_json::Value;

/// The database that has the rows of a kind.
pub(super) fn side<'p>(platform: &'p Platform, kind: &Kind) -> Result<&'p Side, Problem> {
    match kind.side {
        typed::Side::North => Ok(platform.north()),
        typed::Side::South => platform.south(),
    }
}

pub(super) async fn list(
    kind: &'static Kind,
    platform: Platform,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let (schema, rows) = side(&platform, kind)?.read().await?;
    let state = Rows::new(&schema, &rows.database);
    place::known(&state, kind.table)?;
    let (limit, after) = (asked.limit()?, asked.cursor::<Uuid>()?);
    let chosen = Chosen::of(&state, kind, &asked)?;
    let follows = |uuid: &Uuid| after.is_none_or(|after| *uuid > after);
    let mut uuids: Vec<Uuid> = match &chosen.rows {
        Some(rows) => {
            let rows = rows.iter().copied().filter(follows);
            rows.filter(|uuid| chosen.means(&state, kind, *uuid))
                .take(limit + 1)
                .collect()
        }
        None => {
            let rows = rows.table(kind.table).into_iter().flat_map(|table| table.rows());
            let rows = rows.map(|row| row.uuid()).filter(follows);
            rows.filter(|uuid| chosen.means(&state, kind, *uuid))
                .take(limit + 1)
                .collect()
        }
    };
    let more = uuids.len() > limit;
    uuids.truncate(limit);
    let next = more.then(|| uuids.last().map(Uuid::to_string)).flatten();
    let items = uuids.iter().filter_map(|uuid| read::object(&state, kind, *uuid));
    Ok(Json(asked.page(items.collect(), next)))
}

/// What the filters leave: rows that references led to, and what each row must be besides.
pub(crate) struct Chosen<'q> {
    /// In the order of their UUIDs; all of the table where nothing leads to fewer.
    pub(crate) rows: Option<Vec<Uuid>>,
    owner: Option<&'q str>,
    members: Vec<(&'static Field, &'q str)>,
}

impl<'q> Chosen<'q> {
    /// 404 for a reference to nothing: an empty list would hide a misspelt name.
    pub(crate) fn of(state: &Rows<'_>, kind: &'static Kind, asked: &'q Asked) -> Result<Self, Problem> {
        let mut chosen = Self {
            rows: None,
            owner: asked.text("owned_by"),
            members: Vec::new(),
        };
        for field in kind.fields {
            if let Some(word) = field.filter.and_then(|name| asked.text(name)) {
                chosen.choose(state, kind, field, word)?;
            }
        }
        Ok(chosen)
    }

    fn choose(
        &mut self,
        state: &Rows<'_>,
        kind: &Kind,
        field: &'static Field,
        word: &'q str,
    ) -> Result<(), Problem> {
        let led = match field.of {
            Of::Parent { table, column, .. } | Of::Referrers { table, column, .. } => {
                let from = place::of_path(state, field.filter.unwrap_or(table), table, word)?;
                state.targets(table, from, column)
            }
            Of::Rows { column, .. } => {
                let to = read::target(state, kind.table, column).unwrap_or_default();
                let to = place::of_path(state, field.filter.unwrap_or("row"), &to, word)?;
                state.find(kind.table, column, &Atom::Uuid(to))
            }
            Of::Datapath { router, .. } => datapath::rows(state, kind.table, word, router)?,
            Of::Column(column @ ("name" | "logical_port")) => {
                state.find(kind.table, column, &Atom::from(word))
            }
            _ => {
                self.members.push((field, word));
                return Ok(());
            }
        };
        self.rows = Some(match self.rows.take() {
            Some(rows) => rows.into_iter().filter(|row| led.contains(row)).collect(),
            None => {
                let mut led = led;
                led.sort_unstable();
                led
            }
        });
        Ok(())
    }

    /// Whether rows must be looked at one by one.
    pub(crate) fn looks(&self) -> bool {
        self.owner.is_some() || !self.members.is_empty()
    }

    pub(crate) fn means(&self, state: &Rows<'_>, kind: &Kind, uuid: Uuid) -> bool {
        let owned = |owner: &str| state.owner(kind.table, uuid).to_string() == owner;
        let is = |(field, word): &(&Field, &str)| match read::member(state, kind.table, field, uuid) {
            Value::String(text) if field.part => text.contains(word),
            Value::String(text) => text == *word,
            Value::Array(items) => items.iter().any(|item| item.as_str() == Some(word)),
            Value::Null => false,
            Value::Bool(flag) => word.parse() == Ok(flag),
            Value::Number(number) => word
                .parse()
                .is_ok_and(|whole: i64| number.as_i64() == Some(whole)),
            Value::Object(_) => false,
        };
        self.owner.is_none_or(owned) && self.members.iter().all(is)
    }
}
