//! What the transfers of a thread have in common: patience, counts, records, and whom not to answer.

use super::remarks::Remarks;
use crate::counters::Counters;
use crate::effect::{Effect, Effects};
use crate::peer::Slot;
use crate::record::BootRecord;
use crate::settings::{Settings, Timing};
use crate::transfer::{Patience, RoundTrip, Transfer, Window};
use crate::wheel::Wheel;
use purlin_telemetry::DecisionRing;
use purlin_types::{BootTime, Now};
use std::time::Duration;

/// Errors to strangers per second, and how many may come at once.
const STRAYS_PER_SEC: u64 = 100;
const STRAYS_AT_ONCE: u64 = 100;
/// Places for clients whose transfers have just ended.
const RECENT: usize = 4096;

/// Nanoseconds between two looks at one transfer, at least: the least that `tftp.timing.shortest` may be.
const SHORTEST: u64 = 1_000_000;

/// What ends a transfer whose client says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// `tftp.timing.lifetime`
    Lifetime,
    /// `tftp.timing.answer`
    Answer,
    /// `tftp.timing.idle`
    Idle,
}

/// [`Timing`] in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) first: u64,
    pub(super) shortest: u64,
    pub(super) longest: u64,
    pub(super) answer: u64,
    pub(super) idle: u64,
    pub(super) lifetime: u64,
    pub(super) dally: u64,
    pub(super) attempts: u8,
}

