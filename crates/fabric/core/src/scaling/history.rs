//! What was desired lately and when somebody acted.

use super::{Direction, ScalingSettings};
use purlin_types::BootTime;
use std::collections::VecDeque;
use std::time::Duration;

/// A pause longer than this and nobody knows what was needed meanwhile: the windows begin anew.
const GAP_MAX: Duration = Duration::from_secs(60);

/// The most samples kept: an hour at one a second.
const SAMPLES_MAX: usize = 3600;

/// The memory of the autoscaler. A new leader begins with an empty one and therefore waits; it takes over the times of
/// the last actions from their durable rows.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Since when without a gap.
    began: Option<BootTime>,
    samples: VecDeque<(BootTime, u16)>,
    /// Since when there are fewer nodes than the minimum.
    below: Option<BootTime>,
    up: Option<BootTime>,
    down: Option<BootTime>,
}

impl History {
    /// Keeps what a decision desired ([`super::Recommendation::desired`]); what no window needs any more is forgotten.
    pub fn note(&mut self, now: BootTime, desired: u16, settings: &ScalingSettings) {
        let window = settings.stabilisation.max(settings.sustain);
        let gap = self
            .samples
            .back()
            .is_none_or(|(last, _)| since(now, *last) > GAP_MAX);
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

    /// A window is known when nobody looked away for long within it: one look after a pause is a moment, not a window.
    fn covered(&self, now: BootTime, window: Duration) -> Result<(), Duration> {
        let pause_max = (window / 2).max(self.usual_pause() * 2).min(GAP_MAX);
        let (mut known_from, mut unbroken) = (now, true);
        for &(at, _) in self.samples.iter().rev() {
            unbroken = since(known_from, at) <= pause_max;
            if !unbroken || since(now, known_from) >= window {
                break;
            }
            known_from = at;
        }
        // What is older than all windows has been forgotten, and was without a gap.
        let began = self.began.filter(|_| unbroken);
        let known = since(now, began.map_or(known_from, |began| began.min(known_from)));
        match window.checked_sub(known) {
            Some(left) if !left.is_zero() => Err(left),
            _ => Ok(()),
        }
    }

    /// From one look to the next when nothing is in the way.
    fn usual_pause(&self) -> Duration {
        let pauses = self.samples.iter().zip(self.samples.iter().skip(1));
        let pauses = pauses.map(|((earlier, _), (later, _))| since(*later, *earlier));
        pauses.min().unwrap_or(GAP_MAX)
    }
}

fn since(now: BootTime, earlier: BootTime) -> Duration {
    Duration::from_millis(now.millis_since(earlier))
}
