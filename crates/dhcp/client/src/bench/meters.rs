//! What one thread counts, and how threads' counts become one.

use hdrhistogram::Histogram;

use super::options::Operation;
use super::ownership::{Violation, ViolationKind};
use super::report::{Latency, OperationCount};

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
/// 1 us to 10 minutes in nanoseconds, three digits.
const NANOS_MIN: u64 = 1_000;
const NANOS_MAX: u64 = 600_000_000_000;

/// Counts of one thread over one phase.
#[derive(Debug)]
pub(crate) struct Meters {
    latency: Vec<Histogram<u32>>,
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
            latency: STRETCHES.iter().map(|_| histogram(3)).collect(),
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
        self.latency[stretch as usize].saturating_record(nanos.max(NANOS_MIN));
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
        for (mine, theirs) in self.latency.iter_mut().zip(&other.latency) {
            mine.add(theirs).expect("same bounds and precision everywhere");
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
        let named = STRETCHES.iter().zip(&self.latency);
        named
            .filter(|(_, h)| !h.is_empty())
            .map(|((_, name), h)| summary(name, h))
            .collect()
    }
}

fn histogram(digits: u8) -> Histogram<u32> {
    Histogram::new_with_bounds(NANOS_MIN, NANOS_MAX, digits).expect("bounds are constants and valid")
}

fn summary(step: &'static str, histogram: &Histogram<u32>) -> Latency {
    let micros = |nanos: u64| nanos as f64 / 1e3;
    let at = |quantile: f64| micros(histogram.value_at_quantile(quantile));
    Latency {
        step,
        count: histogram.len(),
        mean_us: histogram.mean() / 1e3,
        p50_us: at(0.5),
        p90_us: at(0.9),
        p99_us: at(0.99),
        p999_us: at(0.999),
        max_us: micros(histogram.max()),
    }
}

/// The last moments' 99th percentile, for progress displays.
#[derive(Debug)]
pub(crate) struct Recent(Histogram<u32>);

impl Recent {
    pub(crate) fn new() -> Self {
        Self(histogram(2))
    }

    pub(crate) fn record(&mut self, nanos: u64) {
        self.0.saturating_record(nanos.max(NANOS_MIN));
    }

    /// The percentile in nanoseconds since the last call; 0 when nothing happened.
    pub(crate) fn take_p99(&mut self) -> u64 {
        if self.0.is_empty() {
            return 0;
        }
        let p99 = self.0.value_at_quantile(0.99);
        self.0.reset();
        p99
    }
}
