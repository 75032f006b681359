use super::*;
use proptest::prelude::*;

const SETTINGS: HealthSettings = HealthSettings {
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
};

fn at(secs: u64) -> BootTime {
    BootTime(0).plus_millis(secs * 1000)
}

fn proven() -> Health {
    let mut health = Health::new(at(0));
    health.probed(&SETTINGS, at(0), true);
    health
}

#[test]
fn a_minute_has_six_probes() {
    let mut health = Health::new(at(0));
    let sent = (0..60_000)
        .filter(|&ms| health.probe_due(&SETTINGS, at(0).plus_millis(ms)))
        .count();
    assert_eq!(sent, 6);
}

#[test]
fn without_health_checks_no_probe_is_sent() {
    let off = HealthSettings {
        active: false,
        ..SETTINGS
    };
    assert!(!Health::new(at(0)).probe_due(&off, at(99)));
}

#[test]
fn a_late_caller_sends_one_probe_not_all_that_were_missed() {
    let mut health = Health::new(at(0));
    assert!(health.probe_due(&SETTINGS, at(95)));
    assert!(!health.probe_due(&SETTINGS, at(104)));
    assert!(health.probe_due(&SETTINGS, at(105)));
}

#[test]
fn the_first_probe_decides_alone() {
    let mut health = Health::new(at(0));
    assert_eq!(health.condition(at(0)), Condition::Up);
    health.probed(&SETTINGS, at(0), false);
    assert_eq!(health.condition(at(0)), Condition::Down);
    assert_eq!(proven().share(&SETTINGS, at(0)), FULL_SHARE);
}

#[test]
fn probes_in_a_row_change_the_verdict_and_single_ones_do_not() {
    let mut health = proven();
    for (second, passed, expected) in [
        (10, false, Condition::Up),
        (20, false, Condition::Up),
        (30, true, Condition::Up),
        (40, false, Condition::Up),
        (50, false, Condition::Up),
        (60, false, Condition::Down),
        (70, true, Condition::Down),
        (80, false, Condition::Down),
        (90, true, Condition::Down),
        (100, true, Condition::Up),
    ] {
        health.probed(&SETTINGS, at(second), passed);
        assert_eq!(health.condition(at(second)), expected, "at {second}");
    }
}

#[test]
fn who_comes_back_starts_slowly() {
    let mut health = Health::new(at(0));
    health.probed(&SETTINGS, at(0), false);
    health.probed(&SETTINGS, at(10), true);
    assert_eq!(health.share(&SETTINGS, at(10)), 0);
    health.probed(&SETTINGS, at(20), true);
    let shares: Vec<u16> = [20, 35, 49, 50]
        .map(|second| health.share(&SETTINGS, at(second)))
        .to_vec();
    assert_eq!(shares, [100, 550, 970, 1000]);
}

fn fail(health: &mut Health, second: u64) -> Vec<bool> {
    (0..5)
        .map(|_| health.worked(&SETTINGS, at(second), false, true))
        .collect()
}

#[test]
fn errors_in_a_row_eject_for_longer_each_time() {
    let mut health = proven();
    assert_eq!(fail(&mut health, 0), [false, false, false, false, true]);
    assert_eq!(health.condition(at(29)), Condition::Ejected { until: at(30) });
    assert_eq!(
        (health.condition(at(30)), health.share(&SETTINGS, at(30))),
        (Condition::Up, 100)
    );
    fail(&mut health, 31);
    assert_eq!(health.condition(at(31)), Condition::Ejected { until: at(91) });
    // Good for as long as the longest ejection: the record is clean.
    fail(&mut health, 391);
    assert_eq!(health.condition(at(391)), Condition::Ejected { until: at(421) });
}

#[test]
fn an_ejection_never_lasts_longer_than_the_longest() {
    let mut health = proven();
    let mut now = 0;
    for _ in 0..20 {
        fail(&mut health, now);
        let Condition::Ejected { until } = health.condition(at(now)) else {
            panic!("not ejected at {now}")
        };
        assert!(until.millis_since(at(now)) <= 300_000);
        now = until.0 / 1_000_000_000;
    }
}

#[test]
fn a_success_forgives_errors() {
    let mut health = proven();
    for second in 0..100 {
        assert!(!health.worked(&SETTINGS, at(second), second % 5 == 0, true));
    }
}

#[test]
fn without_room_nobody_is_ejected() {
    let mut health = proven();
    assert!((0..50).all(|_| !health.worked(&SETTINGS, at(0), false, false)));
    let allowed = |ejected, all| SETTINGS.may_eject(ejected, all);
    assert_eq!(
        [allowed(0, 1), allowed(0, 2), allowed(1, 2), allowed(1, 3)],
        [false, true, false, false]
    );
}

#[test]
fn one_of_three_usable_is_believed_and_one_of_five_is_not() {
    assert_eq!(
        [
            SETTINGS.panics(1, 3),
            SETTINGS.panics(1, 5),
            SETTINGS.panics(0, 1)
        ],
        [false, true, true]
    );
}

#[test]
fn a_drained_backend_has_no_share_until_it_resumes() {
    let mut health = proven();
    health.drain(true, at(1));
    assert_eq!(
        (health.condition(at(2)), health.share(&SETTINGS, at(2))),
        (Condition::Draining, 0)
    );
    health.drain(false, at(3));
    assert_eq!(health.share(&SETTINGS, at(3)), 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// No history leads to a backend that passes every probe, finishes all work and still gets none.
    #[test]
    fn a_healed_backend_gets_its_full_share(history in proptest::collection::vec((any::<bool>(), any::<bool>()), 0..200)) {
        let mut health = Health::new(at(0));
        let mut second = 0;
        for (probe, good) in history {
            second += 1;
            if probe { health.probed(&SETTINGS, at(second), good) } else { health.worked(&SETTINGS, at(second), good, true); }
        }
        health.probed(&SETTINGS, at(second), true);
        health.probed(&SETTINGS, at(second), true);
        prop_assert_eq!(health.share(&SETTINGS, at(second + 330)), FULL_SHARE);
    }
}
