//! A bare load run for scripts and profilers: `load KEY=VALUE...`, report as JSON on standard output.
//!
//! Keys: server=IP:PORT file=NAME[:SIZE][,..] (a pattern of SIZE octets) copy=NAME@PATH[,..] make=DIR (write the pattern
//! files and end) mix=1468x16 load=closed:100|open:1000 boots=N seconds=N ramp=SECONDS drain=SECONDS threads=N shared=N
//! wait_ms=N attempts=N pid=N seed=N loss=X duplicate=X reorder=X (both ways)

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use purlin_tftp_client::Faults;
use purlin_tftp_client::bench::{BenchOptions, FileSpec, Phase, PortUse, Profile, make_files, run};

struct Arguments(HashMap<String, String>);

impl Arguments {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn number<T: std::str::FromStr<Err: Error + 'static>>(
        &self,
        key: &str,
    ) -> Result<Option<T>, Box<dyn Error>> {
        Ok(self.get(key).map(str::parse).transpose()?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let pairs = std::env::args().skip(1).filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    });
    let arguments = Arguments(pairs.collect());
    if let Some(dir) = arguments.get("make") {
        return Ok(make_files(Path::new(dir), &files(&arguments)?)?);
    }
    let report = run(&options(&arguments)?, &AtomicBool::new(false), &mut |_| {})?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}

fn files(arguments: &Arguments) -> Result<Vec<FileSpec>, Box<dyn Error>> {
    let mut files = Vec::new();
    for part in arguments.get("file").iter().flat_map(|list| list.split(',')) {
        let (name, size) = part.split_once(':').ok_or("a file is NAME:SIZE")?;
        files.push(FileSpec::pattern(name, size.parse()?));
    }
    for part in arguments.get("copy").iter().flat_map(|list| list.split(',')) {
        let (name, path) = part.split_once('@').ok_or("a copy is NAME@PATH")?;
        files.push(FileSpec::copy_of(name, Path::new(path))?);
    }
    if files.is_empty() {
        files = FileSpec::usual();
    }
    Ok(files)
}

fn options(arguments: &Arguments) -> Result<BenchOptions, Box<dyn Error>> {
    let seconds = |key| {
        arguments
            .number(key)
            .map(|value| value.map(Duration::from_secs_f64))
    };
    let mut phase = Phase::new(
        Profile::Plain,
        arguments.get("load").unwrap_or("closed:100").parse()?,
    );
    phase.profiles = arguments.get("mix").unwrap_or("1468x16").parse()?;
    phase.boots = arguments.number("boots")?;
    phase.duration = seconds("seconds")?.or(phase.duration.filter(|_| phase.boots.is_none()));
    phase.ramp = seconds("ramp")?.unwrap_or(phase.ramp);
    phase.drain = seconds("drain")?.unwrap_or(phase.drain);
    let server = arguments.get("server").unwrap_or("127.0.0.1:6969").parse()?;
    let mut options = BenchOptions::new(server, files(arguments)?, phase);
    if let Some(sockets) = arguments.number("shared")? {
        options.ports = PortUse::Shared { sockets };
    }
    options.threads = arguments.number("threads")?.unwrap_or(options.threads);
    options.attempts = arguments.number("attempts")?.unwrap_or(options.attempts);
    options.seed = arguments.number("seed")?.unwrap_or(options.seed);
    options.wait = arguments
        .number("wait_ms")?
        .map_or(options.wait, Duration::from_millis);
    options.server_pid = arguments.number("pid")?;
    let faults = Faults {
        loss: arguments.number("loss")?.unwrap_or(0.0),
        duplicate: arguments.number("duplicate")?.unwrap_or(0.0),
        reorder: arguments.number("reorder")?.unwrap_or(0.0),
        corrupt: 0.0,
    };
    (options.to_client, options.to_server) = (faults, faults);
    Ok(options)
}
