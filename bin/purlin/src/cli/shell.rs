//! Completions and manual pages, generated from the command tree itself.

use super::Cli;
use crate::exit::{Exit, Failure, Outcome};
use clap::{Args, CommandFactory};
use clap_complete::Shell;
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin completions bash > /etc/bash_completion.d/purlin
  purlin completions zsh > \"${fpath[1]}/_purlin\"")]
pub(crate) struct CompletionArgs {
    /// Whose script.
    shell: Shell,
}

pub(super) fn completions(args: &CompletionArgs) -> Outcome {
    // Into memory first: the generator panics when a pipe closes.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "purlin", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Ok)
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin man | man -l -
  purlin man --dir /usr/local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Write purlin.1, purlin-up.1, ... into this directory instead.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub(super) fn man(args: &ManArgs) -> Outcome {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        std::io::stdout().write_all(&page)?;
        return Ok(Exit::Ok);
    };
    std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), dir))
        .map_err(|cause| {
            Failure::failed(
                format!("cannot write manual pages to {}: {cause}", dir.display()),
                "name a directory you own",
            )
        })?;
    say!("{}", dir.display());
    Ok(Exit::Ok)
}
