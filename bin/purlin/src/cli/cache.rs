//! `purlin cache`: what nodes have cached, and making all of them forget.

use super::{Context, ListArgs, context::watched, paging};
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::Subcommand;
use serde_json::json;

const PATH: &str = "/api/v1/cluster/invalidations";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how far the asked node's caches may be trusted, and what they do.
    Status,
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

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::Status => {
            let status = client.value(Ask::get("/api/v1/cluster/caches")).await?;
            output::one(&context.view(), STATUS, &status)?;
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
