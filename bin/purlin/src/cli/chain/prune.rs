//! `purlin chain prune`: lets go of what is older than a window, and gives the room back to the disk.

use super::Context;
use crate::exit::{Exit, Failure, Outcome, chain as words};
use crate::output::{self, Kind, Painted};
use crate::services::chain::home::Home;
use clap::Args;
use purlin_chain_evm::{Mode, StateSettings, Store, StoreError};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain prune --data-dir ./node1 --blocks 10000
  purlin chain prune --data-dir ./node1 --config purlin.toml

For a node that does not run. One that runs lets go of old blocks by itself and uses the room again; this makes the file
smaller. Nothing is pruned unless it is said how much stays: what has gone does not come back, and the chain's file does not
tell an archive from other nodes. Headers and the newest state stay. It may be stopped at any moment, and goes on from there when it is run again.")]
pub(crate) struct PruneArgs {
    /// Blocks whose state, bodies and receipts stay.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "config")]
    blocks: Option<u64>,
    /// Keep what this configuration of the node keeps.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

const ABOUT: Kind = Kind {
    plural: "chains",
    name: "path",
    columns: &[],
};

pub(super) fn run(args: &PruneArgs, context: &Context) -> Outcome {
    let home = Home::of(context.data_dir());
    home.settled()?;
    let settings = StateSettings {
        mode: Mode::Full {
            blocks: window(args)?,
        },
        ..StateSettings::default()
    };
    let mut line = Painted::new(false);
    let shrunk = Store::shrink(&home.state(), settings, &mut |done, total| {
        let share = if total == 0 {
            1.0
        } else {
            done as f64 / total as f64
        };
        line.show(|| format!("{} {done} of {total} blocks", output::bar(share)));
    });
    line.keep();
    let shrunk = shrunk.map_err(|cause| failed(home.path(), &cause))?;
    let about = json!({
        "path": home.path(),
        "blocks_pruned": shrunk.blocks,
        "oldest": shrunk.oldest,
        "octets_before": shrunk.before,
        "octets_after": shrunk.after,
    });
    output::one(&context.view(), ABOUT, &about)?;
    Ok(Exit::Ok)
}

/// How many blocks stay. Somebody has to say it: a number that is right for most would empty an archive.
fn window(args: &PruneArgs) -> Result<u64, Failure> {
    let file = match (args.blocks, &args.config) {
        (Some(blocks), _) => return Ok(blocks),
        (None, Some(file)) => file,
        (None, None) => {
            return Err(Failure::usage(
                "nobody said how much stays, and what is pruned does not come back: the chain may be an archive",
                "--config FILE keeps what the node's configuration keeps, --blocks N the last N blocks",
            ));
        }
    };
    match crate::up::configuration(file)?.services.chain.state.mode {
        Mode::Full { blocks } => Ok(blocks),
        Mode::Archive => Err(Failure::new(
            Exit::Conflict,
            format!("{} keeps an archive, of which nothing is pruned", file.display()),
            "set chain.pruning_mode = \"full\" there first, or say how much stays: --blocks N",
        )),
    }
}

fn failed(home: &Path, cause: &StoreError) -> Failure {
    let what = format!("the chain in {}: {}", home.display(), words(cause));
    match cause {
        StoreError::InUse { .. } => Failure::new(
            Exit::Conflict,
            what,
            "stop the node first; while it runs it prunes by itself, as chain.pruning_mode says",
        ),
        _ => Failure::failed(what, "see the disk; what was pruned before stays pruned"),
    }
}
