//! Autoscalers of nodes over one store, on a clock that jumps to the next thing to do.

mod asleep;

use purlin_fabric::plan::PlanSettings;
use purlin_fabric::port::{Candidate, ClaimStore, Heartbeat, Hints, Later, NodeFacts};
use purlin_fabric::scaling::{Direction, ScalingSettings};
use purlin_fabric::{Coordinator, Timing};
use purlin_fabric_runtime::local::{LocalClaims, LocalHints};
use purlin_fabric_runtime::scaling::{
    Action, ActionState, Driver, Gauge, Machine, Order, Outcome, Policy, Scaler, ScalerSetup, Source, View,
};
use purlin_fabric_runtime::{Clock, Fabric, Setup, SharedTenure};
use purlin_store::contract::MemoryRecords;
use purlin_store::{Batch, Records};
use purlin_types::{BootTime, Incarnation, NodeId, Now, WallTime};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// A machine whose processors are as busy as the test says.
#[derive(Debug, Default)]
struct Dial {
    percent: AtomicU64,
    reading: Mutex<(u64, u64)>,
    served: AtomicU64,
    short: Mutex<Option<String>>,
}

impl Gauge for Dial {
    fn machine(&self) -> Machine {
        let mut ticks = self.reading.lock().unwrap();
        ticks.0 += self.percent.load(Ordering::Relaxed);
        ticks.1 += 100;
        Machine {
            cpu: *ticks,
            memory: Some(20.0),
        }
    }

    fn requests(&self) -> u64 {
        // 100 a second, looked at every 5 s.
        self.served.fetch_add(500, Ordering::Relaxed)
    }

    fn shortage(&self) -> Option<String> {
        self.short.lock().unwrap().clone()
    }
}

/// Remembers its orders; takes as long as it is told to.
#[derive(Debug, Default)]
struct Orders {
    given: Mutex<Vec<Order>>,
    takes: Duration,
    fails: bool,
}

impl Driver for Orders {
    fn name(&self) -> &'static str {
        "exec"
    }

    fn act<'a>(&'a self, order: &'a Order) -> Later<'a, Outcome> {
        self.given.lock().unwrap().push(order.clone());
        Box::pin(async move {
            tokio::time::sleep(self.takes).await;
            Outcome {
                done: !self.fails,
                output: format!("{} to {}", order.from, order.to),
            }
        })
    }
}

struct World {
    clock: Clock,
    claims: Arc<LocalClaims>,
    hints: Arc<LocalHints>,
    records: Arc<dyn Records>,
    driver: Arc<Orders>,
    /// Milliseconds that the machine has slept through.
    slept: Arc<AtomicU64>,
}

struct Node {
    fabric: Fabric,
    task: JoinHandle<()>,
    scaler: Option<Scaler>,
    dial: Arc<Dial>,
}

impl World {
    fn new(driver: Orders) -> Self {
        let began = Instant::now();
        let slept = Arc::new(AtomicU64::new(0));
        let sleeps = Arc::clone(&slept);
        let clock: Clock = Arc::new(move || {
            let passed = began.elapsed() + Duration::from_millis(sleeps.load(Ordering::Relaxed));
            Now {
                boot: BootTime(1_000_000_000_000 + passed.as_nanos() as u64),
                wall: WallTime(1_700_000_000_000 + passed.as_millis() as u64),
            }
        });
        let reads = Arc::clone(&clock);
        Self {
            claims: Arc::new(LocalClaims::new(Arc::new(move || reads()), 1)),
            hints: Arc::new(LocalHints::new(Arc::clone(&clock))),
            records: Arc::new(MemoryRecords::default()),
            driver: Arc::new(driver),
            clock,
            slept,
        }
    }

    /// Settings of the guide, with a minimum of one.
    fn policy(&self) -> Policy {
        Policy {
            scaling: ScalingSettings {
                enabled: true,
                min_nodes: 1,
                ..ScalingSettings::default()
            },
            planning: PlanSettings::default(),
            required_copies: None,
            driver: Some(Arc::clone(&self.driver) as Arc<dyn Driver>),
        }
    }

    fn start(&self, name: &str, life: u64, policy: Policy) -> Node {
        let me = Candidate {
            id: NodeId::parse(name).expect("an id"),
            incarnation: Incarnation(life),
        };
        let facts = NodeFacts {
            weight: 100,
            ..NodeFacts::default()
        };
        // No quarantine: the first claims are in doubt otherwise, and nothing is removed meanwhile.
        let timing = Timing {
            mclt: Duration::from_secs(15),
            ..Timing::default()
        };
        let setup = Setup {
            me: me.clone(),
            timing,
            claims: Arc::clone(&self.claims) as Arc<dyn ClaimStore>,
            tenants: Vec::new(),
            tenure: SharedTenure::default(),
            clock: Arc::clone(&self.clock),
        };
        let (fabric, task) = Fabric::start(setup, Coordinator::new(timing, me, facts));
        let dial = Arc::new(Dial::default());
        let setup = ScalerSetup {
            fabric: fabric.clone(),
            hints: Arc::clone(&self.hints) as Arc<dyn Hints>,
            hints_reach: false,
            records: Arc::clone(&self.records),
            records_reach: true,
            every: Duration::from_secs(5),
            gauge: Arc::clone(&dial) as Arc<dyn Gauge>,
            policy,
        };
        let scaler = Some(Scaler::start(setup, Arc::clone(&self.clock)));
        Node {
            fabric,
            task,
            scaler,
            dial,
        }
    }

