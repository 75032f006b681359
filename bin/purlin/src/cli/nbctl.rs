//! `purlin nbctl`: the commands of `ovn-nbctl`, also under that name.
//!
//! A node on this machine takes the lines over a socket in its data directory: it has the database in memory already.

use super::{Context, DEFAULT_DATA_DIR};
use crate::exit::{Exit, Outcome};
use purlin_ovn_nbctl::shell::{self, Called, Environment};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
#[command(after_help = "Examples:
  purlin nbctl ls-add web -- lsp-add web web-1
  purlin nbctl --wait=hv sync
  ln -s purlin ovn-nbctl && ./ovn-nbctl show")]
pub(crate) struct Args {
    /// Options and commands, as ovn-nbctl takes them; --help lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// The socket of the node with this data directory.
pub(crate) fn socket(data_dir: &Path) -> PathBuf {
    data_dir.join("ovn-nbctl.ctl")
}

/// The arguments of `purlin nbctl ...`. Looked at before the command line is parsed: all of them, `--help` and `--`
/// among them, belong to the commands.
pub(crate) fn called(arguments: &[OsString]) -> Option<&[OsString]> {
    match arguments {
        [_, verb, rest @ ..] if verb == "nbctl" => Some(rest),
        _ => None,
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    answer("purlin nbctl", &args.arguments, context.data_dir())
}

/// Runs where no data directory is named but by the environment.
pub(crate) fn run_as(name: &str, arguments: &[OsString]) -> Outcome {
    let named = std::env::var_os("PURLIN_DATA_DIR").map(PathBuf::from);
    let data_dir = named.unwrap_or_else(|| DEFAULT_DATA_DIR.into());
    answer(name, arguments, &data_dir)
}

fn answer(name: &str, arguments: &[OsString], data_dir: &Path) -> Outcome {
    let text = |word: &OsString| word.to_string_lossy().into_owned();
    let words: Vec<String> = arguments.iter().map(text).collect();
    let code = shell::main(&Called {
        name,
        words: &words,
        environment: Environment::read(),
        node: Some(socket(data_dir)),
    });
    match code {
        0 => Ok(Exit::Ok),
        1 => Ok(Exit::Failed),
        // Scripts tell the end of --timeout by its own number.
        other => std::process::exit(other.into()),
    }
}
