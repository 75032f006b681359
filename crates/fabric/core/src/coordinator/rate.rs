//! Does this node's boot clock run as fast as the store's clock?
//!
//! A node that holds a slot and one that waits for it count the same time on two clocks: the guard covers rates that
//! differ by 1 %. Nothing can be done about a machine that is worse, but to say so.
//!
//! ```text
//!   mark: sent, heard, the store's wall clock ──── 5 min or more ────► the same again
//!   this clock has passed between (sent' - heard) and (heard' - sent); the store's, wall' - wall
//! ```

use purlin_types::{BootTime, Now, WallTime};
use std::time::Duration;

/// What is compared: so long that no answer's delay comes near the bound.
const SPAN: Duration = Duration::from_secs(300);

/// Parts in a million that are assumed.
const BOUND: i64 = 10_000;

/// One answer of the store.
#[derive(Debug, Clone, Copy)]
struct Mark {
    timeline: u32,
    sent: BootTime,
    heard: BootTime,
    wall: WallTime,
}

/// What is known of the rates.
#[derive(Debug, Clone, Default)]
pub(super) struct Rate {
    mark: Option<Mark>,
    /// Parts in a million that this clock was fast in the last span, when that was too many: a clock that was set shows in
    /// one span, one that runs wrongly in all.
    suspected: Option<i64>,
    off: Option<i64>,
}

impl Rate {
    /// Parts in a million that this clock is fast, when that is more than is assumed.
    pub(super) const fn off(&self) -> Option<i64> {
        self.off
    }

    /// Takes an answer in that was asked for at `asked`; true when what is known of the clock has changed between right and
    /// wrong.
    pub(super) fn heard(&mut self, asked: BootTime, now: &Now, (timeline, wall): (u32, WallTime)) -> bool {
        let new = Mark {
            timeline,
            sent: asked,
            heard: now.boot,
            wall,
        };
        // Another server has another clock.
        let Some(mark) = self.mark.filter(|mark| mark.timeline == timeline) else {
            (self.mark, self.suspected) = (Some(new), None);
            return false;
        };
        if Duration::from_millis(asked.millis_since(mark.heard)) < SPAN {
            return false;
        }
        self.mark = Some(new);
        let was = self.off.is_some();
        let ahead = ahead(&mark, &new);
        let again = |before: i64| ahead.is_some_and(|ahead| (ahead > 0) == (before > 0));
        match self.suspected.is_some_and(again) {
            true => self.off = ahead,
            false if ahead.is_none() => self.off = None,
            false => {}
        }
        self.suspected = ahead;
        was != self.off.is_some()
    }
}

/// Parts in a million that this clock was fast between two answers at least, when that is too many.
fn ahead(from: &Mark, to: &Mark) -> Option<i64> {
    let least = i64::try_from(to.sent.millis_since(from.heard)).ok()?;
    let most = i64::try_from(to.heard.millis_since(from.sent)).ok()?;
    let theirs = i64::try_from(to.wall.0).ok()? - i64::try_from(from.wall.0).ok()?;
    let of = |mine: i64| (mine - theirs).saturating_mul(1_000_000) / theirs.max(1);
    let off = match () {
        () if least > theirs => of(least),
        () if most < theirs => of(most),
        () => 0,
    };
    (off.abs() > BOUND).then_some(off)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node whose clock is so many parts in a million fast asks every three seconds, and waits so many milliseconds.
    fn told(
        rate: &mut Rate,
        (from, to): (u64, u64),
        ppm: i64,
        delay: u64,
        set: i64,
    ) -> Vec<(u64, Option<i64>)> {
        let mut told = Vec::new();
        for secs in (from..to).step_by(3) {
            let boot = |ms: u64| {
                let run = i128::from(ms) * i128::from(1_000_000 + ppm) / 1_000_000;
                BootTime(run as u64 * 1_000_000)
            };
            let now = Now {
                boot: boot(secs * 1000 + delay),
                wall: WallTime(0),
            };
            let wall =
                WallTime((1_800_000_000_000 + i64::try_from(secs * 1000).expect("small") + set) as u64);
            if rate.heard(boot(secs * 1000), &now, (1, wall)) {
                told.push((secs, rate.off()));
            }
        }
        told
    }

    #[test]
    fn a_clock_that_runs_wrongly_is_found_after_two_spans() {
        for ppm in [15_000, -15_000, 200_000] {
            let told = told(&mut Rate::default(), (0, 3000), ppm, 40, 0);
            let [(when, Some(off))] = told[..] else {
                panic!("{ppm}: {told:?}");
            };
            assert!((480..700).contains(&when), "{ppm}: after {when} s");
            assert!((off - ppm).abs() < 1_000, "{ppm}: {off}");
        }
    }

    #[test]
    fn one_that_is_right_slow_answers_and_a_store_that_is_set_are_no_alarm() {
        for (ppm, delay) in [(0, 0), (9_000, 40), (-9_000, 40), (100, 2_500)] {
            assert_eq!(told(&mut Rate::default(), (0, 3000), ppm, delay, 0), []);
        }
        let mut rate = Rate::default();
        assert_eq!(told(&mut rate, (0, 1000), 0, 10, 0), []);
        // An hour forth, once: the span in which that was looks wrong, and no other.
        assert_eq!(told(&mut rate, (1000, 3000), 0, 10, 3_600_000), []);
    }

    #[test]
    fn one_that_is_right_again_is_said_to_be() {
        let mut rate = Rate::default();
        assert_eq!(told(&mut rate, (0, 900), 30_000, 10, 0).len(), 1);
        // The boot clock of this test jumps with its rate: one span to see that, one to see that it is over.
        let told = told(&mut rate, (900, 3000), 0, 10, 0);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(rate.off(), None);
    }

    #[test]
    fn another_server_is_not_compared_with_the_former_one() {
        let mut rate = Rate::default();
        let at = |secs: u64| Now {
            boot: BootTime(secs * 1_000_000_000),
            wall: WallTime(0),
        };
        for (secs, timeline, wall) in [(0, 1, 0), (400, 2, 900_000), (800, 3, 0), (1200, 4, 900_000)] {
            assert!(!rate.heard(at(secs).boot, &at(secs), (timeline, WallTime(wall))));
        }
        assert_eq!(rate.off(), None);
    }
}
