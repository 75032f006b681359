//! Rows of any table, of both databases.

use super::tables::Side;
use crate::cli::paging::Pages;
use crate::cli::{Context, ListArgs, context::watched};
use crate::client::{Ask, Client, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Listing, Paint, Show, View};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Its name in any writing, a unique beginning, or its initials.
    table: Option<String>,
    /// Only rows of this name.
    #[arg(long)]
    name: Option<String>,
    /// Only rows of this manager; nobody for those without a mark.
    #[arg(long, value_name = "OWNER", conflicts_with = "sb")]
    owned_by: Option<String>,
    /// At most so many rows.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Of the southbound: chassis, bindings, flows.
    #[arg(long)]
    sb: bool,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Row {
    /// A table as OVN calls it, or a word for it: switch, port, router, acl, lsp; `purlin ovn list` tells them all.
    table: String,
    /// A UUID, or a name that is unique in the table.
    row: String,
    /// Of the southbound, by UUID.
    #[arg(long)]
    sb: bool,
}

const TABLES: Kind = Kind {
    plural: "tables",
    name: "name",
    columns: &[
        Column::new("TABLE", "name", Show::Text),
        Column::new("ROWS", "rows", Show::Number),
        Column::wide("ROOT", "root", Show::Text),
        Column::wide("COLUMNS", "columns", Show::Text),
    ],
};

/// Rows of a table that is known only now: its own columns are chosen by path.
pub(super) const ROWS: Kind = Kind {
    plural: "rows",
    name: "_uuid",
    columns: &[
        Column::new("UUID", "_uuid", Show::Text),
        Column::new("OWNER", "_owner", Show::Text),
        Column::new("PARENT", "_parent", Show::Text),
    ],
};

/// The columns that people want of the tables they look at most; of others, those that hold something.
const CHOSEN: &[(&str, &[&str])] = &[
    (
        "Logical_Switch",
        &["name", "ports", "acls", "load_balancer", "other_config", "_owner"],
    ),
    (
        "Logical_Switch_Port",
        &["name", "_parent", "type", "addresses", "up", "enabled", "_owner"],
    ),
    (
        "Logical_Router",
        &["name", "ports", "static_routes", "nat", "policies", "_owner"],
    ),
    (
        "Logical_Router_Port",
        &["name", "_parent", "mac", "networks", "_owner"],
    ),
    (
        "ACL",
        &[
            "_uuid",
            "_parent",
            "direction",
            "priority",
            "match",
            "action",
            "name",
        ],
    ),
    (
        "Logical_Router_Static_Route",
        &["_uuid", "_parent", "ip_prefix", "nexthop", "output_port"],
    ),
    ("Chassis", &["name", "hostname", "encaps", "nb_cfg"]),
    (
        "Logical_Flow",
        &["pipeline", "table_id", "priority", "match", "actions"],
    ),
];

/// Columns of a table that nothing was chosen for, at most.
const MOST_COLUMNS: usize = 7;

pub(super) async fn list(wanted: &Wanted, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let side = Side::of(wanted.sb);
    let view = context.list_view(&wanted.list);
    let Some(word) = &wanted.table else {
        return watched(&wanted.list, async || {
            let tables = client.value(Ask::get(side.path())).await?;
            output::list(&view, TABLES, tables.as_array().map_or(&[], Vec::as_slice))
        })
        .await;
    };
    let table = side.table(word)?;
    watched(&wanted.list, async || {
        show(&mut client, side, &table, wanted, view.clone()).await
    })
    .await
}

/// Shows page after page; the first one decides about the columns.
async fn show(
    client: &mut Client,
    side: Side,
    table: &str,
    wanted: &Wanted,
    mut view: View,
) -> Result<(), Failure> {
    let path = format!("{}/{}", side.path(), encode(table));
    let text = |told: &Option<String>| told.clone().unwrap_or_default();
    let (name, owner) = (text(&wanted.name), text(&wanted.owned_by));
    let pairs = [("name", name.as_str()), ("owned_by", &owner)];
    let mut pages = Pages::of(&path, &pairs, wanted.limit.unwrap_or(usize::MAX));
    let mut listing = None;
    while let Some(page) = pages.next(client).await? {
        let flat: Vec<Value> = match view.form {
            Form::Json | Form::Yaml => page.rows,
            _ => page.rows.iter().map(flat).collect(),
        };
        if listing.is_none() {
            if view.columns.is_empty() {
                view.columns = columns(side, table, view.form, &flat);
            }
            let kind = Kind {
                name: if flat.iter().any(is_named) {
                    "name"
                } else {
                    "_uuid"
                },
                ..ROWS
            };
            listing = Some(Listing::new(
                output::stdout(),
                view.clone(),
                kind,
                Paint::stdout(),
            )?);
        }
        if let Some(listing) = &mut listing {
            listing.page(&flat)?;
        }
    }
    match listing {
        Some(listing) => listing.finish().map(|_| ()),
        None => Ok(()),
    }
}

