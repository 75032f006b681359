//! `purlin chain doctor`: why blocks come late, and whose fault it is.

use super::Context;
use crate::cli::{ListArgs, context::watched};
use crate::client::Ask;
use crate::doctor::{self, Finding};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain doctor
  purlin chain doctor --watch
  purlin chain doctor --server https://10.0.0.7:9443 -o json

It is as the asked node sees it, over its last 512 heights: ask another validator, too. Exit code 1 when a check fails; warnings do
not count. docs/operating/chain.md says what each finding means.")]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    list: ListArgs,
}

const KIND: Kind = Kind {
    plural: "validators",
    name: "address",
    columns: &[
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("POWER", "power", Show::Number),
        Column::new("UP", "up", Show::Text),
        Column::new("PROPOSED", "proposed", Show::Number),
        Column::new("FAILED", "failed_turns", Show::Number),
        Column::new("MISSED %", "missed_percent", Show::Number),
        Column::new("LATE MS", "late_ms_p50", Show::Number),
        Column::new("P99", "late_ms_p99", Show::Number),
        Column::new("TRIP MS", "round_trip_ms", Show::Number),
    ],
};

pub(super) async fn run(args: &DoctorArgs, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let view = context.list_view(&args.list);
    let mut exit = Exit::Ok;
    watched(&args.list, async || {
        let asked = client.value(Ask::get("/api/v1/chain/diagnosis")).await;
        let found = asked.map_err(alone)?;
        let items = found["items"].as_array().into_iter().flatten();
        let findings: Vec<Finding> = items.map(Finding::read).collect();
        exit = doctor::exit(&findings);
        match view.form {
            Form::Json | Form::Yaml => output::document(view.form, &found)?,
            _ => {
                let none = Vec::new();
                let validators: &Vec<Value> = found["validators"].as_array().unwrap_or(&none);
                output::list(&view, KIND, validators)?;
                if matches!(view.form, Form::Table | Form::Wide) {
                    whose(&found);
                    doctor::report(&findings);
                }
            }
        }
        Ok(())
    })
    .await?;
    Ok(exit)
}

/// Whose eyes these are, and how far back they look.
fn whose(found: &Value) {
    let node = found["node"].as_str().unwrap_or_default();
    match (
        found["heights"]["first"].as_u64(),
        found["heights"]["last"].as_u64(),
    ) {
        (Some(first), Some(last)) => say!("as {node} saw heights {first} to {last}\n"),
        _ => say!("as {node} sees it, which has seen no height decided yet\n"),
    }
}

fn alone(failure: Failure) -> Failure {
    match failure.exit {
        Exit::NotFound => Failure::new(
            Exit::NotFound,
            "this node has no chain",
            "set chain.enabled = true, or ask another node with --server",
        ),
        _ => failure,
    }
}
