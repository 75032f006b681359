//! What a run is told.

use super::mix::{Kind, Mix};
use crate::{Endpoint, Key};
use purlin_load::Load;
use serde::Serialize;
use std::time::Duration;

/// Most transactions of a run: about 600 octets of memory each.
const TRANSACTIONS_MAX: u32 = 10_000_000;
const SENDERS_MAX: u32 = 1_000_000;
const CONNECTIONS_MAX: u32 = 1024;
const BATCH_MAX: u32 = 10_000;
const POLL_MIN: Duration = Duration::from_millis(1);
/// Wei; above it, no account could pay a run.
const FEE_MAX: u128 = 1_000_000_000_000_000;

/// How transactions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Envelope {
    /// Type 0 with the chain's id (EIP-155).
    Legacy,
    /// Type 2 (EIP-1559).
    Dynamic,
}

/// A run.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// Nodes of one chain; connections go to them in turn. The first is followed and verified with.
    pub servers: Vec<Endpoint>,
    /// Learns of new blocks here (`ws://HOST:PORT`) too, and not only by asking again and again.
    pub websocket: Option<String>,
    pub mix: Mix,
    /// Closed: so many transactions sent and not yet in a block. Open: so many become due each second.
    pub load: Load,
    /// The load grows over this time, from nothing.
    pub ramp: Duration,
    /// 1 to 10,000,000.
    pub transactions: u32,
    /// 2 to 1,000,000 accounts, at least as many as connections.
    pub senders: u32,
    /// 1 to 1,024.
    pub connections: u32,
    /// Most transactions of one request, 1 to 10,000; 1 sends no batches.
    pub batch: u32,
    pub envelope: Envelope,
    /// Wei per gas that senders offer at most; `None`: eight times the base fee of the head, at least 10 gwei.
    pub fee_max: Option<u128>,
    /// Wei per gas for whoever makes the block, at most `fee_max`.
    pub tip: u128,
    /// Pays for everything.
    pub funder: Key,
    /// Makes senders, recipients, amounts and kinds.
    pub seed: u64,
    /// How often the next block is asked for; at least 1 ms.
    pub poll: Duration,
    /// Without a new block that holds any of ours for so long, all that were accepted are sent again.
    pub resend_after: Duration,
    /// Preparation and load together; verification gets the same again, at least a minute.
    pub timeout: Duration,
    /// The server's process, when it runs on this machine.
    pub server_pid: Option<u32>,
}

/// A run that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error("no server is named")]
    NoServer,
    #[error("{what} {found} is outside {least} to {most}")]
    Range {
        what: &'static str,
        found: u64,
        least: u64,
        most: u64,
    },
    #[error("{senders} senders cannot share {connections} connections: each sender keeps to one")]
    FewSenders { senders: u32, connections: u32 },
    #[error("a rate has to be above 0 and below 10,000,000 per second")]
    Rate,
    #[error("the tip of {tip} wei is above the fee of {fee} wei of which it is a part")]
    Tip { tip: u128, fee: u128 },
    #[error("a time limit of nothing ends every run before it begins")]
    Timeout,
    #[error(
        "{transactions} transactions become due over {seconds} s, and --timeout ends the load after {limit} s"
    )]
    Long {
        transactions: u32,
        seconds: u64,
        limit: u64,
    },
}

impl BenchOptions {
    /// Ten thousand plain transfers of a thousand senders from the first development account, as fast as they go in.
    #[must_use]
    pub fn new(server: Endpoint, funder: Key) -> Self {
        Self {
            servers: vec![server],
            websocket: None,
            mix: Mix::only(Kind::Transfers),
            load: Load::Closed { in_flight: 5000 },
            ramp: Duration::ZERO,
            transactions: 10_000,
            senders: 1000,
            connections: 4,
            batch: 100,
            envelope: Envelope::Dynamic,
            fee_max: None,
            tip: 1_000_000_000,
            funder,
            seed: 1,
            poll: Duration::from_millis(20),
            resend_after: Duration::from_secs(10),
            timeout: Duration::from_secs(120),
            server_pid: None,
        }
    }

