//! Lists of objects: which rows a request is about, a page of them.

use crate::lists::{Filter, List, Page};
use crate::orders::{By, Orders, Rows as Current, Walk};
use crate::platform::{Platform, Side};
use crate::routes::find;
use crate::routes::list::{self, atom};
use crate::typed::{self, Field, Kind, Of, datapath, document, place, read};
use axum::Json;
use purlin_api::Problem;
use purlin_api::asked::Asked;
use purlin_ovn_core::model::State as Rows;
use purlin_ovsdb::cache::{Database, Index, RowRef};
use purlin_ovsdb::{Atom, AtomicType, Uuid};
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
    let sort = sorted(&state, kind, &asked)?;
    let column = sort.as_ref().map(|(column, _)| column.as_str());
    let after = list::after(&asked, find::table(&schema, kind.table)?, column)?;
    let chosen = Chosen::of(&state, kind, &asked)?;
    let list = List {
        table: kind.table,
        filters: Vec::new(),
        sort,
        after,
        limit: asked.limit()?,
    };
    let page = chosen.page(&state, kind, list, (&side.orders, &rows.clone().into()))?;
    let dhcp = platform.dhcp();
    let state = Rows::new(&schema, &page.database).with_dhcp(&dhcp);
    let items = page.rows.iter();
    let items = items
        .filter_map(|uuid| read::object(&state, kind, *uuid))
        .collect();
    let value = |uuid: Uuid| state.value(kind.table, uuid, asked_column(kind, &asked)?);
    let last = page.rows.last().filter(|_| page.more);
    let next = last.map(|uuid| list::written(*uuid, value(*uuid)));
    Ok(Json(asked.page(items, next)))
}

/// The column that the list is asked to be sorted by.
fn asked_column(kind: &Kind, asked: &Asked) -> Option<&'static str> {
    let word = asked.text("sort")?;
    let name = word.strip_prefix('-').unwrap_or(word);
    let field = kind.fields.iter().find(|field| field.name == name)?;
    match field.of {
        Of::Column(column) => Some(column),
        _ => None,
    }
}

/// That column, and whether the greatest comes first.
fn sorted(state: &Rows<'_>, kind: &Kind, asked: &Asked) -> Result<Option<(String, bool)>, Problem> {
    let words = document::sorts(kind);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(word) = asked.word_of("sort", &words)? else {
        return Ok(None);
    };
    let table = state.schema().table(kind.table);
    let known =
        asked_column(kind, asked).filter(|column| table.is_some_and(|table| table.column(column).is_some()));
    let column = known.ok_or_else(|| {
        Problem::parameter(format!(
            "sort={word}: the database that is connected has no such column"
        ))
    })?;
    Ok(Some((column.to_owned(), word.starts_with('-'))))
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
                if let (Of::Column(column), false) = (field.of, field.part)
                    && let Some(known) = state
                        .schema()
                        .table(kind.table)
                        .and_then(|table| table.column(column))
                    && let Some(atom) = atom(known.kind.key.atomic, word)
                {
                    list::among(&known.kind.key, field.filter.unwrap_or(field.name), &atom)?;
                }
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

    /// A page of what the filters leave.
    fn page(
        &self,
        state: &Rows<'_>,
        kind: &Kind,
        mut list: List<'_>,
        (orders, now): (&Orders, &Current),
    ) -> Result<Page, Problem> {
        let filters = match self.rows {
            None => self.filters(state, kind)?,
            Some(_) => None,
        };
        if let Some(filters) = filters {
            list.filters = filters;
            return Ok(list.page(state.schema(), orders, now));
        }
        let wanted = list.limit + 1;
        let means = |state: &Rows<'_>, uuid: Uuid| self.means(state, kind, uuid);
        let (database, rows) = match (&list.sort, &self.rows) {
            (None, _) => {
                let after = list.after.as_ref().map(|(_, uuid)| *uuid);
                (now.database.clone(), self.looked(state, kind, after, wanted))
            }
            (Some((column, down)), Some(rows)) => {
                let rows = rows.iter().copied().filter(|uuid| means(state, *uuid));
                let value = |uuid: Uuid| Some((state.value(kind.table, uuid, column)?.clone(), uuid));
                (
                    now.database.clone(),
                    list.in_order(rows.filter_map(value).collect(), *down),
                )
            }
            (Some((column, down)), None) => {
                let walk = Walk {
                    after: list.after.clone(),
                    backwards: *down,
                    limit: wanted,
                    only: None,
                };
                let fits = |database: &Database, row: &RowRef<'_>| {
                    means(&Rows::new(state.schema(), database), row.uuid())
                };
                orders.walk(now, kind.table, &By::Value(column.clone()), &walk, fits)
            }
        };
        Ok(list.cut(database, rows))
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
