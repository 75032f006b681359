//! `purlin chain validators`: who decides about blocks, and whether enough of them are up.

use super::{Context, Node};
use crate::cli::{ListArgs, context::watched};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain validators
  purlin chain validators --watch
  purlin chain validators --rpc http://10.0.0.7:8545 -o json

Who is up is what the asked node sees. purlin chain vote changes who decides, and purlin chain votes shows what is open.")]
pub(crate) struct ValidatorsArgs {
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    node: Node,
}

const KIND: Kind = Kind {
    plural: "validators",
    name: "address",
    columns: &[
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("POWER", "power", Show::Number),
        Column::new("UP", "up", Show::Text),
        Column::new("HEAD", "head", Show::Number),
    ],
};

pub(super) async fn run(args: &ValidatorsArgs, context: &Context) -> Outcome {
    let (mut rpc, endpoint) = args.node.rpc(context)?;
    let view = context.list_view(&args.list);
    watched(&args.list, async || {
        let answer: Value = rpc
            .call("purlin_getValidators", &json!([]))
            .await
            .map_err(|cause| super::asked(&endpoint, &cause))?;
        let Some(rows) = answer["validators"].as_array() else {
            return Err(Failure::new(
                Exit::NotFound,
                format!("the chain at {endpoint} has no validators"),
                "its genesis document names none in config.purlin; see purlin chain init --validators",
            ));
        };
        match view.form {
            Form::Json | Form::Yaml => output::document(view.form, &answer)?,
            _ => output::list(&view, KIND, rows)?,
        }
        if let (Form::Table | Form::Wide, Some(standing)) = (view.form, answer["standing"].as_str()) {
            say!("{standing}");
            rules(&answer);
        }
        Ok(())
    })
    .await
}

/// How often blocks come, within which gas, and what is on its way. Nodes of other versions may not say it.
fn rules(answer: &Value) {
    if let (Some(period), Some(gas)) = (answer["period_ms"].as_u64(), answer["gas_limit"].as_u64()) {
        let (version, from) = (&answer["version"], &answer["from"]);
        say!(
            "a block every {period} ms, gas limit {gas}; constitution {version}, in force since block {from}"
        );
    }
    let next = &answer["next"];
    for says in next["says"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        say!("from block {} on: {says}", next["from"]);
    }
}