    /// # Errors
    /// When a value is out of its range, or two do not fit.
    pub fn check(&self) -> Result<(), OptionsError> {
        if self.servers.is_empty() {
            return Err(OptionsError::NoServer);
        }
        within("--transactions", self.transactions, 1, TRANSACTIONS_MAX)?;
        within("--senders", self.senders, 2, SENDERS_MAX)?;
        within("--connections", self.connections, 1, CONNECTIONS_MAX)?;
        within("--batch", self.batch, 1, BATCH_MAX)?;
        if self.senders < self.connections {
            let (senders, connections) = (self.senders, self.connections);
            return Err(OptionsError::FewSenders { senders, connections });
        }
        match self.load {
            Load::Open { per_second } if !(per_second > 0.0 && per_second < 1e7) => Err(OptionsError::Rate),
            Load::Closed { in_flight } => {
                within("--in-flight", in_flight, self.connections, TRANSACTIONS_MAX)
            }
            Load::Open { .. } => Ok(()),
        }?;
        if let Some(fee) = self.fee_max.filter(|fee| self.tip > *fee || *fee > FEE_MAX) {
            return Err(OptionsError::Tip { tip: self.tip, fee });
        }
        if self.timeout.is_zero() {
            return Err(OptionsError::Timeout);
        }
        self.ends_in_time()
    }

    /// What becomes due by the clock must do so before the end.
    fn ends_in_time(&self) -> Result<(), OptionsError> {
        let Load::Open { per_second } = self.load else {
            return Ok(());
        };
        // While it grows, half as many come.
        let seconds = f64::from(self.transactions) / per_second + self.ramp.as_secs_f64() / 2.0;
        if seconds <= self.timeout.as_secs_f64() {
            return Ok(());
        }
        Err(OptionsError::Long {
            transactions: self.transactions,
            seconds: seconds.ceil() as u64,
            limit: self.timeout.as_secs(),
        })
    }

    pub(crate) fn poll(&self) -> Duration {
        self.poll.max(POLL_MIN)
    }

    /// What senders offer over a base fee: it may rise by an eighth with each full block.
    pub(crate) fn fee_over(&self, base_fee: u128) -> u128 {
        let usual = (8 * base_fee + self.tip).max(10_000_000_000);
        self.fee_max.unwrap_or(usual)
    }
}

fn within(what: &'static str, found: u32, least: u32, most: u32) -> Result<(), OptionsError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    let [found, least, most] = [found, least, most].map(u64::from);
    Err(OptionsError::Range {
        what,
        found,
        least,
        most,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> BenchOptions {
        BenchOptions::new("127.0.0.1".parse().unwrap(), Key::derived(1, 1))
    }

    fn check(change: impl FnOnce(&mut BenchOptions), expected: &str) {
        let mut changed = options();
        change(&mut changed);
        assert_eq!(changed.check().unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_cannot_be_run_is_said_with_its_range() {
        assert_eq!(options().check(), Ok(()));
        check(|o| o.senders = 1, "--senders 1 is outside 2 to 1000000");
        check(|o| o.batch = 0, "--batch 0 is outside 1 to 10000");
        check(
            |o| (o.senders, o.connections) = (3, 8),
            "3 senders cannot share 8 connections: each sender keeps to one",
        );
        check(
            |o| o.load = Load::Open { per_second: f64::NAN },
            "a rate has to be above 0 and below 10,000,000 per second",
        );
        check(
            |o| o.load = Load::Closed { in_flight: 1 },
            "--in-flight 1 is outside 4 to 10000000",
        );
        check(
            |o| (o.load, o.transactions) = (Load::Open { per_second: 20.0 }, 34_000),
            "34000 transactions become due over 1700 s, and --timeout ends the load after 120 s",
        );
        check(
            |o| (o.fee_max, o.tip) = (Some(5), 6),
            "the tip of 6 wei is above the fee of 5 wei of which it is a part",
        );
    }

    #[test]
    fn the_usual_fee_outlives_many_full_blocks() {
        assert_eq!(options().fee_over(7), 10_000_000_000);
        assert_eq!(options().fee_over(10_000_000_000), 81_000_000_000);
    }
}
