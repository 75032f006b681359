//! A machine's two clocks, against the real time that only the simulator knows.

use purlin_types::{BootTime, Now, WallTime};

pub(crate) const SECOND: u64 = 1_000_000_000;
pub(crate) const MILLI: u64 = 1_000_000;

/// Unix milliseconds at real time 0.
const EPOCH_MS: u64 = 1_800_000_000_000;

/// What a wall clock should show, in milliseconds.
pub(crate) const fn true_wall(real: u64) -> WallTime {
    WallTime(EPOCH_MS + real / MILLI)
}

/// The clocks of one machine. Its wall clock runs as fast as its boot clock, and is set now and then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// Parts in a million that it is fast.
    ppm: i64,
    /// What the boot clock showed at real time 0.
    booted: u64,
    /// Wall time less boot time, in milliseconds.
    offset_ms: i64,
}

impl Clock {
    pub(crate) fn new(ppm: i64, booted: u64) -> Self {
        let offset_ms = EPOCH_MS as i64 - (booted / MILLI) as i64;
        Self {
            ppm,
            booted,
            offset_ms,
        }
    }

    pub(crate) fn now(&self, real: u64) -> Now {
        let boot = self.boot(real);
        let wall = (boot.0 / MILLI) as i64 + self.offset_ms;
        Now {
            boot,
            wall: WallTime(wall.max(0) as u64),
        }
    }

    pub(crate) fn boot(&self, real: u64) -> BootTime {
        let run = i128::from(real) * i128::from(1_000_000 + self.ppm) / 1_000_000;
        BootTime(self.booted + run as u64)
    }

    /// The first real instant at which the boot clock shows `boot`.
    pub(crate) fn real(&self, boot: BootTime) -> u64 {
        if boot == BootTime::MAX {
            return u64::MAX;
        }
        let run = i128::from(boot.0.saturating_sub(self.booted));
        (run * 1_000_000 / i128::from(1_000_000 + self.ppm) + 2) as u64
    }

    /// Stands still for so long from now on, as a clock does that does not count sleep; the wall clock does.
    pub(crate) const fn sleep(&mut self, span: u64) {
        self.booted -= span;
        self.offset_ms += (span / MILLI) as i64;
    }

    /// Sets the wall clock so many milliseconds away from the truth.
    pub(crate) fn set_wall(&mut self, real: u64, off_ms: i64) {
        let shown = (self.boot(real).0 / MILLI) as i64;
        self.offset_ms = true_wall(real).0 as i64 + off_ms - shown;
    }
}
