//! Whether a backend should get work.
//!
//! Two witnesses: probes that we send, and what happens to real work. Neither is believed blindly. A single lost probe
//! takes nobody down, a burst of errors costs a backend only some time, and when nearly all look dead it is likelier
//! that the witnesses err ([`HealthSettings::panics`]).
//!
//! ```text
//!              fall probes failed                       errors in a row, if not too many are out already
//!   Up ───────────────────────────────► Down       Up ──────────────────────────────────────────► Ejected
//!   Up ◄── slow start ── rise passed ── Down       Up ◄── slow start ── its time is over (longer each time) ──
//! ```
//!
//! One [`Health`] is one backend. Words as in Envoy's "Outlier detection", "Panic threshold" and "Slow start".

use purlin_types::BootTime;
use std::time::Duration;

/// When a backend is believed to be up, and how carefully it is brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthSettings {
    /// Whether probes are sent at all.
    pub active: bool,
    /// From the sending of one probe to the next; at least 1 ms.
    pub interval: Duration,
    /// A probe unanswered for so long has failed.
    pub timeout: Duration,
    /// Probes in a row that bring a backend up; at least 1.
    pub rise: u8,
    /// Failed probes in a row that take it down; at least 1.
    pub fall: u8,
    /// Failures of real work in a row that eject it; 0 for never.
    pub errors: u16,
    /// How long the first ejection lasts. The nth lasts n times as long, up to `ejection_max`.
    pub ejection: Duration,
    /// The longest ejection. Who was good for so long has a clean record again.
    pub ejection_max: Duration,
    /// Never more than this part of the backends is ejected, in percent, rounded down.
    pub ejected_percent_max: u8,
    /// With fewer than this percentage usable, all are used as if they were. Envoy takes 50; with three backends of
    /// which two are really dead that would send two clients of three into the void.
    pub panic_percent: u8,
    /// How long a backend that comes back takes to get its full share, beginning with a tenth; zero for at once.
    pub slow_start: Duration,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            active: true,
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(2),
            rise: 2,
            fall: 3,
            errors: 5,
            ejection: Duration::from_secs(30),
            ejection_max: Duration::from_secs(300),
            ejected_percent_max: 50,
            panic_percent: 25,
            slow_start: Duration::from_secs(30),
        }
    }
}

impl HealthSettings {
    /// Whether so few usable backends among `all` make the verdicts themselves incredible.
    #[must_use]
    pub const fn panics(&self, usable: usize, all: usize) -> bool {
        usable * 100 < all * self.panic_percent as usize
    }

    /// Whether one more of `all` backends may be ejected when `ejected` are.
    #[must_use]
    pub const fn may_eject(&self, ejected: usize, all: usize) -> bool {
        (ejected + 1) * 100 <= all * self.ejected_percent_max as usize
    }
}

/// What to think of a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Up,
    /// Its probes fail.
    Down,
    /// Work given to it failed too often.
    Ejected {
        until: BootTime,
    },
    /// It finishes what it has and gets nothing new.
    Draining,
}

/// All of this permille of its weight: see [`Health::share`].
pub const FULL_SHARE: u16 = 1000;

/// The health of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    up: bool,
    /// Probes in a row that contradict `up`.
    contradictions: u8,
    /// The first probe decides alone: until it, `up` is only hope.
    proven: bool,
    next_probe: BootTime,
    errors: u16,
    ejections: u16,
    ejected_until: Option<BootTime>,
    /// When it last came up; `None` when it always was.
    up_since: Option<BootTime>,
    draining: bool,
}

impl Health {
    /// A backend that nobody has looked at: used, and to be probed at `first_probe`.
    #[must_use]
    pub const fn new(first_probe: BootTime) -> Self {
        Self {
            up: true,
            contradictions: 0,
            proven: false,
            next_probe: first_probe,
            errors: 0,
            ejections: 0,
            ejected_until: None,
            up_since: None,
            draining: false,
        }
    }

    /// Whether to send a probe now; true once per interval.
    pub fn probe_due(&mut self, settings: &HealthSettings, now: BootTime) -> bool {
        if !settings.active || now < self.next_probe {
            return false;
        }
        let next = plus(self.next_probe, settings.interval);
        // Not one after another when the caller was late by more than a period.
        self.next_probe = if next > now {
            next
        } else {
            plus(now, settings.interval)
        };
        true
    }

    /// When to ask [`Health::probe_due`] next.
    #[must_use]
    pub const fn next_probe(&self) -> BootTime {
        self.next_probe
    }

    /// What a probe said. One that timed out has failed.
    pub fn probed(&mut self, settings: &HealthSettings, now: BootTime, passed: bool) {
        if passed == self.up {
            self.contradictions = 0;
        } else {
            self.contradictions = self.contradictions.saturating_add(1);
            let needed = if passed { settings.rise } else { settings.fall };
            if self.contradictions >= needed || !self.proven {
                self.up = passed;
                self.contradictions = 0;
                self.errors = 0;
                self.up_since = passed.then_some(now);
            }
        }
        self.proven = true;
    }

    /// How a piece of real work ended. `room` says whether one more backend may be ejected now
    /// ([`HealthSettings::may_eject`]). True when this ejected it.
    pub fn worked(&mut self, settings: &HealthSettings, now: BootTime, succeeded: bool, room: bool) -> bool {
        if succeeded {
            self.errors = 0;
            return false;
        }
        self.errors = self.errors.saturating_add(1);
        let out = self.ejected_until.is_some_and(|until| now < until);
        if out || !room || settings.errors == 0 || self.errors < settings.errors {
            return false;
        }
        let clean = self
            .ejected_until
            .is_none_or(|until| plus(until, settings.ejection_max) <= now);
        self.ejections = if clean {
            1
        } else {
            self.ejections.saturating_add(1)
        };
        let length = (settings.ejection * u32::from(self.ejections)).min(settings.ejection_max);
        self.ejected_until = Some(plus(now, length));
        self.errors = 0;
        true
    }

    /// Gives it no new work from now on, or gives it work again, with a slow start.
    pub fn drain(&mut self, draining: bool, now: BootTime) {
        if self.draining && !draining {
            self.up_since = Some(now);
        }
        self.draining = draining;
    }

    /// What to think of it.
    #[must_use]
    pub fn condition(&self, now: BootTime) -> Condition {
        match self.ejected_until {
            _ if self.draining => Condition::Draining,
            _ if !self.up => Condition::Down,
            Some(until) if now < until => Condition::Ejected { until },
            _ => Condition::Up,
        }
    }

    /// The part of its weight that it should have, in permille: 0 unless it is up, [`FULL_SHARE`] after a slow start.
    #[must_use]
    pub fn share(&self, settings: &HealthSettings, now: BootTime) -> u16 {
        if self.condition(now) != Condition::Up {
            return 0;
        }
        let Some(since) = self.up_since.max(self.ejected_until) else {
            return FULL_SHARE;
        };
        let (age, ramp) = (now.millis_since(since), settings.slow_start.as_millis() as u64);
        let full = u64::from(FULL_SHARE);
        if age >= ramp {
            FULL_SHARE
        } else {
            (full / 10 + full * 9 / 10 * age / ramp) as u16
        }
    }
}

fn plus(time: BootTime, duration: Duration) -> BootTime {
    time.plus_millis(duration.as_millis() as u64)
}

#[cfg(test)]
mod tests;
