//! `purlin bench tftp`: boot clients on any TFTP server, every octet verified.

mod compare;
mod options;
mod progress;
mod report;

use super::stop_on_ctrl_c;
use crate::cli::Context;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{Painted, pretty};
use clap::Args;
use compare::Change;
use options::{Files, Harm, Shape, Target};
use progress::line;
use purlin_tftp_client::bench::{BenchError, BenchOptions, BenchReport, make_files, run as run_load};
use serde_json::{Value, to_value};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    harm: Harm,
    /// Write the files into this directory, a server's tree, and end; then nothing is loaded.
    #[arg(long, value_name = "DIR")]
    make_files: Option<PathBuf>,
    /// Keep the report in this file, as a baseline.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Compare with a report that --save kept, and show what changed.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// With --compare: exit code 1 when a figure got worse by more than this.
    #[arg(long, value_name = "PERCENT", requires = "compare")]
    tolerance: Option<f64>,
    /// No progress line.
    #[arg(long, short = 'q')]
    quiet: bool,
}

pub(super) const EXAMPLES: &str = "Examples:
  purlin bench tftp --make-files /srv/tftp                    the usual files, 1 KiB to 32 MiB
  purlin bench tftp 10.0.0.1 --clients 1000 --boots 10000 --file purlin-bench-1m.bin=1Mi
  purlin bench tftp 127.0.0.1:6969 --profile edk2=3,ipxe=1,pxelinux=1 --rate 500 --ramp 5s --duration 30s
  purlin bench tftp 127.0.0.1:6969 --profile 1468x1 --shared 4 --clients 10000 --boots 10000
  purlin bench tftp 10.0.0.1 --loss 1% --duplicate 1%
  purlin bench tftp 10.0.0.1 --profile put:1468x16 --file up.bin=1Mi
  purlin bench tftp 10.0.0.1 --save base.json       then change something, and
  purlin bench tftp 10.0.0.1 --compare base.json --tolerance 10

Profiles: edk2, ipxe, pxelinux, grub, u-boot, wds4, wds8, curl, plain, miss, BLKSIZExWINDOW and put:BLKSIZExWINDOW.
put writes each upload under a name of its own, made from NAME: up/a.bin=1Mi becomes up/a-<run>-<n>.bin, which
tftp.uploads.allow = [\"up/*\"] would let in. pxelinux reads a configuration that is served, and then asks for the file.
Exit code 1 when an octet was wrong, or no boot came to its end.";

pub(super) fn bench(args: &BenchArgs, context: &Context) -> Outcome {
    let files = args.files.specs()?;
    if let Some(dir) = &args.make_files {
        make_files(dir, &files).map_err(|cause| {
            let what = format!("cannot write files into {}: {cause}", dir.display());
            Failure::failed(what, "name a directory that exists and that you may write to")
        })?;
        for file in &files {
            say!("{}  {} octets", dir.join(file.name()).display(), file.size());
        }
        return Ok(Exit::Ok);
    }
    // Before the load, so that a wrong name costs no minutes.
    let before = args.compare.as_deref().map(load_baseline).transpose()?;
    let options = args
        .shape
        .options(args.target.server(context)?, files, &args.target, &args.harm)?;
    let report = load(&options, args.quiet)?;
    let value = to_value(&report).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
    if let Some(file) = &args.save {
        std::fs::write(file, pretty(&value)).map_err(|cause| {
            let what = format!("cannot write {}: {cause}", file.display());
            Failure::failed(what, "name a file you may write")
        })?;
    }
    let changes = before.map(|before| compare::changes(&before, &value));
    report::show(&report, changes.as_deref(), context)?;
    Ok(judged(&report, changes.as_deref(), args.tolerance))
}

fn load(options: &BenchOptions, quiet: bool) -> Result<BenchReport, Failure> {
    let stop = stop_on_ctrl_c();
    let mut bar = Painted::new(quiet);
    let report = run_load(options, &stop, &mut |progress| bar.show(|| line(progress)));
    bar.keep();
    report.map_err(|cause| failure(&cause))
}

fn judged(report: &BenchReport, changes: Option<&[Change]>, tolerance: Option<f64>) -> Exit {
    let done: u64 = report.phases.iter().map(|phase| phase.boots_done).sum();
    let worse = |change: &Change| tolerance.is_some_and(|most| change.worse_by() > most);
    if report.is_clean() && done > 0 && !changes.unwrap_or_default().iter().any(worse) {
        Exit::Ok
    } else {
        Exit::Failed
    }
}

fn load_baseline(file: &Path) -> Result<Value, Failure> {
    let wrong = |cause: String| {
        let what = format!("cannot read {}: {cause}", file.display());
        Failure::failed(what, "name a file written by --save")
    };
    let text = std::fs::read(file).map_err(|cause| wrong(cause.to_string()))?;
    serde_json::from_slice(&text).map_err(|cause| wrong(cause.to_string()))
}

fn failure(cause: &BenchError) -> Failure {
    match cause {
        BenchError::Options(_) => Failure::usage(chain(cause), "purlin bench tftp --help"),
        BenchError::Ports(_) => Failure::failed(
            chain(cause),
            "name addresses of this machine with --source, or use --shared on loopback",
        ),
        BenchError::Descriptors { .. } => {
            Failure::failed(chain(cause), "ulimit -n 65536, or --shared 4 on loopback")
        }
    }
}
