use super::*;
use purlin_types::BootTime;
use std::time::Duration;

const LIMITS: DrainLimits = DrainLimits {
    copies: 3,
    min_nodes: 3,
    requests: 0,
    requests_per_node: None,
};

fn id(n: u8) -> NodeId {
    NodeId::parse(&format!("node{n}.example.com")).expect("an id")
}

fn member(n: u8) -> DrainMember {
    DrainMember {
        id: id(n),
        state: NodeState::Active,
        live: true,
    }
}

fn members(count: u8) -> Vec<DrainMember> {
    (1..=count).map(member).collect()
}

/// What is said about removing node 4, without and with force.
fn said(members: &[DrainMember], limits: DrainLimits) -> [String; 2] {
    [false, true].map(|force| match check(&id(4), members, limits, force) {
        Ok(()) => "yes".to_owned(),
        Err(refusal) => refusal.to_string(),
    })
}

#[test]
fn a_node_that_is_not_needed_may_go() {
    assert_eq!(said(&members(4), LIMITS), ["yes", "yes"]);
}

#[test]
fn too_few_left_is_refused_unless_forced() {
    let few = |limits| said(&[member(3), member(4)], limits);
    assert_eq!(
        few(LIMITS),
        [
            "live nodes left would be 1, fewer than the replication factor, 3",
            "yes"
        ]
    );
    let loose = DrainLimits { copies: 1, ..LIMITS };
    assert_eq!(
        few(loose),
        ["live nodes left would be 1, fewer than min_nodes, 3", "yes"]
    );
}

#[test]
fn who_stays_must_be_meant_for_the_requests_of_now() {
    let busy = |requests| DrainLimits {
        requests,
        requests_per_node: Some(1000),
        ..LIMITS
    };
    assert_eq!(said(&members(4), busy(3000)), ["yes", "yes"]);
    assert_eq!(
        said(&members(4), busy(3001)),
        [
            "3001 requests/s are more than the 3 nodes left are meant for, 1000 each",
            "yes"
        ]
    );
}

#[test]
fn the_dead_and_the_draining_do_not_count_as_left() {
    for change in [(|m| m.live = false) as fn(&mut DrainMember), |m| {
        m.state = NodeState::Draining;
    }] {
        let mut four = members(4);
        change(&mut four[0]);
        assert_eq!(
            said(&four, LIMITS)[0],
            "live nodes left would be 2, fewer than the replication factor, 3"
        );
    }
}

#[test]
fn the_last_live_node_stays_even_by_force() {
    let mut two = vec![member(3), member(4)];
    two[0].live = false;
    let last = "node4.example.com is the last live node";
    assert_eq!(said(&two, LIMITS), [last, last]);
}

#[test]
fn a_dead_node_goes_by_force_only() {
    let mut four = members(4);
    four[3].live = false;
    let [gently, by_force] = said(&four, LIMITS);
    assert_eq!(
        gently,
        "node4.example.com does not answer and cannot give its slots back; removing it needs force"
    );
    assert_eq!(by_force, "yes");
}

#[test]
fn who_is_on_the_way_out_or_unknown_is_named() {
    let mut four = members(4);
    four[3].state = NodeState::Draining;
    assert_eq!(
        said(&four, LIMITS),
        ["node4.example.com is being drained already", "yes"]
    );
    four[3].state = NodeState::Removed;
    assert_eq!(said(&four, LIMITS)[1], "node4.example.com has been removed");
    assert_eq!(said(&members(3), LIMITS)[1], "there is no node node4.example.com");
}

#[test]
fn a_dry_run_tells_what_really_moves() {
    let of = |n: u8| PlanMember {
        id: id(n),
        zone: String::new(),
        weight: 100,
    };
    let four: Vec<PlanMember> = (1..=4).map(of).collect();
    let settings = PlanSettings::default();
    let current = plan(None, &four, &settings);
    let out = preview_removal(&current, &four, &id(4), &settings);
    assert_eq!(usize::from(out.slots), current.slots_of(&id(4)).len());
    assert_eq!(out.by_node[&id(4)].lost, out.slots);
    let new = preview_addition(&current, &four, &of(5), &settings);
    assert!(new.fraction() <= 1.1 / 5.0);
    assert_eq!(new.by_node[&id(5)].gained, new.slots);
}

fn at(secs: u64) -> BootTime {
    BootTime(0).plus_millis(secs * 1000)
}

#[test]
fn a_drain_goes_step_by_step() {
    let left = |slots, sessions, outstanding| Left {
        slots,
        sessions,
        outstanding,
    };
    let mut drain = Progress::new(at(0), left(1000, 50, 3), Duration::from_secs(600));
    assert_eq!(
        (drain.report(at(0)).step, drain.report(at(0)).eta),
        (Step::Slots, None)
    );
    drain.update(at(10), left(900, 50, 3));
    let report = drain.report(at(10));
    assert_eq!((report.rate, report.eta), (10.0, Some(Duration::from_secs(90))));
    drain.update(at(20), left(0, 50, 3));
    assert_eq!(
        (drain.report(at(20)).step, drain.report(at(20)).eta),
        (Step::Sessions, None)
    );
    drain.update(at(30), left(0, 0, 3));
    assert_eq!(drain.report(at(30)).step, Step::Finishing);
    drain.update(at(31), left(0, 0, 0));
    let done = drain.report(at(700));
    assert_eq!((done.step, done.at_first), (Step::Done, left(1000, 50, 3)));
}

#[test]
fn the_rate_is_that_of_the_last_minute() {
    let left = |slots| Left {
        slots,
        ..Left::default()
    };
    let mut drain = Progress::new(at(0), left(4000), Duration::from_secs(600));
    for second in 1..=300 {
        let slots = if second <= 100 {
            4000 - second as u32 * 10
        } else {
            3000 - (second as u32 - 100)
        };
        drain.update(at(second), left(slots));
    }
    let report = drain.report(at(300));
    assert_eq!((report.rate, report.eta), (1.0, Some(Duration::from_secs(2800))));
}

#[test]
fn a_drain_that_hangs_says_so_and_times_out() {
    let stuck = Left {
        slots: 7,
        ..Left::default()
    };
    let mut drain = Progress::new(at(0), stuck, Duration::from_secs(600));
    for second in (1..=90).step_by(10) {
        drain.update(at(second), stuck);
    }
    let report = drain.report(at(95));
    assert_eq!((report.eta, report.still_for), (None, Duration::from_secs(95)));
    assert_eq!(drain.report(at(600)).step, Step::TimedOut);
}
