//! Decision records: one fixed-size value per hot-path choice, kept in bounded rings, cheap enough to be always on.
//!
//! A ring belongs to one packet thread and is never shared; readers ask that thread. Two rings stand side by
//! side: every decision goes into the first, and all that did not end in an ordinary answer also into the
//! second, so that a storm of good answers does not wash away the one refusal somebody will ask about. A service
//! whose choices are no [`Decision`]s keeps records of its own kind in the same rings ([`Record`]).

use crate::reason::{Parameters, ReasonCode};
use purlin_types::WallTime;

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// Answered with what was asked for.
    Answered = 0,
    /// Answered with a refusal (a DHCPNAK, a TFTP ERROR).
    Refused = 1,
    /// Deliberately not answered.
    Silent = 2,
    /// Dropped as malformed or hostile.
    Dropped = 3,
    /// Recorded without an answer being due (a RELEASE, an expiry).
    Noted = 4,
}

impl Outcome {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Dropped => "dropped",
            Self::Noted => "noted",
        }
    }
}

/// One decision: when, about whom, what came in, how it ended and why.
///
/// `event` is the service's own number of what came in (for DHCP the message type); `detail` numbers what went
/// out. The service that filled the record renders both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Position in its ring's whole history, from 0; set by the ring.
    pub seq: u64,
    pub at: WallTime,
    /// Hash of the client's full key, so that clients with one hardware address and many identifiers differ.
    pub key: u64,
    pub with: Parameters,
    pub xid: u32,
    /// Nanoseconds the decision took, 0 when not sampled.
    pub nanos: u32,
    pub reason: ReasonCode,
    pub mac: [u8; 6],
    /// Index of the service's scope (for DHCP the subnet), `u16::MAX` for none.
    pub scope: u16,
    pub event: u8,
    pub detail: u8,
    pub outcome: Outcome,
    /// What found no room in the answer.
    pub left_out: LeftOut,
}

/// Parts of an answer that found no room in it, by the service's own numbers (for DHCP option codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// How many; 255 stands for more, too.
    pub count: u8,
    /// The first ones, as many as there are.
    pub first: [u8; 2],
}

impl LeftOut {
    #[must_use]
    pub fn of(numbers: impl Iterator<Item = u8>) -> Self {
        let mut left_out = Self::default();
        for number in numbers {
            if let Some(place) = left_out.first.get_mut(usize::from(left_out.count)) {
                *place = number;
            }
            left_out.count = left_out.count.saturating_add(1);
        }
        left_out
    }
}

impl Default for Decision {
    fn default() -> Self {
        Self {
            seq: 0,
            at: WallTime(0),
            key: 0,
            with: Parameters::default(),
            xid: 0,
            nanos: 0,
            reason: ReasonCode(0),
            mac: [0; 6],
            scope: u16::MAX,
            event: 0,
            detail: 0,
            outcome: Outcome::Noted,
            left_out: LeftOut::default(),
        }
    }
}

/// What a ring can keep: a value that knows its number and whether it was more than an ordinary answer.
pub trait Record: Copy {
    /// Position in its ring's whole history, from 0.
    fn seq(&self) -> u64;
    /// Takes the number that the ring gives.
    fn number(&mut self, seq: u64);
    fn at(&self) -> WallTime;
    fn outcome(&self) -> Outcome;
}

impl Record for Decision {
    fn seq(&self) -> u64 {
        self.seq
    }

    fn number(&mut self, seq: u64) {
        self.seq = seq;
    }

    fn at(&self) -> WallTime {
        self.at
    }

    fn outcome(&self) -> Outcome {
        self.outcome
    }
}

/// The last `capacity` decisions of one thread, and the last `capacity / 2` that were no ordinary answers.
#[derive(Debug)]
pub struct DecisionRing<R = Decision> {
    all: Ring<R>,
    notable: Ring<R>,
    next_seq: u64,
}

#[derive(Debug)]
struct Ring<R> {
    slots: Vec<R>,
    mask: usize,
    pushed: usize,
}

