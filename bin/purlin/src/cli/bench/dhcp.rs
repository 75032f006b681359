//! `purlin bench dhcp`: clients behind relays on any DHCP server, every answer verified.

mod options;
mod progress;
mod report;

use super::stop_on_ctrl_c;
use crate::cli::Context;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::Painted;
use clap::Args;
pub(crate) use options::server_address;
use options::{Shape, Target};
use progress::line;
use purlin_dhcp_client::bench::{
    BenchError, BenchReport, Ledger, Operation, VerifyOptions, run as run_load, verify,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

pub(super) const EXAMPLES: &str = "Examples:
  purlin bench dhcp                                         against `purlin up` on this machine
  purlin bench dhcp --in-flight 512 --clients 60000 --operations 60000
  purlin bench dhcp --rate 5000 --duration 30s --mix dora=20,renew=80
  purlin bench dhcp 10.0.0.2:67 --relay 10.0.0.9@10.0.0.9:67 --duration 10s
  purlin bench dhcp --clients 60000 --operations 60000 --save-leases l.json    then kill the server, start it, and
  purlin bench dhcp --verify-leases l.json

Exit code 1 when a promise was broken or no operation came to its end.";

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    shape: Shape,
    /// Save the leases the clients believe in when the run ends.
    #[arg(long, value_name = "FILE", conflicts_with = "verify_leases")]
    save_leases: Option<PathBuf>,
    /// Instead of a load: strangers ask first, then every owner in this file asks for its own address again.
    #[arg(long, value_name = "FILE")]
    verify_leases: Option<PathBuf>,
    /// No progress bar.
    #[arg(long, short = 'q')]
    quiet: bool,
}

pub(super) fn bench(args: &BenchArgs, context: &Context) -> Outcome {
    let stop = stop_on_ctrl_c();
    let mut bar = Painted::new(args.quiet);
    let outcome = match &args.verify_leases {
        Some(file) => check_leases(file, args, context, &stop, &mut bar),
        None => load(args, context, &stop, &mut bar),
    };
    bar.keep();
    let report = outcome?;
    report::show(&report, context)?;
    let done: u64 = report.phases.iter().map(|phase| phase.done).sum();
    Ok(if report.verification.is_clean() && done > 0 {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

fn load(
    args: &BenchArgs,
    context: &Context,
    stop: &AtomicBool,
    bar: &mut Painted,
) -> Result<BenchReport, Failure> {
    let mut options = args.shape.options(args.target.server(context), &args.target)?;
    options.ledger.clone_from(&args.save_leases);
    run_load(&options, stop, &mut |progress| bar.show(|| line(progress))).map_err(|cause| failure(&cause))
}

fn check_leases(
    file: &Path,
    args: &BenchArgs,
    context: &Context,
    stop: &AtomicBool,
    bar: &mut Painted,
) -> Result<BenchReport, Failure> {
    let ledger = Ledger::load(file).map_err(|cause| {
        Failure::failed(
            format!("cannot read {}: {cause}", file.display()),
            "name a file written by --save-leases",
        )
    })?;
    let mut options = VerifyOptions::new(args.target.server(context));
    options.operation = Operation::Reboot;
    options.server_pid = args.target.server_pid;
    verify(&ledger, &options, stop, &mut |progress| {
        bar.show(|| line(progress));
    })
    .map_err(|cause| failure(&cause))
}

fn failure(cause: &BenchError) -> Failure {
    match cause {
        BenchError::Options(_) => Failure::usage(chain(cause), "purlin bench dhcp --help"),
        BenchError::Bind { .. } => Failure::failed(
            chain(cause),
            "name an address of this machine, --relay GIADDR@ADDRESS:PORT; ports below 1024 need privileges",
        ),
        BenchError::Ledger { .. } => Failure::failed(chain(cause), "choose a directory you may write to"),
        BenchError::Kernel(_) => {
            Failure::failed(chain(cause), "raise the limit of open files: ulimit -n 65536")
        }
    }
}
