//! `metanode-cli`: chain infrastructure.

use super::later;
use crate::exit::Outcome;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Infrastructure of blockchain applications. This service comes with a later version of Purlin.
#[derive(Debug, Parser)]
#[command(
    name = "metanode-cli",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(super) struct Command {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Subcommand)]
enum Noun {
    /// Scale an application's components (infra scale, infra resources).
    #[command(subcommand)]
    Infra(Infra),
    /// Load an application with real transactions; `benchmark report` writes the last run as PDF.
    #[command(args_conflicts_with_subcommands = true)]
    Benchmark(Benchmark),
}

#[derive(Debug, Subcommand)]
enum Infra {
    /// Change how many replicas of a component run.
    Scale {
        #[arg(long, value_enum)]
        component: Component,
        #[arg(long, value_parser = clap::value_parser!(u32).range(0..=10_000))]
        replicas: u32,
        #[arg(long)]
        app: String,
    },
    /// Change the resources of a component.
    Resources {
        #[arg(long, value_enum)]
        component: Component,
        /// Cores, for instance 4 or 500m.
        #[arg(long)]
        cpu: Option<String>,
        /// Memory, for instance 8Gi.
        #[arg(long)]
        memory: Option<String>,
        /// Disk space, for instance 100Gi.
        #[arg(long)]
        storage: Option<String>,
        #[arg(long)]
        app: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Component {
    Blockchain,
    Validator,
    Agreement,
}

#[derive(Debug, Args)]
struct Benchmark {
    #[command(subcommand)]
    verb: Option<BenchmarkVerb>,
    /// How many transactions to send.
    #[arg(long, required = true)]
    transactions: Option<u64>,
    /// How many may be on their way at once.
    #[arg(long, required = true)]
    concurrent: Option<u32>,
    #[arg(long, required = true)]
    app: Option<String>,
}

#[derive(Debug, Subcommand)]
enum BenchmarkVerb {
    /// Write the report of the last run.
    Report {
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
    },
}

pub(super) fn run(command: Command) -> Outcome {
    let function = match command.noun {
        Noun::Infra(Infra::Scale {
            component,
            replicas,
            app,
        }) => {
            format!("scaling {} of {app} to {replicas}", word(component))
        }
        Noun::Infra(Infra::Resources {
            component,
            app,
            cpu,
            memory,
            storage,
        }) => {
            let wanted: Vec<String> = [cpu, memory, storage].into_iter().flatten().collect();
            format!(
                "giving {} of {app} other resources ({})",
                word(component),
                wanted.join(", ")
            )
        }
        Noun::Benchmark(Benchmark {
            verb: Some(BenchmarkVerb::Report { output }),
            ..
        }) => {
            format!("a benchmark report ({})", output.display())
        }
        Noun::Benchmark(Benchmark {
            transactions,
            concurrent,
            app,
            ..
        }) => format!(
            "a benchmark of {} transactions, {} at once, on {}",
            transactions.unwrap_or_default(),
            concurrent.unwrap_or_default(),
            app.unwrap_or_default()
        ),
    };
    later(
        &function,
        "the CHANGELOG says when the chain and its infrastructure arrive",
    )
}

fn word(component: Component) -> &'static str {
    match component {
        Component::Blockchain => "blockchain",
        Component::Validator => "validator",
        Component::Agreement => "agreement",
    }
}
