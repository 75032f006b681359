//! `purlin chain snapshot create`: from the chain's file, or from a node that runs.

use super::{ABOUT, Context, about, broken, progress};
use crate::client::{Ask, NodeFile};
use crate::exit::{Exit, Failure, Outcome, chain as words};
use crate::output::{self, Painted};
use crate::services::chain::home::Home;
use clap::Args;
use purlin_chain_evm::StateSettings;
use purlin_chain_evm::snapshot::{Manifest, read_manifest};
use purlin_chain_server::write_snapshot;
use serde_json::json;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain snapshot create monday.snapshot --data-dir ./node1
  purlin chain snapshot create monday.snapshot --server https://10.0.0.1:8081 --token-file ./token
  purlin chain snapshot create - --data-dir ./node1 | zstd > monday.snapshot.zst

A node that runs gives it over its API, to a token of role admin, and makes blocks meanwhile: that of --server, else that
of the data directory. Without one, the chain's file is read. The file gets its name when it is whole.")]
pub(crate) struct CreateArgs {
    /// File that must not exist yet; - for standard output.
    file: PathBuf,
}

pub(super) fn run(args: &CreateArgs, context: &Context) -> Outcome {
    let runs = NodeFile::read(context.data_dir()).is_some_and(|node| node.is_alive());
    if context.names_a_server() || runs {
        return context.block_on(from_node(&args.file, context));
    }
    let home = Home::of(context.data_dir());
    let chain = home.open(StateSettings::default())?;
    let write = |out: &mut dyn Write| {
        write_snapshot(&chain, Some(home.path()), out, &mut progress())
            .map_err(|cause| broken(&args.file, &cause))
    };
    if is_stdout(&args.file) {
        let mut out = BufWriter::new(io::stdout().lock());
        write(&mut out)?;
        out.flush()?;
        return Ok(Exit::Ok);
    }
    let mut fresh = Fresh::create(&args.file)?;
    let manifest = write(&mut fresh.out)?;
    fresh.keep()?;
    tell(&args.file, &manifest, context)
}

async fn from_node(file: &Path, context: &Context) -> Outcome {
    let ask = Ask::get("/api/v1/chain/snapshot").accept("application/octet-stream");
    let mut answer = context.client()?.stream(ask).await?;
    let (mut line, mut octets) = (Painted::new(false), 0_u64);
    if is_stdout(file) {
        let mut out = BufWriter::new(io::stdout().lock());
        while let Some(piece) = answer.chunk().await? {
            out.write_all(&piece)?;
        }
        out.flush()?;
        return Ok(Exit::Ok);
    }
    let mut fresh = Fresh::create(file)?;
    while let Some(piece) = answer.chunk().await? {
        fresh.out.write_all(&piece)?;
        octets += piece.len() as u64;
        line.show(|| format!("{octets} octets"));
    }
    line.keep();
    fresh.keep()?;
    let manifest =
        read_manifest(&mut BufReader::new(File::open(file)?)).map_err(|cause| broken(file, &cause))?;
    tell(file, &manifest, context)
}

fn is_stdout(file: &Path) -> bool {
    file.as_os_str() == "-"
}

fn tell(file: &Path, manifest: &Manifest, context: &Context) -> Outcome {
    let mut about = about(manifest);
    about["path"] = json!(file);
    about["octets"] = json!(fs::metadata(file)?.len());
    output::one(&context.view(), ABOUT, &about)?;
    Ok(Exit::Ok)
}

/// A file that gets its name when it is whole and on the disk; dropped before, it goes.
struct Fresh {
    name: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
}

impl Fresh {
    fn create(name: &Path) -> Result<Self, Failure> {
        if name.exists() {
            return Err(Failure::new(
                Exit::Conflict,
                format!("there is {} already", name.display()),
                "name another file; nothing is ever overwritten",
            ));
        }
        let mut part = OsString::from(name);
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part).map_err(|cause| {
            let what = format!("cannot write {}: {}", part.display(), words(&cause));
            Failure::failed(what, "check the path, the disk and its owner")
        })?;
        Ok(Self {
            name: name.to_owned(),
            part,
            out: BufWriter::with_capacity(1 << 20, file),
        })
    }

    fn keep(mut self) -> Result<(), Failure> {
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        fs::rename(&self.part, &self.name)?;
        let folder = self.name.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(())
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Under its own name it is not here any more.
        let _ = fs::remove_file(&self.part);
    }
}
