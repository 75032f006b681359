//! One row, one situation: what is seen, what comes of it.

use super::*;

/// When the decision of a row is made.
const NOW: u64 = 10_000;

/// A situation; what a row does not say is a calm cluster of five, watched for ten minutes.
struct Row {
    settings: ScalingSettings,
    nodes: Vec<NodeLoad>,
    target: u16,
    hold: Option<Hold>,
    /// Seconds before the decision, and what was desired then; in between, every 15 s, the same as at the decision.
    earlier: Vec<(u64, u16)>,
    /// For how many seconds the load has been as it is.
    watched: u64,
    /// Seconds since the last actions.
    up_ago: Option<u64>,
    down_ago: Option<u64>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            settings: seed_settings(),
            nodes: vec![node(50.0); 5],
            target: 5,
            hold: None,
            earlier: Vec::new(),
            watched: 600,
            up_ago: None,
            down_ago: None,
        }
    }
}

fn decided(row: &Row) -> Recommendation {
    let seen = Observation {
        nodes: &row.nodes,
        target: row.target,
        hold: row.hold,
    };
    let now = at(NOW);
    let desired = decide(&row.settings, &seen, &History::new(LOOK), now).desired;
    let steady = (1..=row.watched / 15).map(|n| (n * 15, desired));
    let mut samples: Vec<(u64, u16)> = steady.chain(row.earlier.iter().copied()).collect();
    samples.sort_unstable_by(|a, b| b.cmp(a));
    let mut history = History::new(LOOK);
    for (ago, desired) in samples {
        history.note(at(NOW - ago), desired, &row.settings);
    }
    for (ago, direction) in [
        (row.up_ago, Direction::ScaleUp),
        (row.down_ago, Direction::ScaleDown),
    ] {
        if let Some(ago) = ago {
            history.acted(at(NOW - ago), direction);
        }
    }
    decide(&row.settings, &seen, &history, now)
}

fn check(rows: Vec<(&str, Row, &str)>) {
    for (claim, row, expected) in rows {
        let got = decided(&row);
        let text = format!("{} {}: {}", got.direction.as_str(), got.target_nodes, got.reason);
        assert_eq!(text, expected, "{claim}");
        assert_eq!(
            got.direction == Direction::Maintain,
            got.target_nodes == row.target,
            "{claim}"
        );
    }
}

fn cpu(percents: &[f64]) -> Row {
    Row {
        nodes: percents.iter().map(|&percent| node(percent)).collect(),
        target: percents.len() as u16,
        ..Row::default()
    }
}

fn with(mut row: Row, change: impl FnOnce(&mut Row)) -> Row {
    change(&mut row);
    row
}

#[test]
fn thresholds_decide_the_direction() {
    check(vec![
        (
            "between",
            cpu(&[50.0; 5]),
            "maintain 5: processor at 50 % is the highest load and between the thresholds",
        ),
        (
            "at the upper",
            cpu(&[70.0; 5]),
            "maintain 5: processor at 70 % is the highest load and between the thresholds",
        ),
        (
            "above it",
            cpu(&[71.0; 5]),
            "scale_up 6: processor at 71 % is above the upper threshold",
        ),
        (
            "at the lower",
            cpu(&[30.0; 5]),
            "maintain 5: processor at 30 % is the highest load and between the thresholds",
        ),
        (
            "below it",
            cpu(&[29.0; 5]),
            "scale_down 4: processor at 29 % is the highest load and below the lower threshold",
        ),
        (
            "the mean counts",
            cpu(&[90.0, 90.0, 90.0, 40.0, 40.0]),
            "maintain 5: processor at 70 % is the highest load and between the thresholds",
        ),
        (
            "idle",
            cpu(&[0.0; 5]),
            "scale_down 4: memory at 20 % is the highest load and below the lower threshold",
        ),
    ]);
}

#[test]
fn the_arithmetic_is_that_of_the_hpa() {
    check(vec![
        (
            "5 x 85 / 63.6 = 6.7",
            cpu(&[85.0; 5]),
            "scale_up 7: processor at 85 % is above the upper threshold",
        ),
        (
            "3 x 100 / 63.6 = 4.7",
            cpu(&[100.0; 3]),
            "scale_up 5: processor at 100 % is above the upper threshold",
        ),
        (
            "no tolerance: 5 x 71 / 70 = 5.1",
            with(cpu(&[71.0; 5]), |row| row.settings.tolerance = 0.0),
            "scale_up 6: processor at 71 % is above the upper threshold",
        ),
        (
            "one node",
            with(cpu(&[95.0]), |row| row.settings.min_nodes = 1),
            "scale_up 2: processor at 95 % is above the upper threshold",
        ),
    ]);
}

