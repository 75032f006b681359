//! `simple-tftpd-datacenter`: the boot file service.

use super::later;
use crate::exit::Outcome;
use clap::{Parser, Subcommand};

/// Boot files over TFTP and HTTP. This service comes with a later version of Purlin.
#[derive(Debug, Parser)]
#[command(name = "simple-tftpd-datacenter", version)]
pub(super) struct Command {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the service's metrics, one a line.
    Metrics,
}

pub(super) fn run(command: &Command) -> Outcome {
    let function = match command.verb {
        Some(Verb::Metrics) => "the boot file service with its metrics",
        None => "the boot file service",
    };
    later(
        function,
        "serve DHCP with `purlin up` and keep your present TFTP server; next-server is an option of every subnet",
    )
}
