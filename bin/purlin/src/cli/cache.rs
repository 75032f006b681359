//! `purlin cache`: what nodes have cached, and making all of them forget.

use super::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::Subcommand;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/cluster/invalidations";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how far the asked node's caches may be trusted, and what they do.
    #[command(after_help = "Examples:
  purlin cache status
  purlin cache status -o json")]
    Status,
    /// Read a value that was cached; exit code 3 when it is not there (any more).
    #[command(after_help = "Examples:
  purlin cache get switch:6f1c
  purlin cache get switch:6f1c -o json | jq .value.name")]
    Get {
        /// By custom kind:id.
        key: String,
    },
    /// Cache a value for who asks any node.
    #[command(after_help = "Examples:
  purlin cache put switch:6f1c '{\"name\": \"ls-1\"}'
  purlin cache put greeting hello          no JSON: kept as a text")]
    Put {
        /// By custom kind:id.
        key: String,
        /// JSON, or else a text.
        value: String,
    },
    /// Let every node forget what patterns name.
    #[command(
        visible_alias = "clear",
        after_help = "Examples:
  purlin cache invalidate 'switch:*' 'topology:*'"
    )]
    Invalidate {
        /// Globs as Redis has them.
        #[arg(required = true)]
        patterns: Vec<String>,
    },
    /// List the last invalidations that the asked node carried out.
    #[command(after_help = "Examples:
  purlin cache history
  purlin cache history -o json")]
    History(ListArgs),
}

const STATUS: Kind = Kind {
    plural: "caches",
    name: "freshness",
    columns: &[
        Column::new("FRESHNESS", "freshness", Show::Text),
        Column::new("PUBLISHED", "published", Show::Number),
        Column::new("HEARD", "heard", Show::Number),
        Column::new("CATCH-UPS", "catch_ups", Show::Number),
        Column::new("FLUSHES", "flushes", Show::Number),
    ],
};

const VALUE: Kind = Kind {
    plural: "values",
    name: "key",
    columns: &[
        Column::new("KEY", "key", Show::Text),
        Column::new("KEPT", "kept", Show::Text),
        Column::new("VALUE", "value", Show::Text),
    ],
};

const HISTORY: Kind = Kind {
    plural: "invalidations",
    name: "at",
    columns: &[
        Column::new("AT", "at", Show::Time),
        Column::new("FROM", "from", Show::Text),
        Column::new("LATENCY", "latency_seconds", Show::Number),
        Column::new("PATTERNS", "patterns", Show::Text),
    ],
};

fn path_of(key: &str) -> String {
    format!("/api/v1/cluster/cache/{}", encode(key))
}

/// A text without its quotes, and everything else as JSON.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::Status => {
            let status = client.value(Ask::get("/api/v1/cluster/caches")).await?;
            output::one(&context.view(), STATUS, &status)?;
        }
        Command::Get { key } => {
            let found = client.value(Ask::get(path_of(key))).await?;
            match context.form() {
                Form::Table | Form::Wide => say!("{}", plain(&found["value"])),
                _ => output::one(&context.view(), VALUE, &found)?,
            }
        }
        Command::Put { key, value } => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            let kept = client
                .value(Ask::put(path_of(key)).json(&json!({ "value": value })))
                .await?;
            if kept["kept"] == false {
                eprintln!("it is not kept: Redis is away");
            }
            output::one(&context.view(), VALUE, &kept)?;
        }
        Command::Invalidate { patterns } => {
            let order = json!({ "patterns": patterns });
            let published = client.value(Ask::post(PATH).json(&order)).await?;
            match context.form() {
                Form::Table | Form::Wide => say!("every node forgets {}", patterns.join(", ")),
                form => output::document(form, &published)?,
            }
        }
        Command::History(args) => {
            let view = context.list_view(args);
            return watched(args, async || {
                paging::list(&mut client, PATH, &[], usize::MAX, view.clone(), HISTORY).await
            })
            .await;
        }
    }
    Ok(Exit::Ok)
}
