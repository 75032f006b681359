//! Chains in files: made, read in, written out, by this process alone.

use super::Context;
use crate::exit::{Exit, Failure, Outcome, chain as words};
use crate::output::{self, Form, Kind, Painted};
use crate::services::chain::home::{Beginning, Home};
use clap::Args;
use purlin_chain_evm::{Chain, Mode, StateSettings};
use purlin_chain_proto::codec;
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain init --genesis genesis.json --data-dir ./node1
  purlin up --config purlin.toml --data-dir ./node1")]
pub(crate) struct InitArgs {
    /// The genesis document, as geth reads it.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain import chain.rlp --data-dir ./node1
  purlin chain import - < chain.rlp

Blocks that the chain has are passed over. A block that is refused ends the import; those before it stay.")]
pub(crate) struct ImportArgs {
    /// RLP of blocks, one after another; - for standard input.
    file: PathBuf,
    #[command(flatten)]
    keep: Keep,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain export chain.rlp
  purlin chain export - --first 100 --last 200 > part.rlp")]
pub(crate) struct ExportArgs {
    /// File that must not exist yet; - for standard output.
    file: PathBuf,
    /// The first block to write.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    first: u64,
    /// The last one [default: the head].
    #[arg(long, value_name = "NUMBER")]
    last: Option<u64>,
}

#[derive(Debug, Args)]
struct Keep {
    /// Keep the state of all blocks, not of the last 10,000.
    #[arg(long)]
    archive: bool,
}

const ABOUT: Kind = Kind {
    plural: "chains",
    name: "genesis",
    columns: &[],
};

pub(super) fn init(args: &InitArgs, context: &Context) -> Outcome {
    let begun = Beginning::read(&args.genesis)?;
    let home = Home::of(context.data_dir());
    crate::up::prepare_data_dir(context.data_dir())?;
    let chain = home.settle(begun, StateSettings::default())?;
    let head = chain.head();
    let about = json!({
        "path": home.path(),
        "chain_id": chain.spec().chain_id(),
        "genesis": head.hash,
        "state_root": head.header.state_root,
    });
    output::one(&context.view(), ABOUT, &about)?;
    Ok(Exit::Ok)
}

pub(super) fn import(args: &ImportArgs, context: &Context) -> Outcome {
    let octets = read(&args.file)?;
    let mut settings = StateSettings::default();
    if args.keep.archive {
        settings.mode = Mode::Archive;
    }
    let chain = Home::of(context.data_dir()).open(settings)?;
    let begun = Instant::now();
    let (before, mut line) = (chain.head().header.number, Painted::new(false));
    let mut blocks = codec::blocks(&octets);
    while let Some(block) = blocks.next() {
        let block = block.map_err(|cause| refused(&args.file, &chain, &cause))?;
        let at = blocks.octet();
        let number = block.header.number;
        chain
            .import(block)
            .map_err(|cause| refused(&args.file, &chain, &cause))?;
        line.show(|| format!("{} block {number}", output::bar(at as f64 / octets.len() as f64)));
    }
    line.keep();
    let head = chain.head();
    let about = json!({
        "imported": head.header.number.saturating_sub(before),
        "head": head.header.number,
        "hash": head.hash,
        "seconds": begun.elapsed().as_secs_f64(),
    });
    output::one(&context.view(), ABOUT, &about)?;
    Ok(Exit::Ok)
}

fn refused(file: &Path, chain: &Chain, cause: &dyn std::error::Error) -> Failure {
    let head = chain.head().header.number;
    Failure::failed(
        format!("{}: {}", file.display(), words(cause)),
        format!("the chain stands at block {head}; give the file that its genesis document belongs to"),
    )
}

pub(super) fn export(args: &ExportArgs, context: &Context) -> Outcome {
    let chain = Home::of(context.data_dir()).open(StateSettings::default())?;
    let head = chain.head().header.number;
    let last = args.last.unwrap_or(head);
    if args.first > last || last > head {
        return Err(Failure::usage(
            format!("blocks {} to {last} of a chain whose head is {head}", args.first),
            format!("name blocks from 0 to {head}, the first one first"),
        ));
    }
    let to_stdout = args.file.as_os_str() == "-";
    let out: Box<dyn Write> = if to_stdout {
        Box::new(std::io::stdout().lock())
    } else {
        Box::new(File::create_new(&args.file)?)
    };
    let (mut out, mut line) = (BufWriter::new(out), Painted::new(false));
    for number in args.first..=last {
        let stored = chain.store().block(number);
        let stored = stored.map_err(|cause| refused(&args.file, &chain, &cause))?;
        let stored = stored.ok_or_else(|| {
            Failure::new(
                Exit::NotFound,
                format!("block {number} is not kept any more"),
                "begin with a later one: --first",
            )
        })?;
        out.write_all(&codec::encode(&stored.block))?;
        let share = (number - args.first + 1) as f64 / (last - args.first + 1) as f64;
        line.show(|| format!("{} block {number}", output::bar(share)));
    }
    out.flush()?;
    line.keep();
    if !to_stdout && context.form() == Form::Table {
        say!("{}: blocks {} to {last}", args.file.display(), args.first);
    }
    Ok(Exit::Ok)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut octets = Vec::new();
    let read = if file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut octets)
    } else {
        File::open(file).and_then(|mut file| file.read_to_end(&mut octets))
    };
    read.map_err(|cause| {
        Failure::failed(
            format!("cannot read {}: {cause}", file.display()),
            "check the path",
        )
    })?;
    Ok(octets)
}
