//! `purlin boot`: what machines boot: profiles, what a name means for a client, the cache.

mod profile;
mod resolve;

use super::Context;
use crate::client::Ask;
use crate::exit::{Exit, Outcome};
use crate::output::{self, Form};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Boot profiles: which kind of machine boots which file.
    #[command(subcommand)]
    Profile(profile::Command),
    /// Tell what a client would get for a name: rules, templates and trees, without asking for it.
    Resolve(resolve::Args),
    /// Forget all cached content; files are read from disk again when they are asked for.
    #[command(after_help = "Examples:
  purlin boot drop-cache --dry-run
  purlin boot drop-cache")]
    DropCache {
        /// Only say what would go.
        #[arg(long)]
        dry_run: bool,
    },
}

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Profile(verb) => context.block_on(profile::run(verb, context)),
        Command::Resolve(args) => context.block_on(resolve::run(args, context)),
        Command::DropCache { dry_run } => context.block_on(drop_cache(*dry_run, context)),
    }
}

async fn drop_cache(dry_run: bool, context: &Context) -> Outcome {
    let query = if dry_run { "?dryRun=true" } else { "" };
    let ask = Ask::post(format!("/api/v1/boot/cache/drop{query}"));
    let answer = context.client()?.value(ask).await?;
    if context.form() != Form::Table {
        output::document(context.form(), &answer)?;
        return Ok(Exit::Ok);
    }
    let done = if dry_run { "would be dropped" } else { "dropped" };
    say!("{} octets of {} files {done}", answer["octets"], answer["files"]);
    Ok(Exit::Ok)
}
