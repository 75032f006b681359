//! `purlin ovn journal` and `purlin ovn undo`: who changed what, and the way back.

use super::diff;
use super::tables::Side;
use super::write::Manner;
use crate::cli::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use clap::{Args, Subcommand};
use serde_json::Value;

pub(super) const UNDO_EXAMPLES: &str = "Examples:
  purlin ovn undo 0198c2f0-... --dry-run         what taking this transaction back would change
  purlin ovn undo 0198c2f0-... --wait hv
  purlin ovn undo 0198c2f0-... --to --dry-run    everything since then, as one transaction; that one stays

Ids are those of `purlin ovn journal list`, and the `request` of every change. An undo happens only while all that is
taken back is still so; it ends with 4 and names each row that others have written since.";

const LIST_EXAMPLES: &str = "Examples:
  purlin ovn journal list --limit 20
  purlin ovn journal ls --port web-1 --since 2026-01-31T00:00:00Z
  purlin ovn journal ls --source foreign --table acl -o json";

const SHOW_EXAMPLES: &str = "Examples:
  purlin ovn journal show 0198c2f0-...
  purlin ovn journal show 0198c2f0-... -o json | jq .diff";

const BASE: &str = "/api/v1/ovn/journal";

const ENTRIES: Kind = Kind {
    plural: "entries",
    name: "id",
    columns: &[
        Column::new("ID", "id", Show::Text),
        Column::new("WHEN", "at", Show::Time),
        Column::new("SOURCE", "source", Show::Text),
        Column::new("OUTCOME", "outcome", Show::Text),
        Column::new("ACTOR", "actor", Show::Text),
        Column::new("ADDED", "counts.added", Show::Number),
        Column::new("CHANGED", "counts.changed", Show::Number),
        Column::new("REMOVED", "counts.removed", Show::Number),
        Column::new("ABOUT", "about", Show::Text),
        Column::wide("OWNER", "owner", Show::Text),
        Column::wide("AFFECTED", "affected", Show::Text),
        Column::wide("UNDONE BY", "undone_by", Show::Text),
        Column::wide("TRANSACTION", "txn", Show::Text),
    ],
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List transactions of the northbound, the newest first.
    #[command(visible_alias = "ls", after_help = LIST_EXAMPLES)]
    List(List),
    /// Show one transaction with its exact difference.
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// As listed, or the `request` of a change.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those that this caller wanted.
    #[arg(long)]
    actor: Option<String>,
    /// Only those that went through Purlin, that others made, or times that nobody watched.
    #[arg(long, value_parser = ["purlin", "foreign", "gap"])]
    source: Option<String>,
    /// Only those that touched a row of this table.
    #[arg(long)]
    table: Option<String>,
    /// Only those that touched this row: its UUID, or how it was called then.
    #[arg(long)]
    row: Option<String>,
    /// Only those that may have changed the traffic of this switch port.
    #[arg(long)]
    port: Option<String>,
    /// Only those from then on.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The transaction, as listed by `purlin ovn journal`.
    id: String,
    /// Take back everything since this transaction, which itself stays.
    #[arg(long)]
    to: bool,
    #[command(flatten)]
    manner: Manner,
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::List(wanted) => list(wanted, context).await,
        Command::Show { id } => show(id, context).await,
    }
}

async fn list(wanted: &List, context: &Context) -> Outcome {
    let table = wanted
        .table
        .as_deref()
        .map(|word| Side::North.table(word))
        .transpose()?;
    let mut client = context.client()?;
    let view = context.list_view(&wanted.list);
    let text = |told: &Option<String>| told.clone().unwrap_or_default();
    let [actor, source, table, row, port, since] = [
        &wanted.actor,
        &wanted.source,
        &table,
        &wanted.row,
        &wanted.port,
        &wanted.since,
    ]
    .map(text);
    let pairs = [
        ("actor", actor.as_str()),
        ("source", &source),
        ("table", &table),
        ("row", &row),
        ("port", &port),
        ("since", &since),
    ];
    watched(&wanted.list, async || {
        paging::list(&mut client, BASE, &pairs, wanted.limit, view.clone(), ENTRIES).await
    })
    .await
}

async fn show(id: &str, context: &Context) -> Outcome {
    let entry = context
        .client()?
        .value(Ask::get(format!("{BASE}/{}", encode(id))))
        .await?;
    if !matches!(context.form(), Form::Table | Form::Wide) {
        output::document(context.form(), &entry)?;
        return Ok(Exit::Ok);
    }
    let paint = Paint::stdout();
    say!("{}", paint.text(Tone::Faint, &heading(&entry)));
    for line in diff::lines(&entry["diff"], paint) {
        say!("{line}");
    }
    let counts = match diff::counts(&entry["diff"]) {
        none if none.is_empty() => "what it changed is not known row by row".to_owned(),
        counts => counts,
    };
    say!("{counts}");
    Ok(Exit::Ok)
}

/// `2026-01-31T12:00:00Z by ops, committed: undo of ...; undone by ...`.
fn heading(entry: &Value) -> String {
    let word = |name: &str| entry[name].as_str().filter(|word| !word.is_empty());
    let mut line = format!(
        "{} by {}, {}",
        word("at").unwrap_or("?"),
        word("actor").unwrap_or("others"),
        word("outcome").unwrap_or("?")
    );
    if let Some(about) = word("about") {
        line.push_str(&format!(": {about}"));
    }
    if let Some(by) = word("undone_by") {
        line.push_str(&format!("; undone by {by}"));
    }
    line
}

impl Undo {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let verb = if self.to { "undo-to" } else { "undo" };
        let path = format!("{BASE}/{}/{verb}", encode(&self.id));
        self.manner.send(path, Ask::post, context).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_is_headed_by_when_who_and_what_for() {
        let entry =
            json!({ "at": "2026-01-31T12:00:00Z", "actor": null, "outcome": "committed", "about": "" });
        assert_eq!(heading(&entry), "2026-01-31T12:00:00Z by others, committed");
        let entry =
            json!({ "at": "T", "actor": "ops", "outcome": "found", "about": "undo of 1", "undone_by": "2" });
        assert_eq!(heading(&entry), "T by ops, found: undo of 1; undone by 2");
    }
}
