//! `purlin chain`: chains made, read in and written out, and how the node's chain stands.

mod files;

use super::Context;
use crate::client::Ask;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Kind, Listing, Paint, Show};
use crate::services::chain::accounts;
use clap::Subcommand;
use purlin_chain_client::Key;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how the node's chain stands: its head, its pool, where it is asked.
    #[command(after_help = "Examples:
  purlin chain status
  purlin chain status -o json")]
    Status,
    /// Make a chain from a genesis document, in the data directory of a node that does not run.
    Init(files::InitArgs),
    /// Read blocks from a file into the chain of a node that does not run; each is executed and checked.
    Import(files::ImportArgs),
    /// Write blocks to a file that `import` and geth read.
    Export(files::ExportArgs),
    /// The accounts of a development chain, with their keys.
    #[command(after_help = "Examples:
  purlin chain accounts
  purlin chain accounts -o json

Anybody knows these keys: they are those of anvil and hardhat, so that scripts work unchanged.")]
    Accounts,
}

const STATUS: Kind = Kind {
    plural: "chains",
    name: "chain_id",
    columns: &[],
};

const ACCOUNTS: Kind = Kind {
    plural: "accounts",
    name: "address",
    columns: &[
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("PRIVATE KEY", "private_key", Show::Text),
        Column::new("ETHER", "ether", Show::Number),
    ],
};

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Status => context.block_on(status(context)),
        Command::Init(args) => files::init(args, context),
        Command::Import(args) => files::import(args, context),
        Command::Export(args) => files::export(args, context),
        Command::Accounts => list_accounts(context),
    }
}

async fn status(context: &Context) -> Outcome {
    let chain = context.client()?.value(Ask::get("/api/v1/chain")).await;
    let chain = chain.map_err(|failure| match failure.exit {
        Exit::NotFound => Failure::new(
            Exit::NotFound,
            "this node has no chain",
            "set chain.enabled = true, or ask another node with --server",
        ),
        _ => failure,
    })?;
    output::one(&context.view(), STATUS, &chain)?;
    Ok(Exit::Ok)
}

fn list_accounts(context: &Context) -> Outcome {
    let row = |key: Key| {
        json!({
            // With the capitals of EIP-55, as wallets show it.
            "address": key.address().to_string(),
            "private_key": key.secret(),
            "ether": accounts::ETHER,
        })
    };
    let rows: Vec<_> = Key::of_development().map(row).collect();
    let mut listing = Listing::new(
        std::io::stdout().lock(),
        context.view(),
        ACCOUNTS,
        Paint::stdout(),
    )?;
    listing.page(&rows)?;
    listing.finish()?;
    Ok(Exit::Ok)
}
