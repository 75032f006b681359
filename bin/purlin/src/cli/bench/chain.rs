//! `purlin bench chain`: transactions on the chain of any node, every receipt and balance verified.

mod options;
mod progress;
mod report;

use super::stop_on_ctrl_c;
use crate::cli::Context;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::Painted;
use clap::Args;
use options::{Shape, Target};
use progress::line;
use purlin_chain_client::bench::{BenchError, BenchOptions, BenchReport, run as run_load};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    shape: Shape,
    /// No progress line.
    #[arg(long, short = 'q')]
    quiet: bool,
}

pub(super) const EXAMPLES: &str = "Examples:
  purlin bench chain                                     10,000 transfers on `purlin up` on this machine
  purlin bench chain http://127.0.0.1:8545 --transactions 100000 --senders 10000 --in-flight 8000
  purlin bench chain --rate 2000 --transactions 60000    by the clock, whatever the node does
  purlin bench chain --load erc20 --transactions 20000   a token of ours is deployed first
  purlin bench chain --load transfers=5,erc20=3,storage=2 -o json
  purlin bench chain http://a:8545 http://b:8545         connections go to the nodes of a chain in turn
  purlin bench chain --server-pid $(pidof anvil) http://127.0.0.1:8545

Loads: transfers, erc20, storage (each transaction writes a new slot), mixed, or weights of these.
Everything is paid by the first development account, or by the one of --key. Senders are made from --seed, and are used
again by the next run with the same seed; transactions are signed before the clock runs. What is refused or not answered
is sent again, octet for octet. Afterwards every receipt, nonce, balance and slot is asked for and checked.
Exit code 1 when anything is wrong, or is not in a block when the time is up.";

pub(super) fn bench(args: &BenchArgs, context: &Context) -> Outcome {
    let options = args.shape.options(&args.target, context)?;
    let report = load(&options, args.quiet)?;
    report::show(&report, context)?;
    Ok(match report.is_clean() {
        true => Exit::Ok,
        false => Exit::Failed,
    })
}

fn load(options: &BenchOptions, quiet: bool) -> Result<BenchReport, Failure> {
    let stop = stop_on_ctrl_c();
    let mut bar = Painted::new(quiet);
    let report = run_load(options, &stop, &mut |progress| bar.show(|| line(progress)));
    bar.keep();
    report.map_err(|cause| failure(&cause))
}

fn failure(cause: &BenchError) -> Failure {
    let what = chain(cause);
    match cause {
        BenchError::Options(_) => Failure::usage(what, "purlin bench chain --help"),
        BenchError::Server { .. } => Failure::new(
            Exit::Unreachable,
            what,
            "start a node with a chain, or name another: purlin bench chain http://HOST:8545",
        ),
        BenchError::Busy { .. } => Failure::failed(what, "purlin bench chain --seed 2"),
        BenchError::Poor { .. } => Failure::failed(
            what,
            "name a richer account with --key, fewer --transactions, or a lower --max-fee-gwei",
        ),
        BenchError::Preparation(_) => Failure::failed(
            what,
            "eth_getTransactionReceipt shows it; is the gas limit of blocks 12 million or more?",
        ),
        BenchError::Late => Failure::failed(what, "a longer --timeout, or fewer --senders"),
        BenchError::Interrupted | BenchError::Runtime(_) => Failure::failed(what, ""),
    }
}