impl From<&Timing> for Pace {
    fn from(timing: &Timing) -> Self {
        Self {
            first: nanos(timing.first),
            shortest: nanos(timing.shortest),
            longest: nanos(timing.longest),
            answer: nanos(timing.answer),
            idle: nanos(timing.idle),
            lifetime: nanos(timing.lifetime),
            dally: nanos(timing.dally),
            attempts: timing.attempts.max(1),
        }
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn later(time: BootTime, nanos: u64) -> BootTime {
    BootTime(time.0.saturating_add(nanos))
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) pace: Pace,
    pub(super) size_max: u64,
    pub(super) write_behind: bool,
    pub(super) counters: Counters,
    pub(super) ring: DecisionRing<BootRecord>,
    pub(super) wheel: Wheel,
    /// Round trips of all clients: what the first wait of a new one goes by.
    pub(super) round: RoundTrip,
    /// Decoded text of the block just received, and whose it is.
    pub(super) decoded: Vec<u8>,
    pub(super) decoded_for: Option<Slot>,
    pub(super) remarks: Remarks,
    strays: u64,
    strays_at: BootTime,
    /// Hash of a client and until when, in seconds, its late packets are ignored.
    recent: Vec<(u32, u32)>,
}

impl Shared {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            pace: Pace::from(&settings.timing),
            size_max: settings.files.uploads.size_max.0,
            write_behind: settings.files.uploads.write_behind,
            counters: Counters::default(),
            ring: DecisionRing::new(settings.decisions as usize),
            wheel: Wheel::new(),
            round: RoundTrip::default(),
            decoded: Vec::new(),
            decoded_for: None,
            remarks: Remarks::new(settings.decisions),
            strays: STRAYS_AT_ONCE,
            strays_at: BootTime(0),
            recent: vec![(0, 0); RECENT],
        }
    }

    pub(super) fn apply(&mut self, settings: &Settings) {
        self.pace = Pace::from(&settings.timing);
        self.size_max = settings.files.uploads.size_max.0;
        self.write_behind = settings.files.uploads.write_behind;
    }

    /// How long to wait for the answer to what is sent now.
    pub(super) fn wait<F>(&self, transfer: &Transfer<F>) -> u64 {
        let own = transfer.round.patience().unwrap_or_else(|| self.first_wait());
        self.bounded(own.max(self.common_wait()), &transfer.patience)
    }

    /// The same for an upload, whose client may take its time to produce the next block.
    pub(super) fn wait_for_data<F>(&self, transfer: &Transfer<F>) -> u64 {
        let base = transfer.round.patience().unwrap_or(0);
        self.bounded(base.max(self.first_wait()), &transfer.patience)
    }

    /// RFC 6298, 5.5: every retransmission doubles the wait.
    fn bounded(&self, base: u64, patience: &Patience) -> u64 {
        let doubled = base
            .max(self.pace.shortest)
            .saturating_mul(1 << patience.tries.min(32));
        doubled.min(patience.longest)
    }

    /// The wait while no round trip of the client is known: what is set, or what others need at present.
    fn first_wait(&self) -> u64 {
        self.pace.first.max(self.round.patience().unwrap_or(0))
    }

    /// Where answers are slow for everybody, a client whose few round trips were quick is not missed at once.
    fn common_wait(&self) -> u64 {
        self.round.smoothed() / 2
    }

    /// How long after the last block of a window its tail is probed.
    pub(super) fn probe_wait<F>(&self, transfer: &Transfer<F>) -> u64 {
        let trip = transfer.round.smoothed();
        let wait = (2 * trip).max(self.pace.shortest).max(self.common_wait());
        wait.min(self.wait(transfer))
    }

    /// When a transfer that waits for its client ends, and by which limit: the first of those that hold. Timers are set
    /// and transfers ended by this one function, so that a timer which rings for a limit always finds it reached.
    pub(super) fn limit<F>(&self, transfer: &Transfer<F>) -> (BootTime, Limit) {
        let patience = &transfer.patience;
        let mut first = (patience.ends, Limit::Lifetime);
        let mut or = |at: BootTime, limit| {
            if at < first.0 {
                first = (at, limit);
            }
        };
        if !patience.answered {
            or(later(transfer.asked, self.pace.answer), Limit::Answer);
        }
        or(later(patience.heard, self.pace.idle), Limit::Idle);
        first
    }

    /// Looks at the transfer again `wait` nanoseconds from now, or when one of its limits ends it. Whatever the wait was
    /// made from, the same transfer is not looked at all the time.
    pub(super) fn schedule<F>(&mut self, now: &Now, transfer: &mut Transfer<F>, wait: u64) {
        let due = later(now.boot, wait.max(SHORTEST)).min(self.limit(transfer).0);
        self.schedule_at(now, transfer, due);
    }

    /// The wheel is only touched when it would ring too late; when it rings too early, it is set again.
    pub(super) fn schedule_at<F>(&mut self, now: &Now, transfer: &mut Transfer<F>, due: BootTime) {
        let patience = &mut transfer.patience;
        patience.due = due;
        if due < patience.rings {
            patience.rings = self.wheel.set(now.boot, transfer.slot.index, due);
        }
    }

    /// Asks the shell for blocks. `again`: they were sent before.
    pub(super) fn send<F>(
        &mut self,
        now: &Now,
        transfer: &mut Transfer<F>,
        window: Window,
        again: bool,
        effects: &mut Effects,
    ) {
        let Window { first, count } = window;
        let blocks = u64::from(count);
        self.counters.blocks_sent += blocks;
        if again {
            self.counters.blocks_again += blocks;
            transfer.again = transfer.again.saturating_add(u32::from(count));
        }
        if transfer.first_us == 0 {
            transfer.first_us = transfer.age_us(now);
        }
        (transfer.burst, transfer.burst_again) = (count, again);
        transfer.patience.sent = now.boot;
        let slot = transfer.slot;
        effects.push(Effect::Blocks { slot, first, count });
    }

    /// Whether a stranger may be told now that its packet belongs to nothing.
    pub(super) fn may_answer_stray(&mut self, now: &Now) -> bool {
        let earned = now.boot.0.saturating_sub(self.strays_at.0) / (1_000_000_000 / STRAYS_PER_SEC);
        if earned > 0 {
            self.strays = (self.strays + earned).min(STRAYS_AT_ONCE);
            self.strays_at = now.boot;
        }
        let may = self.strays > 0;
        self.strays -= u64::from(may);
        may
    }

    /// Late packets of this client are not strange for a while.
    pub(super) fn remember_ended(&mut self, now: &Now, hash: u64) {
        let until = later(now.boot, self.pace.dally).0 / 1_000_000_000 + 1;
        self.recent[hash as usize % RECENT] = ((hash >> 32) as u32, until as u32);
    }

    pub(super) fn has_just_ended(&self, now: &Now, hash: u64) -> bool {
        let (tag, until) = self.recent[hash as usize % RECENT];
        tag == (hash >> 32) as u32 && now.boot.0 / 1_000_000_000 < u64::from(until)
    }
}
