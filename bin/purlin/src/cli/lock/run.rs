//! `purlin lock run`: a command under a lock.

use super::{Wanted, acquire, release, renew};
use crate::client::Client;
use crate::exit::{Exit, Failure, Outcome};
use purlin_config::parse_duration;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::time::Duration;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    wanted: Wanted,
    /// The command and its arguments, after `--`.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) async fn run(client: &mut Client, args: &Args) -> Outcome {
    let ttl = parse_duration(&args.wanted.ttl)
        .map_err(|why| Failure::usage(why, "for example --ttl 30s, 1m30s or 500ms"))?;
    let lease = acquire(client, &args.wanted).await?;
    let name = args.wanted.name.as_str();
    let token = lease["token"].as_str().unwrap_or_default();
    let outcome = under(client, args, &lease, ttl).await;
    // One that was lost is somebody else's by now.
    let released = release(client, name, token).await;
    let status = outcome?;
    if let Err(failure) = released {
        eprintln!("{name} was not given back, and lapses: {failure}");
    }
    match status.code() {
        Some(0) => Ok(Exit::Ok),
        // A shell's own way of telling a signal.
        code => std::process::exit(code.unwrap_or_else(|| 128 + status.signal().unwrap_or(0))),
    }
}

/// Runs the command to its end and renews the lock meanwhile.
async fn under(
    client: &mut Client,
    args: &Args,
    lease: &Value,
    ttl: Duration,
) -> Result<ExitStatus, Failure> {
    let (name, token) = (
        args.wanted.name.as_str(),
        lease["token"].as_str().unwrap_or_default(),
    );
    let mut command = Command::new(&args.command[0]);
    command
        .args(&args.command[1..])
        .env("PURLIN_LOCK_NAME", name)
        .env("PURLIN_LOCK_TOKEN", token)
        .env("PURLIN_LOCK_FENCE", lease["fence"].as_str().unwrap_or_default());
    let mut child = command.spawn().map_err(|cause| {
        let what = format!("{} cannot be started: {cause}", args.command[0]);
        Failure::failed(what, "check the command after --")
    })?;
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut ended = tokio::task::spawn_blocking(move || child.wait());
    let mut due = tokio::time::interval(ttl / 3);
    due.tick().await;
    loop {
        tokio::select! {
            status = &mut ended => {
                return Ok(status.map_err(|_| Failure::failed("waiting for the command panicked", ""))??);
            }
            _ = due.tick() => {}
        }
        match renew(client, name, token).await {
            Ok(_) => {}
            // Two more renewals fit into the ttl.
            Err(failure) if failure.exit == Exit::Unreachable => eprintln!("{failure}; trying again"),
            Err(failure) => {
                if let Some(process) = process {
                    // It may have ended by itself at this very moment.
                    let _ = kill_process(process, Signal::TERM);
                }
                let _ = ended.await;
                let what = format!("the command was ended: {}", failure.what);
                return Err(Failure::new(Exit::Conflict, what, failure.fix));
            }
        }
    }
}
