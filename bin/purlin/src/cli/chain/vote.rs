//! `purlin chain vote`: a validator's vote for another validator set, block period or gas limit; `purlin chain votes`: what is
//! open.
//!
//! The chain counts votes and refuses nonsense (docs/adr/0013-governance.md). What only a moment knows, who is up, is judged
//! here before anything is sent: a change after which too few would be up stops the chain at the height where it counts.

use super::account::Password;
use super::{Context, Node};
use crate::cli::{ListArgs, context::watched};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use clap::{Args, Subcommand};
use purlin_chain_client::rpc::Rpc;
use purlin_chain_client::votes::{self, Counted, Newest, VoteFault};
use purlin_chain_client::{Endpoint, Key, Keystore};
use purlin_chain_core::constitution::Vote;
use purlin_chain_core::quorum::{Change, Policy, Refused};
use purlin_chain_proto::Address;
use purlin_config::parse_duration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a vote waits for its block, besides three periods.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who is further behind than so many blocks has not caught up.
const BEHIND_MAX: u64 = 5;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Vote for a new validator: the address of its key.
    #[command(after_help = "Examples:
  purlin chain vote add 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --key-file validator-1/validator.key
  purlin chain vote add 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --power 2 --key-file validator.key --rpc http://10.0.0.7:8545

Its node may run before, with chain.role = \"validator\": it follows until it is one.")]
    Add {
        /// The new validator.
        address: Address,
        /// Its voting power.
        #[arg(long, value_name = "N", default_value_t = 1)]
        power: u64,
        #[command(flatten)]
        how: How,
    },
    /// Vote for a validator to go; its node follows from then on.
    #[command(after_help = "Examples:
  purlin chain vote remove 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --key-file validator-1/validator.key
  purlin chain vote remove 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --key-file validator.key --force")]
    Remove {
        /// The validator.
        address: Address,
        #[command(flatten)]
        how: How,
    },
    /// Vote for a validator to have another power.
    #[command(after_help = "Examples:
  purlin chain vote weigh 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --power 2 --key-file validator-1/validator.key")]
    Weigh {
        /// The validator.
        address: Address,
        /// Its new voting power.
        #[arg(long, value_name = "N")]
        power: u64,
        #[command(flatten)]
        how: How,
    },
    /// Vote for another time from one block to the next: 50 ms to an hour.
    #[command(after_help = "Examples:
  purlin chain vote period 500ms --key-file validator-1/validator.key")]
    Period {
        /// The new period.
        #[arg(value_parser = parse_duration)]
        period: Duration,
        #[command(flatten)]
        how: How,
    },
    /// Vote for another gas limit; blocks then go to it by less than a thousandth each.
    #[command(after_help = "Examples:
  purlin chain vote gas-limit 600000000 --key-file validator-1/validator.key")]
    GasLimit {
        /// The new gas limit.
        gas: u64,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, Args)]
