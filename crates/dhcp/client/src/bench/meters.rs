//! What one thread counts, and how threads' counts become one.

use purlin_load::{Latency, Times};

use super::options::Operation;
use super::ownership::{Violation, ViolationKind};
use super::report::OperationCount;

/// The stretches whose time is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stretch {
    /// From when the DORA was due.
    DiscoverOffer,
    RequestAck,
    /// From when the DORA was due.
    Dora,
    Renew,
    Rebind,
    Reboot,
    Inform,
}

const STRETCHES: [(Stretch, &str); 7] = [
    (Stretch::DiscoverOffer, "DISCOVER-OFFER"),
    (Stretch::RequestAck, "REQUEST-ACK"),
    (Stretch::Dora, "DORA"),
    (Stretch::Renew, "RENEW-ACK"),
    (Stretch::Rebind, "REBIND-ACK"),
    (Stretch::Reboot, "REBOOT-ACK"),
    (Stretch::Inform, "INFORM-ACK"),
];
/// Violations kept with their evidence; the rest are only counted.
const EVIDENCE_MAX: usize = 20;

/// Counts of one thread over one phase.
#[derive(Debug)]
pub(crate) struct Meters {
    times: [Times; 7],
    pub(crate) operations: [OperationCount; 6],
    pub(crate) sent: u64,
    pub(crate) send_failures: u64,
    pub(crate) received: u64,
    pub(crate) retransmitted: u64,
    pub(crate) late: u64,
    pub(crate) malformed: u64,
    pub(crate) shed: u64,
    pub(crate) violations: [u64; 7],
    pub(crate) evidence: Vec<Violation>,
    pub(crate) checked: u64,
    /// When the last operation finished, nanoseconds since the phase began.
    pub(crate) last_done_ns: u64,
}

impl Meters {
    pub(crate) fn new() -> Self {
        Self {
            times: STRETCHES.map(|_| Times::new()),
            operations: Operation::ALL.map(OperationCount::new),
            sent: 0,
            send_failures: 0,
            received: 0,
            retransmitted: 0,
            late: 0,
            malformed: 0,
            shed: 0,
            violations: [0; 7],
            evidence: Vec::new(),
            checked: 0,
            last_done_ns: 0,
        }
    }

    pub(crate) fn count(&mut self, operation: Operation) -> &mut OperationCount {
        &mut self.operations[operation as usize]
    }

    pub(crate) fn took(&mut self, stretch: Stretch, nanos: u64) {
        self.times[stretch as usize].record(nanos);
    }

    pub(crate) fn violation(&mut self, kind: ViolationKind, evidence: impl FnOnce() -> Violation) {
        self.violations[kind as usize] += 1;
        if self.evidence.len() < EVIDENCE_MAX {
            self.evidence.push(evidence());
        }
    }

    pub(crate) fn done(&self) -> u64 {
        self.operations.iter().map(|count| count.done).sum()
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        for (mine, theirs) in self.times.iter_mut().zip(&other.times) {
            mine.absorb(theirs);
        }
        for (mine, theirs) in self.operations.iter_mut().zip(&other.operations) {
            mine.absorb(theirs);
        }
        for (mine, theirs) in self.violations.iter_mut().zip(&other.violations) {
            *mine += theirs;
        }
        self.evidence.extend(other.evidence);
        self.evidence.truncate(EVIDENCE_MAX);
        self.sent += other.sent;
        self.send_failures += other.send_failures;
        self.received += other.received;
        self.retransmitted += other.retransmitted;
        self.late += other.late;
        self.malformed += other.malformed;
        self.shed += other.shed;
        self.checked += other.checked;
        self.last_done_ns = self.last_done_ns.max(other.last_done_ns);
    }

    /// The stretches that happened.
    pub(crate) fn latencies(&self) -> Vec<Latency> {
        let named = STRETCHES.iter().zip(&self.times);
        named
            .filter_map(|((_, name), times)| times.latency(name))
            .collect()
    }
}
