//! `purlin backup`: taken from a running node, verified and restored without one.

use super::Context;
use crate::client::Ask;
use crate::exit::{Exit, Failure, Outcome};
use clap::Subcommand;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take a backup of a running node into a file.
    #[command(after_help = "Examples:
  purlin backup create purlin-2025-01-31.backup")]
    Create { file: PathBuf },
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Create { file } => create(file, context).await,
    }
}

async fn create(file: &Path, context: &Context) -> Outcome {
    if file.exists() {
        let what = format!("{} exists already", file.display());
        return Err(Failure::new(
            Exit::Conflict,
            what,
            "choose another name; a backup is never overwritten",
        ));
    }
    let mut body = context
        .client()?
        .stream(Ask::post("/api/v1/backup").accept("application/octet-stream"))
        .await?;
    // Under another name until it is whole, so that a broken download never looks like a backup.
    let partial = file.with_extension("partial");
    let size = write_all(&mut body, &partial).await.inspect_err(|_| {
        let _ = std::fs::remove_file(&partial);
    })?;
    std::fs::rename(&partial, file).map_err(|cause| cannot_write(file, &cause))?;
    println!("{} ({size} bytes)", file.display());
    Ok(Exit::Ok)
}

async fn write_all(body: &mut crate::client::Lines, path: &Path) -> Result<u64, Failure> {
    let mut out = std::fs::File::create(path).map_err(|cause| cannot_write(path, &cause))?;
    let mut size = 0;
    while let Some(piece) = body.chunk().await? {
        out.write_all(&piece)
            .map_err(|cause| cannot_write(path, &cause))?;
        size += piece.len() as u64;
    }
    out.sync_all().map_err(|cause| cannot_write(path, &cause))?;
    Ok(size)
}

fn cannot_write(path: &Path, cause: &std::io::Error) -> Failure {
    Failure::failed(
        format!("cannot write {}: {cause}", path.display()),
        "choose a directory with space that you own",
    )
}