fn is_named(row: &Value) -> bool {
    row["name"].as_str().is_some_and(|name| !name.is_empty())
}

/// What a table of this form shows of these rows.
fn columns(side: Side, table: &str, form: Form, rows: &[Value]) -> Vec<String> {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    if matches!(form, Form::Wide | Form::Csv) {
        let mut all = vec!["_uuid"];
        if side == Side::North {
            all.extend(["_owner", "_parent"]);
        }
        all.extend(side.columns(table));
        return own(&all);
    }
    if let Some((_, chosen)) = CHOSEN.iter().find(|(of, _)| *of == table) {
        return own(chosen);
    }
    let holds = |column: &&str| rows.iter().any(|row| !is_empty(&row[*column]));
    let named = rows.iter().any(is_named);
    let mut chosen = vec![if named { "name" } else { "_uuid" }];
    if rows.iter().any(|row| !is_empty(&row["_parent"])) {
        chosen.push("_parent");
    }
    let others = side.columns(table).into_iter();
    let others = others.filter(|column| !["name", "external_ids"].contains(column));
    chosen.extend(others.filter(holds).take(MOST_COLUMNS - chosen.len()));
    own(&chosen)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

/// A row for a table: maps as `key=value`, sets of rows as how many they are, owner and parent in a word.
fn flat(row: &Value) -> Value {
    let Some(members) = row.as_object() else {
        return row.clone();
    };
    let cell = |(name, value): (&String, &Value)| {
        let value = match (name.as_str(), value) {
            ("_owner", owner) => owner_word(owner),
            ("_parent", Value::Object(parent)) => parent["name"].clone(),
            (_, Value::Array(items)) if items.len() > 1 && items.iter().all(is_uuid) => json!(items.len()),
            (_, Value::Object(pairs)) => {
                let pairs = pairs.iter().map(|(key, value)| match value.as_str() {
                    Some(text) => format!("{key}={text}"),
                    None => format!("{key}={value}"),
                });
                json!(pairs.collect::<Vec<_>>().join(","))
            }
            (_, other) => other.clone(),
        };
        (name.clone(), value)
    };
    Value::Object(members.iter().map(cell).collect())
}

/// `purlin`, `neutron`, or nothing where nobody left a mark.
fn owner_word(owner: &Value) -> Value {
    match owner["name"].as_str() {
        Some(name) => json!(name),
        None => Value::Null,
    }
}

fn is_uuid(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| purlin_ovsdb::Uuid::parse(text).is_some())
}

pub(super) async fn get(row: &Row, context: &Context) -> Outcome {
    let side = Side::of(row.sb);
    let table = side.table(&row.table)?;
    let path = format!("{}/{}/{}", side.path(), encode(&table), encode(&row.row));
    let answer = context.client()?.value(Ask::get(path)).await?;
    output::one(&context.view(), ROWS, &answer)?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_a_table_reads_in_one_line() {
        let ids = [
            "0b9e1c5e-0000-4000-8000-000000000001",
            "0b9e1c5e-0000-4000-8000-000000000002",
        ];
        let row = json!({
            "name": "web", "ports": ids, "acls": [ids[0]], "other_config": {"subnet": "10.0.0.0/24", "n": 1},
            "_owner": {"kind": "purlin", "name": "ops"}, "_parent": {"table": "T", "name": "edge"},
        });
        let flat = flat(&row);
        assert_eq!(flat["ports"], json!(2));
        assert_eq!(flat["acls"], json!([ids[0]]));
        assert_eq!(flat["other_config"], json!("subnet=10.0.0.0/24,n=1"));
        assert_eq!(
            (&flat["_owner"], &flat["_parent"]),
            (&json!("ops"), &json!("edge"))
        );
    }

    #[test]
    fn a_table_that_nobody_thought_of_shows_what_its_rows_hold() {
        let rows = [json!({ "_uuid": "u", "ip": "10.0.0.1", "mac": "", "logical_port": "p" })];
        let chosen = columns(Side::North, "Static_MAC_Binding", Form::Table, &rows);
        assert_eq!(chosen, ["_uuid", "ip", "logical_port"]);
        let all = columns(Side::North, "Static_MAC_Binding", Form::Csv, &rows);
        assert!(all.contains(&"mac".to_owned()) && all[0] == "_uuid");
    }
}
