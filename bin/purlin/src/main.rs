//! The one binary: `purlin`, and the names it answers to besides.
//!
//! This is the composition root, the only crate that knows which concrete parts make up a node. Everything it
//! does is a command; each command lives in its own file under `cli/` and ends in one of seven exit codes.

// What only one service uses of the common parts stays where it is in a binary without that service.
#![cfg_attr(
    not(all(feature = "dhcp", feature = "tftp", feature = "ovn")),
    allow(dead_code)
)]

/// Prints a line to standard output. When whoever read it has gone away (`| head`), the command ends quietly.
macro_rules! say {
    ($($line:tt)*) => {{
        use std::io::Write as _;
        if writeln!(std::io::stdout().lock(), $($line)*).is_err() {
            std::process::exit(crate::exit::Exit::Ok as i32);
        }
    }};
}

mod balancer;
mod cli;
mod client;
mod cluster;
mod doctor;
mod exit;
mod log;
mod names;
#[cfg(feature = "tftp")]
mod numbers;
mod output;
mod ports;
mod reasons;
mod services;
mod settings;
mod up;

use crate::exit::{Exit, Outcome};
use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;

#[global_allocator]
static HEAP: purlin_heap::Heap = purlin_heap::Heap;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let outcome = match names::called_as(&arguments) {
        Some((name, rest)) => names::run(name, rest),
        None => purlin(&arguments),
    };
    finish(outcome)
}

fn purlin(arguments: &[OsString]) -> Outcome {
    #[cfg(feature = "ovn")]
    if let Some(rest) = cli::nbctl::called(arguments) {
        return cli::nbctl::run_as("purlin nbctl", rest);
    }
    let cli = match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return cli::parse_error(&error),
    };
    cli.run()
}

fn finish(outcome: Outcome) -> ExitCode {
    let exit = outcome.unwrap_or_else(|failure| {
        if failure.exit != Exit::Ok {
            eprintln!("{failure}");
        }
        failure.exit
    });
    ExitCode::from(exit as u8)
}
