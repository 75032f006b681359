//! From flags to a run: whom to load, as whom, with what.

use crate::cli::Context;
use crate::client::NodeFile;
use crate::exit::Failure;
use clap::Args;
use purlin_config::parse_duration;
use purlin_dhcp_client::bench::{BenchOptions, Fleet, Load, Mix, Phase, Relay};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// A relay in the network that `purlin up` without a file serves.
const DEFAULT_RELAY: Ipv4Addr = Ipv4Addr::new(10, 67, 0, 1);

/// Whom to load and from where.
#[derive(Debug, Clone, Args)]
pub(crate) struct Target {
    /// The server [default: the node of the data directory, else 127.0.0.1:6767].
    #[arg(value_name = "ADDRESS:PORT", value_parser = server_address)]
    server: Option<SocketAddrV4>,
    /// A relay to speak through: its giaddr, and what to bind when that is not the same; may be repeated
    /// [default: 10.67.0.1@127.0.0.1:0].
    #[arg(long = "relay", value_name = "GIADDR[@ADDRESS:PORT]", value_parser = relay)]
    relays: Vec<Relay>,
    /// Also show CPU time and memory of this process (the server).
    #[arg(long, value_name = "PID")]
    pub(super) server_pid: Option<u32>,
}

impl Target {
    pub(super) fn server(&self, context: &Context) -> SocketAddrV4 {
        self.server
            .unwrap_or_else(|| NodeFile::dhcp_server(context.data_dir()))
    }

    fn relays(&self) -> Vec<Relay> {
        if self.relays.is_empty() {
            return vec![Relay::ephemeral(DEFAULT_RELAY, Ipv4Addr::LOCALHOST)];
        }
        self.relays.clone()
    }
}

/// What to do to it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Shape {
    /// How many clients there are.
    #[arg(long, default_value_t = 20_000)]
    clients: u32,
    /// What they do: weights of dora, renew, rebind, reboot, release, inform.
    #[arg(long, default_value = "dora", value_name = "dora=80,renew=20")]
    mix: Mix,
    /// Closed loop: so many operations are always under way.
    #[arg(long, default_value_t = 64, value_name = "N")]
    in_flight: u32,
    /// Open loop: so many operations begin each second, whatever the server does.
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "in_flight")]
    rate: Option<f64>,
    /// End after so many operations.
    #[arg(long, value_name = "N")]
    operations: Option<u64>,
    /// End after this time [default: 10s unless --operations is given].
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    duration: Option<Duration>,
    /// Sending threads.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Runs with different seeds are strangers to the server.
    #[arg(long, default_value_t = 1)]
    seed: u8,
    /// Clients send a client identifier (option 61).
    #[arg(long)]
    client_id: bool,
    /// Clients send a host name (option 12).
    #[arg(long)]
    host_name: bool,
    /// Relays add circuit and remote id (option 82).
    #[arg(long)]
    option_82: bool,
    /// Wait before a message is sent again; doubles each time.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = parse_duration)]
    timeout: Duration,
    /// How often a message is sent in all.
    #[arg(long, default_value_t = 3)]
    attempts: u8,
}

impl Shape {
    /// The run these flags ask for.
    pub(super) fn options(&self, server: SocketAddrV4, target: &Target) -> Result<BenchOptions, Failure> {
        let load = match self.rate {
            Some(per_second) => Load::Open { per_second },
            None => Load::Closed {
                in_flight: self.in_flight,
            },
        };
        let endless = self.operations.is_none() && self.duration.is_none();
        let phase = Phase {
            name: "load".to_owned(),
            mix: self.mix,
            load,
            operations: self.operations,
            duration: if endless {
                Some(Duration::from_secs(10))
            } else {
                self.duration
            },
        };
        let fleet = Fleet {
            clients: self.clients,
            seed: self.seed,
            relays: target.relays(),
            client_id: self.client_id,
            host_name: self.host_name,
            relay_agent: self.option_82,
        };
        let options = BenchOptions {
            threads: self.threads,
            timeout: self.timeout,
            attempts: self.attempts,
            server_pid: target.server_pid,
            ..BenchOptions::new(server, fleet, phase)
        };
        options
            .check()
            .map_err(|cause| Failure::usage(cause.to_string(), "purlin bench dhcp --help"))?;
        Ok(options)
    }
}

/// `10.0.0.2` or `10.0.0.2:67`.
pub(crate) fn server_address(text: &str) -> Result<SocketAddrV4, String> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(SocketAddrV4::new(address, 67));
    }
    text.parse()
        .map_err(|_| format!("{text:?} is no IPv4 address with a port, like 10.0.0.2:67"))
}

/// `10.0.0.9` (bound to its own port 67) or `10.0.0.9@127.0.0.1:0`.
fn relay(text: &str) -> Result<Relay, String> {
    let wrong =
        || format!("{text:?} is no relay; write GIADDR or GIADDR@ADDRESS:PORT, like 10.67.0.1@127.0.0.1:0");
    let Some((giaddr, bind)) = text.split_once('@') else {
        return text.parse().map(Relay::classic).map_err(|_| wrong());
    };
    let giaddr = giaddr.parse().map_err(|_| wrong())?;
    let bind = bind.parse().map_err(|_| wrong())?;
    Ok(Relay { giaddr, bind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relays_are_read_in_both_forms() {
        assert_eq!(
            relay("10.0.0.9").unwrap(),
            Relay::classic(Ipv4Addr::new(10, 0, 0, 9))
        );
        let ephemeral = relay("10.67.0.1@127.0.0.1:0").unwrap();
        assert_eq!(ephemeral, Relay::ephemeral(DEFAULT_RELAY, Ipv4Addr::LOCALHOST));
        assert!(relay("10.67.0.1@x").is_err());
    }

    #[test]
    fn a_server_without_a_port_is_at_67() {
        assert_eq!(server_address("10.0.0.2").unwrap().port(), 67);
        assert!(server_address("::1").is_err());
    }
}
