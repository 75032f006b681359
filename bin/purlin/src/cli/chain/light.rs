//! `purlin chain proof` and `purlin chain verify`: an account with its proof, and its check without any node.

use super::ether::ether;
use super::{Context, Node, account::write_new};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Kind};
use crate::services::chain::home::Beginning;
use clap::Args;
use jiff::Timestamp;
use purlin_chain_client::light::{self, Bundle, LightFault, Proven, Trust};
use purlin_chain_proto::{Address, B256, U256};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain proof 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 --out proof.json
  purlin chain proof 0x5FbDB2315678afecb367f032d93F642f64180aa3 --slot 0 --slot 1 --block 1200
  purlin chain proof 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 --rpc http://10.0.0.7:8545 | purlin chain verify - --genesis genesis.json")]
pub(crate) struct ProofArgs {
    /// The account.
    address: Address,
    /// The block after which it is looked at [default: the head].
    #[arg(long, value_name = "NUMBER")]
    block: Option<u64>,
    /// A slot of its storage to prove too; may be repeated.
    #[arg(long = "slot", value_name = "SLOT")]
    slots: Vec<U256>,
    /// Write to this file, which must not exist yet, and not to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    node: Node,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain verify proof.json --genesis genesis.json
  purlin chain verify - --genesis genesis.json -o json < proof.json

No node is asked. Trust is in the genesis document: take it from the chain's owner, not from who gave the proof.
Ends with 0 when it is proven, with 1 and the reason when it is not.")]
pub(crate) struct VerifyArgs {
    /// What `purlin chain proof` wrote; - for standard input.
    file: PathBuf,
    /// The chain's genesis document.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
}

const PROVEN: Kind = Kind {
    plural: "proofs",
    name: "address",
    columns: &[],
};

pub(super) async fn proof(args: &ProofArgs, context: &Context) -> Outcome {
    let slots: Vec<B256> = args.slots.iter().copied().map(B256::from).collect();
    let (mut rpc, endpoint) = args.node.rpc(context)?;
    let bundle = light::fetch(&mut rpc, args.address, &slots, args.block).await;
    let bundle = bundle.map_err(|cause| super::asked(&endpoint, &cause))?;
    let text =
        serde_json::to_string_pretty(&bundle).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
    match &args.out {
        Some(file) => write_new(file, &format!("{text}\n"), 0o644)?,
        None => say!("{text}"),
    }
    Ok(Exit::Ok)
}

pub(super) fn verify(args: &VerifyArgs, context: &Context) -> Outcome {
    let text = crate::settings::read_text(&args.file)?;
    let bundle: Bundle = serde_json::from_str(&text).map_err(|cause| {
        Failure::failed(
            format!("{}: no proof: {cause}", args.file.display()),
            "give what purlin chain proof wrote",
        )
    })?;
    let spec = Beginning::read(&args.genesis)?.spec;
    let trust = Trust::of(&spec).map_err(|cause| unproven(&args.genesis, &cause))?;
    let proven = bundle
        .verify(&trust)
        .map_err(|cause| unproven(&args.file, &cause))?;
    output::one(&context.view(), PROVEN, &shown(&proven))?;
    Ok(Exit::Ok)
}

fn unproven(file: &std::path::Path, cause: &LightFault) -> Failure {
    let fix = match cause {
        LightFault::OtherChain { .. } => "give the genesis document of the chain that the proof is of",
        LightFault::NoValidators | LightFault::Validators(_) => "give a chain with config.purlin.validators",
        _ => "believe nothing of it; ask another node",
    };
    Failure::failed(format!("not proven: {}: {cause}", file.display()), fix)
}

fn shown(proven: &Proven) -> Value {
    let time = i64::try_from(proven.timestamp).ok();
    let time = time.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let slots = proven.slots.iter();
    json!({
        "says": says(proven, time),
        "block": proven.block,
        "hash": proven.hash,
        "time": time.map(|time| time.to_string()),
        "round": proven.round,
        "power_signed": proven.power,
        "power_total": proven.total,
        "signers": proven.signers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "address": proven.address.to_string(),
        "exists": proven.exists,
        "nonce": proven.nonce,
        "balance": proven.balance.to_string(),
        "ether": ether(proven.balance),
        "code_hash": proven.code_hash,
        "slots": slots.map(|(slot, value)| json!({ "slot": slot, "value": value })).collect::<Vec<_>>(),
    })
}

fn says(proven: &Proven, time: Option<Timestamp>) -> String {
    let Proven {
        address,
        block,
        power,
        total,
        nonce,
        ..
    } = proven;
    let time = time.map_or_else(|| proven.timestamp.to_string(), |time| time.to_string());
    let had = if proven.exists {
        format!("{address} had {} ether and nonce {nonce}", ether(proven.balance))
    } else {
        format!("there was no account {address}")
    };
    format!("after block {block} of {time}, {had}; power {power} of {total} signed it")
}
