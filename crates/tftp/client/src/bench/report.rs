//! What a run found.

use std::net::SocketAddr;

use purlin_load::Latency;
use serde::Serialize;

use super::cost::Cost;

/// The outcome of a whole run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    pub server: SocketAddr,
    pub threads: u32,
    /// Seconds of the Unix epoch when the run began.
    pub started: u64,
    pub phases: Vec<PhaseReport>,
    /// The first violations with evidence, at most 20.
    pub evidence: Vec<Violation>,
    /// The run was stopped before its end, by whoever watched it or by its time limit.
    pub interrupted: bool,
}

impl BenchReport {
    /// Every octet was right.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.phases.iter().all(|phase| phase.violations == 0)
    }
}

/// One phase.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhaseReport {
    pub name: String,
    pub profiles: String,
    pub load: String,
    /// Harm done on purpose, in words, each way.
    pub faults_to_server: String,
    pub faults_to_client: String,
    /// Until the end of the phase's duration, or until its last octet.
    pub seconds: f64,
    /// Clients that went through their profile, or failed at one of its requests.
    pub boots_started: u64,
    pub boots_done: u64,
    pub boots_failed: u64,
    /// Boots due in an open loop that could not start because all ports were in use.
    pub shed: u64,
    pub transfers: TransferCount,
    /// Octets of content, verified, without repeats.
    pub octets: u64,
    /// Within `seconds`, so without what the drain brought.
    pub octets_per_second: f64,
    /// As `octets_per_second`.
    pub boots_per_second: f64,
    /// `first-block`: request to DATA 1 (upload: to the first ACK of data); `transfer`: request to the end; `probe`:
    /// request to OACK; `miss`: request to "not found"; `boot`: all of a profile.
    pub latency: Vec<Latency>,
    /// Datagrams.
    pub sent: u64,
    pub send_failures: u64,
    pub received: u64,
    /// DATA (downloads) or ACKs (uploads) that told nothing new.
    pub duplicates: u64,
    /// DATA received per block wanted; 1.0 when nothing came twice.
    pub amplification: f64,
    /// Gaps in the order of blocks, each answered with one ACK.
    pub gaps: u64,
    pub requests_repeated: u64,
    /// ACKs or windows sent again after silence.
    pub timeouts: u64,
    /// Datagrams for transfers already over.
    pub late: u64,
    /// Datagrams from other addresses or ports than the transfer's.
    pub strangers: u64,
    pub malformed: u64,
    /// Faults injected, each way.
    pub injected_to_server: FaultCount,
    pub injected_to_client: FaultCount,
    /// What servers said in ERROR packets, most frequent first; expected "not found" answers are not here.
    pub errors: Vec<ErrorCount>,
    pub violations: u64,
    pub generator: Option<Cost>,
    pub server: Option<Cost>,
}

/// How requests fared. `started` is the sum of the others but `served`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct TransferCount {
    pub started: u64,
    /// Files that arrived whole and right, or were stored.
    pub done: u64,
    /// Size probes answered with the size.
    pub probed: u64,
    /// Missing files rightly refused.
    pub missed: u64,
    /// Refused, or ended by the server with an error.
    pub refused: u64,
    /// Nobody answered (any more).
    pub timed_out: u64,
    /// Took longer than `transfer_limit`.
    pub too_slow: u64,
    /// Wrong content, size or options.
    pub wrong: u64,
    /// Under way when the phase ended.
    pub unfinished: u64,
    /// Transfers that got a first block, whatever became of them.
    pub served: u64,
}

/// What was injected into one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FaultCount {
    pub lost: u64,
    pub doubled: u64,
    pub reordered: u64,
}

/// One ERROR packet and how often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorCount {
    pub code: u16,
    pub text: String,
    pub count: u64,
}

/// What a server did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViolationKind {
    /// An octet differs from the file's.
    WrongOctet,
    /// The file ended early, or went on beyond its end.
    WrongSize,
    /// `tsize` in the OACK is not the file's size.
    WrongTsize,
    /// The OACK answers what was not asked, or more than was asked.
    WrongOack,
    /// More octets in a block than agreed.
    LongBlock,
    /// A file that is not there was served.
    ServedMissing,
    /// A packet that has no place in this transfer.
    WrongPacket,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    pub kind: ViolationKind,
    pub file: String,
    pub profile: String,
    /// Where in the file.
    pub offset: u64,
    pub detail: String,
}

/// Where a run stands, for progress displays; told about five times a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress<'a> {
    pub phase: &'a str,
    /// Position of the phase, from 0.
    pub index: usize,
    /// Boots finished in this phase.
    pub done: u64,
    /// Boots this phase will have, when its end is a number.
    pub total: Option<u64>,
    /// Transfers under way.
    pub in_flight: u64,
    pub octets: u64,
    pub elapsed_seconds: f64,
    /// Share of the phase's duration that has passed, when its end is a time.
    pub time_share: Option<f64>,
    /// Since the last progress.
    pub boots_per_second: f64,
    pub octets_per_second: f64,
    /// 99th percentile of the first block since the last progress, microseconds.
    pub first_block_p99_us: f64,
}
