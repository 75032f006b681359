//! What a run found.

use std::net::{Ipv4Addr, SocketAddrV4};

use purlin_load::Latency;
use serde::Serialize;

use super::cost::Cost;
use super::options::Operation;
use super::ownership::{Violation, ViolationKind};

/// The outcome of a whole run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    pub server: SocketAddrV4,
    pub clients: u32,
    pub relays: u32,
    pub threads: u32,
    /// Seconds of the Unix epoch when the run began.
    pub started: u64,
    pub phases: Vec<PhaseReport>,
    pub verification: Verification,
    /// The run was stopped before its end.
    pub interrupted: bool,
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseReport {
    pub name: String,
    pub mix: String,
    pub load: String,
    /// From the first operation due to the last one finished.
    pub seconds: f64,
    pub operations: Vec<OperationCount>,
    /// Finished operations.
    pub done: u64,
    pub per_second: f64,
    pub latency: Vec<Latency>,
    /// Datagrams.
    pub sent: u64,
    pub send_failures: u64,
    pub received: u64,
    pub retransmitted: u64,
    /// Answers to operations already over (duplicates, or after the time-out).
    pub late: u64,
    /// Datagrams that are no DHCP answer.
    pub malformed: u64,
    /// Operations due in an open loop that could not start because every client or slot was busy.
    pub shed: u64,
    pub generator: Option<Cost>,
    pub server: Option<Cost>,
}

impl PhaseReport {
    /// Operations that failed in any way, as a share of those started.
    pub fn loss(&self) -> f64 {
        let started: u64 = self.operations.iter().map(|count| count.started).sum();
        let failed: u64 = self
            .operations
            .iter()
            .map(|count| count.timed_out + count.refused)
            .sum();
        if started == 0 {
            0.0
        } else {
            (failed + self.shed) as f64 / (started + self.shed) as f64
        }
    }
}

/// How one kind of operation fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationCount {
    pub operation: Operation,
    pub started: u64,
    pub done: u64,
    /// Answered by a NAK.
    pub refused: u64,
    pub timed_out: u64,
}

impl OperationCount {
    pub(crate) fn new(operation: Operation) -> Self {
        Self {
            operation,
            started: 0,
            done: 0,
            refused: 0,
            timed_out: 0,
        }
    }

    pub(crate) fn absorb(&mut self, other: &Self) {
        self.started += other.started;
        self.done += other.done;
        self.refused += other.refused;
        self.timed_out += other.timed_out;
    }
}

/// Whether the server kept its promises.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verification {
    /// Answers held against the promises.
    pub checked: u64,
    /// How often each promise was broken; absent kinds never were.
    pub violations: Vec<ViolationCount>,
    /// The first of them with evidence.
    pub evidence: Vec<Violation>,
    /// Leases the clients believe in at the end.
    pub leases: u64,
    /// Server identifiers that answered.
    pub servers: Vec<Ipv4Addr>,
}

impl Verification {
    /// No promise was broken.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// How often a promise of this kind was broken.
    pub fn count(&self, kind: ViolationKind) -> u64 {
        self.violations
            .iter()
            .find(|entry| entry.kind == kind)
            .map_or(0, |entry| entry.count)
    }
}

/// One kind of broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ViolationCount {
    pub kind: ViolationKind,
    pub count: u64,
}

/// Where a run stands, for progress displays; told about five times a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    pub phase: &'a str,
    /// Position of the phase, from 0.
    pub index: usize,
    /// Operations finished in this phase.
    pub done: u64,
    /// Operations this phase will have, when its end is a number.
    pub total: Option<u64>,
    pub elapsed_seconds: f64,
    /// Share of the phase's duration that has passed, when its end is a time.
    pub time_share: Option<f64>,
    /// Operations per second since the last progress.
    pub per_second: f64,
    /// 99th percentile since the last progress, microseconds.
    pub p99_us: f64,
}
