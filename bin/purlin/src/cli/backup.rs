//! `purlin backup`: taken from a running node, verified and restored without one.

use super::Context;
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Form};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take a backup of a running node, on the node's own disk, while everything runs on.
    #[command(after_help = "Examples:
  purlin backup create                              the node chooses the place and prints it
  purlin backup create /var/backups/purlin-monday")]
    Create {
        /// Where on the node; must not exist yet.
        to: Option<PathBuf>,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Create { to, dry_run } => {
            // The node has its own working directory; a relative path would mean another place there.
            let to = to.as_ref().map(std::path::absolute).transpose()?;
            let path = if *dry_run {
                "/api/v1/backup?dryRun=true"
            } else {
                "/api/v1/backup"
            };
            let made = context
                .client()?
                .value(Ask::post(path).json(&json!({"to": to})))
                .await?;
            show(&made, context)
        }
    }
}

fn show(made: &Value, context: &Context) -> Outcome {
    let place = ["path", "to", "file", "folder"]
        .into_iter()
        .find_map(|key| made.get(key)?.as_str());
    match (context.form(), place) {
        (Form::Table, Some(place)) => println!("{place}"),
        (form, _) => output::document(form, made)?,
    }
    Ok(Exit::Ok)
}
