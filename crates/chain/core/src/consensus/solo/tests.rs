//! The sealer by tables of times.

use super::*;
use proptest::prelude::*;

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn solo(pace: Pace, empty_blocks: bool) -> Solo {
    let settings = Settings {
        pace,
        empty_blocks,
        ahead_secs_max: None,
    };
    Solo::new(settings, 10, 1000)
}

/// Each row: time in ms, ready transactions, what is due. A due block is sealed at once.
fn check(mut solo: Solo, rows: &[(u64, usize, Due)]) {
    for (at, ready, due) in rows {
        let wall = 2000 + at / 1000;
        assert_eq!(solo.due(ms(*at), wall, *ready), *due, "at {at} ms");
        if *due == Due::Now {
            let slot = solo.begin(wall);
            solo.sealed(ms(*at), slot);
        }
    }
}

#[test]
fn an_instant_block_waits_for_a_transaction_only() {
    let pace = Pace::Instant {
        gather: Duration::ZERO,
    };
    check(
        solo(pace, true),
        &[
            (0, 0, Due::WhenReady),
            (5, 1, Due::Now),
            (5, 3, Due::Now),
            (9, 0, Due::WhenReady),
            (60_000, 1, Due::Now),
        ],
    );
}

#[test]
fn instant_blocks_gather_what_comes_close_together() {
    let pace = Pace::Instant { gather: ms(50) };
    check(
        solo(pace, false),
        &[
            (100, 1, Due::Now),
            (110, 1, Due::At(ms(150))),
            (149, 9, Due::At(ms(150))),
            (150, 9, Due::Now),
            (300, 1, Due::Now),
        ],
    );
}

#[test]
fn a_period_gives_empty_blocks_when_told_so() {
    check(
        solo(Pace::Period(ms(1000)), true),
        &[
            (0, 0, Due::Now),
            (400, 0, Due::At(ms(1000))),
            (400, 7, Due::At(ms(1000))),
            (1000, 0, Due::Now),
            (1000, 0, Due::At(ms(2000))),
        ],
    );
}

#[test]
fn without_empty_blocks_a_transaction_after_the_period_goes_at_once() {
    check(
        solo(Pace::Period(ms(1000)), false),
        &[
            (0, 1, Due::Now),
            (400, 1, Due::At(ms(1000))),
            (1000, 0, Due::WhenReady),
            (3300, 1, Due::Now),
            (3301, 1, Due::At(ms(4300))),
        ],
    );
}

#[test]
fn a_machine_that_slept_makes_one_block_and_not_all_it_missed() {
    check(
        solo(Pace::Period(ms(1000)), true),
        &[
            (0, 0, Due::Now),
            (3_600_000, 0, Due::Now),
            (3_600_001, 0, Due::At(ms(3_601_000))),
        ],
    );
}

#[test]
fn timestamps_grow_whatever_the_clock_does() {
    let mut solo = solo(Pace::Period(ms(1000)), true);
    for (wall, timestamp, ahead_secs) in [
        (2000, 2000, 0),
        (2000, 2001, 1),
        (2005, 2005, 0),
        (1500, 2006, 506),
        (0, 2007, 2007),
        (2008, 2008, 0),
    ] {
        let slot = solo.begin(wall);
        assert_eq!(
            (slot.timestamp, slot.ahead_secs),
            (timestamp, ahead_secs),
            "wall {wall}"
        );
        solo.sealed(ms(0), slot);
    }
    assert_eq!(solo.begin(3000).number, 17);
}

#[test]
fn timestamps_run_ahead_only_as_far_as_allowed() {
    let mut solo = solo(
        Pace::Instant {
            gather: Duration::ZERO,
        },
        false,
    );
    solo.reconfigure(Settings {
        ahead_secs_max: Some(2),
        ..solo.settings
    });
    for expected in [Due::Now, Due::Now, Due::Now, Due::At(ms(1000))] {
        assert_eq!(solo.due(ms(0), 2000, 1), expected);
        let slot = solo.begin(2000);
        if expected == Due::Now {
            solo.sealed(ms(0), slot);
        }
    }
    assert_eq!(solo.due(ms(1000), 2001, 1), Due::Now);
}

proptest! {
    /// Whatever the wall clock does: timestamps grow, numbers count, and blocks keep their distance.
    #[test]
    fn blocks_keep_their_distance_and_timestamps_grow(
        steps in proptest::collection::vec((0..1500_u64, 0..4000_u64, 0..3_usize), 1..100),
        period in 1..1000_u64,
        empty: bool,
    ) {
        let mut solo = solo(Pace::Period(ms(period)), empty);
        let (mut now, mut last) = (Duration::ZERO, None);
        for (passed, wall, ready) in steps {
            now += ms(passed);
            let due = solo.due(now, wall, ready);
            if let Due::At(time) = due {
                prop_assert!(time > now && time <= now + ms(period));
            }
            prop_assert_eq!(due == Due::WhenReady, ready == 0 && !empty);
            if due == Due::Now {
                let (number, timestamp) = (solo.number, solo.timestamp);
                let slot = solo.begin(wall);
                prop_assert!(slot.timestamp > timestamp && slot.timestamp >= wall && slot.number == number + 1);
                prop_assert!(last.is_none_or(|last| now >= last + ms(period)));
                last = Some(now);
                solo.sealed(now, slot);
            }
        }
    }
}
