//! What was desired lately and when somebody acted.

use super::{Direction, ScalingSettings};
use purlin_types::BootTime;
use std::collections::VecDeque;
use std::time::Duration;

/// However long the windows are: after such a pause nobody knows what was needed meanwhile.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Looks that are as far apart as usual make a window even if the window is shorter; a late one is no pause yet.
const LATE: u32 = 3;

/// The most samples kept: an hour at one a second.
const SAMPLES_MAX: usize = 3600;

/// The memory of the autoscaler. A new leader begins with an empty one and therefore waits; it takes over the times of
/// the last actions from their durable rows.
///
/// What a look desires holds until the next one, so a window is the looks within it and the last one before it: a single look
/// is never a window, however short that is. Over a pause it holds for no longer; then the windows begin anew.
#[derive(Debug, Clone)]
pub struct History {
    every: Duration,
    /// Since when without a pause.
    began: Option<BootTime>,
    samples: VecDeque<(BootTime, u16)>,
    /// Since when there are fewer nodes than the minimum.
    below: Option<BootTime>,
    up: Option<BootTime>,
    down: Option<BootTime>,
}

impl History {
    /// Of somebody who means to look that often.
    #[must_use]
    pub const fn new(every: Duration) -> Self {
        Self {
            every,
            began: None,
            samples: VecDeque::new(),
            below: None,
            up: None,
            down: None,
        }
    }

    /// Keeps what a decision desired ([`super::Recommendation::desired`]); what no window needs any more is forgotten.
    pub fn note(&mut self, now: BootTime, desired: u16, settings: &ScalingSettings) {
        if self.is_paused(now, settings) {
            self.samples.clear();
            self.began = Some(now);
        }
        self.samples.push_back((now, desired));
        let window = settings.stabilisation.max(settings.sustain);
        let second_is_before = |samples: &VecDeque<(BootTime, u16)>| {
            let second = samples.get(1);
            second.is_some_and(|(at, _)| since(now, *at) >= window)
        };
        while second_is_before(&self.samples) || self.samples.len() > SAMPLES_MAX {
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

    /// The least that was desired while a load has to last, this moment's `desired` included; how long until that is known.
    pub(super) fn least(
        &self,
        now: BootTime,
        settings: &ScalingSettings,
        desired: u16,
    ) -> Result<u16, Duration> {
        let looks = self.within(now, settings.sustain, settings)?;
        Ok(looks.fold(desired, u16::min))
    }

    /// The most that was desired while nothing may have asked for a node that goes, likewise.
    pub(super) fn most(
        &self,
        now: BootTime,
        settings: &ScalingSettings,
        desired: u16,
    ) -> Result<u16, Duration> {
        let looks = self.within(now, settings.stabilisation, settings)?;
        Ok(looks.fold(desired, u16::max))
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

    /// What was desired at any moment of the window, the newest first; how long until all of it is known.
    fn within(
        &self,
        now: BootTime,
        window: Duration,
        settings: &ScalingSettings,
    ) -> Result<impl Iterator<Item = u16>, Duration> {
        let unbroken = self.began.filter(|_| !self.is_paused(now, settings));
        let left = window.saturating_sub(unbroken.map_or(Duration::ZERO, |began| since(now, began)));
        if !left.is_zero() {
            return Err(left);
        }
        let young = self
            .samples
            .iter()
            .rev()
            .take_while(move |(at, _)| since(now, *at) < window);
        let before = self
            .samples
            .iter()
            .rev()
            .find(move |(at, _)| since(now, *at) >= window);
        Ok(young.chain(before).map(|&(_, desired)| desired))
    }

    /// Whether nobody has looked for so long that the last look says nothing any more.
    fn is_paused(&self, now: BootTime, settings: &ScalingSettings) -> bool {
        let half = settings.stabilisation.min(settings.sustain) / 2;
        let pause_max = half.min(PAUSE_MAX).max(self.every * LATE);
        let last = self.samples.back();
        last.is_none_or(|&(last, _)| since(now, last) > pause_max)
    }
}

fn since(now: BootTime, earlier: BootTime) -> Duration {
    Duration::from_millis(now.millis_since(earlier))
}
