//! What one thread counts, and how threads' counts become one.

use std::collections::BTreeMap;

use purlin_load::{Latency, Times};

use super::report::{ErrorCount, FaultCount, TransferCount, Violation};
use crate::faults::Fate;

/// The stretches whose time is kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stretch {
    FirstBlock,
    Transfer,
    Probe,
    Miss,
    Boot,
}

const STRETCHES: [&str; 5] = ["first-block", "transfer", "probe", "miss", "boot"];
/// Violations kept with their evidence; the rest are only counted.
pub(crate) const EVIDENCE_MAX: usize = 20;
/// Different error texts kept apart; further ones are counted together.
const ERRORS_MAX: usize = 64;

/// What rates are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InTime {
    pub(crate) octets: u64,
    pub(crate) boots: u64,
}

/// Counts of one thread over one phase.
#[derive(Debug)]
pub(crate) struct Meters {
    times: [Times; 5],
    pub(crate) transfers: TransferCount,
    pub(crate) boots_started: u64,
    pub(crate) boots_done: u64,
    pub(crate) boots_failed: u64,
    pub(crate) shed: u64,
    pub(crate) octets: u64,
    /// What was done when the phase's duration was over.
    in_time: Option<InTime>,
    pub(crate) sent: u64,
    pub(crate) send_failures: u64,
    pub(crate) received: u64,
    /// DATA wanted and DATA received; the ratio is the amplification.
    pub(crate) blocks: u64,
    pub(crate) data_received: u64,
    pub(crate) duplicates: u64,
    pub(crate) gaps: u64,
    pub(crate) requests_repeated: u64,
    pub(crate) timeouts: u64,
    pub(crate) late: u64,
    pub(crate) strangers: u64,
    pub(crate) malformed: u64,
    pub(crate) injected_to_server: FaultCount,
    pub(crate) injected_to_client: FaultCount,
    errors: BTreeMap<(u16, String), u64>,
    pub(crate) violations: u64,
    pub(crate) evidence: Vec<Violation>,
    /// When the last octet came or the last transfer ended, nanoseconds since the phase began.
    pub(crate) last_ns: u64,
}

impl Meters {
    pub(crate) fn new() -> Self {
        Self {
            times: STRETCHES.map(|_| Times::new()),
            transfers: TransferCount::default(),
            boots_started: 0,
            boots_done: 0,
            boots_failed: 0,
            shed: 0,
            octets: 0,
            in_time: None,
            sent: 0,
            send_failures: 0,
            received: 0,
            blocks: 0,
            data_received: 0,
            duplicates: 0,
            gaps: 0,
            requests_repeated: 0,
            timeouts: 0,
            late: 0,
            strangers: 0,
            malformed: 0,
            injected_to_server: FaultCount::default(),
            injected_to_client: FaultCount::default(),
            errors: BTreeMap::new(),
            violations: 0,
            evidence: Vec::new(),
            last_ns: 0,
        }
    }

    pub(crate) fn took(&mut self, stretch: Stretch, nanos: u64) {
        self.times[stretch as usize].record(nanos);
    }

    pub(crate) fn error(&mut self, code: u16, text: String) {
        let known = self.errors.len() < ERRORS_MAX || self.errors.contains_key(&(code, text.clone()));
        let key = if known {
            (code, text)
        } else {
            (code, "(other texts)".to_owned())
        };
        *self.errors.entry(key).or_default() += 1;
    }

    pub(crate) fn violation(&mut self, evidence: Violation) {
        self.violations += 1;
        if self.evidence.len() < EVIDENCE_MAX {
            self.evidence.push(evidence);
        }
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        for (mine, theirs) in self.times.iter_mut().zip(&other.times) {
            mine.absorb(theirs);
        }
        let (mine, theirs) = (self.in_time(), other.in_time());
        self.in_time = Some(InTime {
            octets: mine.octets + theirs.octets,
            boots: mine.boots + theirs.boots,
        });
        self.transfers.absorb(&other.transfers);
        self.injected_to_server.absorb(&other.injected_to_server);
        self.injected_to_client.absorb(&other.injected_to_client);
        for (key, count) in other.errors {
            *self.errors.entry(key).or_default() += count;
        }
        self.evidence.extend(other.evidence);
        self.evidence.truncate(EVIDENCE_MAX);
        self.last_ns = self.last_ns.max(other.last_ns);
        for (mine, theirs) in [
            (&mut self.boots_started, other.boots_started),
            (&mut self.boots_done, other.boots_done),
            (&mut self.boots_failed, other.boots_failed),
            (&mut self.shed, other.shed),
            (&mut self.octets, other.octets),
            (&mut self.sent, other.sent),
            (&mut self.send_failures, other.send_failures),
            (&mut self.received, other.received),
            (&mut self.blocks, other.blocks),
            (&mut self.data_received, other.data_received),
            (&mut self.duplicates, other.duplicates),
            (&mut self.gaps, other.gaps),
            (&mut self.requests_repeated, other.requests_repeated),
            (&mut self.timeouts, other.timeouts),
            (&mut self.late, other.late),
            (&mut self.strangers, other.strangers),
            (&mut self.malformed, other.malformed),
            (&mut self.violations, other.violations),
        ] {
            *mine += theirs;
        }
    }

    /// Notes what was done within the phase's duration; only the first call counts.
    pub(crate) fn time_is_over(&mut self) {
        if self.in_time.is_none() {
            self.in_time = Some(self.in_time());
        }
    }

    /// What was done before the phase's duration was over.
    pub(crate) fn in_time(&self) -> InTime {
        self.in_time.unwrap_or(InTime {
            octets: self.octets,
            boots: self.boots_done,
        })
    }

    /// The stretches that happened.
    pub(crate) fn latencies(&self) -> Vec<Latency> {
        let named = STRETCHES.iter().zip(&self.times);
        named.filter_map(|(step, times)| times.latency(step)).collect()
    }

    /// What servers said, most frequent first.
    pub(crate) fn error_counts(&self) -> Vec<ErrorCount> {
        let mut counts: Vec<_> = (self.errors.iter())
            .map(|((code, text), &count)| ErrorCount {
                code: *code,
                text: text.clone(),
                count,
            })
            .collect();
        counts.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        counts
    }
}

impl TransferCount {
    fn absorb(&mut self, other: &Self) {
        self.started += other.started;
        self.done += other.done;
        self.probed += other.probed;
        self.missed += other.missed;
        self.refused += other.refused;
        self.timed_out += other.timed_out;
        self.too_slow += other.too_slow;
        self.wrong += other.wrong;
        self.unfinished += other.unfinished;
        self.served += other.served;
    }
}

impl FaultCount {
    pub(crate) fn count(&mut self, fate: Fate) {
        match fate {
            Fate::Lost => self.lost += 1,
            Fate::Twice => self.doubled += 1,
            Fate::Late => self.reordered += 1,
            Fate::Arrives | Fate::Corrupt => {}
        }
    }

    fn absorb(&mut self, other: &Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
    }
}
