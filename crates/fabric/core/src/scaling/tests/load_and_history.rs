use super::*;

#[test]
fn averages_are_means_of_ready_nodes_and_a_sum_of_requests() {
    let mut nodes = [node(60.0), node(70.0), node(0.0)];
    nodes[0].requests = Some(30_000.0);
    nodes[1].requests = Some(20_000.0);
    nodes[2].ready = false;
    let seen = averages(&nodes);
    assert_eq!(
        (seen.cpu, seen.memory, seen.request_rate),
        (Some(65.0), Some(20.0), 50_000.0)
    );
    assert_eq!(averages(&[]), Averages::default());
}

#[test]
fn settings_that_contradict_themselves_are_refused() {
    let faulty = |change: fn(&mut ScalingSettings)| {
        let mut settings = seed_settings();
        change(&mut settings);
        settings.check().map_err(|fault| fault.to_string())
    };
    assert_eq!(faulty(|_| ()), Ok(()));
    for (change, said) in [
        (
            (|s| s.min_nodes = 0) as fn(&mut ScalingSettings),
            "min_nodes: 0 is below 1",
        ),
        (|s| s.min_nodes = 11, "min_nodes: 11 is above max_nodes, 10"),
        (
            |s| s.scale_up_threshold = 101,
            "scale_up_threshold: 101 is not in 2 to 100",
        ),
        (
            |s| s.scale_down_threshold = 70,
            "scale_down_threshold: 70 is not below scale_up_threshold, 70",
        ),
        (|s| s.tolerance = f64::NAN, "tolerance: not a number from 0 to 1"),
        (
            |s| s.requests_per_node = Some(0.0),
            "requests_per_node: not a number above 0",
        ),
    ] {
        assert_eq!(faulty(change), Err(said.to_owned()));
    }
}

#[test]
fn two_bursts_within_the_cooldown_are_one_action() {
    let settings = seed_settings();
    let (mut history, mut target, mut actions) = (History::new(LOOK), 3, 0);
    for second in (0..600).step_by(10) {
        let burst = (60..150).contains(&second) || (200..290).contains(&second);
        let nodes = vec![node(if burst { 95.0 } else { 50.0 }); usize::from(target)];
        let seen = Observation {
            nodes: &nodes,
            target,
            hold: None,
        };
        let told = decide(&settings, &seen, &history, at(second));
        history.note(at(second), told.desired, &settings);
        if told.acts {
            history.acted(at(second), told.direction);
            (target, actions) = (told.target_nodes, actions + 1);
        }
    }
    assert_eq!((actions, target), (1, 5));
}

#[test]
fn after_a_pause_the_windows_begin_anew() {
    let settings = seed_settings();
    let mut history = History::new(LOOK);
    for second in (0..=600).step_by(15) {
        history.note(at(second), 3, &settings);
    }
    // Three usual pauses are late looks; more is longer than half a minute, which is half of the shorter window.
    assert_eq!(history.most(at(645), &settings, 4), Ok(4));
    assert_eq!(history.most(at(646), &settings, 4), Err(Duration::from_secs(300)));
    history.note(at(646), 3, &settings);
    assert_eq!(history.most(at(656), &settings, 4), Err(Duration::from_secs(290)));
}

/// Settings under which a load has to last for that many seconds.
fn lasting(secs: u64) -> ScalingSettings {
    ScalingSettings {
        sustain: Duration::from_secs(secs),
        ..seed_settings()
    }
}

#[test]
fn two_spikes_with_a_pause_between_are_no_load() {
    let settings = lasting(6);
    let mut history = History::new(Duration::from_secs(1));
    for (second, desired) in [(0, 3), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3), (6, 9), (7, 9)] {
        history.note(at(second), desired, &settings);
    }
    assert_eq!(history.least(at(10), &settings, 9), Ok(3));
    // The store was silent.
    assert_eq!(history.least(at(14), &settings, 9), Err(settings.sustain));
    for second in 14..20 {
        history.note(at(second), 9, &settings);
        let left = Duration::from_secs(19 - second);
        let known = history.least(at(second + 1), &settings, 9);
        assert_eq!(known.err(), Some(left).filter(|left| !left.is_zero()));
    }
    assert_eq!(history.least(at(20), &settings, 9), Ok(9));
}

#[test]
fn one_look_is_no_window_however_short_that_is() {
    let settings = lasting(10);
    let mut history = History::new(Duration::from_secs(30));
    for second in [0, 30, 60] {
        history.note(at(second), 4, &settings);
    }
    assert_eq!(history.least(at(90), &settings, 9), Ok(4));
    history.note(at(90), 9, &settings);
    assert_eq!(history.least(at(120), &settings, 9), Ok(9));
}

#[test]
fn looks_that_come_together_do_not_make_the_usual_pause_a_long_one() {
    let settings = lasting(1);
    let mut history = History::new(Duration::from_secs(5));
    let bursts = [0, 1000, 1001, 1050, 6000, 6000, 13_000, 13_100, 18_000];
    for millis in bursts {
        history.note(BootTime(0).plus_millis(millis), 9, &settings);
    }
    assert_eq!(history.least(at(23), &settings, 9), Ok(9));
    assert_eq!(history.least(at(33), &settings, 9), Ok(9));
    assert_eq!(history.least(at(34), &settings, 9), Err(settings.sustain));
}

#[test]
fn a_node_that_starts_again_is_not_replaced() {
    let settings = seed_settings();
    let nodes = [node(50.0); 2];
    let seen = Observation {
        nodes: &nodes,
        target: 2,
        hold: None,
    };
    let mut history = History::new(LOOK);
    let acts = |secs: u64, history: &mut History| {
        history.note_floor(at(secs), true);
        let said = decide(&settings, &seen, history, at(secs));
        assert_eq!((said.direction, said.target_nodes), (Direction::ScaleUp, 3));
        said.acts
    };
    assert!(!acts(1000, &mut history) && !acts(1059, &mut history));
    assert!(acts(1060, &mut history));
    // Nor is the program run again and again while the node that it ordered is on its way.
    history.acted(at(1060), Direction::ScaleUp);
    assert!(!acts(1065, &mut history) && !acts(1359, &mut history));
    assert!(acts(1360, &mut history));
    history.note_floor(at(1365), false);
    assert!(!acts(1370, &mut history));
}
