//! What a run found.

use super::cost::Cost;
use super::mix::Mix;
use super::options::Envelope;
use super::verify::Problem;
use purlin_load::Times;
use serde::Serialize;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Paying senders, deploying contracts.
    Prepare,
    Sign,
    Load,
    Verify,
}

/// How far a run is, about five times a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub stage: Stage,
    /// Of what the stage is about: the payer's transactions, signatures, transactions in blocks, receipts.
    pub done: u64,
    pub total: u64,
    pub accepted: u64,
    /// Sent and not yet in a block.
    pub in_flight: u64,
    /// Since the last word.
    pub accepted_per_second: f64,
    pub mined_per_second: f64,
    /// Of the transactions that came in blocks since the last word, milliseconds.
    pub inclusion_p99_ms: f64,
    pub elapsed_seconds: f64,
    /// Until the time limit.
    pub seconds_left: f64,
}

impl Progress {
    pub(crate) fn of(stage: Stage, done: u64, total: u64) -> Self {
        Self {
            stage,
            done,
            total,
            accepted: 0,
            in_flight: 0,
            accepted_per_second: 0.0,
            mined_per_second: 0.0,
            inclusion_p99_ms: 0.0,
            elapsed_seconds: 0.0,
            seconds_left: 0.0,
        }
    }
}

/// The whole run.
#[derive(Debug, Clone, Serialize)]
pub struct BenchReport {
    pub servers: Vec<String>,
    /// What the first server calls itself (`web3_clientVersion`).
    pub client: String,
    /// When it began, seconds since 1970.
    pub started: u64,
    pub conditions: Conditions,
    pub preparation: Preparation,
    /// Seconds from the first transaction to the last that was seen in a block.
    pub seconds: f64,
    /// Transactions that were sent at least once.
    pub sent: u64,
    /// Requests for a transaction, also for the same one again.
    pub attempts: u64,
    pub accepted: u64,
    /// Over the time until the last acceptance.
    pub accepted_per_second: f64,
    pub mined: u64,
    /// Over `seconds`.
    pub mined_per_second: f64,
    /// Used by the transactions, as their receipts say.
    pub gas: u64,
    pub gas_per_second: f64,
    /// Refused until they were given up.
    pub given_up: u64,
    /// Sent again after a refusal, no answer, or silence.
    pub resent: u64,
    /// Answers that said no, by message.
    pub refusals: Vec<Refusal>,
    /// Requests that were not answered, by cause.
    pub failures: Vec<Refusal>,
    /// From when a transaction was due to the server's yes.
    pub acceptance: Option<Waits>,
    /// From when a transaction was due to seeing it in a block.
    pub inclusion: Option<Waits>,
    pub blocks: BlocksReport,
    pub verification: Verification,
    pub generator: Option<Cost>,
    pub server: Option<Cost>,
    /// Somebody ended it early.
    pub interrupted: bool,
    /// The time limit ended it.
    pub timed_out: bool,
}

impl BenchReport {
    /// Whether everything that was to be sent was sent, accepted and found again as it has to be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.verification.verified && !self.timed_out && self.given_up == 0
    }
}

/// Under which conditions.
#[derive(Debug, Clone, Serialize)]
pub struct Conditions {
    pub mix: Mix,
    /// `closed:N` or `open:RATE`.
    pub load: String,
    pub transactions: u32,
    pub senders: u32,
    pub connections: u32,
    pub batch: u32,
    pub envelope: Envelope,
    pub seed: u64,
    pub fee_max_wei: u128,
    pub tip_wei: u128,
    pub chain_id: u64,
    /// Of the block before the load.
    pub gas_limit: u64,
    pub base_fee_wei: u128,
    pub first_block: u64,
    /// Whether blocks were announced over a WebSocket.
    pub announced: bool,
    pub poll_ms: f64,
}

/// What was done before the clock ran.
#[derive(Debug, Clone, Serialize)]
pub struct Preparation {
    pub seconds: f64,
    pub transactions: u64,
    pub gas: u64,
    pub signing_seconds: f64,
    pub signing_threads: u32,
    pub signatures_per_second: f64,
}

/// A message and how often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    pub message: String,
    pub count: u64,
}

/// Milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Waits {
    pub count: u64,
    pub mean_ms: f64,
    pub p50_ms: f64,
    pub p95_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Waits {
    pub(crate) fn of(times: &Times) -> Option<Self> {
        let latency = times.latency("wait")?;
        let [p50_ms, p95_ms, p99_ms] = [0.5, 0.95, 0.99].map(|share| times.quantile_us(share) / 1e3);
        Some(Self {
            count: latency.count,
            mean_ms: latency.mean_us / 1e3,
            p50_ms,
            p95_ms,
            p99_ms,
            max_ms: latency.max_us / 1e3,
        })
    }
}

/// Blocks while the load ran.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BlocksReport {
    pub count: u64,
    /// With none of our transactions.
    pub without_ours: u64,
    pub transactions_mean: f64,
    pub transactions_max: u64,
    /// Of its gas limit that the fullest block used, 0.0 to 1.0.
    pub fullest: f64,
    /// Between two blocks with transactions of ours, as they were seen.
    pub interval_ms_mean: f64,
    pub interval_ms_max: f64,
    /// When the first and the last block with transactions of ours was seen, seconds after the first transaction.
    pub first_seconds: f64,
    pub last_seconds: f64,
    /// Blocks that were seen and then gone.
    pub taken_back: u64,
}

/// Whether the chain is right.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    pub verified: bool,
    pub seconds: f64,
    pub receipts: u64,
    /// With a status that is not 1.
    pub failed: u64,
    pub accounts: u64,
    pub blocks: u64,
    pub slots: u64,
    pub problems: Vec<Problem>,
}