pub(crate) struct How {
    /// The validator's private key: 64 hexadecimal digits, or a keystore of version 3 or 4 (EIP-2335).
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
    /// Vote also for what may stop the chain, or what leaves fewer than four validators.
    #[arg(long)]
    force: bool,
    // For a keystore.
    #[command(flatten)]
    password: Password,
    #[command(flatten)]
    node: Node,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain votes
  purlin chain votes --rpc http://10.0.0.7:8545 -o json

A change that gets its quorum ends all other votes: they have to be given again.")]
pub(crate) struct VotesArgs {
    /// How many blocks back votes are looked for.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    blocks: u64,
    #[command(flatten)]
    list: ListArgs,
    #[command(flatten)]
    node: Node,
}

const COUNTED: Kind = Kind {
    plural: "votes",
    name: "transaction",
    columns: &[],
};

const OPEN: Kind = Kind {
    plural: "votes",
    name: "vote",
    columns: &[
        Column::new("VOTE", "vote", Show::Text),
        Column::new("POWER", "power", Show::Number),
        Column::new("NEEDED", "quorum", Show::Number),
        Column::new("BY", "by", Show::Text),
    ],
};

impl Command {
    fn parts(&self) -> (Vote, &How) {
        let set = Vote::Set;
        match self {
            Self::Add { address, power, how } => {
                let (validator, power) = (*address, *power);
                (set(Change::Add { validator, power }), how)
            }
            Self::Remove { address, how } => (set(Change::Remove { validator: *address }), how),
            Self::Weigh { address, power, how } => {
                let (validator, power) = (*address, *power);
                (set(Change::Weight { validator, power }), how)
            }
            Self::Period { period, how } => (Vote::Period(*period), how),
            Self::GasLimit { gas, how } => (Vote::GasLimit(*gas), how),
        }
    }
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let (vote, how) = command.parts();
    let key = key(&how.key_file, &how.password)?;
    let (mut rpc, endpoint) = how.node.rpc(context)?;
    let newest = newest(&mut rpc, &endpoint).await?;
    let head = votes::head(&mut rpc).await;
    let head = head.map_err(|cause| super::asked(&endpoint, &cause))?;
    sensible(&newest, key.address(), head)?;
    if let (Vote::Set(change), false) = (vote, how.force) {
        let up = up(&mut rpc, &endpoint).await?;
        let judged = newest.constitution.judge(&change, head, &up, &Policy::default());
        judged.map_err(|cause| unwise(&cause))?;
    }
    let patience = PATIENCE + newest.constitution.period * 3;
    let counted = votes::send(&mut rpc, &key, &vote, patience).await;
    let counted = counted.map_err(|cause| uncounted(&endpoint, &key, &cause))?;
    match context.form() {
        Form::Table | Form::Wide => say!("{}", says(&vote, &counted)),
        _ => output::one(&context.view(), COUNTED, &shown(&vote, &counted))?,
    }
    Ok(Exit::Ok)
}

pub(super) async fn open(args: &VotesArgs, context: &Context) -> Outcome {
    let (mut rpc, endpoint) = args.node.rpc(context)?;
    let view = context.list_view(&args.list);
    watched(&args.list, async || {
        newest(&mut rpc, &endpoint).await?;
        let open = votes::open(&mut rpc, args.blocks).await;
        let open = open.map_err(|cause| super::asked(&endpoint, &cause))?;
        let row = |(vote, tally): &(Vote, votes::Tally)| {
            let by: Vec<String> = tally.who.iter().map(ToString::to_string).collect();
            json!({ "vote": vote.to_string(), "power": tally.power, "quorum": tally.quorum, "by": by })
        };
        let rows: Vec<Value> = open.iter().map(row).collect();
        output::list(&view, OPEN, &rows)
    })
    .await
}

fn key(file: &Path, password: &Password) -> Result<Key, Failure> {
    let text = crate::settings::read_text(file)?;
    let fix = "name a validator's key: --key-file FILE";
    let wrong = |cause: String| Failure::failed(format!("{}: {cause}", file.display()), fix);
    if !text.trim_start().starts_with('{') {
        return text
            .parse()
            .map_err(|cause: purlin_chain_client::KeyError| wrong(cause.to_string()));
    }
    let keystore = Keystore::read(&text).map_err(|cause| wrong(cause.to_string()))?;
    let password = password.ask(&format!("Password of {}", file.display()))?;
    keystore
        .open(password.as_bytes())
        .map_err(|cause| wrong(cause.to_string()))
}

async fn newest(rpc: &mut Rpc, endpoint: &Endpoint) -> Result<Newest, Failure> {
    let newest = votes::newest(rpc)
        .await
        .map_err(|cause| super::asked(endpoint, &cause))?;
    newest.ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            format!(
                "nothing of the chain at {endpoint} can be changed by votes: its genesis document has no constitution in its \
                 alloc"
            ),
            "a chain that purlin chain init --validators lays out has one",
        )
    })
}

