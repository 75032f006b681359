//! `purlin chain snapshot restore`.

use super::{ABOUT, Context, about, hash, input, progress, tell_signed};
use crate::exit::{Exit, Outcome};
use crate::output;
use crate::services::chain::home::{Beginning, Home};
use crate::services::chain::trust::Believer;
use clap::Args;
use purlin_chain_evm::StateSettings;
use purlin_chain_proto::B256;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain snapshot restore monday.snapshot --genesis genesis.json --data-dir ./node9
  purlin up --config purlin.toml --data-dir ./node9
  purlin chain snapshot restore - --genesis genesis.json --trust 0x9b5f...1a50 < monday.snapshot

Trust is in the genesis document: the signatures of the validators that it names, and of those that they became, are
checked, then every account against the block's state root. A chain without validators needs --trust.
Nothing is left behind of a snapshot that is refused.")]
pub(crate) struct RestoreArgs {
    /// What `snapshot create` wrote; - for standard input.
    file: PathBuf,
    /// The chain's genesis document.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// The hash of the snapshot's block, from somebody whom you trust.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    trust: Option<B256>,
}

pub(super) fn run(args: &RestoreArgs, context: &Context) -> Outcome {
    let begun = Beginning::read(&args.genesis)?;
    let believer = Believer::of(&begun.spec, args.trust)?;
    let home = Home::of(context.data_dir());
    let mut input = input(&args.file)?;
    crate::up::prepare_data_dir(context.data_dir())?;
    let restored = home.restore(
        begun,
        StateSettings::default(),
        &mut *input,
        &believer,
        &mut progress(),
    );
    let (chain, manifest, believed) = restored.map_err(|mut failure| {
        failure.what = format!("{}: {}", args.file.display(), failure.what);
        failure
    })?;
    drop(chain);
    let mut about = about(&manifest);
    tell_signed(&mut about, believed.signed.as_ref());
    about["path"] = json!(home.path());
    output::one(&context.view(), ABOUT, &about)?;
    Ok(Exit::Ok)
}
