//! `purlin chain snapshot`: the state of a chain in one file, taken, looked at, and made into a chain.

mod create;
mod restore;

use super::Context;
use crate::exit::{Failure, Outcome, chain as words};
use crate::output::{self, Kind, Painted};
use crate::services::chain::home::Beginning;
use crate::services::chain::trust::{Believer, Doubt, claimed};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use purlin_chain_client::light::Signed;
use purlin_chain_evm::snapshot::{Manifest, SnapshotError, read_manifest};
use purlin_chain_proto::B256;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the state after the head into a file, with what proves that the head was decided.
    Create(create::CreateArgs),
    /// Show what a snapshot is of and who has signed it; needs no node.
    Show(ShowArgs),
    /// Make a chain of a snapshot in a data directory that has none; needs no node.
    Restore(restore::RestoreArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain snapshot show monday.snapshot
  purlin chain snapshot show monday.snapshot --genesis genesis.json
  purlin chain snapshot show monday.snapshot -o json

With --genesis, the signatures are checked: it ends with 1 and the reason when they prove nothing. The accounts are
checked when it is restored.")]
pub(crate) struct ShowArgs {
    /// What `snapshot create` wrote; - for standard input.
    file: PathBuf,
    /// The chain's genesis document, which names its first validators.
    #[arg(long, value_name = "FILE")]
    genesis: Option<PathBuf>,
}

const ABOUT: Kind = Kind {
    plural: "snapshots",
    name: "hash",
    columns: &[],
};

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Create(args) => create::run(args, context),
        Command::Show(args) => show(args, context),
        Command::Restore(args) => restore::run(args, context),
    }
}

fn show(args: &ShowArgs, context: &Context) -> Outcome {
    let manifest = read_manifest(&mut *input(&args.file)?).map_err(|cause| broken(&args.file, &cause))?;
    let mut about = about(&manifest);
    let octets = std::fs::metadata(&args.file).ok().map(|found| found.len());
    about["octets"] = json!(octets);
    match &args.genesis {
        None => {
            about["signers"] = json!(claimed(&manifest));
            about["verified"] = json!(false);
            about["note"] = json!("no signature was checked: name the genesis document with --genesis FILE");
        }
        Some(genesis) => {
            let spec = Beginning::read(genesis)?.spec;
            let nobody = spec.consensus().is_none();
            // Where nobody signs, it is not for this command to say which block is one of the chain.
            let named = nobody.then(|| manifest.head().1);
            let believed = Believer::of(&spec, named)?.judge(&manifest);
            let believed = believed.map_err(|doubt| doubted(&args.file, doubt))?;
            tell_signed(&mut about, believed.signed.as_ref());
        }
    }
    output::one(&context.view(), ABOUT, &about)?;
    Ok(crate::exit::Exit::Ok)
}

/// What a snapshot says of itself.
fn about(manifest: &Manifest) -> Value {
    let (head, hash) = manifest.head();
    let time = i64::try_from(head.timestamp).ok();
    let time = time.and_then(|seconds| Timestamp::from_second(seconds).ok());
    json!({
        "block": head.number,
        "hash": hash,
        "time": time.map(|time| time.to_string()),
        "genesis": manifest.genesis,
        "state_root": head.state_root,
        "accounts": manifest.accounts,
        "slots": manifest.slots,
    })
}

/// Adds who has signed it, as it was verified; `None` where nobody signs.
fn tell_signed(about: &mut Value, signed: Option<&Signed>) {
    match signed {
        Some(signed) => {
            let signers: Vec<String> = signed.signers.iter().map(ToString::to_string).collect();
            about["signers"] = json!(signers);
            about["power_signed"] = json!(signed.power);
            about["power_total"] = json!(signed.total);
            about["verified"] = json!(true);
        }
        None => {
            about["signers"] = json!([]);
            about["verified"] = json!(false);
            about["note"] = json!(
                "nobody signs the blocks of this chain: ask somebody whom you trust for the hash of this one"
            );
        }
    }
}

fn input(file: &Path) -> Result<Box<dyn Read>, Failure> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let opened = File::open(file).map_err(|cause| {
        Failure::failed(
            format!("cannot read {}: {cause}", file.display()),
            "check the path",
        )
    })?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, opened)))
}

fn doubted(file: &Path, Doubt { what, fix }: Doubt) -> Failure {
    Failure::failed(format!("{}: {what}", file.display()), fix)
}

fn broken(file: &Path, cause: &SnapshotError) -> Failure {
    let fix = match cause {
        SnapshotError::NoSnapshot => "give what purlin chain snapshot create wrote",
        SnapshotError::Format { .. } => "use a program as new as the one that wrote it",
        _ => "take another snapshot; this one cannot be trusted",
    };
    Failure::failed(format!("{}: {}", file.display(), words(cause)), fix)
}

/// What shows how much of the accounts has been seen.
fn progress() -> impl FnMut(u64, u64) {
    let mut line = Painted::new(false);
    move |done, total| {
        let share = if total == 0 {
            1.0
        } else {
            done as f64 / total as f64
        };
        line.show(|| format!("{} {done} accounts and slots", output::bar(share)));
        if done >= total {
            line.keep();
        }
    }
}

fn hash(text: &str) -> Result<B256, String> {
    text.parse()
        .map_err(|cause| format!("{text} is no hash: {cause}"))
}