#[test]
fn the_busiest_measure_counts() {
    let all = |row: &mut Row, change: fn(&mut NodeLoad)| row.nodes.iter_mut().for_each(change);
    check(vec![
        (
            "memory",
            with(cpu(&[20.0; 5]), |row| all(row, |node| node.memory = Some(80.0))),
            "scale_up 7: memory at 80 % is above the upper threshold",
        ),
        (
            "requests against what a node is meant for",
            with(cpu(&[20.0; 5]), |row| {
                row.settings.requests_per_node = Some(20_000.0);
                all(row, |node| node.requests = Some(16_000.0));
            }),
            "scale_up 7: request rate at 80 % is above the upper threshold",
        ),
        (
            "requests that nobody set a measure for",
            with(cpu(&[50.0; 5]), |row| all(row, |node| node.requests = Some(1e9))),
            "maintain 5: processor at 50 % is the highest load and between the thresholds",
        ),
        (
            "a queue over its limit; at most four more",
            with(cpu(&[20.0; 4]), |row| all(row, |node| node.queue = Some(150.0))),
            "scale_up 8: queue at 150 % is above the upper threshold",
        ),
    ]);
}

#[test]
fn what_is_not_known_moves_nobody() {
    let silent = |row: Row, count: usize| {
        with(row, |row| {
            row.nodes
                .iter_mut()
                .take(count)
                .for_each(|node| (node.cpu, node.memory) = (None, None));
        })
    };
    check(vec![
        (
            "nobody reports",
            silent(cpu(&[90.0; 5]), 5),
            "maintain 5: no ready node reports its load",
        ),
        (
            "two of five silent count nothing on the way up",
            silent(cpu(&[90.0; 5]), 2),
            "maintain 5: processor at 94 % is the highest load and between the thresholds",
        ),
        (
            "one of five silent",
            silent(cpu(&[95.0; 5]), 1),
            "scale_up 6: processor at 76 % is above the upper threshold",
        ),
        (
            "and everything on the way down",
            silent(cpu(&[22.0; 5]), 1),
            "maintain 5: processor at 38 % is the highest load and between the thresholds",
        ),
        (
            "too little to matter",
            silent(cpu(&[5.0; 10]), 1),
            "scale_down 9: memory at 28 % is the highest load and below the lower threshold",
        ),
        (
            "nobody is ready",
            with(cpu(&[90.0; 5]), |row| {
                row.nodes.iter_mut().for_each(|node| node.ready = false);
            }),
            "maintain 5: no ready node reports its load",
        ),
        (
            "a number that is none",
            with(cpu(&[22.0; 5]), |row| row.nodes[0].cpu = Some(f64::NAN)),
            "maintain 5: processor at 38 % is the highest load and between the thresholds",
        ),
    ]);
}

#[test]
fn nodes_that_are_not_ready_are_left_out() {
    let unready = |row: Row| with(row, |row| row.nodes[0].ready = false);
    check(vec![
        (
            "their load does not count",
            unready(cpu(&[0.0, 60.0, 60.0, 60.0, 60.0])),
            "maintain 5: processor at 60 % is the highest load and between the thresholds",
        ),
        (
            "nobody more while they come",
            unready(cpu(&[0.0, 75.0, 75.0, 75.0, 75.0])),
            "maintain 5: 5 nodes will do, once all of them are ready",
        ),
        (
            "unless that is not enough",
            unready(cpu(&[0.0, 90.0, 90.0, 90.0, 90.0])),
            "scale_up 6: processor at 90 % is above the upper threshold",
        ),
        (
            "nobody leaves meanwhile",
            unready(cpu(&[0.0, 10.0, 10.0, 10.0, 10.0])),
            "maintain 5: the load is low, but only 4 of 5 nodes are ready",
        ),
    ]);
}

#[test]
fn limits_hold_at_any_load() {
    check(vec![
        (
            "no load at all",
            cpu(&[0.0; 3]),
            "maintain 3: the load is low, and 3 nodes are the minimum",
        ),
        (
            "all load there is",
            cpu(&[100.0; 10]),
            "maintain 10: the load asks for more than the allowed 10 nodes",
        ),
        (
            "the last step ends there",
            cpu(&[100.0; 9]),
            "scale_up 10: processor at 100 % is above the upper threshold",
        ),
        (
            "too few, at once",
            with(cpu(&[50.0; 2]), |row| (row.watched, row.up_ago) = (0, Some(1))),
            "scale_up 3: there must be at least 3 nodes",
        ),
        (
            "too many, one by one",
            cpu(&[50.0; 12]),
            "scale_down 11: there must be at most 10 nodes",
        ),
        (
            "doubling at most",
            with(cpu(&[100.0; 20]), |row| {
                row.settings.max_nodes = 100;
                row.nodes.iter_mut().for_each(|node| node.queue = Some(900.0));
            }),
            "scale_up 40: queue at 900 % is above the upper threshold",
        ),
        (
            "or four more",
            with(cpu(&[100.0; 3]), |row| {
                row.nodes.iter_mut().for_each(|node| node.queue = Some(900.0));
            }),
            "scale_up 7: queue at 900 % is above the upper threshold",
        ),
    ]);
}

