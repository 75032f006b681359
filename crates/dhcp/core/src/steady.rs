//! Wall time that nobody sets: what a node that shares leases with others counts them by.
//!
//! Stored rows carry wall time, and whoever takes a slot over must read the same instants in them. A node whose clock
//! is set, rightly or wrongly, while it holds slots would write others. So it goes on from the distance between wall
//! and boot time that held when it took its first slot, when its clock was checked against the store's; a clock that
//! is off makes it give up its slots (that is decided elsewhere), and with none held the distance is taken anew.

use purlin_types::{Now, WallTime};

/// The clock of a share. Every time that goes into the engine or dates its records comes through it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SteadyClock {
    /// Wall time less boot time in milliseconds.
    offset: Option<i64>,
}

impl SteadyClock {
    /// Takes the wall clock's word from `now` on. Only while no slot is held.
    pub fn fix(&mut self, now: &Now) {
        self.offset = Some(distance(now));
    }

    /// Goes by a distance of the wall clock from the boot clock that was found right: `wall_less_boot` in milliseconds.
    /// Only while no slot is held.
    pub fn fix_by(&mut self, wall_less_boot: i64) {
        self.offset = Some(wall_less_boot);
    }

    /// The instant with the steady wall time; before the first [`Self::fix`], as it is.
    #[must_use]
    pub fn read(&self, now: &Now) -> Now {
        let offset = self.offset.unwrap_or_else(|| distance(now));
        let wall = millis(now).saturating_add(offset).max(0) as u64;
        Now {
            wall: WallTime(wall),
            ..*now
        }
    }

    /// How far the wall clock has been set since, in milliseconds: what it shows less what this one shows.
    #[must_use]
    pub fn stray(&self, now: &Now) -> i64 {
        self.offset.map_or(0, |offset| distance(now) - offset)
    }
}

fn millis(now: &Now) -> i64 {
    (now.boot.0 / 1_000_000) as i64
}

fn distance(now: &Now) -> i64 {
    now.wall.0 as i64 - millis(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_types::BootTime;

    fn at(boot_secs: u64, wall_secs: u64) -> Now {
        Now {
            boot: BootTime(boot_secs * 1_000_000_000),
            wall: WallTime(wall_secs * 1000),
        }
    }

    #[test]
    fn a_clock_that_is_set_changes_nothing_until_it_is_taken_anew() {
        let mut clock = SteadyClock::default();
        assert_eq!(clock.read(&at(5, 100)), at(5, 100));
        clock.fix(&at(5, 100));
        assert_eq!(clock.read(&at(15, 7)), at(15, 110));
        assert_eq!(clock.stray(&at(15, 7)), -103_000);
        clock.fix(&at(15, 7));
        assert_eq!(clock.read(&at(16, 9000)), at(16, 8));
        clock.fix_by(95_000);
        assert_eq!(
            (clock.read(&at(16, 8)), clock.stray(&at(16, 8))),
            (at(16, 111), -103_000)
        );
    }
}
