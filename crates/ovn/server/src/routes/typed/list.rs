//! Lists of objects: which rows a request is about, a page of them.

use crate::lists::{Filter, List};
use crate::orders::By;
use crate::platform::{Platform, Side};
use crate::routes::list::atom;
use crate::typed::{self, Field, Kind, Of, datapath, place, read};
use axum::Json;
use purlin_api::Problem;
use purlin_api::asked::Asked;
use purlin_ovn_core::model::State as Rows;
use purlin_ovsdb::cache::Index;
use purlin_ovsdb::{Atom, AtomicType, Datum, Uuid};
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
    let side = side(&platform, kind)?;
    let (schema, rows) = side.read().await?;
    let state = Rows::new(&schema, &rows.database);
    place::known(&state, kind.table)?;
    let (limit, after) = (asked.limit()?, asked.cursor::<Uuid>()?);
    let chosen = Chosen::of(&state, kind, &asked)?;
    let filters = match chosen.rows {
        None => chosen.filters(&state, kind)?,
        Some(_) => None,
    };
    let (database, uuids, more) = match filters {
        Some(filters) => {
            let list = List {
                table: kind.table,
                filters,
                sort: None,
                after: after.map(|after| (Datum::EMPTY, after)),
                limit,
            };
            let page = list.page(&schema, &side.orders, &rows.clone().into());
            (page.database, page.rows, page.more)
        }
        None => {
            let mut found = chosen.looked(&state, kind, after, limit + 1);
            let more = found.len() > limit;
            found.truncate(limit);
            (rows.database.clone(), found, more)
        }
    };
    let dhcp = platform.dhcp();
    let state = Rows::new(&schema, &database).with_dhcp(&dhcp);
    let items = uuids.iter().filter_map(|uuid| read::object(&state, kind, *uuid));
    let next = uuids.last().filter(|_| more).map(Uuid::to_string);
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

    /// The same as filters that an index or a kept order answers; nothing where rows must be looked at one by one.
    fn filters(&self, state: &Rows<'_>, kind: &Kind) -> Result<Option<Vec<Filter>>, Problem> {
        let owned = self.owner.map(|owner| Filter::OwnedBy(owner.to_owned()));
        let mut filters: Vec<Filter> = owned.into_iter().collect();
        for (field, word) in &self.members {
            let (index, atomic) = match (field.of, field.part) {
                (Of::Column(column), false) => (Index::column(column), atomic(state, kind, column)),
                (Of::Key { column, key, .. }, false) => (Index::key(column, key), AtomicType::String),
                _ => return Ok(None),
            };
            let atom = atom(atomic, word).ok_or_else(|| {
                let name = field.filter.unwrap_or(field.name);
                Problem::parameter(format!(
                    "{name}={word:?} is not valid; expected a value of type {atomic}"
                ))
            })?;
            filters.push(Filter::Has(vec![(By::Found(index), atom)]));
        }
        Ok(Some(filters))
    }

    /// Row by row, those that are meant.
    fn looked(&self, state: &Rows<'_>, kind: &Kind, after: Option<Uuid>, wanted: usize) -> Vec<Uuid> {
        let follows = |uuid: &Uuid| after.is_none_or(|after| *uuid > after);
        let rows = match &self.rows {
            Some(rows) => rows.clone(),
            None => state.uuids(kind.table),
        };
        let rows = rows.into_iter().filter(follows);
        rows.filter(|uuid| self.means(state, kind, *uuid))
            .take(wanted)
            .collect()
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

fn atomic(state: &Rows<'_>, kind: &Kind, column: &str) -> AtomicType {
    let known = state
        .schema()
        .table(kind.table)
        .and_then(|table| table.column(column));
    known.map_or(AtomicType::String, |column| column.kind.key.atomic)
}
