//! Chains in files: made, read in, written out, by this process alone.

use super::account::Password;
use super::network::{Network, Order};
use super::{Context, ether};
use crate::exit::{Exit, Failure, Outcome, chain as words};
use crate::output::{self, Form, Kind, Painted};
use crate::services::chain::home::{Beginning, Home};
use clap::Args;
use jiff::Timestamp;
use purlin_chain_evm::{Chain, Mode, StateSettings};
use purlin_chain_proto::{Address, DEVELOPMENT_GAS_LIMIT, U256, codec};
use purlin_config::parse_duration;
use serde_json::json;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain init --genesis genesis.json --data-dir ./node1
  purlin up --config purlin.toml --data-dir ./node1
  purlin chain init --validators 4 --out ./net --fund 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266=10000
  purlin chain init --validators 7 --out ./net --period 500ms --chain-id 4711 --base-port 31000

With --validators, the directory gets genesis.json, a directory for each validator with its key and a configuration that
runs on this machine as it is, and a README.md that says how.")]
pub(crate) struct InitArgs {
    /// The genesis document, as geth reads it; the chain is made in the data directory.
    #[arg(long, value_name = "FILE", required_unless_present = "validators")]
    genesis: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArgs,
}

#[derive(Debug, Args)]
struct NetworkArgs {
    /// Lay out a new network of so many validators: four survive the loss of one, seven of two.
    #[arg(long, value_name = "N", requires = "out", conflicts_with = "genesis")]
    validators: Option<u16>,
    /// Directory of the network; made when it is not there, and empty.
    #[arg(long, value_name = "DIR", requires = "validators")]
    out: Option<PathBuf>,
    /// Time from one block to the next.
    #[arg(long, requires = "validators", value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    period: Duration,
    /// The chain's id, which signatures name.
    #[arg(long, requires = "validators", value_name = "ID", default_value_t = 31_337)]
    chain_id: u64,
    /// Gas that a block may use.
    #[arg(long, requires = "validators", value_name = "GAS", default_value_t = DEVELOPMENT_GAS_LIMIT)]
    gas_limit: u64,
    /// Gives an account ether at the beginning; may be repeated.
    #[arg(long, requires = "validators", value_name = "ADDRESS=ETHER", value_parser = funded)]
    fund: Vec<(Address, U256)>,
    /// Port where the first validator meets its peers; the others follow within 250.
    #[arg(long, requires = "validators", value_name = "PORT", default_value_t = 30_300)]
    base_port: u16,
    // With a password, each key is also kept in a keystore.
    #[command(flatten)]
    password: Password,
}

fn funded(text: &str) -> Result<(Address, U256), String> {
    let (address, amount) = text
        .split_once('=')
        .ok_or_else(|| format!("{text} is not of the form ADDRESS=ETHER"))?;
    let address = address
        .parse()
        .map_err(|cause| format!("{address} is no address: {cause}"))?;
    Ok((address, ether::wei(amount)?))
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
    match (&args.genesis, args.network.validators, &args.network.out) {
        (Some(genesis), _, _) => from_document(genesis, context),
        (None, Some(validators), Some(out)) => lay_out(validators, out, &args.network, context),
        _ => Err(Failure::usage(
            "neither a genesis document nor a number of validators is named",
            "--genesis FILE, or --validators N --out DIR",
        )),
    }
}

fn lay_out(validators: u16, out: &Path, args: &NetworkArgs, context: &Context) -> Outcome {
    let order = Order {
        out: out.to_owned(),
        validators,
        chain_id: args.chain_id,
        period: args.period,
        gas_limit: args.gas_limit,
        base_port: args.base_port,
        fund: args.fund.clone(),
        password: args.password.given()?,
        timestamp: u64::try_from(Timestamp::now().as_second()).unwrap_or(0),
    };
    let network = order.lay_out()?;
    output::one(&context.view(), ABOUT, &told(&network))?;
    if args.fund.is_empty() {
        eprintln!("nobody has ether on this chain; --fund ADDRESS=ETHER gives some");
    }
    Ok(Exit::Ok)
}

fn told(network: &Network) -> serde_json::Value {
    let places = network.places.iter().map(|place| {
        json!({
            "name": place.name,
            "address": place.address.to_string(),
            "config": place.config,
            "http": format!("http://{}", place.http),
            "websocket": format!("ws://{}", place.websocket),
        })
    });
    json!({
        "path": network.out,
        "document": network.genesis,
        "genesis": network.hash,
        "validators": places.collect::<Vec<_>>(),
        "next": network.out.join("README.md"),
    })
}

fn from_document(genesis: &Path, context: &Context) -> Outcome {
    let begun = Beginning::read(genesis)?;
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
    let (file, octets) = opened(&args.file)?;
    let mut settings = StateSettings::default();
    if args.keep.archive {
        settings.mode = Mode::Archive;
    }
    let home = Home::of(context.data_dir());
    let chain = home.open(settings)?;
    let mut noted = home.came_from_a_file();
    let begun = Instant::now();
    let (before, mut line) = (chain.head().header.number, Painted::new(false));
    let mut blocks = codec::blocks(BufReader::with_capacity(1 << 20, file));
    while let Some(block) = blocks.next() {
        let block = block.map_err(|cause| refused(&args.file, &chain, &cause))?;
        let at = blocks.octet();
        let number = block.header.number;
        chain
            .import(block)
            .map_err(|cause| refused(&args.file, &chain, &cause))?;
        if !noted {
            home.comes_from_a_file()?;
            noted = true;
        }
        line.show(|| match octets {
            Some(octets) => format!("{} block {number}", output::bar(at as f64 / octets as f64)),
            None => format!("block {number}"),
        });
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

/// A file and its octets; standard input for `-`, whose length nobody knows.
fn opened(file: &Path) -> Result<(Box<dyn Read>, Option<u64>), Failure> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin().lock()), None));
    }
    let open = File::open(file).and_then(|open| Ok((open.metadata()?.len(), open)));
    let (octets, open) = open.map_err(|cause| {
        Failure::failed(
            format!("cannot read {}: {cause}", file.display()),
            "check the path",
        )
    })?;
    Ok((Box::new(open), Some(octets)))
}
