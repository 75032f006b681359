//! `purlin chain demo`: a chain with several validators on this machine, each a process, until Ctrl-C.

use super::network::{Network, Order, Place};
use super::{Context, ether};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Column, Kind, Listing, Paint, Show};
use crate::services::chain::accounts;
use clap::Args;
use jiff::Timestamp;
use purlin_chain_client::Key;
use purlin_chain_client::rpc::Rpc;
use purlin_chain_proto::DEVELOPMENT_GAS_LIMIT;
use purlin_config::parse_duration;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// Until the first block is decided: the nodes start and meet.
const START: Duration = Duration::from_secs(120);
/// From the request to stop until a node is killed.
const GRACE: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(100);
/// How much of a node's log is shown when it fails.
const TAIL: usize = 12;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  purlin chain demo
  purlin chain demo --validators 7 --period 500ms
  purlin chain demo --out ./net

The accounts that every tool for developers knows have ether (purlin chain accounts). Stop one of the processes, and the
others go on; stop two of four, and no block is decided until one is back. Ctrl-C or SIGTERM ends all of them.")]
pub(crate) struct DemoArgs {
    /// Validators, each a process.
    #[arg(long, value_name = "N", default_value_t = 4)]
    validators: u16,
    /// Time from one block to the next.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    period: Duration,
    /// Port where the first validator meets its peers; the others follow within 250.
    #[arg(long, value_name = "PORT", default_value_t = 30_300)]
    base_port: u16,
    /// A new directory that stays [default: one that is removed at the end].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const NODES: Kind = Kind {
    plural: "validators",
    name: "name",
    columns: &[
        Column::new("NAME", "name", Show::Text),
        Column::new("ADDRESS", "address", Show::Text),
        Column::new("JSON-RPC", "http", Show::Text),
        Column::new("WEBSOCKET", "websocket", Show::Text),
        Column::new("PROCESS", "process", Show::Number),
    ],
};

/// A validator's process. Dropped, it is ended in order.
struct Node {
    place: Place,
    log: PathBuf,
    child: Child,
}

pub(super) async fn run(args: &DemoArgs, context: &Context) -> Outcome {
    let scratch = std::env::temp_dir().join(format!("purlin-chain-demo-{}", std::process::id()));
    let network = lay_out(args, args.out.as_ref().unwrap_or(&scratch))?;
    let outcome = serve(&network, context).await;
    if args.out.is_none() {
        // What a process still holds is for whoever cleans up after it.
        let _ = fs::remove_dir_all(&scratch);
    }
    outcome
}

fn lay_out(args: &DemoArgs, out: &std::path::Path) -> Result<Network, Failure> {
    let funds =
        ether::wei(&accounts::ETHER.to_string()).map_err(|cause| Failure::failed(cause, "report it"))?;
    let order = Order {
        out: out.to_owned(),
        validators: args.validators,
        chain_id: 31_337,
        period: args.period,
        gas_limit: DEVELOPMENT_GAS_LIMIT,
        base_port: args.base_port,
        fund: Key::of_development().map(|key| (key.address(), funds)).collect(),
        password: None,
        timestamp: u64::try_from(Timestamp::now().as_second()).unwrap_or(0),
    };
    order.lay_out()
}

async fn serve(network: &Network, context: &Context) -> Outcome {
    // Listened to before the first process is there: none of them may stay behind.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let told = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    };
    tokio::pin!(told);
    let mut nodes = Vec::new();
    for place in &network.places {
        nodes.push(Node::start(place)?);
    }
    tokio::select! {
        begun = first_block(&mut nodes) => begun?,
        () = &mut told => return Ok(Exit::Ok),
    }
    show(&nodes, context)?;
    eprintln!(
        "{} in {}; Ctrl-C ends it",
        plural(nodes.len()),
        network.out.display()
    );
    loop {
        tokio::select! {
            () = &mut told => break,
            () = tokio::time::sleep(LOOK) => {}
        }
        nodes.retain_mut(|node| match node.child.try_wait() {
            Ok(Some(status)) => {
                eprintln!(
                    "{} ended ({status}); {} says why",
                    node.place.name,
                    node.log.display()
                );
                false
            }
            _ => true,
        });
        if nodes.is_empty() {
            return Err(Failure::failed("all validators have ended", "see their logs"));
        }
    }
    // All at once; each is waited for when it is dropped.
    for node in &nodes {
        node.end();
    }
    Ok(Exit::Ok)
}

fn plural(count: usize) -> String {
    if count == 1 {
        "1 validator runs".to_owned()
    } else {
        format!("{count} validators run")
    }
}

fn show(nodes: &[Node], context: &Context) -> Result<(), Failure> {
    let row = |node: &Node| -> Value {
        json!({
            "name": node.place.name,
            "address": node.place.address.to_string(),
            "http": format!("http://{}", node.place.http),
            "websocket": format!("ws://{}", node.place.websocket),
            "process": node.child.id(),
        })
    };
    let rows: Vec<Value> = nodes.iter().map(row).collect();
    let mut listing = Listing::new(std::io::stdout().lock(), context.view(), NODES, Paint::stdout())?;
    listing.page(&rows)?;
    listing.finish()?;
    Ok(())
}

/// Ends when the validators have decided a block.
async fn first_block(nodes: &mut [Node]) -> Result<(), Failure> {
    let begun = Instant::now();
    let endpoint = nodes[0].place.http.to_string();
    let endpoint = endpoint
        .parse()
        .map_err(|cause: purlin_chain_client::EndpointError| {
            Failure::failed(cause.to_string(), "report it")
        })?;
    let mut rpc = Rpc::new(endpoint, Duration::from_secs(5));
    loop {
        for node in nodes.iter_mut() {
            if let Some(status) = node.child.try_wait()? {
                return Err(node.failed(&format!("ended ({status})")));
            }
        }
        let number: Result<String, _> = rpc.call("eth_blockNumber", &json!([])).await;
        if number.is_ok_and(|number| number != "0x0") {
            return Ok(());
        }
        if begun.elapsed() > START {
            return Err(nodes[0].failed(&format!("decided no block within {} s", START.as_secs())));
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Node {
    fn start(place: &Place) -> Result<Self, Failure> {
        let log = place.directory.join("log");
        let written = File::create(&log)?;
        let child = Command::new(std::env::current_exe()?)
            .args(["up", "--config"])
            .arg(&place.config)
            .stdin(Stdio::null())
            .stdout(written.try_clone()?)
            .stderr(written)
            // Ctrl-C is for the demo, which ends its nodes in order.
            .process_group(0)
            .spawn()?;
        Ok(Self {
            place: place.clone(),
            log,
            child,
        })
    }

    /// Asks it to end.
    fn end(&self) {
        // It may have ended just now.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    fn failed(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n  ");
        Failure::failed(
            format!("{} {what}:\n  {tail}", self.place.name),
            "free its ports, or name others: --base-port",
        )
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        self.end();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if begun.elapsed() > GRACE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::park_timeout(LOOK);
        }
    }
}
