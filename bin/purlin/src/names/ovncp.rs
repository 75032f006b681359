//! `ovncp`: a node as the scaling guide for the OVN control platform runs it, by its YAML file and its variables.
//!
//! ```text
//!   config.yaml ─► ${NAME} ─► checked by the guide's keys ─┐
//!   NODE_ID, REDIS_URL, ... ───────────────────────────────┴─► Purlin's sections ─► a node without DHCP and TFTP
//! ```
//!
//! Its API is under `/api/v1/ovn`, and under the paths that the guide's program has.

mod document;
mod endpoint;
mod expand;
mod schema;
mod translate;

use crate::cli::{Context, Globals};
use crate::exit::{Exit, Failure, Outcome};
use crate::{log, up};
use clap::Parser;
use serde_json::{Value, json};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use translate::{Translated, translate};

/// The document that is served, and the file it was made from.
const SERVED: &str = "ovncp.json";
const SOURCE: &str = "ovncp-source.json";

/// Control platform for OVN: its rows under /api/v1/ovn, sessions, locks, caches and cluster.
#[derive(Debug, Parser)]
#[command(name = "ovncp", version)]
#[command(after_help = "\
Examples:
  NODE_ID=node-1 ovncp                                     alone, on port 8080, metrics on 9090
  NODE_ID=node-1 REDIS_URL=redis://redis:6379 DATABASE_URL=postgresql://user:pass@db/ovncp ovncp
  ovncp --config config.yaml                               ${NODE_ID} in it is replaced by the variable
  ovncp --config config.yaml --check                       say every fault, and what would be served

Variables of the guide go before the file; PURLIN__ variables go before both.

Exit codes: 0 stopped as asked, 1 a faulty configuration, a port in use or a failed disk.")]
pub(super) struct Command {
    /// Configuration file (YAML, TOML or JSON with the guide's keys).
    #[arg(long, short = 'c', value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only check the configuration and print what would be served, without secrets.
    #[arg(long)]
    check: bool,
    /// Print nothing on standard output.
    #[arg(long, short = 'q')]
    quiet: bool,
    #[command(flatten)]
    globals: Globals,
}

pub(super) fn run(command: Command) -> Outcome {
    let context = Context::new(command.globals);
    let mut made = make(command.config.as_deref())?;
    let mut told = false;
    // As long as it takes, like the database itself: containers are started in any order.
    while let Some(host) = made.unknown_host.filter(|_| !command.check) {
        if !told {
            log::warn(&format!(
                "{host} has no address yet, and NODE_IP does not say where other nodes reach this one: waiting"
            ));
            told = true;
        }
        std::thread::park_timeout(Duration::from_secs(1));
        made = make(command.config.as_deref())?;
    }
    if command.check {
        let mut shown = made.document;
        purlin_config::redact(&mut shown, &crate::settings::all_sections());
        say!("{}", crate::output::pretty(&shown));
        made.notes.iter().for_each(|note| eprintln!("{note}"));
        return Ok(Exit::Ok);
    }
    let data_dir = context.data_dir();
    up::prepare_data_dir(data_dir)?;
    write(&data_dir.join(SERVED), &made.document)?;
    let source = command.config.as_deref().map(std::path::absolute).transpose()?;
    write(&data_dir.join(SOURCE), &json!({ "config": source }))?;
    made.notes.iter().for_each(|note| log::info(note));
    let args = up::Args {
        config: Some(data_dir.join(SERVED)),
        grace: None,
        leave_leases: false,
        quiet: command.quiet,
        renew: Some(renew),
    };
    up::run(&args, &context)
}

fn make(config: Option<&Path>) -> Result<Translated, Failure> {
    let document = document::read(config, &|name| std::env::var(name).ok())?;
    translate(&document)
}

/// Makes the served document anew from the user's file, as a signal asks for.
fn renew(data_dir: &Path) -> Result<(), Failure> {
    let unread = |cause: &dyn std::fmt::Display| {
        Failure::failed(
            format!("{SOURCE} cannot be read: {cause}"),
            "stop and start again",
        )
    };
    let text = std::fs::read(data_dir.join(SOURCE)).map_err(|cause| unread(&cause))?;
    let source: Value = serde_json::from_slice(&text).map_err(|cause| unread(&cause))?;
    let made = make(source["config"].as_str().map(Path::new))?;
    write(&data_dir.join(SERVED), &made.document)
}

/// It holds passwords: only its owner reads it.
fn write(file: &Path, value: &Value) -> Result<(), Failure> {
    let failed = |cause: std::io::Error| {
        Failure::failed(
            format!("cannot write {}: {cause}", file.display()),
            "name a data directory you own with --data-dir",
        )
    };
    // Beside it first, so that a reader never sees half of it.
    let part = file.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    let opened = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part);
    let mut out = opened.map_err(failed)?;
    std::io::Write::write_all(&mut out, crate::output::pretty(value).as_bytes()).map_err(failed)?;
    std::fs::rename(&part, file).map_err(failed)
}

#[cfg(test)]
mod tests;
