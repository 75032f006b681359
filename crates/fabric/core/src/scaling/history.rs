//! What was desired lately and when somebody acted.

use super::{Direction, ScalingSettings};
use purlin_types::BootTime;
use std::collections::VecDeque;
use std::time::Duration;

/// After a pause longer than the shorter window nobody knows what was needed meanwhile: the windows begin anew. So they do
/// after this one at the latest.
const GAP_MAX: Duration = Duration::from_secs(60);

/// A pause that happens, as when a store is slow to answer.
const GAP_MIN: Duration = Duration::from_secs(15);

/// Looks that were late come together; what lies between those says nothing.
const BURST: Duration = Duration::from_millis(50);

/// The most samples kept: an hour at one a second.
const SAMPLES_MAX: usize = 3600;

/// The memory of the autoscaler. A new leader begins with an empty one and therefore waits; it takes over the times of
/// the last actions from their durable rows.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Since when without a gap.
    began: Option<BootTime>,
    samples: VecDeque<(BootTime, u16)>,
    /// The shortest pause between two looks.
    closest: Option<Duration>,
    /// Since when there are fewer nodes than the minimum.
    below: Option<BootTime>,
    up: Option<BootTime>,
    down: Option<BootTime>,
}

impl History {
    /// Keeps what a decision desired ([`super::Recommendation::desired`]); what no window needs any more is forgotten.
    pub fn note(&mut self, now: BootTime, desired: u16, settings: &ScalingSettings) {
        let window = settings.stabilisation.max(settings.sustain);
        let pause = self.samples.back().map(|(last, _)| since(now, *last));
        let pause_max = self.pause_max(settings.stabilisation.min(settings.sustain));
        let gap = pause.is_none_or(|pause| pause > pause_max);
        let pauses = pause.into_iter().chain(self.closest);
        self.closest = pauses.filter(|pause| *pause > BURST).min();
        if gap {
            self.samples.clear();
            self.began = Some(now);
        }
        self.samples.push_back((now, desired));
        while self
            .samples
            .front()
            .is_some_and(|(at, _)| since(now, *at) > window)
            || self.samples.len() > SAMPLES_MAX
        {
            self.samples.pop_front();
        }
    }

    /// Keeps whether there are fewer nodes than there must be.
    pub fn note_floor(&mut self, now: BootTime, below: bool) {
        self.below = below.then(|| self.below.unwrap_or(now));
    }

    /// Whether there have been too few nodes for so long: one that only starts again comes back by itself.
    pub(super) fn below_for(&self, now: BootTime, window: Duration) -> bool {
        self.below.is_some_and(|began| since(now, began) >= window)
    }

    /// How long the last action of that direction still forbids another.
    #[must_use]
    pub fn cooldown_left(&self, direction: Direction, now: BootTime, cooldown: Duration) -> Option<Duration> {
        self.cooling(direction, now, cooldown)
    }

    /// Somebody acts on a recommendation.
    pub fn acted(&mut self, at: BootTime, direction: Direction) {
        match direction {
            Direction::ScaleUp => self.up = self.up.max(Some(at)),
            Direction::ScaleDown => self.down = self.down.max(Some(at)),
            Direction::Maintain => {}
        }
    }

    /// The least that was desired within `window`, this moment's `desired` included; how long until that is known.
    pub(super) fn least(&self, now: BootTime, window: Duration, desired: u16) -> Result<u16, Duration> {
        self.covered(now, window)?;
        Ok(self.within(now, window).fold(desired, u16::min))
    }

    /// The most that was desired within `window`, likewise.
    pub(super) fn most(&self, now: BootTime, window: Duration, desired: u16) -> Result<u16, Duration> {
        self.covered(now, window)?;
        Ok(self.within(now, window).fold(desired, u16::max))
    }

    /// How long the last action of that direction still forbids another.
    pub(super) fn cooling(
        &self,
        direction: Direction,
        now: BootTime,
        cooldown: Duration,
    ) -> Option<Duration> {
        let last = match direction {
            Direction::ScaleUp => self.up,
            Direction::ScaleDown => self.down,
            Direction::Maintain => None,
        };
        cooldown
            .checked_sub(since(now, last?))
            .filter(|left| !left.is_zero())
    }

    fn within(&self, now: BootTime, window: Duration) -> impl Iterator<Item = u16> {
        let young = move |(at, _): &&(BootTime, u16)| since(now, *at) <= window;
        self.samples.iter().filter(young).map(|&(_, desired)| desired)
    }

    fn covered(&self, now: BootTime, window: Duration) -> Result<(), Duration> {
        let fresh = self
            .samples
            .back()
            .is_some_and(|(last, _)| since(now, *last) <= self.pause_max(window));
        let known = self
            .began
            .filter(|_| fresh)
            .map_or(Duration::ZERO, |began| since(now, began));
        match window.checked_sub(known) {
            Some(left) if !left.is_zero() => Err(left),
            _ => Ok(()),
        }
    }

    /// The longest pause after which a window of that length goes on. Who looks seldom knows short windows too.
    fn pause_max(&self, window: Duration) -> Duration {
        let usual = self.closest.map_or(GAP_MAX, |closest| closest * 3);
        window.max(GAP_MIN).max(usual).min(GAP_MAX)
    }
}

fn since(now: BootTime, earlier: BootTime) -> Duration {
    Duration::from_millis(now.millis_since(earlier))
}
