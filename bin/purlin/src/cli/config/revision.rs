//! Numbered revisions of the running configuration: show, plan, apply, history, rollback.

use crate::cli::dhcp::items;
use crate::cli::{Context, ListArgs};
use crate::client::Ask;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the configuration a node runs with.
    Show {
        /// Show this revision instead of the current one.
        #[arg(long, value_name = "N")]
        revision: Option<u64>,
    },
    /// Say what applying a file would change, without changing it.
    #[command(visible_alias = "diff")]
    Plan { file: PathBuf },
    /// Apply a file to a running node, live; it becomes a revision.
    Apply {
        file: PathBuf,
        /// Why, for the history.
        #[arg(long, short = 'm', value_name = "TEXT")]
        message: Option<String>,
    },
    /// List revisions, newest first.
    History(ListArgs),
    /// Make an earlier revision current again, as a new revision.
    Rollback { revision: u64 },
}

const KIND: Kind = Kind {
    plural: "revisions",
    name: "number",
    columns: &[
        Column::new("REVISION", "number", Show::Number),
        Column::new("WHEN", "at", Show::Time),
        Column::new("ORIGIN", "origin", Show::Text),
        Column::new("ACTOR", "actor", Show::Text),
        Column::new("SUMMARY", "summary", Show::Text),
    ],
};

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
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
                .value(Ask::post("/api/v1/revisions/plan").json(&body(file, None)?))
                .await?;
            show_plan(&plan, context)
        }
        Command::Apply { file, message } => {
            let ask = Ask::post("/api/v1/revisions/apply").json(&body(file, message.as_deref())?);
            applied(&client.value(ask).await?, context)
        }
        Command::History(args) => {
            let answer = client.value(Ask::get("/api/v1/revisions")).await?;
            output::list(&context.list_view(args), KIND, items(&answer))?;
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

/// The file's text and name, so that faults point into it.
fn body(file: &Path, message: Option<&str>) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(file).map_err(|cause| {
        Failure::failed(
            format!("cannot read {}: {cause}", file.display()),
            "check the path",
        )
    })?;
    Ok(json!({"file": file.display().to_string(), "text": text, "message": message}))
}

fn show_plan(plan: &Value, context: &Context) -> Outcome {
    if context.form() != Form::Table {
        output::document(context.form(), plan)?;
        return Ok(Exit::Ok);
    }
    let changes = plan
        .get("changes")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    if changes.is_empty() {
        println!("nothing would change");
    }
    for change in changes {
        println!("{}", change_line(change));
    }
    Ok(Exit::Ok)
}

/// `~ dhcp.subnets[0].lease_time: "1h" -> "2h"`.
fn change_line(change: &Value) -> String {
    let side = |key: &str| change.get(key).filter(|value| !value.is_null());
    let path = change.get("path").and_then(Value::as_str).unwrap_or_default();
    let before = ["before", "from", "old"].into_iter().find_map(side);
    let after = ["after", "to", "new"].into_iter().find_map(side);
    match (before, after) {
        (None, Some(after)) => format!("+ {path}: {after}"),
        (Some(before), None) => format!("- {path}: {before}"),
        (Some(before), Some(after)) => format!("~ {path}: {before} -> {after}"),
        (None, None) => change.as_str().map_or_else(|| format!("~ {path}"), str::to_owned),
    }
}

fn applied(answer: &Value, context: &Context) -> Outcome {
    if context.form() != Form::Table {
        output::document(context.form(), answer)?;
        return Ok(Exit::Ok);
    }
    let revision = answer.get("revision").unwrap_or(answer);
    match revision.get("number").unwrap_or(revision).as_u64() {
        Some(number) => println!("revision {number} is current"),
        None => println!("nothing changed"),
    }
    Ok(Exit::Ok)
}