    fn given(&self) -> Vec<(u16, u16)> {
        let given = self.driver.given.lock().unwrap();
        given.iter().map(|order| (order.from, order.to)).collect()
    }
}

impl Node {
    fn busy(&self, percent: u64) {
        self.dial.percent.store(percent, Ordering::Relaxed);
    }

    fn view(&self) -> Arc<View> {
        self.scaler.as_ref().expect("it runs").view()
    }

    async fn actions(&self) -> Vec<Action> {
        self.scaler
            .as_ref()
            .expect("it runs")
            .actions(100)
            .await
            .expect("memory can be read")
    }

    /// The process is gone.
    fn dies(&mut self) {
        self.task.abort();
        self.scaler = None;
    }
}

fn all_busy(nodes: &[&Node], percent: u64) {
    for node in nodes {
        node.busy(percent);
    }
}

async fn minutes(count: u64) {
    tokio::time::sleep(Duration::from_secs(60 * count)).await;
}

#[tokio::test(start_paused = true)]
async fn s0_31_s0_54_two_bursts_within_the_cooldown_are_one_action() {
    let world = World::new(Orders::default());
    let (a, b) = (
        world.start("a", 1, world.policy()),
        world.start("b", 2, world.policy()),
    );
    all_busy(&[&a, &b], 50);
    minutes(3).await;
    assert_eq!(world.given(), []);
    all_busy(&[&a, &b], 80);
    minutes(2).await;
    assert_eq!(world.given(), [(2, 3)]);
    all_busy(&[&a, &b], 50);
    minutes(1).await;
    all_busy(&[&a, &b], 90);
    minutes(1).await;
    assert_eq!(world.given(), [(2, 3)], "within the cooldown");
    // The node that was ordered has not come: after the cooldown it is ordered again.
    minutes(4).await;
    assert_eq!(world.given(), [(2, 3), (2, 3)]);
    let actions = a.actions().await;
    assert_eq!(
        actions.iter().map(|action| action.number).collect::<Vec<_>>(),
        [2, 1]
    );
    assert!(
        actions
            .iter()
            .all(|action| action.state == ActionState::Done && action.output == "2 to 3")
    );
    assert!(
        actions[0].reason.contains("processor at"),
        "{}",
        actions[0].reason
    );
}

#[tokio::test(start_paused = true)]
async fn every_node_tells_what_the_leader_decided_and_what_all_of_them_carry() {
    let world = World::new(Orders::default());
    let nodes = [
        world.start("a", 1, world.policy()),
        world.start("b", 2, world.policy()),
    ];
    nodes[0].busy(40);
    nodes[1].busy(60);
    minutes(3).await;
    for node in &nodes {
        let view = node.view();
        assert!(view.of_leader);
        assert_eq!(
            (view.verdict.nodes, view.verdict.direction),
            (2, Direction::Maintain)
        );
        let loads: Vec<_> = view
            .inputs
            .iter()
            .map(|input| input.load().cpu.expect("told").round())
            .collect();
        assert_eq!(loads, [40.0, 60.0]);
        let sources: Vec<_> = view.inputs.iter().map(|input| input.source).collect();
        assert!(
            sources.contains(&Source::Own) && sources.contains(&Source::Record),
            "{sources:?}"
        );
        let rate: f64 = view.inputs.iter().filter_map(|input| input.load().requests).sum();
        assert!((199.0..=201.0).contains(&rate), "{rate}");
    }
}

