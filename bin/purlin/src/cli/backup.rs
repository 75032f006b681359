//! `purlin backup`: taken from a running node, verified and restored without one.

use super::Context;
use crate::client::Ask;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{self, Form, Painted};
use clap::Subcommand;
use purlin_config::parse_duration;
use purlin_store_embedded::{BackupError, Summary, restore, verify};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take a backup of a running node, on the node's own disk, while everything runs on.
    #[command(after_help = "Examples:
  purlin backup create                              the node chooses the place and prints it
  purlin backup create /var/backups/monday.purlin

A backup holds leases, revisions and token hashes. It holds no keys: a restored node makes its own authority.")]
    Create {
        /// File on the node that must not exist yet, or a directory there.
        to: Option<PathBuf>,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Read a whole backup and check every byte of it; needs no node.
    #[command(after_help = "Examples:
  purlin backup verify /var/backups/monday.purlin")]
    Verify {
        /// What `backup create` has written.
        file: PathBuf,
    },
    /// Make a data directory from a backup; needs no node.
    #[command(after_help = "Examples:
  purlin backup restore /var/backups/monday.purlin --data-dir ./restored
  purlin up --config purlin.toml --data-dir ./restored
  purlin backup restore monday.purlin --data-dir ./restored --hold 2d

The data directory must be empty or absent: a restore never overwrites leases.

Leases granted after the backup are not in it. So the restored node gives no address to a new client for
one longest lease from its first start; clients that renew keep theirs.")]
    Restore {
        /// What `backup create` has written.
        file: PathBuf,
        /// How long to hold addresses back instead: longer if lease times were raised after the backup, 0s if no
        /// lease was granted after it [default: the longest lease of its configuration and the one started with].
        #[arg(long, value_name = "TIME", value_parser = parse_duration)]
        hold: Option<Duration>,
    },
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Create { to, dry_run } => create(to.as_deref(), *dry_run, context).await,
        Command::Verify { file } => {
            let summary = verify(file, &mut progress()).map_err(|cause| failure(&cause))?;
            show(&summary, file, "is whole", context)
        }
        Command::Restore { file, hold } => {
            let dir = context.named_data_dir().ok_or_else(|| {
                Failure::usage(
                    "restore needs a data directory",
                    "name an empty or absent one: --data-dir DIR",
                )
            })?;
            // Private from the first byte on: it will hold keys and tokens.
            crate::up::prepare_data_dir(dir)?;
            let summary = restore(file, dir, *hold, &mut progress()).map_err(|cause| failure(&cause))?;
            show(
                &summary,
                file,
                &format!("is restored in {}", dir.display()),
                context,
            )
        }
    }
}

async fn create(to: Option<&Path>, dry_run: bool, context: &Context) -> Outcome {
    // The node has its own working directory; a relative path would mean another place there.
    let to = to.map(std::path::absolute).transpose()?;
    let path = if dry_run {
        "/api/v1/backup?dryRun=true"
    } else {
        "/api/v1/backup"
    };
    let made = context
        .client()?
        .value(Ask::post(path).json(&json!({"to": to})))
        .await?;
    match (context.form(), made.get("path").and_then(Value::as_str)) {
        (Form::Table, Some(place)) if dry_run => say!("would write {place}"),
        (Form::Table, Some(place)) => say!("{place}"),
        (form, _) => output::document(form, &made)?,
    }
    Ok(Exit::Ok)
}

/// A summary as the API and the command line tell it.
pub(crate) fn summary_json(summary: &Summary) -> Value {
    let journals: Vec<Value> = summary
        .journals
        .iter()
        .map(|(name, frames)| json!({"name": name, "frames": frames}))
        .collect();
    json!({"journals": journals, "rows": summary.rows, "bytes": summary.bytes, "taken": summary.taken})
}

fn show(summary: &Summary, file: &Path, done: &str, context: &Context) -> Outcome {
    if context.form() != Form::Table {
        output::document(context.form(), &summary_json(summary))?;
        return Ok(Exit::Ok);
    }
    let frames: u64 = summary.journals.iter().map(|(_, frames)| frames).sum();
    say!(
        "{} {done}: {} journals with {frames} frames, {} rows, {} bytes",
        file.display(),
        summary.journals.len(),
        summary.rows,
        summary.bytes
    );
    Ok(Exit::Ok)
}

/// What shows how much of the rows has been seen.
fn progress() -> impl FnMut(u64, u64) {
    let mut line = Painted::new(false);
    move |done, total| {
        if let Some(percent) = (done * 100).checked_div(total) {
            line.show(|| format!("{percent:>3}%"));
        }
        if done >= total {
            line.keep();
        }
    }
}

fn failure(cause: &BackupError) -> Failure {
    let (exit, fix) = match cause {
        BackupError::NotEmpty { .. } => (
            Exit::Conflict,
            "name another --data-dir; nothing is ever overwritten",
        ),
        BackupError::Damaged { .. } => (Exit::Failed, "use another backup; this one cannot be trusted"),
        _ => (Exit::Failed, "check the path, the disk and its owner"),
    };
    Failure::new(exit, chain(cause), fix)
}
