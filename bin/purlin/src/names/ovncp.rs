//! `ovncp`: the control platform for OVN.

use super::later;
use crate::exit::Outcome;
use clap::Parser;
use std::path::PathBuf;

/// Control platform for OVN. This service comes with a later version of Purlin.
#[derive(Debug, Parser)]
#[command(name = "ovncp", version)]
pub(super) struct Command {
    /// Configuration file (YAML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(super) fn run(command: Command) -> Outcome {
    let function = match command.config {
        Some(file) => format!("the control platform for OVN ({})", file.display()),
        None => "the control platform for OVN".to_owned(),
    };
    later(&function, "the CHANGELOG says when it arrives")
}
