//! One sealer: when the next block is due, and which timestamp it gets.
//!
//! ```text
//!   due(now, wall, ready) ─► Now | At(time) | WhenReady ──► begin(wall) ─► number, timestamp ──► sealed(now, timestamp)
//! ```
//!
//! Two clocks come in. `now` counts from any fixed start, never jumps, and paces blocks; `wall`, seconds since 1970, only
//! dates them. Timestamps grow with every block, as the protocol demands: a wall clock that jumps back does not stop the
//! chain, its blocks count up by one second until the clock has caught up. For the same reason more than one block per
//! second makes timestamps run ahead of the clock; [`Settings::ahead_secs_max`] says how far they may.

use std::time::Duration;

/// When a block is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as a transaction is ready, and at least so long after the block before: what arrives meanwhile is gathered.
    Instant { gather: Duration },
    /// So long after the block before.
    Period(Duration),
}

/// How the sealer works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub pace: Pace,
    /// Whether a period without transactions gives an empty block. Instant blocks are never empty.
    pub empty_blocks: bool,
    /// How many seconds a timestamp may be ahead of the wall clock; `None` for any number.
    pub ahead_secs_max: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pace: Pace::Instant {
                gather: Duration::ZERO,
            },
            empty_blocks: false,
            ahead_secs_max: None,
        }
    }
}

/// When the next block is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Make it now.
    Now,
    /// Ask again at this time, or when something changes.
    At(Duration),
    /// Ask again when a transaction is ready.
    WhenReady,
}

/// The block that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    pub number: u64,
    /// Seconds since 1970; above the parent's.
    pub timestamp: u64,
    /// By how many seconds the timestamp is ahead of the wall clock: because the clock jumped back, or because blocks come
    /// faster than seconds.
    pub ahead_secs: u64,
}

/// The sealer's state: the head, and when it was made.
#[derive(Debug, Clone)]
pub struct Solo {
    settings: Settings,
    number: u64,
    timestamp: u64,
    sealed: Option<Duration>,
}

impl Solo {
    /// Goes on from this head, whose time on the clock of `now` is not known: the first block waits for no period.
    #[must_use]
    pub const fn new(settings: Settings, number: u64, timestamp: u64) -> Self {
        Self {
            settings,
            number,
            timestamp,
            sealed: None,
        }
    }

    /// Other settings from now on.
    pub const fn reconfigure(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// When to make the next block, with `ready` transactions that it could take.
    #[must_use]
    pub fn due(&self, now: Duration, wall: u64, ready: usize) -> Due {
        let (gap, empty) = match self.settings.pace {
            Pace::Instant { gather } => (gather, false),
            Pace::Period(period) => (period, self.settings.empty_blocks),
        };
        if ready == 0 && !empty {
            return Due::WhenReady;
        }
        let paced = self.sealed.map_or(now, |sealed| sealed.saturating_add(gap));
        let dated = now.saturating_add(Duration::from_secs(self.too_far_ahead(wall)));
        match paced.max(dated) {
            time if time <= now => Due::Now,
            time => Due::At(time),
        }
    }

    /// Number and timestamp of the block to make now.
    #[must_use]
    pub const fn begin(&self, wall: u64) -> Slot {
        let least = self.timestamp.saturating_add(1);
        let timestamp = if wall > least { wall } else { least };
        Slot {
            number: self.number + 1,
            timestamp,
            ahead_secs: timestamp - if wall < timestamp { wall } else { timestamp },
        }
    }

    /// The block is durable.
    pub const fn sealed(&mut self, now: Duration, slot: Slot) {
        self.number = slot.number;
        self.timestamp = slot.timestamp;
        self.sealed = Some(now);
    }

    /// Seconds to wait until the next timestamp is no further ahead than allowed.
    fn too_far_ahead(&self, wall: u64) -> u64 {
        let ahead = self.begin(wall).ahead_secs;
        self.settings
            .ahead_secs_max
            .map_or(0, |max| ahead.saturating_sub(max))
    }
}

#[cfg(test)]
mod tests;
