//! Two clocks, never mixed.
//!
//! `BootTime` decides what is still ours (it counts suspend and never jumps); `WallTime` dates what is written
//! down and told to people. Cores receive both as one argument and read no clock themselves.

use crate::Epoch;

/// Nanoseconds on `CLOCK_BOOTTIME`: monotonic, counts suspend, means nothing to another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct BootTime(pub u64);

impl BootTime {
    /// The latest instant there is: a claim that never ends.
    pub const MAX: Self = Self(u64::MAX);

    /// This instant moved on by `millis`, saturating.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000_000)))
    }

    /// Milliseconds from `earlier` to this instant; 0 when `earlier` is later.
    #[must_use]
    pub const fn millis_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000_000
    }
}

/// Milliseconds since the Unix epoch, for display and for client lease arithmetic only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct WallTime(pub u64);

impl WallTime {
    /// Whole seconds since the Unix epoch; fits `u32` until 2106, which is what lease records store.
    #[must_use]
    pub const fn secs(self) -> u32 {
        let secs = self.0 / 1000;
        if secs > u32::MAX as u64 {
            u32::MAX
        } else {
            secs as u32
        }
    }
}

/// The only time a core ever knows: one reading of both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    pub boot: BootTime,
    pub wall: WallTime,
}

/// Until when, and under which epoch, this node may decide about what it owns (rule R0).
///
/// On one embedded node the tenure is unbounded; a cluster renews it. A core compares it with [`Now::boot`] and
/// stays silent once it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tenure {
    pub valid_until: BootTime,
    pub epoch: Epoch,
}

impl Tenure {
    /// The tenure of a node that shares its addresses with nobody.
    pub const SOLE: Self = Self {
        valid_until: BootTime::MAX,
        epoch: Epoch {
            timeline: 1,
            counter: 1,
        },
    };

    /// Whether the node may still answer at `now`.
    #[must_use]
    pub const fn holds(&self, now: BootTime) -> bool {
        now.0 < self.valid_until.0
    }
}
