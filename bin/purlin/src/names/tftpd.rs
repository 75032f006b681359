//! `simple-tftpd-datacenter`: a node that serves boot files alone, run as users of such daemons expect.

mod background;
mod document;
mod look;

use crate::cli::{Context, Globals};
use crate::exit::Outcome;
use crate::up;
use clap::{Args, Parser, Subcommand};
use document::Served;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Boot files over TFTP and HTTP. Without a command it serves in the foreground until SIGINT or SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "simple-tftpd-datacenter", version)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  simple-tftpd-datacenter                                  on 127.0.0.1:6969, from ./purlin-data/boot
  simple-tftpd-datacenter -c /etc/tftpd.json               as the file says
  simple-tftpd-datacenter --listen 0.0.0.0:69 --root /srv/tftp
  simple-tftpd-datacenter start -c /etc/tftpd.json         the same in the background
  simple-tftpd-datacenter metrics | grep throughput

Signals: SIGINT and SIGTERM let open transfers finish and end with 0, SIGHUP reads the file again.
The file is TOML, YAML or JSON; the tables of the datacenter performance guide (performance, cache, limits, io, ...) may
stand at its top. `purlin config explain tftp` tells all keys.

Exit codes: 0 ok, 1 failed, 2 wrong command line, 3 not running, 6 does not answer.")]
pub(super) struct Command {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    serve: Serve,
    #[command(flatten)]
    globals: Globals,
}

/// What is served.
#[derive(Debug, Clone, Args)]
struct Serve {
    /// Configuration file.
    #[arg(long, short = 'c', value_name = "FILE")]
    config: Option<PathBuf>,
    /// UDP address for TFTP, where the file names none; may be repeated [default: 127.0.0.1:6969].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<SocketAddr>,
    /// The boot tree, where the file names none [default: boot in the data directory].
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Print nothing on standard output.
    #[arg(long, short = 'q')]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the metrics, one a line: throughput, latency, connections and all others.
    Metrics,
    /// Serve in the background.
    Start(Serve),
    /// Let open transfers finish and end.
    Stop,
    /// Show whether and how it runs.
    Status,
    /// Read the configuration again; open transfers go on.
    Reload,
    /// Check a configuration file and say every fault.
    #[command(alias = "check")]
    Test {
        /// Configuration file.
        #[arg(long, short = 'c', value_name = "FILE")]
        config: PathBuf,
    },
    /// Print the main numbers in words.
    Stats,
    /// List open transfers.
    Connections,
}

pub(super) fn daemon(command: Command) -> Outcome {
    let context = Context::new(command.globals);
    let Some(verb) = command.verb else {
        return serve(&command.serve, &context);
    };
    match verb {
        Verb::Metrics => context.block_on(look::metrics(&context)),
        Verb::Stats => context.block_on(look::stats(&context)),
        Verb::Connections => context.block_on(look::connections(&context)),
        Verb::Status => context.block_on(look::status(&context)),
        Verb::Start(wanted) => background::start(&wanted, &context),
        Verb::Stop => background::stop(&context),
        Verb::Reload => background::reload(&context),
        Verb::Test { config } => document::test(&config),
    }
}

/// Serves in the foreground, as `purlin up` does with nothing but boot files.
fn serve(wanted: &Serve, context: &Context) -> Outcome {
    let (config, renew) = match document::prepare(wanted, context.data_dir())? {
        Served::File(file) => (file, None),
        // A signal reads the user's file again, not the copy.
        Served::Copy(copy) => (copy, Some(document::renew as up::Renew)),
    };
    let args = up::Args {
        config: Some(config),
        grace: None,
        leave_leases: false,
        quiet: wanted.quiet,
        renew,
    };
    up::run(&args, context)
}
