//! A bare load run for scripts and profilers: `load KEY=VALUE...`, report as JSON on standard output.
//!
//! Keys: server=IP:PORT relays=GIADDR@IP:PORT[,..] clients=N threads=N mix=dora load=closed:64|open:1000
//! ops=N seconds=N timeout_ms=N attempts=N pid=N ledger=FILE verify=FILE strangers=N then=MIX (a second phase, same load)
//! option82=1 seed=N

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddrV4;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use purlin_dhcp_client::bench::{BenchOptions, Fleet, Ledger, Phase, Relay, VerifyOptions, run, verify};

struct Arguments(HashMap<String, String>);

impl Arguments {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn number<T: std::str::FromStr<Err: Error + 'static>>(
        &self,
        key: &str,
        default: T,
    ) -> Result<T, Box<dyn Error>> {
        Ok(self.get(key).map(str::parse).transpose()?.unwrap_or(default))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let pairs = std::env::args().skip(1).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    });
    let arguments = Arguments(pairs.collect());
    let server: SocketAddrV4 = arguments.get("server").unwrap_or("127.0.0.1:6767").parse()?;
    let stop = AtomicBool::new(false);
    let report = if let Some(ledger) = arguments.get("verify") {
        let mut options = VerifyOptions::new(server);
        options.strangers = arguments.number("strangers", 1000)?;
        options.server_pid = arguments.get("pid").map(str::parse).transpose()?;
        verify(&Ledger::load(Path::new(ledger))?, &options, &stop, &mut |_| {})?
    } else {
        run(&options(&arguments, server)?, &stop, &mut |_| {})?
    };
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn options(arguments: &Arguments, server: SocketAddrV4) -> Result<BenchOptions, Box<dyn Error>> {
    let mut relays = Vec::new();
    for relay in arguments
        .get("relays")
        .unwrap_or("10.67.0.1@127.0.0.1:0")
        .split(',')
    {
        let (giaddr, bind) = relay.split_once('@').ok_or("a relay is GIADDR@IP:PORT")?;
        relays.push(Relay {
            giaddr: giaddr.parse()?,
            bind: bind.parse()?,
        });
    }
    let mut fleet = Fleet::new(arguments.number("clients", 1_000_000)?, relays[0]);
    fleet.relays = relays;
    fleet.seed = arguments.number("seed", 1)?;
    fleet.relay_agent = arguments.get("option82").is_some();
    let seconds = arguments.get("seconds").map(str::parse).transpose()?;
    let phase = Phase {
        name: "load".to_owned(),
        mix: arguments.get("mix").unwrap_or("dora").parse()?,
        load: arguments.get("load").unwrap_or("closed:64").parse()?,
        operations: arguments.get("ops").map(str::parse).transpose()?,
        duration: seconds.map(Duration::from_secs_f64),
    };
    let mut options = BenchOptions::new(server, fleet, phase.clone());
    if let Some(mix) = arguments.get("then") {
        options.phases.push(Phase {
            name: "then".to_owned(),
            mix: mix.parse()?,
            ..phase
        });
    }
    options.threads = arguments.number("threads", 1)?;
    options.timeout = Duration::from_millis(arguments.number("timeout_ms", 1000)?);
    options.attempts = arguments.number("attempts", 3)?;
    options.server_pid = arguments.get("pid").map(str::parse).transpose()?;
    options.ledger = arguments.get("ledger").map(Into::into);
    Ok(options)
}
