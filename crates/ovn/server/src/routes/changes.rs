//! Many changes as one transaction.

mod order;

use super::{find, nb, writes, written};
use crate::platform::{Platform, new_uuids};
use crate::write::{Written, write_told};
use axum::Json;
use axum::extract::State;
use purlin_api::asked::{Asked, Input};
use purlin_api::route::{self, Draft};
use purlin_api::{Operator, Problem, schema};
use purlin_ovn_core::model::{Change, Child, State as Rows, from_natural};
use purlin_ovn_core::plan::Expect;
use purlin_ovsdb::{ColumnType, Datum, Uuid};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// Changes of one request at most.
const MOST: usize = 10_000;

pub(super) fn drafts() -> [Draft<Platform>; 1] {
    [writes(
        route::post("/api/v1/ovn/changes", make)
            .summary("Makes many changes as one transaction: all of them happen, or none")
            .description("Each change is `{op: insert, table, columns, parent?, as?}`, `{op: update, table, row, columns}`, `{op: add | remove, table, row, column, values}` or `{op: delete, table, row}`. A row is a UUID, a name, or `$X` for the row that an insert of the same request calls `as: X`.")
            .body(schema::object(&[("changes", orders())]))
            .answers(200, written())
            .tenants(),
    )]
}

/// The member `changes` of a body.
pub(super) fn orders() -> schema::Schema {
    schema::array(schema::open_object(
        &["op", "table"],
        &[
            (
                "op",
                schema::one_of(&["insert", "update", "add", "remove", "delete"], "What is done."),
            ),
            ("table", schema::word("Table of the row.")),
        ],
    ))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Orders {
    changes: Vec<Order>,
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "order::Told")]
pub(super) enum Order {
    Insert {
        table: String,
        columns: Map<String, Value>,
        parent: Option<String>,
        r#as: Option<String>,
    },
    Update {
        table: String,
        row: String,
        columns: Map<String, Value>,
    },
    Add {
        table: String,
        row: String,
        column: String,
        values: Value,
    },
    Remove {
        table: String,
        row: String,
        column: String,
        values: Value,
    },
    Delete {
        table: String,
        row: String,
    },
}

