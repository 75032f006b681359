//! `purlin config`: files are checked here; what runs is asked for and changed through the API.

mod file;
mod revision;

use super::Context;
use crate::exit::Outcome;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    File(file::Command),
    #[command(flatten)]
    Revision(revision::Command),
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::File(command) => file::run(command, context),
        Command::Revision(command) => revision::run(command, context).await,
    }
}