impl<R: Record> Ring<R> {
    fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.next_power_of_two();
        Self {
            slots: Vec::with_capacity(capacity),
            mask: capacity - 1,
            pushed: 0,
        }
    }

    fn push(&mut self, decision: R) {
        let at = self.pushed & self.mask;
        if self.slots.len() <= self.mask {
            self.slots.push(decision);
        } else {
            self.slots[at] = decision;
        }
        self.pushed += 1;
    }

    /// Oldest first.
    fn iter(&self) -> impl DoubleEndedIterator<Item = &R> {
        let start = if self.slots.len() <= self.mask {
            0
        } else {
            self.pushed & self.mask
        };
        self.slots[start..].iter().chain(self.slots[..start].iter())
    }
}

impl<R: Record> DecisionRing<R> {
    /// A ring for `capacity` decisions (rounded up to a power of two). Memory grows with use to about
    /// `capacity * 1.5` records.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(2);
        Self {
            all: Ring::with_capacity(capacity),
            notable: Ring::with_capacity(capacity / 2),
            next_seq: 0,
        }
    }

    /// Records a decision and gives it its number.
    pub fn push(&mut self, mut decision: R) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        decision.number(seq);
        if decision.outcome() != Outcome::Answered {
            self.notable.push(decision);
        }
        self.all.push(decision);
        seq
    }

    /// The number the next decision will get.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The oldest number that is still certainly here: everything from it on can be read without a gap.
    #[must_use]
    pub fn oldest_seq(&self) -> u64 {
        self.next_seq - self.all.slots.len() as u64
    }

    /// Decisions from `seq` on, oldest first, at most `limit`. Compare with [`Self::oldest_seq`] to see a gap.
    pub fn since(&self, seq: u64, limit: usize) -> impl Iterator<Item = &R> {
        let skip = seq.saturating_sub(self.oldest_seq()) as usize;
        self.all.iter().skip(skip).take(limit)
    }

    /// The newest `limit` decisions that `wanted` accepts, oldest first, from both rings.
    pub fn newest(&self, limit: usize, wanted: impl FnMut(&R) -> bool) -> Vec<R> {
        let found = self.before(None, limit, wanted).found;
        found.iter().rev().map(|past| past.decision).collect()
    }

    /// The newest `limit` decisions before number `bound` (all of them when `None`) that `wanted` accepts, newest
    /// first, from both rings.
    pub fn before(&self, bound: Option<u64>, limit: usize, mut wanted: impl FnMut(&R) -> bool) -> Page<R> {
        let bound = bound.unwrap_or(self.next_seq).min(self.next_seq);
        let mut page = Page {
            found: Vec::new(),
            bound,
            overwritten: None,
        };
        let newer = (self.next_seq - bound) as usize;
        let kept = self.all.iter().rev().skip(newer);
        for decision in kept.filter(|d| wanted(d)) {
            if page.found.len() == limit {
                return page;
            }
            page.found.push(Past::new(*decision, 0));
        }
        // From here down only the notable ones are left; whatever lies between them is gone.
        let from = bound.min(self.oldest_seq());
        let mut left = 0;
        for decision in self.notable.iter().rev().filter(|d| d.seq() < from) {
            if wanted(decision) {
                if page.found.len() == limit {
                    return page;
                }
                let gone = from - decision.seq() - 1 - left;
                page.found.push(Past::new(*decision, gone));
            }
            left += 1;
        }
        page.overwritten = Some(from - left);
        page
    }
}

/// A look back into a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<R = Decision> {
    /// Newest first.
    pub found: Vec<Past<R>>,
    /// Everything found has a number below this one.
    pub bound: u64,
    /// `None` when there is more to find. Otherwise nothing older is left, and this many decisions below `bound`,
    /// wanted or not, are gone.
    pub overwritten: Option<u64>,
}

/// A decision as a look back finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past<R = Decision> {
    pub decision: R,
    /// How many decisions between it and the page's bound, wanted or not, have been overwritten.
    pub overwritten: u64,
}

impl<R> Past<R> {
    fn new(decision: R, overwritten: u64) -> Self {
        Self {
            decision,
            overwritten,
        }
    }
}

#[cfg(test)]
mod tests;
