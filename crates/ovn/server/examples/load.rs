//! How fast the platform answers over HTTP, before a real `ovsdb-server` that this program starts by itself.
//!
//! `cargo run --release -p purlin-ovn-server --example load [PORTS]`, PORTS being how many ports are there before anything
//! is measured (default 100,000). The node runs in a process of its own, so that its processor time can be told from that
//! of the load; figures of a machine that does other work are ratios at best.

#[path = "load/http.rs"]
mod http;
#[path = "load/node.rs"]
mod node;
#[path = "load/parts.rs"]
mod parts;
#[path = "load/server.rs"]
mod server;

use node::Node;
use purlin_ovsdb::client::{Client, Config, parse_endpoints};
use purlin_ovsdb::{Datum, Insert, Row, Transaction};
use server::Server;
use std::error::Error;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("node") => node::serve(&arguments[1]).await,
        ports => run(ports.map_or(Ok(100_000), str::parse)?, &arguments).await,
    }
}

async fn run(ports: usize, arguments: &[String]) -> Outcome<()> {
    let server = Server::start()?;
    fill(&server, ports).await?;
    println!("# {ports} ports on switches of 100, standalone ovsdb-server over a Unix socket, no northd");
    let node = Node::start(&server)?;
    let part = |name: &str| arguments.len() < 2 || arguments[1..].iter().any(|word| word == name);
    if part("reads") {
        parts::reads(&node, &server).await?;
    }
    if part("creates") {
        parts::creates(&node, &server).await?;
    }
    if part("bulk") {
        parts::bulk(&node, &server).await?;
    }
    Ok(())
}

/// Switches of a hundred ports each, with what a managed port usually has.
async fn fill(server: &Server, ports: usize) -> Outcome<()> {
    let endpoints = parse_endpoints(&server.endpoint())?;
    let client = Client::start(Config::new("OVN_Northbound", endpoints));
    for chunk in 0..ports.div_ceil(1000) {
        let mut change = Transaction::new();
        for s in 0..10 {
            let mut own = Vec::new();
            for p in 0..100 {
                let n = chunk * 1000 + s * 100 + p;
                let [_, a, b, c] = u32::try_from(n)?.to_be_bytes();
                let address = format!("0a:00:{a:02x}:{b:02x}:{c:02x}:01 10.{a}.{b}.{c}");
                let owner = if n % 1000 == 0 { "shop" } else { "purlin" };
                let row = Row::new()
                    .with("name", Datum::from(format!("port-{n}").as_str()))
                    .with("addresses", Datum::from(address.as_str()))
                    .with("port_security", Datum::from(address.as_str()))
                    .with(
                        "external_ids",
                        Datum::map([("purlin-owner", owner), ("tenant", "t1")]),
                    );
                own.push(change.insert(of("Logical_Switch_Port", row)));
            }
            let name = format!("switch-{}", chunk * 10 + s);
            let row = Row::new()
                .with("name", Datum::from(name.as_str()))
                .with("ports", Datum::set(own));
            change.insert(of("Logical_Switch", row));
        }
        client.commit(change).await?;
    }
    Ok(())
}

fn of(table: &str, row: Row) -> Insert {
    let mut insert = Insert::new(table);
    insert.row = row;
    insert
}