#[tokio::test(start_paused = true)]
async fn s0_53_what_is_short_is_told_by_every_node_as_the_leader_knows_it() {
    let world = World::new(Orders::default());
    let nodes = [("a", 1), ("b", 2)].map(|(name, life)| world.start(name, life, world.policy()));
    all_busy(&nodes.each_ref(), 50);
    minutes(1).await;
    let leads = |node: &&Node| node.fabric.snapshot().leadership.is_some();
    let leader = nodes.iter().find(leads).expect("one leads");
    assert!(nodes.iter().all(|node| node.view().verdict.shortage.is_none()));
    for said in [Some("a pool is full".to_owned()), None] {
        leader.dial.short.lock().unwrap().clone_from(&said);
        tokio::time::sleep(Duration::from_secs(11)).await;
        for node in &nodes {
            let verdict = &node.view().verdict;
            assert_eq!(verdict.shortage, said);
            assert_eq!(verdict.direction, Direction::Maintain, "it moves no node");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn heartbeats_come_before_records() {
    let world = World::new(Orders::default());
    let (a, b) = (
        world.start("a", 1, world.policy()),
        world.start("b", 2, world.policy()),
    );
    minutes(1).await;
    let pulse = b.scaler.as_ref().expect("it runs").pulse();
    let beat = Heartbeat {
        node: "b".to_owned(),
        incarnation: 2,
        body: json!({ "says": { "load": pulse.to_json() } }).to_string(),
    };
    world
        .hints
        .beat(&beat, Duration::from_secs(30))
        .await
        .expect("it is here");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let of_b = a
        .view()
        .inputs
        .iter()
        .find(|input| input.id.as_str() == "b")
        .map(|input| input.source);
    assert_eq!(of_b, Some(Source::Heartbeat));
}

#[tokio::test(start_paused = true)]
async fn a_second_leader_finds_what_the_first_one_did() {
    let slow = Orders {
        takes: Duration::from_secs(600),
        ..Orders::default()
    };
    let world = World::new(slow);
    let mut nodes = vec![
        world.start("a", 1, world.policy()),
        world.start("b", 2, world.policy()),
    ];
    all_busy(&nodes.iter().collect::<Vec<_>>(), 80);
    minutes(3).await;
    assert_eq!(world.given(), [(2, 3)]);
    let leads = nodes
        .iter()
        .position(|node| node.fabric.snapshot().leadership.is_some());
    let mut leader = nodes.remove(leads.expect("one leads"));
    leader.dies();
    minutes(1).await;
    let other = &nodes[0];
    assert!(other.fabric.snapshot().leadership.is_some());
    let actions = other.actions().await;
    assert_eq!((actions.len(), actions[0].state), (1, ActionState::Lost));
    assert_eq!(
        (other.view().verdict.target, world.given().len()),
        (3, 1),
        "what was ordered still counts"
    );
    minutes(5).await;
    let actions = other.actions().await;
    assert_eq!(
        actions.iter().map(|action| action.number).collect::<Vec<_>>(),
        [2, 1]
    );
    assert!(actions[0].epoch > actions[1].epoch);
}

/// A leader that was replaced without knowing: whoever leads now has acted by a higher right.
#[tokio::test(start_paused = true)]
async fn a_leader_below_the_highest_right_that_acted_does_nothing() {
    let world = World::new(Orders::default());
    let acted = Batch::default().put("scaling.state", "lead", "9.99");
    world.records.commit(acted).expect("memory takes it");
    let a = world.start("a", 1, world.policy());
    a.busy(95);
    minutes(5).await;
    assert!(
        a.fabric.snapshot().leadership.is_some(),
        "it leads by its own account"
    );
    assert_eq!(world.given(), []);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_fails_is_not_asked_again_before_the_cooldown_is_over() {
    let bad = Orders {
        fails: true,
        ..Orders::default()
    };
    let world = World::new(bad);
    let a = world.start("a", 1, world.policy());
    a.busy(95);
    minutes(5).await;
    assert_eq!(world.given(), [(1, 2)]);
    let actions = a.actions().await;
    assert_eq!(actions[0].state, ActionState::Failed);
    minutes(3).await;
    assert_eq!(world.given(), [(1, 2), (1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn s0_26_switched_off_it_recommends_and_nobody_acts() {
    let world = World::new(Orders::default());
    let mut policy = world.policy();
    policy.scaling.enabled = false;
    let a = world.start("a", 1, policy);
    a.busy(95);
    minutes(4).await;
    let view = a.view();
    assert_eq!(
        (view.verdict.direction, view.verdict.target),
        (Direction::ScaleUp, 2)
    );
    assert!(!view.verdict.acts && world.given().is_empty() && a.actions().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_a_driver_a_recommendation_is_noted_once_and_stays() {
    let world = World::new(Orders::default());
    let policy = Policy {
        driver: None,
        ..world.policy()
    };
    let a = world.start("a", 1, policy.clone());
    a.busy(95);
    minutes(4).await;
    assert_eq!(a.view().verdict.direction, Direction::ScaleUp);
    let actions = a.actions().await;
    assert_eq!((actions.len(), actions[0].state), (1, ActionState::Recommended));
    // Somebody adds one: that is an action, and the load may spread before the next.
    let b = world.start("b", 2, policy);
    b.busy(95);
    minutes(3).await;
    let verdict = a.view().verdict.clone();
    assert_eq!((verdict.direction, verdict.nodes), (Direction::Maintain, 2));
    assert!(verdict.up_left > 0, "{verdict:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_removed_while_slots_rest_or_move() {
    let world = World::new(Orders::default());
    let (a, b) = (
        world.start("a", 1, world.policy()),
        world.start("b", 2, world.policy()),
    );
    all_busy(&[&a, &b], 5);
    // Somebody leaves no word behind: what it held rests.
    let mut c = world.start("c", 3, world.policy());
    minutes(4).await;
    c.dies();
    tokio::time::sleep(Duration::from_secs(22)).await;
    let held = [&a, &b].iter().any(|node| node.view().verdict.hold.is_some());
    assert!(held, "{:?} {:?}", a.view().verdict, b.view().verdict);
    assert_eq!(world.given(), []);
    minutes(15).await;
    assert_eq!(world.given().first(), Some(&(2, 1)));
}
