//! `purlin cluster`: the nodes, and how they come and go.

mod grow;
pub(crate) mod join;
pub(crate) mod leave;
mod plan;
pub(crate) mod token;

use super::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, encode};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Column, Kind, Show};
use clap::Subcommand;
use serde_json::Value;
use std::time::Duration;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how the asked node stands in its cluster.
    #[command(after_help = "Examples:
  purlin cluster status
  purlin cluster status -o json")]
    Status,
    /// List the nodes as the asked one sees them.
    #[command(
        visible_alias = "nodes",
        after_help = "Examples:
  purlin cluster list --watch
  purlin cluster list -o json"
    )]
    List(ListArgs),
    /// Tokens by which machines become nodes.
    #[command(subcommand)]
    Token(token::Command),
    /// Make a node that is alone the first of several, with its leases, while it serves.
    Grow(grow::Args),
    /// Make this machine a node, with a token from a member; the same as `purlin join`.
    Join(join::Args),
    /// Show who holds which share of the addresses, and what would move if a node came or went.
    Plan(plan::Args),
    /// Let a node give its slots away in order; it stays a member.
    #[command(after_help = "Examples:
  purlin cluster drain node-3 --dry-run     what would move, slot by slot counted
  purlin cluster drain node-3               drain it, and show how far that is
  purlin cluster drain node-3 --no-wait     only begin")]
    Drain {
        /// Its id, as listed.
        node: String,
        /// Only show what would move.
        #[arg(long)]
        dry_run: bool,
        /// Do not wait until it holds nothing.
        #[arg(long, conflicts_with = "dry_run")]
        no_wait: bool,
        /// Also when fewer nodes would be left than the configuration asks for.
        #[arg(long)]
        force: bool,
        /// How long it may take, in seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 600)]
        timeout: u64,
    },
    /// Let a node take part again after a drain, whichever node is asked.
    #[command(after_help = "Examples:
  purlin cluster resume node-3")]
    Resume {
        /// Its id, as listed.
        node: String,
    },
    /// Take a node out: it is drained first, and no lease is lost.
    #[command(after_help = "Examples:
  purlin cluster remove node-4 --dry-run    what would move
  purlin cluster remove node-4              drain it, then end its membership
  purlin cluster remove node-4 --force      it is dead: fence it; others take over once its lease has lapsed")]
    Remove {
        /// Its id, as listed.
        node: String,
        /// Do not wait for the node: it can write no more from now on.
        #[arg(long)]
        force: bool,
        /// Only show what would move.
        #[arg(long)]
        dry_run: bool,
        /// How long draining may take, in seconds.
        #[arg(long, value_name = "SECONDS", default_value_t = 600)]
        timeout: u64,
    },
}

pub(crate) const NODES: Kind = Kind {
    plural: "nodes",
    name: "id",
    columns: &[
        Column::new("NODE", "id", Show::Text),
        Column::new("STATUS", "status", Show::Text),
        Column::new("LEADER", "leader", Show::Text),
        Column::new("SLOTS", "slots", Show::Number),
        Column::new("ADDRESS", "address", Show::Text),
        Column::wide("PORT", "port", Show::Number),
        Column::wide("HOSTNAME", "hostname", Show::Text),
        Column::wide("ZONE", "zone", Show::Text),
        Column::wide("WEIGHT", "weight", Show::Number),
        Column::wide("VERSION", "version", Show::Text),
        Column::wide("LEASES", "leases", Show::Number),
        Column::wide("SESSIONS", "sessions", Show::Number),
        Column::wide("INCARNATION", "incarnation", Show::Text),
    ],
};

const STATUS: Kind = Kind {
    plural: "nodes",
    name: "node",
    columns: &[
        Column::new("NODE", "node", Show::Text),
        Column::new("READY", "ready", Show::Text),
        Column::new("SLOTS", "slots", Show::Number),
        Column::new("NODES", "nodes", Show::Number),
        Column::new("LEADER", "leader", Show::Text),
        Column::new("STORE", "store", Show::Text),
        Column::new("REASON", "reason", Show::Text),
        Column::wide("COORDINATION", "coordination", Show::Text),
        Column::wide("TROUBLE", "trouble", Show::Text),
    ],
};

const PATH: &str = "/api/v1/cluster/nodes";

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::Grow(args) => grow::run(args, context).await,
        Command::Join(args) => join::run(args, context).await,
        Command::Token(command) => token::run(command, context).await,
        Command::Status => {
            let status = client.value(Ask::get("/api/v1/cluster")).await?;
            output::one(&context.view(), STATUS, &status)?;
            let ready = status.get("ready").and_then(Value::as_bool) == Some(true);
            Ok(if ready { Exit::Ok } else { Exit::Failed })
        }
        Command::List(args) => {
            let view = context.list_view(args);
            watched(args, async || {
                paging::list(&mut client, PATH, &[], usize::MAX, view.clone(), NODES).await
            })
            .await
        }
        Command::Plan(args) => plan::run(args, context).await,
        Command::Drain {
            node,
            dry_run,
            no_wait,
            force,
            timeout,
        } => leave::drain(context, node, wish(*force, *timeout), !no_wait, *dry_run).await,
        Command::Resume { node } => {
            let asked = Ask::post(format!("{PATH}/{}/resume", encode(node)));
            let member = client.value(asked).await?;
            output::one(&context.view(), NODES, &member)?;
            Ok(Exit::Ok)
        }
        Command::Remove {
            node,
            force,
            dry_run,
            timeout,
        } => leave::remove(context, node, wish(*force, *timeout), *dry_run).await,
    }
}

const fn wish(force: bool, timeout: u64) -> leave::Wish {
    leave::Wish {
        force,
        timeout: Duration::from_secs(timeout),
    }
}
