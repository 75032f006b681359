//! Watching other lives: what a contender must have seen before it may claim.
//!
//! Nobody's clock is compared with anybody else's. A life's lease has lapsed when this node itself saw the same
//! (timeline, incarnation, seq) for [`Timing::patience`] on its own clock, from the *receipt* of the first look that
//! showed it to the *sending* of the last one. Any change restarts the watch, and so does a failover of the store: what
//! the new primary shows may be older than what the old one had promised.

use crate::settings::Timing;
use purlin_types::BootTime;
use std::collections::BTreeMap;
use std::time::Duration;

/// The watches over all lives, by whatever names a life: its node and its incarnation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Observer<K: Ord> {
    timeline: Option<u32>,
    /// Receipt of the first look at this timeline.
    timeline_since: BootTime,
    /// From when on a claim that nobody holds may be taken.
    settled_from: BootTime,
    /// Sending and receipt of the newest look.
    asked: BootTime,
    received: BootTime,
    lives: BTreeMap<K, Watched>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Watched {
    /// `None`: cannot renew any more (removed, replaced), or is known from claims only.
    seq: Option<u64>,
    since: BootTime,
    lapsed: bool,
}

/// What a look was good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Everything it showed counts.
    Fresh,
    /// The first look at this history, which replaced `from`.
    NewTimeline { from: u32 },
    /// An older history than one that was seen: not believed.
    Behind { known: u32 },
    /// Sent before a look that has already been answered: not needed.
    Old,
}

impl<K: Ord> Default for Observer<K> {
    fn default() -> Self {
        Self {
            timeline: None,
            timeline_since: BootTime::default(),
            settled_from: BootTime::MAX,
            asked: BootTime::default(),
            received: BootTime::default(),
            lives: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone> Observer<K> {
    /// Takes in a look that was sent at `asked` and received at `now`: every life that is enrolled or owns a claim, with
    /// its `seq`, or `None` when it cannot renew. Lives that are not shown are forgotten.
    pub fn look(
        &mut self,
        timing: &Timing,
        (asked, now): (BootTime, BootTime),
        timeline: u32,
        shown: impl IntoIterator<Item = (K, Option<u64>)>,
    ) -> Look {
        let look = self.classify(asked, timeline);
        if matches!(look, Look::Behind { .. } | Look::Old) {
            return look;
        }
        let first = self.timeline.is_none();
        let new = matches!(look, Look::NewTimeline { .. });
        if first || new {
            self.timeline_since = now;
            // The first history has no predecessor that could have promised anything.
            self.settled_from = if timeline > 1 {
                after(now, timing.patience())
            } else {
                BootTime::default()
            };
        }
        self.timeline = Some(timeline);
        // After a silence of the store nobody could renew either: all get the chance to.
        let deaf = !first && asked > after(self.received, timing.renew * 3);
        if deaf || new {
            self.lives.clear();
        }
        self.lives = shown
            .into_iter()
            .map(|(life, seq)| {
                let watched = self.watched(timing, (asked, now), &life, seq);
                (life, watched)
            })
            .collect();
        (self.asked, self.received) = (asked, now);
        look
    }

    /// Whether a life's lease has lapsed under this node's eyes.
    #[must_use]
    pub fn lapsed(&self, life: &K) -> bool {
        self.lives.get(life).is_some_and(|watched| watched.lapsed)
    }

    /// A life whose end the store itself confirmed: it was replaced exactly as it was seen lapsed.
    pub fn bury(&mut self, life: K) {
        self.lives.insert(
            life,
            Watched {
                seq: None,
                since: BootTime::default(),
                lapsed: true,
            },
        );
    }

    /// Whether the newest look is late enough after a failover for claims that nobody holds: a lost owner's tenure is
    /// over.
    #[must_use]
    pub fn settled(&self) -> bool {
        self.timeline.is_some() && self.asked >= self.settled_from
    }

    /// There was nobody before this process, whatever the history's number: the store lives in it.
    pub fn settle(&mut self) {
        self.settled_from = BootTime::default();
    }

    /// Whether a claim that was asked for at `asked` and granted on `timeline` was asked for after a look at that very
    /// history. One that a failover overtook was not: what the older look allowed, the newer one may forbid.
    #[must_use]
    pub fn foresaw(&self, asked: BootTime, timeline: u32) -> bool {
        self.timeline == Some(timeline) && asked >= self.timeline_since
    }

    /// Since when a life has shown nothing new.
    #[must_use]
    pub fn since(&self, life: &K) -> Option<BootTime> {
        self.lives.get(life).map(|watched| watched.since)
    }

    /// When a look can tell something new: a watch or the wait after a failover will be over.
    #[must_use]
    pub fn next_look(&self, timing: &Timing) -> BootTime {
        let watches = self.lives.values().filter(|watched| !watched.lapsed);
        let lapse = watches
            .map(|watched| after(watched.since, timing.patience()))
            .min();
        let settled = (!self.settled()).then_some(self.settled_from);
        lapse.into_iter().chain(settled).min().unwrap_or(BootTime::MAX)
    }

    /// The history that was seen last.
    #[must_use]
    pub const fn timeline(&self) -> Option<u32> {
        self.timeline
    }

    fn classify(&self, asked: BootTime, timeline: u32) -> Look {
        match self.timeline {
            Some(known) if timeline < known => Look::Behind { known },
            Some(_) if asked < self.asked => Look::Old,
            Some(known) if timeline > known => Look::NewTimeline { from: known },
            _ => Look::Fresh,
        }
    }

    fn watched(
        &self,
        timing: &Timing,
        (asked, now): (BootTime, BootTime),
        life: &K,
        seq: Option<u64>,
    ) -> Watched {
        match self.lives.get(life) {
            Some(old) if old.seq == seq => Watched {
                lapsed: old.lapsed || asked >= after(old.since, timing.patience()),
                ..*old
            },
            _ => Watched {
                seq,
                since: now,
                lapsed: false,
            },
        }
    }
}

/// An instant `wait` after `start`, saturating.
#[must_use]
pub(crate) fn after(start: BootTime, wait: Duration) -> BootTime {
    BootTime(
        start
            .0
            .saturating_add(u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)),
    )
}

#[cfg(test)]
mod tests;
