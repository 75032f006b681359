//! The flags of `purlin up`.

use crate::exit::Failure;
use purlin_config::parse_duration;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Makes the configuration file anew from what it was made from, before it is read again; told the data directory.
pub(crate) type Renew = fn(&Path) -> Result<(), Failure>;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  purlin up                              loopback and unprivileged ports, a made-up network to try things with
  purlin up --config /etc/purlin.toml    as the file says; TOML, YAML or JSON
  PURLIN__DHCP__ACK=lead purlin up       every key of the configuration can be set by a variable

Signals:
  SIGTERM, SIGINT   stop taking work, finish what is under way within --grace, exit 0; once more: exit now
                    (one of each within a second is one wish, as Ctrl-C under a profiler sends both)
  SIGHUP            read the file again and apply it; a faulty file is reported and changes nothing

Without a file nothing is served on a real interface: DHCP answers on 127.0.0.1:6767 only.
Changes made through the API are kept as revisions. When the file has not changed since it was last applied, a
restart continues with the latest revision; when it has, the file is applied as a new one.

Exit codes: 0 stopped as asked, 1 a faulty configuration, a port in use or a failed disk.")]
pub(crate) struct Args {
    /// Configuration file.
    #[arg(
        long,
        short = 'c',
        value_name = "FILE",
        env = "PURLIN_CONFIG",
        hide_env = true
    )]
    pub(crate) config: Option<PathBuf>,
    /// How long work under way may take after SIGTERM [default: api.shutdown_grace].
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) grace: Option<Duration>,
    /// Begin with an empty shared store although this node has leases of its own, which are left behind for good.
    #[arg(long)]
    pub(crate) leave_leases: bool,
    /// Print nothing on standard output.
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Set where the file is a copy that this program made.
    #[arg(skip)]
    pub(crate) renew: Option<Renew>,
}
