//! `purlin tftp`: a client for any TFTP server, and what this node's boot file service does.

mod look;
mod records;
mod transfer;

use super::{Context, ListArgs};
use crate::exit::Outcome;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a file from any TFTP server.
    Get(transfer::GetArgs),
    /// Send a file to any TFTP server.
    Put(transfer::PutArgs),
    /// Show how the boot file service stands: where it listens, buffers, cache.
    #[command(after_help = "Examples:
  purlin tftp status
  purlin tftp status -o json")]
    Status,
    /// Open transfers, one a row.
    #[command(after_help = "Examples:
  purlin tftp transfers
  purlin tftp transfers --watch --filter stage=waiting
  purlin tftp transfers -o json")]
    Transfers(ListArgs),
    /// Boot records: who asked for which file, and how that ended, oldest first.
    Records(records::Args),
    /// Files in the cache.
    #[command(after_help = "Examples:
  purlin tftp files
  purlin tftp files --filter 'name~=.efi' -o csv")]
    Files(ListArgs),
}

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Get(args) => transfer::get(args, context),
        Command::Put(args) => transfer::put(args, context),
        Command::Status => context.block_on(look::status(context)),
        Command::Transfers(args) => context.block_on(look::transfers(args, context)),
        Command::Records(args) => context.block_on(records::run(args, context)),
        Command::Files(args) => context.block_on(look::files(args, context)),
    }
}
