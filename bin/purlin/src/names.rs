//! The other names of this binary: called through a link of that name, or as `purlin as NAME ...`.
//!
//! Each name keeps the flags its users know. What one node can answer truthfully is answered; for the rest the
//! command line is understood, and one sentence says that the function comes later.

#[cfg(feature = "dhcp")]
mod cluster;
#[cfg(feature = "dhcp")]
mod dhcpd;
mod metanode;
mod ovncp;
#[cfg(feature = "tftp")]
mod tftpd;

use crate::cli;
use crate::exit::{Failure, Outcome};
#[cfg(not(feature = "dhcp"))]
use crate::services::absent::dhcp as dhcpd;
#[cfg(not(feature = "tftp"))]
use crate::services::absent::tftp as tftpd;
use clap::Parser;
use std::ffi::OsString;
use std::path::Path;

/// A program this binary can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Name {
    #[value(name = "simple-dhcpd-datacenter")]
    Dhcpd,
    #[value(name = "simple-tftpd-datacenter")]
    Tftpd,
    #[value(name = "metanode-cli")]
    Metanode,
    #[value(name = "ovncp")]
    Ovncp,
    #[cfg(feature = "ovn")]
    #[value(name = "ovn-nbctl")]
    OvnNbctl,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin as simple-dhcpd-datacenter --cluster-status
  ln -s purlin simple-dhcpd-datacenter && ./simple-dhcpd-datacenter --help")]
pub(crate) struct AsArgs {
    /// The program to be.
    name: Name,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Which other name the program was started by, directly or by `purlin as NAME`, and the arguments for it.
/// Looked at before the command line is parsed: the arguments, `--help` among them, belong to that program.
pub(crate) fn called_as(arguments: &[OsString]) -> Option<(Name, &[OsString])> {
    let name_of = |text: &OsString| <Name as clap::ValueEnum>::from_str(text.to_str()?, false).ok();
    if let [_, verb, name, rest @ ..] = arguments
        && verb == "as"
    {
        return name_of(name).map(|name| (name, rest));
    }
    let file = Path::new(arguments.first()?).file_name()?.to_owned();
    name_of(&file).map(|name| (name, &arguments[1..]))
}

pub(crate) fn run_as(args: &AsArgs) -> Outcome {
    run(args.name, &args.arguments)
}

/// Runs as `name` with these arguments (without the program's own name).
pub(crate) fn run(name: Name, arguments: &[OsString]) -> Outcome {
    match name {
        Name::Dhcpd => parsed("simple-dhcpd-datacenter", arguments, dhcpd::daemon),
        Name::Tftpd => parsed("simple-tftpd-datacenter", arguments, tftpd::daemon),
        Name::Metanode => parsed("metanode-cli", arguments, metanode::run),
        Name::Ovncp => parsed("ovncp", arguments, ovncp::run),
        #[cfg(feature = "ovn")]
        Name::OvnNbctl => cli::nbctl::run_as("ovn-nbctl", arguments),
    }
}

fn parsed<P: Parser>(name: &str, arguments: &[OsString], run: impl FnOnce(P) -> Outcome) -> Outcome {
    let all = std::iter::once(OsString::from(name)).chain(arguments.iter().cloned());
    match P::try_parse_from(all) {
        Ok(command) => run(command),
        Err(error) => cli::parse_error(&error),
    }
}

/// The one sentence for functions that are not there yet.
fn later(function: &str, instead: &str) -> Outcome {
    Err(Failure::failed(
        format!("{function} is not in Purlin {} yet", env!("CARGO_PKG_VERSION")),
        instead,
    ))
}
