//! What a window comes to: times of heights, and figures of each validator.

use super::window::Kept;
use super::{Failure, Height};
use alloy_primitives::Address;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How times spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    /// Half of them are not above it.
    pub p50: Duration,
    /// 99 of 100 are not above it.
    pub p99: Duration,
}

impl Spread {
    /// `None` of nothing.
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        Some(Self {
            p50: times[last / 2],
            p99: times[last * 99 / 100],
        })
    }
}

/// What a window comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// The first and the last height; `None` while there is none.
    pub heights: Option<(u64, u64)>,
    /// Heights whose votes were seen here.
    pub counted: usize,
    /// Of those, how many needed more than one round.
    pub more_rounds: usize,
    /// Failed rounds by reason, in the order of [`Failure::WORDS`].
    pub failed: [usize; Failure::WORDS.len()],
    /// From the beginning of a height to its proposal, to a quorum of prevotes, to the decision.
    pub proposal: Option<Spread>,
    pub polka: Option<Spread>,
    pub commit: Option<Spread>,
    /// From one decision to the next.
    pub interval: Option<Spread>,
    /// What the interval should be, at the last height.
    pub period: Duration,
    /// Those of the last height's set, in the order of their addresses.
    pub validators: Vec<Figures>,
}

/// What one validator did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    pub validator: Address,
    pub power: u64,
    /// Heights of the window at which it was in the set.
    pub heights: usize,
    /// Decided blocks that it proposed.
    pub proposed: usize,
    /// Rounds that failed in its turn and by its fault, as far as this node can know.
    pub failed: usize,
    /// Certificates that have its signature.
    pub signed: usize,
    /// Heights whose votes were seen here, and of which nothing more is to come.
    pub counted: usize,
    /// Of those, how many without any word of it.
    pub missed: usize,
    /// So many of the last of them in a row had a word of it.
    pub heard: usize,
    /// By how much its votes came after the first.
    pub late: Option<Spread>,
    /// Heights at which a vote of it came, and one of another.
    pub compared: usize,
    /// Of those, how many at which it stood out: its vote came that much later than half of the others'.
    pub slow: usize,
    /// By how much then.
    pub excess: Option<Spread>,
}

/// Figures while they are gathered.
#[derive(Default)]
struct Gathering {
    figures: Option<Figures>,
    late: Vec<Duration>,
    excess: Vec<Duration>,
}

impl Summary {
    pub(super) fn of(kept: &VecDeque<Kept>, is_settled: impl Fn(&Kept) -> bool) -> Self {
        let (Some(first), Some(last)) = (kept.front(), kept.back()) else {
            return Self::default();
        };
        let mut summary = Self {
            heights: Some((first.height.height, last.height.height)),
            period: last.height.period,
            ..Self::default()
        };
        summary.count_rounds(kept);
        let mut gathered: BTreeMap<Address, Gathering> = BTreeMap::new();
        for (who, power) in last.height.roll.iter() {
            gathered.entry(*who).or_default().figures = Some(Figures::new(*who, *power));
        }
        for kept in kept {
            gather(&mut gathered, &kept.height, is_settled(kept));
        }
        let done = gathered.into_values().filter_map(Gathering::done);
        summary.validators = done.collect();
        summary
    }

    fn count_rounds(&mut self, kept: &VecDeque<Kept>) {
        let times = || kept.iter().filter_map(|kept| kept.height.times);
        self.counted = times().count();
        self.proposal = Spread::of(times().filter_map(|times| times.proposal).collect());
        self.polka = Spread::of(times().filter_map(|times| times.polka).collect());
        self.commit = Spread::of(times().map(|times| times.commit).collect());
        let pairs = kept.iter().zip(kept.iter().skip(1));
        let lived = pairs.filter(|(_, later)| later.height.times.is_some());
        self.interval = Spread::of(lived.map(|(one, next)| next.at.saturating_sub(one.at)).collect());
        for kept in kept {
            let height = &kept.height;
            self.more_rounds += usize::from(height.times.is_some() && height.round > 0);
            for failed in &height.failed {
                self.failed[failed.why.index()] += 1;
            }
        }
    }

    /// The share of heights that needed more than one round, in hundredths.
    #[must_use]
    pub fn more_rounds_percent(&self) -> usize {
        percent(self.more_rounds, self.counted)
    }
}

impl Figures {
    const fn new(validator: Address, power: u64) -> Self {
        Self {
            validator,
            power,
            heights: 0,
            proposed: 0,
            failed: 0,
            signed: 0,
            counted: 0,
            missed: 0,
            heard: 0,
            late: None,
            compared: 0,
            slow: 0,
            excess: None,
        }
    }

    /// The share of heights without any word of it, in hundredths.
    #[must_use]
    pub fn missed_percent(&self) -> usize {
        percent(self.missed, self.counted)
    }

    /// The share of heights at which it stood out, in hundredths.
    #[must_use]
    pub fn slow_percent(&self) -> usize {
        percent(self.slow, self.compared)
    }
}

pub(super) fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(0)
}

fn gather(gathered: &mut BTreeMap<Address, Gathering>, height: &Height, settled: bool) {
    let lateness = height.lateness();
    let excess = height.excess(&lateness);
    let slow_from = Height::slow_from(height.period);
    for (place, (who, _)) in height.roll.iter().enumerate() {
        let Some(Gathering {
            figures: Some(figures),
            late,
            excess: excesses,
        }) = gathered.get_mut(who)
        else {
            continue;
        };
        let seen = &height.seen[place];
        figures.heights += 1;
        figures.signed += usize::from(seen.signed);
        figures.proposed += usize::from(height.proposer == *who);
        let failed = height.failed.iter();
        figures.failed += failed
            .filter(|failed| failed.proposer == *who && failed.why.is_the_proposers())
            .count();
        if height.times.is_some() && settled {
            figures.counted += 1;
            let silent = Height::was_silent(seen);
            figures.missed += usize::from(silent);
            figures.heard = if silent { 0 } else { figures.heard + 1 };
        }
        late.extend(lateness[place]);
        if let Some(excess) = excess[place] {
            figures.compared += 1;
            if excess >= slow_from {
                figures.slow += 1;
                excesses.push(excess);
            }
        }
    }
}

impl Gathering {
    fn done(self) -> Option<Figures> {
        let mut figures = self.figures?;
        figures.late = Spread::of(self.late);
        figures.excess = Spread::of(self.excess);
        Some(figures)
    }
}
