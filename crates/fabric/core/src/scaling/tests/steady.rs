//! Invariant I11: within the limits, one action per decision, and no flapping under a noisy constant load.

use super::*;
use proptest::prelude::*;

/// A cluster whose load is constant but for noise; nodes that are ordered become ready a minute later.
struct Cluster {
    settings: ScalingSettings,
    /// Percent of one node.
    load: f64,
    /// Part of the load by which each report may be off.
    noise: f64,
    state: u64,
}

impl Cluster {
    fn chance(&mut self) -> f64 {
        self.state = crate::ring::mix(self.state);
        (self.state >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The actions of `hours`: when, which way, to how many.
    fn run(&mut self, start: u16, hours: u64) -> Vec<(u64, Direction, u16)> {
        let mut history = History::new(LOOK);
        let mut actions: Vec<(u64, Direction, u16)> = Vec::new();
        let (mut target, mut serving) = (start, start);
        for second in (0..hours * 3600).step_by(LOOK.as_secs() as usize) {
            if actions.last().is_none_or(|(when, _, _)| second >= when + 60) {
                serving = target;
            }
            let serving_now = serving.min(target);
            let mut nodes = Vec::new();
            for n in 0..target {
                let noise = 1.0 + self.noise * (self.chance() * 2.0 - 1.0);
                let percent = self.load / f64::from(serving_now) * noise;
                nodes.push(NodeLoad {
                    ready: n < serving_now,
                    ..node(percent.min(100.0))
                });
            }
            let seen = Observation {
                nodes: &nodes,
                target,
                hold: None,
            };
            let told = decide(&self.settings, &seen, &history, at(second));
            history.note(at(second), told.desired, &self.settings);
            if told.acts {
                history.acted(at(second), told.direction);
                actions.push((second, told.direction, told.target_nodes));
                target = told.target_nodes;
            }
        }
        actions
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_noisy_constant_load_is_answered_once(
        load in 0.0..1200.0_f64, noise in 0.0..0.3_f64, start in 3_u16..=10, seed in any::<u64>(),
    ) {
        let settings = seed_settings();
        let mut cluster = Cluster { settings, load, noise, state: seed };
        let actions = cluster.run(start, 6);
        for (_, _, target) in &actions {
            prop_assert!((3..=10).contains(target), "{actions:?}");
        }
        // Down one by one or up in a few steps, but never both: the load is one and the same.
        let ups = actions.iter().filter(|(_, direction, _)| *direction == Direction::ScaleUp).count();
        prop_assert!(ups == 0 || ups == actions.len(), "{actions:?}");
        for pair in actions.windows(2) {
            prop_assert!(pair[1].0 - pair[0].0 >= 300, "{actions:?}");
        }
        // And it settles: nothing more in the last hours. Where noise carries the load over a threshold and back, or is
        // beyond the tolerance of a tenth, a minute of high samples in a row comes now and then, and one more node is a
        // right answer to it.
        let settled = actions.last().is_none_or(|(when, _, _)| *when < 3 * 3600);
        let before = actions.iter().rev().nth(1).map_or(start, |(_, _, target)| *target);
        let each = load / f64::from(before);
        let on_edge = [30.0, 70.0]
            .iter()
            .any(|edge| (each * (1.0 - noise)..=each * (1.0 + noise)).contains(edge));
        prop_assert!(noise >= 0.1 || on_edge || settled, "{actions:?}");
    }

    /// The same without any gap between the thresholds, where only the arithmetic and the windows damp.
    #[test]
    fn narrow_thresholds_do_not_flap_either(
        load in 100.0..900.0_f64, noise in 0.0..0.1_f64, start in 3_u16..=10, seed in any::<u64>(),
    ) {
        let settings = ScalingSettings { scale_down_threshold: 60, ..seed_settings() };
        let actions = Cluster { settings, load, noise, state: seed }.run(start, 6);
        let turns = actions.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
        prop_assert!(turns <= 1, "{actions:?}");
    }
}
