//! The command line: noun, then verb. What each command does is in its own file.

mod backup;
mod bench;
#[cfg(feature = "tftp")]
mod boot;
mod cache;
#[cfg(feature = "chain")]
mod chain;
mod change;
pub(crate) mod cluster;
mod config;
mod context;
#[cfg(feature = "dhcp")]
mod dhcp;
mod events;
mod explain;
mod lb;
mod lock;
#[cfg(feature = "ovn")]
pub(crate) mod nbctl;
#[cfg(feature = "ovn")]
mod ovn;
pub(crate) mod paging;
mod scale;
#[cfg(feature = "tftp")]
mod server;
mod session;
mod shell;
mod status;
mod tenant;
#[cfg(feature = "tftp")]
mod tftp;
mod token;
mod user;
mod why;

pub(crate) use backup::summary_json as backup_json;
pub(crate) use context::{Context, DEFAULT_DATA_DIR, Globals, ListArgs};

use crate::exit::{Exit, Outcome};
#[cfg(not(feature = "chain"))]
use crate::services::absent::chain;
#[cfg(not(feature = "dhcp"))]
use crate::services::absent::dhcp;
#[cfg(not(feature = "ovn"))]
use crate::services::absent::ovn;
#[cfg(not(feature = "tftp"))]
use crate::services::absent::{boot, tftp};
use crate::{doctor, names, up};
use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

const AFTER_HELP: &str = "\
Examples:
  purlin up                          run a node on loopback, with a made-up network
  purlin up --config purlin.toml     run a node as the file says
  purlin dhcp lease list             all leases
  purlin ovn ls switch               all logical switches
  purlin why 02:00:00:00:00:01       why a client got what it got
  purlin explain PUR-1101            what a code means

Exit codes:
  0 ok   1 failed   2 wrong command line   3 not found   4 conflict   5 denied   6 no node answers";

/// A datacenter's network services as one horizontally scaled system.
#[derive(Debug, Parser)]
#[command(name = "purlin", version, after_help = AFTER_HELP, max_term_width = 110)]
#[command(
    propagate_version = false,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node, in the foreground.
    Up(up::Args),
    /// Show a node's state: what it serves, where it listens, how full it is.
    Status(status::Args),
    /// Check the machine and the node; each finding comes with its fix.
    Doctor(doctor::Args),
    /// Tell why a client got what it got: its decisions, oldest first, silence included.
    Why(why::Args),
    /// Show what happens, as it happens.
    Events(events::Args),
    /// Explain a code (PUR-1101) or a configuration key (dhcp.subnets.pools).
    Explain(explain::Args),
    /// Configuration: check a file, plan and apply changes, look back, roll back.
    #[command(subcommand)]
    Config(config::Command),
    /// DHCP: subnets, pools, reservations, classes, leases, and a client to try it with.
    #[command(subcommand, hide = cfg!(not(feature = "dhcp")))]
    Dhcp(dhcp::Command),
    /// TFTP: a client for any server, open transfers, boot records, cached files.
    #[command(subcommand, hide = cfg!(not(feature = "tftp")))]
    Tftp(tftp::Command),
    /// OVN: rows of any table, exact differences, changes as they happen, checks.
    #[command(subcommand, hide = cfg!(not(feature = "ovn")))]
    Ovn(ovn::Command),
    /// Chain: make one, read blocks in and out, see how the node's chain stands.
    #[command(subcommand, hide = cfg!(not(feature = "chain")))]
    Chain(chain::Command),
    /// Boot: which machine boots which file, and what a name means for a client.
    #[command(subcommand, hide = cfg!(not(feature = "tftp")))]
    Boot(boot::Command),
    /// Measure a server, any server.
    #[command(subcommand)]
    Bench(bench::Command),
    /// The cluster: its nodes, draining and removing one.
    #[command(subcommand)]
    Cluster(cluster::Command),
    /// The number of nodes: load, recommendation, what was done.
    #[command(subcommand)]
    Scale(scale::Command),
    /// The balancer: run one, show its fronts and backends, drain one.
    Lb(Box<lb::Args>),
    /// Locks that hold across all nodes, and commands under a lock.
    #[command(subcommand)]
    Lock(lock::Command),
    /// Sessions of clients that follow events, and the nodes that hold them.
    #[command(subcommand)]
    Session(session::Command),
    /// Caches: what they do, and making every node forget.
    #[command(subcommand)]
    Cache(cache::Command),
    /// Make this machine a node of a cluster, with a token from a member.
    Join(cluster::join::Args),
    /// Tokens for the API.
    #[command(subcommand)]
    Token(token::Command),
    /// People who log in with a name and a password.
    #[command(subcommand)]
    User(user::Command),
    /// Tenants: who shares the networks, with quotas, members and keys for programs.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Take, verify and restore backups.
    #[command(subcommand)]
    Backup(backup::Command),
    /// Print the version and what this binary was built from.
    #[command(after_help = "Examples:
  purlin version
  purlin version -o json")]
    Version,
    /// Print a completion script for a shell.
    Completions(shell::CompletionArgs),
    /// Print the manual page, or write one page per command.
    Man(shell::ManArgs),
    /// The commands of ovn-nbctl, through the node where there is one.
    #[cfg(feature = "ovn")]
    Nbctl(nbctl::Args),
    /// Answer as another program: simple-dhcpd-datacenter, simple-tftpd-datacenter, metanode-cli, ovncp, ovn-nbctl.
    As(names::AsArgs),
}

