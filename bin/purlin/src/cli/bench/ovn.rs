//! `purlin bench ovn`: writers, readers and followers on the OVN platform of a node.
//!
//! ```text
//!   fill      --ports, many in one request        create    one port in one request, --connections at once
//!   reads     by name, pages, filters, sorted     stream    --followers see each port that is made
//!   clean     whatever was made goes again, also after Ctrl-C
//! ```

mod cost;
mod load;
mod network;
mod parts;
mod report;
mod stream;

use super::stop_on_ctrl_c;
use crate::cli::Context;
use crate::client::{Client, Endpoint, NodeFile};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Painted;
use clap::{Args, ValueEnum};
use cost::Processes;
use network::Network;
use purlin_config::parse_duration;
use report::Report;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(super) const EXAMPLES: &str = "Examples:
  purlin bench ovn                                  against `purlin up` on this machine
  purlin bench ovn --ports 100000 --part fill,reads --duration 10s
  purlin bench ovn --part create --connections 64 --database-pid $(pidof ovsdb-server)
  purlin bench ovn --part stream --followers 50 -o json
  purlin bench ovn --clean                          take away what a run that was killed has left

Rows are made for the owner purlin-bench, on switches of 100 ports, and are taken away at the end.
Exit code 1 when a request failed, or a port that was acknowledged is not there.";

/// One stretch of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Fill,
    Create,
    Reads,
    Stream,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What is measured, in this order.
    #[arg(long = "part", value_enum, value_delimiter = ',', value_name = "PART,...")]
    #[arg(default_value = "fill,create,reads,stream")]
    parts: Vec<Part>,
    /// Ports that are there before anything but filling is measured.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    ports: u32,
    /// Ports of one request when filling.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=9000))]
    bulk: u32,
    /// Requests under way when filling.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    bulk_connections: u32,
    /// Ports being created at the same time.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    connections: u32,
    /// Readers at the same time.
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    readers: u32,
    /// WebSockets that follow the stream of changes.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    followers: u32,
    /// How long each part runs; each kind of read by itself.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = parse_duration)]
    duration: Duration,
    /// Show what this process uses, the node [default: that of the data directory].
    #[arg(long, value_name = "PID")]
    node_pid: Option<u32>,
    /// Show what this process uses, the northbound's server.
    #[arg(long, value_name = "PID")]
    database_pid: Option<u32>,
    /// Leave what was made.
    #[arg(long, conflicts_with = "clean")]
    keep: bool,
    /// Only take away what earlier runs have left.
    #[arg(long)]
    clean: bool,
    /// No progress line.
    #[arg(long, short = 'q')]
    quiet: bool,
}

/// One run.
struct Run<'a> {
    args: &'a BenchArgs,
    endpoint: Endpoint,
    processes: Processes,
    network: Arc<Network>,
    stop: Arc<AtomicBool>,
    line: Painted,
    report: Report,
}

pub(super) fn bench(args: &BenchArgs, context: &Context) -> Outcome {
    let endpoint = context.endpoint()?;
    let own = || NodeFile::read(context.data_dir()).filter(NodeFile::is_alive);
    let ours = |node: &NodeFile| {
        let urls = [&node.url, &node.https];
        urls.into_iter()
            .flatten()
            .any(|url| *url == endpoint.url.to_string())
    };
    let mut run = Run {
        args,
        processes: Processes {
            node: args.node_pid.or_else(|| own().filter(ours).map(|node| node.pid)),
            database: args.database_pid,
        },
        network: Arc::new(Network::new()?),
        stop: stop_on_ctrl_c(),
        line: Painted::new(args.quiet),
        report: Report::new(&endpoint.url.to_string()),
        endpoint,
    };
    context.block_on(async {
        let outcome = run.go().await;
        run.line.clear();
        outcome?;
        report::show(&run.report, context)?;
        Ok(match run.report.is_clean() {
            true => Exit::Ok,
            false => Exit::Failed,
        })
    })
}

impl Run<'_> {
    async fn go(&mut self) -> Result<(), Failure> {
        if self.args.clean {
            return self.clean("").await;
        }
        let measured = self.measured().await;
        if !self.args.keep {
            let own = self.network.name().to_owned();
            self.clean(&own).await?;
        }
        measured
    }

    async fn measured(&mut self) -> Result<(), Failure> {
        let before = network::ports(&mut self.client()).await?;
        if self.args.ports > 0 {
            // Also where it is not asked about: the other parts need it.
            self.fill().await?;
        }
        for part in &self.args.parts {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            match part {
                Part::Fill => {}
                Part::Create => self.create().await?,
                Part::Reads => self.reads().await?,
                Part::Stream => self.stream().await?,
            }
        }
        self.report.interrupted = self.stop.load(Ordering::Relaxed);
        let after = network::ports(&mut self.client()).await?;
        self.report.ports_found = after.saturating_sub(before);
        Ok(())
    }

    fn client(&self) -> Client {
        Client::new(self.endpoint.clone())
    }

    async fn clean(&mut self, name: &str) -> Result<(), Failure> {
        let mut client = self.client();
        let told = &mut |gone| self.line.show(|| format!("clean: {gone} switches taken away"));
        let gone = network::clean(&mut client, name, told).await?;
        self.report.switches_removed = gone;
        Ok(())
    }
}