async fn make(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: Asked,
    Input(orders): Input<Orders>,
) -> Result<Json<Written>, Problem> {
    let manner = nb::manner(&asked, &caller)?;
    let prepared = Prepared::new(orders.changes)?;
    let wish = |state: &Rows<'_>| prepared.wish(state);
    let written = write_told(&platform, &manner, |_: &Rows<'_>| None, wish).await?;
    Ok(Json(written))
}

/// Changes with the UUIDs of the rows that they bring: the same ones however often they are decided.
#[derive(Debug)]
pub(super) struct Prepared {
    orders: Vec<Order>,
    uuids: Vec<Uuid>,
    names: Names,
}

impl Prepared {
    /// # Errors
    /// 400 for too many, and for two rows of one name.
    pub(super) fn new(orders: Vec<Order>) -> Result<Self, Problem> {
        if orders.len() > MOST {
            let detail = format!("{} changes; one transaction takes {MOST} at most", orders.len());
            return Err(Problem::wrong_shape(detail));
        }
        let mut names = HashMap::new();
        let uuids = new_uuids(orders.len())?;
        for (number, (order, uuid)) in orders.iter().zip(&uuids).enumerate() {
            if let Order::Insert { r#as: Some(name), .. } = order
                && names.insert(name.clone(), *uuid).is_some()
            {
                return Err(Problem::wrong_shape(format!(
                    "changes[{number}]: two rows are called {name}"
                )));
            }
        }
        let names = Names(names);
        Ok(Self { orders, uuids, names })
    }

    /// The changes to this state.
    ///
    /// # Errors
    /// What is wrong with which.
    pub(super) fn wish(&self, state: &Rows<'_>) -> Result<(Vec<Change>, Vec<Expect>), Problem> {
        let mut changes = Vec::with_capacity(self.orders.len());
        let mut places = Places::new();
        for (number, (order, uuid)) in self.orders.iter().zip(&self.uuids).enumerate() {
            let change = self.names.change(state, order, *uuid, &mut places);
            changes.push(change.map_err(|problem| at(number, &problem))?);
        }
        Ok((changes, Vec::new()))
    }
}

fn at(number: usize, problem: &Problem) -> Problem {
    let detail = format!("changes[{number}]: {}", problem.detail());
    Problem::new(problem.status(), problem.reason(), detail)
}

/// Whether a value may name a row of the request.
fn names(value: &Value) -> bool {
    match value {
        Value::String(word) => word.starts_with('$'),
        Value::Array(values) => values.iter().any(names),
        _ => false,
    }
}

/// Where rows of a table hang, by the words for it: many say the same.
type Places<'o> = HashMap<(&'o str, &'o str), Child>;

/// The rows that the request itself brings.
#[derive(Debug)]
struct Names(HashMap<String, Uuid>);

impl Names {
    fn change<'o>(
        &self,
        state: &Rows<'_>,
        order: &'o Order,
        uuid: Uuid,
        places: &mut Places<'o>,
    ) -> Result<Change, Problem> {
        Ok(match order {
            Order::Insert {
                table,
                columns,
                parent,
                ..
            } => {
                let row = nb::columns(find::table(state.schema(), table)?, &self.resolved(columns))?;
                let parent = self.parent(state, table, parent.as_deref(), places)?;
                let table = table.clone();
                Change::Insert {
                    table,
                    uuid,
                    row,
                    parent,
                }
            }
            Order::Update { table, row, columns } => Change::Update {
                uuid: self.row(state, table, row)?,
                row: nb::columns(find::table(state.schema(), table)?, &self.resolved(columns))?,
                table: table.clone(),
            },
            Order::Add {
                table,
                row,
                column,
                values,
            } => Change::Add {
                uuid: self.row(state, table, row)?,
                values: self.values(state, table, column, values, false)?,
                table: table.clone(),
                column: column.clone(),
            },
            Order::Remove {
                table,
                row,
                column,
                values,
            } => Change::Remove {
                uuid: self.row(state, table, row)?,
                values: self.values(state, table, column, values, true)?,
                table: table.clone(),
                column: column.clone(),
            },
            Order::Delete { table, row } => Change::Delete {
                uuid: self.row(state, table, row)?,
                table: table.clone(),
            },
        })
    }

    fn own(&self, word: &str) -> Result<Option<Uuid>, Problem> {
        let Some(name) = word.strip_prefix('$') else {
            return Ok(None);
        };
        let unknown = || Problem::wrong_shape(format!("no insert of this request is called {name}"));
        self.0.get(name).copied().map(Some).ok_or_else(unknown)
    }

    fn row(&self, state: &Rows<'_>, table: &str, word: &str) -> Result<Uuid, Problem> {
        find::table(state.schema(), table)?;
        match self.own(word)? {
            Some(uuid) => Ok(uuid),
            None => find::row(state, table, word),
        }
    }

    /// Where a row hangs.
    fn parent<'o>(
        &self,
        state: &Rows<'_>,
        table: &'o str,
        told: Option<&'o str>,
        places: &mut Places<'o>,
    ) -> Result<Option<Child>, Problem> {
        let Some(told) = told else {
            return find::parent(state, table, None);
        };
        if let Some(known) = places.get(&(table, told)) {
            return Ok(Some(known.clone()));
        }
        let parent = match self.own_parent(state, table, told)? {
            Some(own) => Some(own),
            None => find::parent(state, table, Some(told))?,
        };
        if let Some(parent) = &parent {
            places.insert((table, told), parent.clone());
        }
        Ok(parent)
    }

    /// A parent that the same request brings.
    fn own_parent(&self, state: &Rows<'_>, table: &str, told: &str) -> Result<Option<Child>, Problem> {
        let Some((of, name)) = told.split_once('/') else {
            return Ok(None);
        };
        let (name, column) = match name.split_once('/') {
            Some((name, column)) => (name, Some(column)),
            None => (name, None),
        };
        let Some(uuid) = self.own(name)? else {
            return Ok(None);
        };
        let column = find::place(state, table, of, column)?;
        let table = of.to_owned();
        Ok(Some(Child { table, uuid, column }))
    }

    /// `$X` in columns that hold rows.
    fn resolved<'c>(&self, columns: &'c Map<String, Value>) -> Cow<'c, Map<String, Value>> {
        if !columns.values().any(names) {
            return Cow::Borrowed(columns);
        }
        let one = |value: &Value| match value.as_str().and_then(|word| self.own(word).ok().flatten()) {
            Some(uuid) => Value::from(uuid.to_string()),
            None => value.clone(),
        };
        let any = |value: &Value| match value {
            Value::Array(values) => Value::Array(values.iter().map(one).collect()),
            other => one(other),
        };
        let columns = columns.iter();
        Cow::Owned(columns.map(|(name, value)| (name.clone(), any(value))).collect())
    }

    fn values(
        &self,
        state: &Rows<'_>,
        table: &str,
        column: &str,
        values: &Value,
        keys: bool,
    ) -> Result<Datum, Problem> {
        let schema = find::table(state.schema(), table)?;
        let known = schema
            .column(column)
            .ok_or_else(|| Problem::wrong_shape(format!("{table} has no column {column}")))?;
        let mut kind = ColumnType {
            min: 0,
            max: ColumnType::UNLIMITED,
            ..known.kind.clone()
        };
        if keys && values.is_array() {
            kind.value = None;
        }
        let own = Map::from_iter([(column.to_owned(), values.clone())]);
        let wrapped = self.resolved(&own);
        from_natural(&wrapped[column], &kind)
            .map_err(|why| Problem::wrong_shape(format!("{table}.{column}: {why}")))
    }
}
