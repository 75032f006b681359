//! `purlin cluster grow`: a node alone becomes the first of several, and this command watches it.

use crate::cli::Context;
use crate::client::{Ask, Client};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Show};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

const PATH: &str = "/api/v1/cluster/grow";
/// How often it is looked how far the node is.
const LOOK: Duration = Duration::from_millis(250);
/// How long its API may be away while the node is built anew.
const AWAY: Duration = Duration::from_secs(120);

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  purlin cluster grow --store @/etc/purlin/database --node-ip 10.0.0.11 --dry-run
  purlin cluster grow --store @/etc/purlin/database --node-ip 10.0.0.11
  purlin cluster grow --store postgresql://purlin@db/purlin --coordination redis://redis --node-ip 10.0.0.11
  purlin cluster token create --for node-2       then, on the next machine: purlin join TOKEN

The database must be empty. Leases are copied while the node serves; then packets wait for a moment while the rest is
copied, and the same threads go on. The API is away for about a second. Broken off before that moment, the node is alone
as before, and this command can be run again. What the node was given is in grown.toml in its data directory.")]
pub(crate) struct Args {
    /// URL of the PostgreSQL database, or @FILE that holds it.
    #[arg(long, value_name = "URL")]
    store: String,
    /// URL of a Redis, or @FILE that holds it; without, nodes meet in the database.
    #[arg(long, value_name = "URL")]
    coordination: Option<String>,
    /// IPv4 address where other nodes will reach this one; cluster.node_ip when not given.
    #[arg(long, value_name = "ADDRESS")]
    node_ip: Option<Ipv4Addr>,
    /// Port for other nodes; 8067 when neither given nor configured.
    #[arg(long, value_name = "PORT")]
    peer_port: Option<u16>,
    /// Check everything and say what would be done.
    #[arg(long)]
    dry_run: bool,
}

const KIND: Kind = Kind {
    plural: "nodes",
    name: "node",
    columns: &[
        Column::new("NODE", "node", Show::Text),
        Column::new("STATE", "state", Show::Text),
        Column::new("ROWS", "rows", Show::Number),
        Column::new("PASS", "pass", Show::Number),
        Column::new("DETAIL", "detail", Show::Text),
    ],
};

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let mut client = context.client()?;
    let order = json!({
        "store": text_of(&args.store)?,
        "coordination": args.coordination.as_deref().map(text_of).transpose()?,
        "node_ip": args.node_ip.map(|ip| ip.to_string()),
        "peer_port": args.peer_port,
    });
    let dry = if args.dry_run { "?dryRun=true" } else { "" };
    let told = client
        .value(Ask::post(format!("{PATH}{dry}")).json(&order))
        .await?;
    if args.dry_run {
        return planned(context, &told);
    }
    let (began, done) = (Instant::now(), watch(&mut client).await?);
    if context.form() == Form::Table {
        let node = done["node"].as_str().unwrap_or_default();
        say!(
            "{node} is one of several after {:.1} s, with {} slots",
            began.elapsed().as_secs_f32(),
            done["slots"]
        );
        say!("the next machine joins with a token: purlin cluster token create --for NODE");
        return Ok(Exit::Ok);
    }
    let last = client.value(Ask::get("/api/v1/cluster")).await?;
    output::one(&context.view(), super::STATUS, &last)?;
    Ok(Exit::Ok)
}

/// `@FILE` is what the file says: a URL with a password is better in no list of processes.
fn text_of(given: &str) -> Result<String, Failure> {
    let Some(file) = given.strip_prefix('@') else {
        return Ok(given.to_owned());
    };
    let read = std::fs::read_to_string(file);
    let text =
        read.map_err(|cause| Failure::failed(format!("cannot read {file}: {cause}"), "check the path"))?;
    Ok(text.trim().to_owned())
}

fn planned(context: &Context, told: &Value) -> Outcome {
    if context.form() != Form::Table {
        output::one(&context.view(), KIND, told)?;
        return Ok(Exit::Ok);
    }
    say!(
        "nothing is in the way. {} would:",
        told["node"].as_str().unwrap_or_default()
    );
    for step in told["steps"].as_array().into_iter().flatten() {
        say!("  - {}", step.as_str().unwrap_or_default());
    }
    Ok(Exit::Ok)
}

/// Tells how far the node is until it serves as a node of a cluster; what it says of itself then.
async fn watch(client: &mut Client) -> Result<Value, Failure> {
    let mut told = String::new();
    let mut heard = Instant::now();
    let mut tell = |text: String| {
        if text != told {
            eprintln!("{text}");
            told = text;
        }
    };
    loop {
        match client.value(Ask::get(PATH)).await {
            Ok(state) => {
                heard = Instant::now();
                match state["state"].as_str().unwrap_or_default() {
                    "clustered" => {
                        let status = client.value(Ask::get("/api/v1/cluster")).await?;
                        if status["ready"] == true && status["slots"].as_u64() > Some(0) {
                            return Ok(status);
                        }
                        tell("serving as a node of a cluster soon".to_owned());
                    }
                    "copying" => tell(format!("copying: {} rows, pass {}", state["rows"], state["pass"])),
                    "alone" | "failed" => return Err(stayed(&state)),
                    other => tell(other.replace('_', " ")),
                }
            }
            // Its API starts anew.
            Err(failure) if failure.exit == Exit::Unreachable && heard.elapsed() < AWAY => {}
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn stayed(state: &Value) -> Failure {
    let why = state["detail"].as_str().unwrap_or("its log says why");
    Failure::failed(
        format!("the node stays alone: {why}"),
        "nothing is lost: when that is mended, run the same command again",
    )
}