/// What the chain would refuse anyway, said before anything is asked of it.
fn sensible(newest: &Newest, voter: Address, head: u64) -> Result<(), Failure> {
    let Newest { constitution, .. } = newest;
    if constitution.from > head {
        let effective = constitution.from;
        return Err(Failure::new(
            Exit::Conflict,
            Refused::OnTheWay { effective }.to_string(),
            format!("vote again when block {effective} is there"),
        ));
    }
    if constitution.validators.power(&voter).is_none() {
        return Err(Failure::new(
            Exit::Denied,
            format!("only validators vote, and {voter} is none"),
            "name a validator's key: --key-file FILE; purlin chain validators lists who they are",
        ));
    }
    Ok(())
}

/// Who is up and has caught up, as the asked node sees it: validators and others.
async fn up(rpc: &mut Rpc, endpoint: &Endpoint) -> Result<BTreeSet<Address>, Failure> {
    let told: Result<Value, _> = rpc.call("purlin_getValidators", &json!([])).await;
    let told = told.map_err(|cause| {
        let failure = super::asked(endpoint, &cause);
        Failure::new(
            failure.exit,
            format!("who is up is not known: {}", failure.what),
            "ask a node of this house with --rpc URL, or vote without knowing: --force",
        )
    })?;
    Ok(seen(&told))
}

fn seen(told: &Value) -> BTreeSet<Address> {
    let needed = told["height"]
        .as_u64()
        .unwrap_or(0)
        .saturating_sub(1 + BEHIND_MAX);
    let seen = told["seen"].as_array().into_iter().flatten();
    let there = seen.filter(|one| one["head"].as_u64().unwrap_or(0) >= needed);
    let address = |one: &Value| one["address"].as_str().and_then(|text| text.parse().ok());
    there.filter_map(address).collect()
}

fn unwise(cause: &Refused) -> Failure {
    let fix = match cause {
        Refused::BelowPolicy { .. } => "purlin chain vote add; or --force, which votes for it all the same",
        Refused::LosesQuorum { .. } => {
            "start their nodes, also the new one's; or --force, which votes for it all the same"
        }
        _ => "purlin chain validators shows who decides",
    };
    Failure::new(Exit::Conflict, cause.to_string(), fix)
}

fn uncounted(endpoint: &Endpoint, key: &Key, cause: &VoteFault) -> Failure {
    match cause {
        VoteFault::Rpc(cause) if cause.to_string().contains("insufficient funds") => Failure::failed(
            format!("the vote's transaction was refused: {cause}"),
            format!("send a little ether to {}", key.address()),
        ),
        VoteFault::Rpc(cause) => super::asked(endpoint, cause),
        VoteFault::Refused(_) => Failure::new(
            Exit::Conflict,
            cause.to_string(),
            "purlin chain votes and purlin chain validators show how things stand",
        ),
        VoteFault::Waits { transaction, .. } => Failure::failed(
            cause.to_string(),
            format!(
                "purlin why {transaction} says what it waits for; purlin chain validators who is missing"
            ),
        ),
    }
}

fn says(vote: &Vote, counted: &Counted) -> String {
    let Counted { power, quorum, .. } = counted;
    match counted.decided {
        Some((_, from)) => {
            format!("{power} of {quorum} needed: decided to {vote}; in force from block {from}")
        }
        None => format!("{power} of {quorum} needed to {vote}"),
    }
}

fn shown(vote: &Vote, counted: &Counted) -> Value {
    json!({
        "says": says(vote, counted),
        "vote": vote.to_string(),
        "transaction": counted.transaction,
        "block": counted.block,
        "power": counted.power,
        "quorum": counted.quorum,
        "decided": counted.decided.is_some(),
        "version": counted.decided.map(|(version, _)| version),
        "in_force_from": counted.decided.map(|(_, from)| from),
    })
}

#[cfg(test)]
mod tests;
