//! `purlin cluster`: the nodes, and how they come and go.

mod grow;
pub(crate) mod join;
pub(crate) mod token;

use super::{Context, ListArgs, context::watched, paging};
use crate::client::{Ask, Client, encode};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Kind, Show};
use clap::Subcommand;
use serde_json::Value;
use std::time::{Duration, Instant};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how the asked node stands in its cluster.
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
    /// Let a node give its slots away in order; it stays a member.
    Drain {
        node: String,
        /// Only show what would be drained.
        #[arg(long)]
        dry_run: bool,
    },
    /// Let a node take part again after a drain, whichever node is asked.
    Resume { node: String },
    /// Take a node out: it is drained first, and no lease is lost.
    #[command(after_help = "Examples:
  purlin cluster remove node-4              drain it, then end its membership
  purlin cluster remove node-4 --force      it is dead: fence it; others take over once its lease has lapsed")]
    Remove {
        node: String,
        /// Do not wait for the node: it can write no more from now on.
        #[arg(long)]
        force: bool,
        /// How long draining may take, for instance 10m.
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
/// How often a drain is looked after.
const LOOK: Duration = Duration::from_secs(1);

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
        Command::Drain { node, dry_run } => {
            let dry = if *dry_run { "?dryRun=true" } else { "" };
            let asked = Ask::post(format!("{PATH}/{}/drain{dry}", encode(node)));
            let member = client.value(asked).await?;
            output::one(&context.view(), NODES, &member)?;
            Ok(Exit::Ok)
        }
        Command::Resume { node } => {
            let asked = Ask::post(format!("{PATH}/{}/resume", encode(node)));
            let member = client.value(asked).await?;
            output::one(&context.view(), NODES, &member)?;
            Ok(Exit::Ok)
        }
        Command::Remove { node, force, timeout } => {
            remove(&mut client, node, *force, Duration::from_secs(*timeout)).await
        }
    }
}

/// Drains a node and ends its membership; at once when forced.
pub(crate) async fn remove(client: &mut Client, node: &str, force: bool, timeout: Duration) -> Outcome {
    let path = format!("{PATH}/{}", encode(node));
    if force {
        client.answer(Ask::delete(format!("{path}?force=true"))).await?;
        say!("{node} is fenced: it can write no more; its slots are taken over once its lease has lapsed");
        return Ok(Exit::Ok);
    }
    let member = client.value(Ask::get(path.clone())).await?;
    if slots(&member) > 0 && member.get("status").and_then(Value::as_str) == Some("active") {
        client.answer(Ask::post(format!("{path}/drain"))).await?;
    }
    drained(client, &path, node, timeout).await?;
    client.answer(Ask::delete(path)).await?;
    say!("{node} is removed");
    Ok(Exit::Ok)
}

/// Waits until a node holds nothing, and says how far it is.
async fn drained(client: &mut Client, path: &str, node: &str, timeout: Duration) -> Result<(), Failure> {
    let (began, mut told) = (Instant::now(), u64::MAX);
    loop {
        let left = slots(&client.value(Ask::get(path)).await?);
        if left == 0 {
            return Ok(());
        }
        if left != told {
            eprintln!("{node}: {left} slots left");
            told = left;
        }
        if began.elapsed() >= timeout {
            let what = format!(
                "{node} still holds {left} slots after {} s; it stays a member",
                timeout.as_secs()
            );
            return Err(Failure::failed(
                what,
                "wait longer with --timeout, or --force when it cannot be reached",
            ));
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn slots(member: &Value) -> u64 {
    member.get("slots").and_then(Value::as_u64).unwrap_or(0)
}
