//! `purlin chain`: chains made, read in and written out, accounts, proofs, and how the node's chain stands.

mod account;
mod demo;
mod doctor;
mod ether;
mod files;
mod light;
pub(crate) mod network;
mod prune;
mod snapshot;
mod validators;
mod vote;

use super::Context;
use crate::client::{Ask, NodeFile};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Kind, Listing, Paint, Show};
use crate::services::chain::accounts;
use clap::{Args, Subcommand};
use purlin_chain_client::rpc::{Rpc, RpcError};
use purlin_chain_client::{Endpoint, EndpointError, Key};
use serde_json::json;
use std::time::Duration;

/// Where `purlin up` without a file serves JSON-RPC.
const DEFAULT_RPC: &str = "127.0.0.1:8545";

/// How long an answer may take; proofs of old blocks are read from the disk.
const PATIENCE: Duration = Duration::from_secs(30);

/// JSON-RPC says so of a method that a server does not have.
const NO_METHOD: i64 = -32_601;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how the node's chain stands: its head, its pool, where it is asked.
    #[command(after_help = "Examples:
  purlin chain status
  purlin chain status -o json")]
    Status,
    /// Make a chain from a genesis document, or lay out a new network of validators.
    Init(files::InitArgs),
    /// Run a chain with several validators on this machine, each a process, until Ctrl-C.
    Demo(demo::DemoArgs),
    /// Show who decides about blocks, and whether enough of them are up.
    Validators(validators::ValidatorsArgs),
    /// Show what is wrong with agreement: slow or missing validators, rounds, quorum, round trips.
    Doctor(doctor::DoctorArgs),
    /// Vote, as a validator, for another validator set, block period or gas limit.
    #[command(subcommand)]
    Vote(vote::Command),
    /// Show what has votes and no quorum yet.
    Votes(vote::VotesArgs),
    /// Ask for an account with the proof of what it has, for who does not trust the node.
    Proof(light::ProofArgs),
    /// Check such a proof against the genesis document, without any node.
    Verify(light::VerifyArgs),
    /// Keys of accounts in files under a password.
    #[command(subcommand)]
    Account(account::Command),
    /// Read blocks from a file into the chain of a node that does not run; each is executed and checked.
    Import(files::ImportArgs),
    /// Write blocks to a file that `import` and geth read.
    Export(files::ExportArgs),
    /// The state of a chain in one file: taken from a node, looked at, made into a chain that goes on from there.
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Let go of old blocks of a node that does not run, and give their room back to the disk.
    Prune(prune::PruneArgs),
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
        Command::Demo(args) => context.block_on(demo::run(args, context)),
        Command::Import(args) => files::import(args, context),
        Command::Export(args) => files::export(args, context),
        Command::Snapshot(command) => snapshot::run(command, context),
        Command::Prune(args) => prune::run(args, context),
        Command::Accounts => list_accounts(context),
        Command::Validators(args) => context.block_on(validators::run(args, context)),
        Command::Doctor(args) => context.block_on(doctor::run(args, context)),
        Command::Vote(command) => context.block_on(vote::run(command, context)),
        Command::Votes(args) => context.block_on(vote::open(args, context)),
        Command::Proof(args) => context.block_on(light::proof(args, context)),
        Command::Verify(args) => light::verify(args, context),
        Command::Account(command) => account::run(command, context),
    }
}

/// The node that is asked over JSON-RPC, of any maker.
#[derive(Debug, Args)]
struct Node {
    /// JSON-RPC of a node of the chain [default: the node of the data directory, else http://127.0.0.1:8545].
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    rpc: Option<Endpoint>,
}

impl Node {
    fn rpc(&self, context: &Context) -> Result<(Rpc, Endpoint), Failure> {
        let endpoint = match &self.rpc {
            Some(endpoint) => endpoint.clone(),
            None => {
                let own = NodeFile::read(context.data_dir()).filter(NodeFile::is_alive);
                let text = own.and_then(|node| node.chain_http);
                let endpoint = text.as_deref().unwrap_or(DEFAULT_RPC).parse();
                endpoint.map_err(|cause: EndpointError| Failure::usage(cause.to_string(), "--rpc URL"))?
            }
        };
        Ok((Rpc::new(endpoint.clone(), PATIENCE), endpoint))
    }
}

/// Why a node's JSON-RPC gave no answer, and what helps.
fn asked(endpoint: &Endpoint, cause: &RpcError) -> Failure {
    match cause {
        RpcError::Transport(said) => Failure::new(
            Exit::Unreachable,
            format!("no JSON-RPC answers at {endpoint}: {said}"),
            "name another node with --rpc URL",
        ),
        RpcError::Refused { code: NO_METHOD, .. } => Failure::new(
            Exit::NotFound,
            format!("the node at {endpoint} has no chain with validators: {cause}"),
            "name another node with --rpc URL",
        ),
        RpcError::Refused { .. } => Failure::failed(
            format!("{endpoint} says: {cause}"),
            "ask for another block, or another node",
        ),
        RpcError::Malformed { .. } => Failure::failed(
            format!("{endpoint}: {cause}"),
            "ask a node of this chain, for a block after the first one",
        ),
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