#[test]
fn an_action_forbids_the_next_for_a_while() {
    let high = || cpu(&[90.0; 5]);
    let low = || cpu(&[25.0; 5]);
    check(vec![
        (
            "up after up",
            with(high(), |row| row.up_ago = Some(299)),
            "maintain 5: the last action is too young for 1 s more",
        ),
        (
            "up after up, later",
            with(high(), |row| row.up_ago = Some(300)),
            "scale_up 8: processor at 90 % is above the upper threshold",
        ),
        (
            "up after down: load does not wait",
            with(high(), |row| row.down_ago = Some(10)),
            "scale_up 8: processor at 90 % is above the upper threshold",
        ),
        (
            "down after down",
            with(low(), |row| row.down_ago = Some(100)),
            "maintain 5: the last action is too young for 200 s more",
        ),
        (
            "down after up",
            with(low(), |row| row.up_ago = Some(100)),
            "maintain 5: the last action is too young for 200 s more",
        ),
        (
            "down after both, later",
            with(low(), |row| (row.up_ago, row.down_ago) = (Some(300), Some(400))),
            "scale_down 4: processor at 25 % is the highest load and below the lower threshold",
        ),
    ]);
}

#[test]
fn moments_do_not_count() {
    let high = || cpu(&[90.0; 5]);
    let low = || cpu(&[25.0; 5]);
    check(vec![
        (
            "a spike",
            with(high(), |row| row.earlier = vec![(30, 5)]),
            "maintain 5: the load has been high for a moment only",
        ),
        (
            "a weaker moment asks for less",
            with(high(), |row| row.earlier = vec![(30, 6)]),
            "scale_up 6: processor at 90 % is above the upper threshold",
        ),
        (
            "calm long enough ago",
            with(high(), |row| row.earlier = vec![(61, 5)]),
            "scale_up 8: processor at 90 % is above the upper threshold",
        ),
        (
            "needed four minutes ago",
            with(low(), |row| row.earlier = vec![(240, 5)]),
            "maintain 5: a short time ago 5 nodes were needed",
        ),
        (
            "needed six minutes ago",
            with(low(), |row| row.earlier = vec![(360, 5)]),
            "scale_down 4: processor at 25 % is the highest load and below the lower threshold",
        ),
        (
            "a leader who just came, up",
            with(high(), |row| row.watched = 0),
            "maintain 5: the load is watched for 60 s more before anything is done",
        ),
        (
            "a leader who just came, down",
            with(low(), |row| row.watched = 120),
            "maintain 5: the load is watched for 180 s more before anything is done",
        ),
    ]);
}

#[test]
fn nobody_is_removed_at_a_bad_time() {
    let low = |hold| with(cpu(&[10.0; 5]), |row| row.hold = Some(hold));
    check(vec![
        (
            "quarantine",
            low(Hold::Quarantine),
            "maintain 5: the load is low, but addresses of a lost node are in quarantine",
        ),
        (
            "rebalance",
            low(Hold::Rebalance),
            "maintain 5: the load is low, but slots are being moved",
        ),
        (
            "lag",
            low(Hold::DatabaseLag),
            "maintain 5: the load is low, but the database's standbys are behind",
        ),
        (
            "a site is out",
            low(Hold::SiteOutage),
            "maintain 5: the load is low, but another site is out",
        ),
        (
            "too many nodes wait too",
            with(cpu(&[50.0; 12]), |row| row.hold = Some(Hold::Rebalance)),
            "maintain 12: the load is low, but slots are being moved",
        ),
        (
            "adding goes on",
            with(cpu(&[90.0; 5]), |row| row.hold = Some(Hold::SiteOutage)),
            "scale_up 8: processor at 90 % is above the upper threshold",
        ),
    ]);
}

#[test]
fn switched_off_it_recommends_and_does_not_act() {
    let row = with(cpu(&[90.0; 5]), |row| row.settings.enabled = false);
    let got = decided(&row);
    assert_eq!(
        (got.direction, got.target_nodes, got.acts),
        (Direction::ScaleUp, 8, false)
    );
    assert!(decided(&cpu(&[90.0; 5])).acts);
    assert!(!decided(&cpu(&[50.0; 5])).acts);
}

#[test]
fn a_removal_that_would_call_for_its_reverse_is_not_made() {
    // Without a gap between the thresholds: two nodes at 59 % would leave one at 118 %.
    let row = with(cpu(&[59.0; 2]), |row| {
        row.settings.min_nodes = 1;
        row.settings.scale_down_threshold = 60;
    });
    check(vec![(
        "two at 59 %",
        row,
        "maintain 2: a short time ago 2 nodes were needed",
    )]);
}
