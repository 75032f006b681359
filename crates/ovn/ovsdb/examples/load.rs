//! How fast the client writes, loads and resumes against a real `ovsdb-server` that this program starts by itself.
//!
//! `cargo run --release -p purlin-ovsdb --example load [PORTS]`, PORTS being how many ports are loaded for the last part
//! (default 100,000). Each part says what was running; figures of a machine that does other work are ratios at best.
//! `load write WRITERS` runs only the grouped writes of so many writers: what a profiler is to look at.

#[path = "load/raw.rs"]
mod raw;
#[path = "load/server.rs"]
mod server;
#[path = "load/sync.rs"]
mod sync;

use purlin_ovsdb::client::{Client, Config, Endpoint};
use purlin_ovsdb::nb::{LogicalSwitch, LogicalSwitchPort};
use purlin_ovsdb::{Insert, Transaction, Uuid};
use server::Server;
use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const DATABASE: &str = "OVN_Northbound";
const PART: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("write") => grouped(arguments[1].parse()?).await,
        Some("sync") => sync::run(&arguments[1], &arguments[2]).await,
        ports => run(ports.map_or(Ok(100_000), str::parse)?).await,
    }
}

async fn grouped(writers: usize) -> Outcome<()> {
    let server = Server::start()?;
    let own = server::cpu("self")?;
    let rate = write(&server, writers, false).await?;
    println!(
        "client, grouped {writers:4} writers: {}",
        shown(rate, own, &server)?
    );
    Ok(())
}

async fn run(ports: usize) -> Outcome<()> {
    println!(
        "# single-port transactions (insert + mutate of the switch), standalone server, tcp loopback, {PART:?} each"
    );
    for flight in [1, 64] {
        let server = Server::start()?;
        let own = server::cpu("self")?;
        let rate = raw::rate(&server.address, flight, PART)?;
        println!(
            "raw session, {flight:3} in flight: {}",
            shown(rate, own, &server)?
        );
    }
    for (name, writers, alone) in [
        ("client, sequential", 1, true),
        ("client, pipelined ", 64, true),
        ("client, grouped   ", 64, false),
        ("client, grouped   ", 512, false),
        ("client, grouped   ", 2000, false),
    ] {
        let server = Server::start()?;
        let own = server::cpu("self")?;
        let rate = write(&server, writers, alone).await?;
        println!("{name} {writers:4} writers: {}", shown(rate, own, &server)?);
    }
    println!("# loading {ports} ports, in a process of its own");
    let server = Server::start()?;
    sync::fill(&client(&server.address)?, ports).await?;
    for columns in ["all", "three"] {
        let own = std::env::current_exe()?;
        let status = Command::new(own)
            .args(["sync", columns, &server.address])
            .status()?;
        assert!(status.success(), "the loading process fails");
    }
    Ok(())
}

/// With the processor time of both sides, per 10,000 ports.
fn shown(rate: f64, own_before: f64, server: &Server) -> Outcome<String> {
    let per = 10_000.0 / (rate * PART.as_secs_f64());
    let (own, its) = ((server::cpu("self")? - own_before) * per, server.cpu()? * per);
    Ok(format!(
        "{rate:7.0} ports/s; processor seconds per 10,000: client {own:.2}, server {its:.2}"
    ))
}

fn client(address: &str) -> Outcome<Client> {
    let (host, port) = address.rsplit_once(':').ok_or("HOST:PORT")?;
    let endpoint = Endpoint::Tcp(host.to_owned(), port.parse()?);
    Ok(Client::start(Config::new(DATABASE, vec![endpoint])))
}

fn switch(name: &str) -> Transaction {
    let mut change = Transaction::new();
    change.insert(Insert::new(LogicalSwitch::TABLE).set(LogicalSwitch::NAME, name));
    change
}

fn port(switch: Uuid, name: &str) -> Transaction {
    let mut change = Transaction::new();
    let port = change.insert(
        Insert::new(LogicalSwitchPort::TABLE)
            .set(LogicalSwitchPort::NAME, name)
            .set(LogicalSwitchPort::ADDRESSES, ["00:00:00:00:00:01 10.0.0.1"]),
    );
    change.mutate(
        LogicalSwitch::TABLE,
        switch,
        [LogicalSwitch::PORTS.insert([port])],
    );
    change
}

/// Writers that each wait for their answer before they go on, a new switch for every hundred ports.
async fn write(server: &Server, writers: usize, alone: bool) -> Outcome<f64> {
    let client = client(&server.address)?;
    client.ready().await;
    let (began, mut tasks) = (Instant::now(), JoinSet::new());
    for writer in 0..writers {
        let client = client.clone();
        tasks.spawn(async move {
            let mut written = 0;
            let mut at = Uuid::ZERO;
            while began.elapsed() < PART {
                if written % 100 == 0 {
                    let made = client.commit(switch(&format!("s{writer}-{written}"))).await?;
                    at = made.outcome.uuids().next().ok_or("a switch has a name")?;
                }
                let change = port(at, &format!("p{writer}-{written}"));
                client.commit(if alone { change.alone() } else { change }).await?;
                written += 1;
            }
            Outcome::Ok(written)
        });
    }
    let mut written = 0;
    while let Some(done) = tasks.join_next().await {
        written += done??;
    }
    Ok(rate(written, began))
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(count: usize, began: Instant) -> f64 {
    count as f64 / began.elapsed().as_secs_f64()
}
