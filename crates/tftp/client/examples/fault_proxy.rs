//! A fault proxy by hand: `fault_proxy LISTEN SERVER [to_server|to_client.]KEY=VALUE...`; counts as JSON at the end of
//! standard input.
//!
//! Keys: loss duplicate reorder corrupt (shares 0.0 to 1.0, both directions unless prefixed), delay_ms late_ms seed

use std::error::Error;
use std::io::Read;
use std::time::Duration;

use purlin_tftp_client::Faults;
use purlin_tftp_client::proxy::{Proxy, ProxyOptions};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "fault_proxy LISTEN SERVER [KEY=VALUE...]";
    let listen = arguments.next().ok_or(usage)?.parse()?;
    let server = arguments.next().ok_or(usage)?.parse()?;
    let mut options = ProxyOptions {
        listen,
        ..ProxyOptions::new(server)
    };
    for pair in arguments {
        let (key, value) = pair.split_once('=').ok_or("settings are KEY=VALUE")?;
        match key {
            "delay_ms" => options.delay = Duration::from_millis(value.parse()?),
            "late_ms" => options.late = Duration::from_millis(value.parse()?),
            "seed" => options.seed = value.parse()?,
            _ => set(&mut options, key, value.parse()?)?,
        }
    }
    let proxy = Proxy::start(options)?;
    eprintln!("listening on {}", proxy.address());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    println!("{}", serde_json::to_string_pretty(&proxy.counts())?);
    Ok(())
}

fn set(options: &mut ProxyOptions, key: &str, share: f64) -> Result<(), Box<dyn Error>> {
    let put = |faults: &mut Faults, name: &str| {
        let place = match name {
            "loss" => &mut faults.loss,
            "duplicate" => &mut faults.duplicate,
            "reorder" => &mut faults.reorder,
            "corrupt" => &mut faults.corrupt,
            other => return Err(format!("{other} is no setting")),
        };
        *place = share;
        Ok(())
    };
    match key.split_once('.') {
        Some(("to_server", name)) => put(&mut options.to_server, name)?,
        Some(("to_client", name)) => put(&mut options.to_client, name)?,
        _ => {
            put(&mut options.to_server, key)?;
            put(&mut options.to_client, key)?;
        }
    }
    Ok(())
}
