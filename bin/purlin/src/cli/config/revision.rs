//! Numbered revisions of the running configuration: show, plan, apply, history, rollback.

use crate::cli::{Context, ListArgs, change, paging};
use crate::client::Ask;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show};
use crate::settings;
use clap::Subcommand;
use purlin_config::Faults;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the configuration a node runs with.
    #[command(after_help = "Examples:
  purlin config show
  purlin config show --revision 3 -o json")]
    Show {
        /// Show this revision instead of the current one.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Say what applying a file would change, without changing it.
    #[command(after_help = "Examples:
  purlin config plan purlin.toml
  purlin config plan purlin.toml -o json")]
    Plan {
        /// TOML, YAML or JSON.
        file: PathBuf,
    },
    /// Apply a file to a running node, live; it becomes a revision.
    #[command(after_help = "Examples:
  purlin config apply next.toml -m 'second pool for floor 2'
  purlin config apply next.toml --if-revision 41     only if 41 is still the current one
  purlin config apply next.toml --dry-run

Exit code 4 when --if-revision names another revision than the current one; nothing is changed then.")]
    Apply {
        /// TOML, YAML or JSON.
        file: PathBuf,
        /// Why, for the history.
        #[arg(long, short = 'm', value_name = "TEXT")]
        message: Option<String>,
        /// Only if this is still the current revision.
        #[arg(long, value_name = "N")]
        if_revision: Option<u64>,
        /// Only say what would change.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what changed between two revisions.
    #[command(after_help = "Examples:
  purlin config diff 3 5")]
    Diff {
        /// Number of the earlier revision.
        from: u64,
        /// Number of the later one.
        to: u64,
    },
    /// List revisions, newest first.
    #[command(after_help = "Examples:
  purlin config history
  purlin config history -o json")]
    History(ListArgs),
    /// Make an earlier revision current again, as a new revision.
    #[command(after_help = "Examples:
  purlin config rollback 3")]
    Rollback {
        /// Its number, as in the history.
        revision: u64,
    },
}

const KIND: Kind = Kind {
    plural: "revisions",
    name: "number",
    columns: &[
        Column::new("REVISION", "number", Show::Number),
        Column::new("WHEN", "at", Show::Time),
        Column::new("ORIGIN", "origin", Show::Text),
        Column::new("AUTHOR", "author", Show::Text),
        Column::new("MESSAGE", "message", Show::Text),
        Column::wide("PARENT", "parent", Show::Number),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    if !matches!(command, Command::History(_)) {
        output::not_in_rows(context.form())?;
    }
    let mut client = context.client()?;
    match command {
        Command::Show { revision } => {
            let path = match revision {
                Some(number) => format!("/api/v1/revisions/{number}"),
                None => "/api/v1/config".to_owned(),
            };
            let document = client.value(Ask::get(path)).await?;
            output::document(context.form(), &document)?;
            Ok(Exit::Ok)
        }
        Command::Plan { file } => {
            let plan = client
                .value(Ask::post("/api/v1/revisions/plan").json(&json!({"config": read(file)?})))
                .await?;
            show_plan(&plan, context)
        }
        Command::Apply {
            file,
            message,
            if_revision,
            dry_run,
        } => {
            let message = message.as_deref().unwrap_or_default();
            let mut order = json!({"config": read(file)?, "message": message});
            if let Some(revision) = if_revision {
                order["if_revision"] = (*revision).into();
            }
            let path = if *dry_run {
                "/api/v1/revisions/apply?dryRun=true"
            } else {
                "/api/v1/revisions/apply"
            };
            applied(&client.value(Ask::post(path).json(&order)).await?, context)
        }
        Command::Diff { from, to } => {
            let diff = client
                .value(Ask::get(format!("/api/v1/revisions/{from}/diff/{to}")))
                .await?;
            show_plan(&diff, context)
        }
        Command::History(args) => {
            let view = context.list_view(args);
            paging::list(&mut client, "/api/v1/revisions", &[], usize::MAX, view, KIND).await?;
            Ok(Exit::Ok)
        }
        Command::Rollback { revision } => {
            let answer = client
                .value(Ask::post(format!("/api/v1/revisions/{revision}/rollback")))
                .await?;
            applied(&answer, context)
        }
    }
}

/// The file as the API takes it. Its faults are told here, where its lines are known; the environment is the
/// node's own and stays out.
fn read(file: &Path) -> Result<Value, Failure> {
    let mut faults = Faults::new();
    let document = settings::parse_file(file, &mut faults)?;
    if !faults.has_errors() {
        let _ = settings::check(&document, &mut faults);
    }
    if !faults.is_empty() {
        eprintln!(
            "{}",
            faults.to_text(&document, Paint::stderr().is_on()).trim_end()
        );
    }
    if faults.has_errors() {
        let what = format!("{} is not a good configuration", file.display());
        return Err(Failure::failed(what, "correct the faults above"));
    }
    Ok(document.to_json())
}

fn show_plan(plan: &Value, context: &Context) -> Outcome {
    let faults = list(plan, "faults");
    let wrong = faults
        .iter()
        .any(|fault| fault.get("severity").and_then(Value::as_str) == Some("error"));
    let exit = if wrong { Exit::Failed } else { Exit::Ok };
    if context.form() != Form::Table {
        output::document(context.form(), plan)?;
        return Ok(exit);
    }
    for fault in faults {
        say!("{}", change::fault(fault));
    }
    show_changes(plan);
    Ok(exit)
}

fn show_changes(answer: &Value) {
    let changes = list(answer, "changes");
    if changes.is_empty() {
        say!("nothing changes");
    }
    for change in changes {
        say!("{}", change_line(change));
    }
    let total = answer.get("changes_total").and_then(Value::as_u64).unwrap_or(0);
    if total > changes.len() as u64 {
        say!("... and {} more", total - changes.len() as u64);
    }
    for line in change::impact(answer) {
        say!("{line}");
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// `~ dhcp.subnets[main].lease_time: "1h" -> "2h"`.
fn change_line(change: &Value) -> String {
    let side = |key: &str| change.get(key).unwrap_or(&Value::Null);
    let text = |key: &str| change.get(key).and_then(Value::as_str).unwrap_or_default();
    let (path, old, new) = (text("path"), side("old"), side("new"));
    match text("change") {
        "added" => format!("+ {path}: {new}"),
        "removed" => format!("- {path}: {old}"),
        "reordered" => format!("~ {path}: in another order"),
        _ => format!("~ {path}: {old} -> {new}"),
    }
}

/// What became current, and what changed by it.
fn applied(answer: &Value, context: &Context) -> Outcome {
    if context.form() != Form::Table {
        output::document(context.form(), answer)?;
        return Ok(Exit::Ok);
    }
    show_changes(answer);
    for line in change::warnings(answer) {
        say!("{line}");
    }
    let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
    let dry_run = answer.get("dry_run").and_then(Value::as_bool).unwrap_or(false);
    match (number("revision"), number("parent")) {
        (revision, parent) if revision == parent => say!("revision {revision} stays"),
        (revision, _) if dry_run => say!("would become revision {revision}"),
        (revision, parent) => {
            say!("revision {revision} is in effect (undo: purlin config rollback {parent})");
        }
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_read_as_lines_of_a_diff() {
        let changed = json!({"path": "dhcp.ack", "change": "changed", "old": "lead", "new": "durable"});
        assert_eq!(change_line(&changed), "~ dhcp.ack: \"lead\" -> \"durable\"");
        let added = json!({"path": "dhcp.subnets[lab]", "change": "added", "old": null, "new": 1});
        assert_eq!(change_line(&added), "+ dhcp.subnets[lab]: 1");
    }
}
