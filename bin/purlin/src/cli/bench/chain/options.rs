//! From flags to a run: which nodes, how many transactions of which kinds, how fast.

use crate::cli::Context;
use crate::client::NodeFile;
use crate::exit::Failure;
use clap::{Args, ValueEnum};
use purlin_chain_client::bench::{BenchOptions, Envelope, Load, Mix};
use purlin_chain_client::{Endpoint, Key};
use purlin_config::parse_duration;
use std::time::Duration;

/// Where `purlin up` without a file serves JSON-RPC.
const DEFAULT: &str = "127.0.0.1:8545";
const WEI_PER_GWEI: f64 = 1e9;

/// Whom to load, and who pays.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// JSON-RPC of the chain's nodes [default: the node of the data directory, else http://127.0.0.1:8545].
    #[arg(value_name = "URL")]
    servers: Vec<Endpoint>,
    /// Learn of new blocks over this WebSocket too, as ws://127.0.0.1:8546.
    #[arg(long, value_name = "URL")]
    websocket: Option<String>,
    /// Private key of the account that pays [default: that of the first development account].
    #[arg(long, value_name = "HEX", env = "PURLIN_BENCH_KEY", hide_env = true)]
    key: Option<Key>,
    /// Also show CPU time and memory of this process [default: the node of the data directory].
    #[arg(long, value_name = "PID")]
    server_pid: Option<u32>,
}

impl Target {
    fn servers(&self, own: Option<&NodeFile>) -> Result<Vec<Endpoint>, Failure> {
        if !self.servers.is_empty() {
            return Ok(self.servers.clone());
        }
        let text = own.and_then(|node| node.chain_http.as_deref()).unwrap_or(DEFAULT);
        let endpoint = text.parse::<Endpoint>();
        let wrong = |cause: purlin_chain_client::EndpointError| {
            Failure::usage(cause.to_string(), "purlin bench chain --help")
        };
        Ok(vec![endpoint.map_err(wrong)?])
    }

    /// The node's own process, where it is the node of the data directory that is loaded.
    fn server_pid(&self, own: Option<&NodeFile>) -> Option<u32> {
        let ours = || own.filter(|node| self.servers.is_empty() && node.chain_http.is_some());
        self.server_pid.or_else(|| ours().map(|node| node.pid))
    }
}

/// What is sent.
#[derive(Debug, Args)]
pub(super) struct Shape {
    /// Kinds of transactions: transfers, erc20, storage, mixed, or weights.
    #[arg(long, default_value = "transfers", value_name = "transfers=5,erc20=3")]
    load: Mix,
    /// How many in all.
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    transactions: u32,
    /// Accounts that send, each over one connection.
    #[arg(long, default_value_t = 1000, value_name = "N")]
    senders: u32,
    /// Closed loop: so many are sent and not yet in a block.
    #[arg(long, default_value_t = 5000, value_name = "N")]
    in_flight: u32,
    /// Open loop: so many become due each second, whatever the node does.
    #[arg(long, value_name = "PER_SECOND", conflicts_with = "in_flight")]
    rate: Option<f64>,
    /// The load grows over this time, from nothing.
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = parse_duration)]
    ramp: Duration,
    /// HTTP connections, one request under way on each.
    #[arg(long, default_value_t = 4, value_name = "N")]
    connections: u32,
    /// Most transactions of one request; 1 sends no batches.
    #[arg(long, default_value_t = 100, value_name = "N")]
    batch: u32,
    /// How transactions are written: dynamic (type 2) or legacy (type 0).
    #[arg(long = "type", value_enum, default_value_t = Type::Dynamic, value_name = "TYPE", hide_possible_values = true)]
    envelope: Type,
    /// The most that is offered for gas [default: eight times the base fee, at least 10].
    #[arg(long, value_name = "GWEI")]
    max_fee_gwei: Option<f64>,
    /// Of that, for whoever makes the block.
    #[arg(long, default_value_t = 1.0, value_name = "GWEI")]
    tip_gwei: f64,
    /// Makes senders, recipients, amounts and kinds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the next block is asked for.
    #[arg(long, default_value = "20ms", value_name = "TIME", value_parser = parse_duration)]
    poll: Duration,
    /// Without a block that holds any of ours for so long, all that wait are sent again.
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = parse_duration)]
    resend: Duration,
    /// Preparation and load end after this time; verification gets the same again, at least a minute.
    #[arg(long, default_value = "2m", value_name = "TIME", value_parser = parse_duration)]
    timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Type {
    Dynamic,
    Legacy,
}

impl Shape {
    /// The run these flags ask for.
    pub(super) fn options(&self, target: &Target, context: &Context) -> Result<BenchOptions, Failure> {
        let own = NodeFile::read(context.data_dir()).filter(NodeFile::is_alive);
        let servers = target.servers(own.as_ref())?;
        let funder = target.key.clone().or_else(|| Key::development(0));
        let funder = funder.ok_or_else(|| Failure::usage("nobody pays", "purlin bench chain --key HEX"))?;
        let options = BenchOptions {
            websocket: target.websocket.clone(),
            mix: self.load.clone(),
            load: match self.rate {
                Some(per_second) => Load::Open { per_second },
                None => Load::Closed {
                    in_flight: self.in_flight,
                },
            },
            ramp: self.ramp,
            transactions: self.transactions,
            senders: self.senders,
            connections: self.connections,
            batch: self.batch,
            envelope: match self.envelope {
                Type::Dynamic => Envelope::Dynamic,
                Type::Legacy => Envelope::Legacy,
            },
            fee_max: self.max_fee_gwei.map(wei),
            tip: wei(self.tip_gwei),
            seed: self.seed,
            poll: self.poll,
            resend_after: self.resend,
            timeout: self.timeout,
            server_pid: target.server_pid(own.as_ref()),
            ..BenchOptions::new(servers[0].clone(), funder)
        };
        let options = BenchOptions { servers, ..options };
        options
            .check()
            .map_err(|cause| Failure::usage(cause.to_string(), "purlin bench chain --help"))?;
        Ok(options)
    }
}

/// Nothing below zero and nothing that is no number.
fn wei(gwei: f64) -> u128 {
    (gwei * WEI_PER_GWEI).round() as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_written_in_gwei() {
        assert_eq!([0.0, 1.5, -3.0].map(wei), [0, 1_500_000_000, 0]);
    }
}
