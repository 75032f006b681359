//! A bare load run for scripts and profilers: `load KEY=VALUE...`, report as JSON on standard output.
//!
//! Keys: server=URL[,..] ws=URL mix=transfers|erc20|storage|mixed load=closed:5000|open:1000 n=N senders=N connections=N
//! batch=N seed=N type=0|2 timeout=SECONDS poll_ms=N pid=N key=HEX

use purlin_chain_client::bench::{BenchOptions, Envelope, run};
use purlin_chain_client::{Endpoint, Key};
use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let pairs = std::env::args().skip(1).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    });
    let arguments: HashMap<String, String> = pairs.collect();
    let report = run(&options(&arguments)?, &AtomicBool::new(false), &mut |_| {})?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn options(arguments: &HashMap<String, String>) -> Result<BenchOptions, Box<dyn Error>> {
    let get = |key: &str| arguments.get(key).map(String::as_str);
    let number = |key: &str| get(key).map(str::parse::<u32>).transpose();
    let servers = get("server").unwrap_or("127.0.0.1:8545").split(',');
    let servers = servers
        .map(str::parse::<Endpoint>)
        .collect::<Result<Vec<_>, _>>()?;
    let funder = match get("key") {
        Some(key) => key.parse()?,
        None => Key::development(0).ok_or("no development account")?,
    };
    let usual = BenchOptions::new(servers[0].clone(), funder);
    Ok(BenchOptions {
        servers,
        websocket: get("ws").map(str::to_owned),
        mix: get("mix").unwrap_or("transfers").parse()?,
        load: get("load").map_or(Ok(usual.load), str::parse)?,
        transactions: number("n")?.unwrap_or(usual.transactions),
        senders: number("senders")?.unwrap_or(usual.senders),
        connections: number("connections")?.unwrap_or(usual.connections),
        batch: number("batch")?.unwrap_or(usual.batch),
        seed: number("seed")?.map_or(usual.seed, u64::from),
        envelope: match get("type") {
            Some("0") => Envelope::Legacy,
            _ => Envelope::Dynamic,
        },
        timeout: number("timeout")?.map_or(usual.timeout, |seconds| Duration::from_secs(seconds.into())),
        poll: number("poll_ms")?.map_or(usual.poll, |ms| Duration::from_millis(ms.into())),
        server_pid: number("pid")?,
        ..usual
    })
}