impl Cli {
    /// Runs the command to its end.
    pub(crate) fn run(self) -> Outcome {
        let context = Context::new(self.globals);
        match self.command {
            Command::Up(args) => up::run(&args, &context),
            Command::Version => status::version(&context),
            Command::Explain(args) => explain::run(&args, &context),
            Command::Completions(args) => shell::completions(&args),
            Command::Man(args) => shell::man(&args),
            Command::As(args) => names::run_as(&args),
            Command::Status(args) => context.block_on(status::run(&args, &context)),
            Command::Doctor(args) => context.block_on(doctor::run(&args, &context)),
            Command::Why(args) => context.block_on(why::run(&args, &context)),
            Command::Events(args) => context.block_on(events::run(&args, &context)),
            Command::Config(command) => context.block_on(config::run(&command, &context)),
            Command::Dhcp(command) => dhcp::run(command, &context),
            Command::Tftp(command) => tftp::run(&command, &context),
            Command::Ovn(command) => ovn::run(&command, &context),
            #[cfg(feature = "ovn")]
            Command::Nbctl(args) => nbctl::run(&args, &context),
            Command::Chain(command) => chain::run(&command, &context),
            Command::Boot(command) => boot::run(&command, &context),
            Command::Bench(command) => bench::run(&command, &context),
            Command::Cluster(command) => context.block_on(cluster::run(&command, &context)),
            Command::Scale(command) => context.block_on(scale::run(&command, &context)),
            Command::Lb(args) => lb::run(&args, &context),
            Command::Lock(command) => context.block_on(lock::run(&command, &context)),
            Command::Session(command) => context.block_on(session::run(&command, &context)),
            Command::Cache(command) => context.block_on(cache::run(&command, &context)),
            Command::Join(args) => context.block_on(cluster::join::run(&args, &context)),
            Command::Token(command) => context.block_on(token::run(&command, &context)),
            Command::User(command) => context.block_on(user::run(&command, &context)),
            Command::Tenant(command) => context.block_on(tenant::run(&command, &context)),
            Command::Backup(command) => context.block_on(backup::run(&command, &context)),
        }
    }
}

/// Prints what clap has to say: help and version on stdout with 0, everything else on stderr with 2.
pub(crate) fn parse_error(error: &clap::Error) -> Outcome {
    error.print()?;
    Ok(match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Ok,
        _ => Exit::Usage,
    })
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use crate::services::absent;
    use clap::{Command, CommandFactory, Parser};

    /// What a command that does something lacks in its help, and so for those below it.
    fn lacks(command: &Command, path: &str, faults: &mut Vec<String>) {
        let below: Vec<_> = command.get_subcommands().collect();
        for sub in &below {
            lacks(sub, &format!("{path} {}", sub.get_name()), faults);
        }
        if !below.is_empty() || only_refuses(command) {
            return;
        }
        let after = command.get_after_long_help().or(command.get_after_help());
        if !after.is_some_and(|text| text.to_string().contains("Example")) {
            faults.push(format!("{path} has no example"));
        }
        let bare = command
            .get_positionals()
            .filter(|argument| argument.get_help().is_none());
        faults.extend(bare.map(|argument| format!("{path} does not say what {} is", argument.get_id())));
    }

    /// Whether it stands for a service that this binary was built without.
    fn only_refuses(command: &Command) -> bool {
        let told = command.get_before_help().map(ToString::to_string);
        let of_words = told.is_some_and(|text| text.contains("built without this service"));
        !absent::ALL.is_empty() && (of_words || command.is_disable_help_flag_set())
    }

    #[test]
    fn every_command_has_an_example_and_says_what_it_takes() {
        let mut faults = Vec::new();
        lacks(&Cli::command(), "purlin", &mut faults);
        assert!(faults.is_empty(), "{faults:#?}");
    }

    /// The flag `--server` names the API, the argument of these two the DHCP server to talk to.
    #[test]
    fn a_dhcp_server_and_the_api_are_named_in_one_line() {
        for command in [&["dhcp", "probe"][..], &["bench", "dhcp"]] {
            let rest = ["10.0.0.1:67", "--server", "http://10.0.0.1:8080"];
            let words = ["purlin"].iter().chain(command).chain(&rest);
            assert!(Cli::try_parse_from(words).is_ok(), "{command:?}");
        }
    }
}
