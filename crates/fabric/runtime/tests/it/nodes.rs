//! Nodes over one store in one process, on a clock that jumps to the next thing to do.

use purlin_fabric::port::{Candidate, ClaimStore, Later, NodeFacts};
use purlin_fabric::{Coordinator, Event, Holdings, NotReady, Timing};
use purlin_fabric_runtime::local::LocalClaims;
use purlin_fabric_runtime::{Clock, Fabric, Setup, SharedTenure, Tenant};
use purlin_types::{BootTime, Incarnation, NodeId, Now, SLOTS, Slot, SlotSet, WallTime};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Both clocks from the runtime's, which tests move.
fn clock() -> Clock {
    let began = Instant::now();
    Arc::new(move || {
        let passed = began.elapsed();
        Now {
            boot: BootTime(1_000_000_000 + passed.as_nanos() as u64),
            wall: WallTime(1_700_000_000_000 + passed.as_millis() as u64),
        }
    })
}

struct World {
    clock: Clock,
    claims: Arc<LocalClaims>,
}

struct Node {
    fabric: Fabric,
    task: JoinHandle<()>,
}

impl World {
    fn new() -> Self {
        let clock = clock();
        let reads = Arc::clone(&clock);
        let claims = LocalClaims::new(Arc::new(move || reads()), 1);
        Self {
            clock,
            claims: Arc::new(claims),
        }
    }

    fn start(&self, name: &str, life: u64) -> Node {
        self.start_with(name, life, Vec::new())
    }

    fn start_with(&self, name: &str, life: u64, tenants: Vec<Arc<dyn Tenant>>) -> Node {
        let me = Candidate {
            id: NodeId::parse(name).expect("an id"),
            incarnation: Incarnation(life),
        };
        let facts = NodeFacts {
            weight: 100,
            ..NodeFacts::default()
        };
        let coordinator = Coordinator::new(Timing::default(), me.clone(), facts);
        let setup = Setup {
            me,
            timing: Timing::default(),
            claims: Arc::clone(&self.claims) as Arc<dyn ClaimStore>,
            tenants,
            tenure: SharedTenure::default(),
            clock: Arc::clone(&self.clock),
        };
        let (fabric, task) = Fabric::start(setup, coordinator);
        Node { fabric, task }
    }
}

impl Node {
    fn slots(&self) -> SlotSet {
        self.fabric.holdings().borrow().slots().clone()
    }

    async fn holds(&self, what: impl Fn(usize) -> bool) {
        let mut holdings = self.fabric.holdings();
        let wait = holdings.wait_for(|holdings| what(holdings.slots().len()));
        let reached = tokio::time::timeout(Duration::from_secs(600), wait).await;
        assert!(
            reached.is_ok(),
            "{} holds {}",
            self.fabric.me().id,
            self.slots().len()
        );
    }
}

fn apart(nodes: &[&Node]) {
    let mut seen = SlotSet::EMPTY;
    for slot in nodes
        .iter()
        .flat_map(|node| node.slots().iter().collect::<Vec<_>>())
    {
        assert!(seen.insert(slot), "slot {slot} has two holders");
    }
}

#[tokio::test(start_paused = true)]
async fn one_node_alone_holds_everything_at_once() {
    let world = World::new();
    let began = Instant::now();
    let node = world.start("a", 1);
    node.holds(|slots| slots == usize::from(SLOTS)).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(node.fabric.snapshot().readiness, Ok(()));
    assert_eq!(
        node.fabric.snapshot().leader.as_ref().map(NodeId::as_str),
        Some("a")
    );
    assert!(node.fabric.tenure().valid_until() > (world.clock)().boot);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_join_get_their_share_and_never_the_same_slot() {
    let world = World::new();
    let a = world.start("a", 1);
    a.holds(|slots| slots == usize::from(SLOTS)).await;
    let (b, c) = (world.start("b", 2), world.start("c", 3));
    let share = |slots: usize| (1200..1550).contains(&slots);
    tokio::join!(b.holds(share), c.holds(share), a.holds(share));
    apart(&[&a, &b, &c]);
    assert_eq!(a.fabric.snapshot().members.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dead_nodes_slots_are_served_again_within_twenty_seconds() {
    let world = World::new();
    let (a, b) = (world.start("a", 1), world.start("b", 2));
    tokio::join!(a.holds(|slots| slots > 1800), b.holds(|slots| slots > 1800));
    b.task.abort();
    let (died, tenure): (_, SharedTenure) = (Instant::now(), b.fabric.tenure());
    a.holds(|slots| slots == usize::from(SLOTS)).await;
    assert!(died.elapsed() < Duration::from_secs(20), "{:?}", died.elapsed());
    // By then the dead one, had it been asleep only, would have been silent for long.
    assert!(tenure.valid_until() < (world.clock)().boot);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_leaves_hands_over_without_a_wait() {
    let world = World::new();
    let (a, b) = (world.start("a", 1), world.start("b", 2));
    tokio::join!(a.holds(|slots| slots > 1800), b.holds(|slots| slots > 1800));
    // First claims are in doubt: for all that is known, a failover has lost whose they were.
    tokio::time::sleep(Timing::default().mclt + Duration::from_secs(60)).await;
    let mut events = a.fabric.events();
    let began = Instant::now();
    b.fabric.leave().await;
    a.holds(|slots| slots == usize::from(SLOTS)).await;
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    let holdings = Arc::clone(&a.fabric.holdings().borrow());
    let doubtful = holdings
        .slots()
        .iter()
        .filter(|&slot| holdings.suspect_until(slot).is_some())
        .count();
    assert_eq!(doubtful, 0);
    assert_eq!(b.fabric.snapshot().readiness, Err(NotReady::Left));
    let left = Event::NodeLeft {
        node: NodeId::parse("b").expect("an id"),
        graceful: true,
    };
    loop {
        let told = tokio::time::timeout(Duration::from_secs(60), events.recv()).await;
        if told.expect("the leave is told").expect("not behind").event == left {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_node_of_the_same_name_owns_nothing_while_the_first_lives() {
    let world = World::new();
    let a = world.start("a", 1);
    a.holds(|slots| slots == usize::from(SLOTS)).await;
    let twin = world.start("a", 2);
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert!(twin.slots().is_empty());
    assert!(matches!(
        twin.fabric.snapshot().readiness,
        Err(NotReady::DuplicateId { .. } | NotReady::FormerLife { .. })
    ));
    a.task.abort();
    twin.holds(|slots| slots == usize::from(SLOTS)).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_silent_ends_every_tenure_and_is_named() {
    let world = World::new();
    let a = world.start("a", 1);
    a.holds(|slots| slots == usize::from(SLOTS)).await;
    world.claims.cut(true);
    a.holds(|slots| slots == 0).await;
    assert!(a.fabric.trouble().is_some());
    assert!(a.fabric.snapshot().readiness.is_err());
    world.claims.cut(false);
    a.holds(|slots| slots == usize::from(SLOTS)).await;
    assert_eq!(a.fabric.trouble(), None);
}

#[tokio::test(start_paused = true)]
async fn s0_14_s0_15_s0_16_other_planner_settings_change_the_plan_of_a_running_leader() {
    use purlin_fabric::plan::PlanSettings;
    use purlin_fabric::ring::Method;
    use purlin_types::Slot;
    let world = World::new();
    let nodes = [world.start("a", 1), world.start("b", 2), world.start("c", 3)];
    let [a, b, c] = &nodes;
    tokio::join!(
        a.holds(|slots| slots > 1200),
        b.holds(|slots| slots > 1200),
        c.holds(|slots| slots > 1200)
    );
    // Once the members are known to the planner, nothing changes without a reason.
    tokio::time::sleep(Duration::from_secs(120)).await;
    let plan = || a.fabric.snapshot().plan.clone().expect("there is a plan");
    let standbys = || -> Vec<NodeId> {
        let of = |slot: Slot| plan().preference(slot).nth(1).cloned();
        Slot::all().filter_map(of).collect()
    };
    let (first, stood_by) = (plan(), standbys());
    assert_eq!((first.copies(), stood_by.len()), (3, usize::from(SLOTS)));
    let leader = nodes
        .iter()
        .find(|node| node.fabric.snapshot().leadership.is_some());
    let leader = leader.expect("one leads").fabric.clone();
    let mut number = first.number;
    let mut settle = async |settings: PlanSettings| {
        leader.replan(settings).await;
        let newer = |snapshot: &Arc<purlin_fabric_runtime::Snapshot>| {
            snapshot.plan.as_ref().is_some_and(|plan| plan.number > number)
        };
        let mut snapshots = a.fabric.snapshots();
        let wait = tokio::time::timeout(Duration::from_secs(60), snapshots.wait_for(newer));
        assert!(wait.await.is_ok(), "{settings:?} changes nothing");
        number = plan().number;
    };
    let two = PlanSettings {
        replication_factor: 2,
        ..PlanSettings::default()
    };
    settle(two).await;
    assert_eq!(plan().copies(), 2);
    let points = PlanSettings {
        virtual_nodes: 10,
        ..PlanSettings::default()
    };
    settle(points).await;
    let with_ten = standbys();
    assert_ne!(with_ten, stood_by);
    let drawn = PlanSettings {
        method: Method::Rendezvous,
        ..PlanSettings::default()
    };
    settle(drawn).await;
    assert_ne!(standbys(), with_ten);
    // Who owned goes on to: a method is no reason to move what lies well.
    let moved = Slot::all()
        .filter(|&slot| plan().owner(slot) != first.owner(slot))
        .count();
    assert_eq!(moved, 0);
    let even = PlanSettings {
        load_bound: 1.0,
        ..PlanSettings::default()
    };
    settle(even).await;
    for node in &nodes {
        let share = plan().slots_of(&node.fabric.me().id).len();
        assert!((1365..=1366).contains(&share), "{share}");
    }
    apart(&[a, b, c]);
}

/// A service of which the store has refused a row once.
#[derive(Debug, Default)]
struct Unlucky {
    refused: Mutex<Vec<Slot>>,
}

impl Tenant for Unlucky {
    fn held(&self, _: &Arc<Holdings>) {}

    fn give_up<'a>(&'a self, slots: &'a [Slot]) -> Later<'a, Vec<Slot>> {
        Box::pin(async move {
            let mut refused = self.refused.lock().expect("nobody panics with it");
            refused.extract_if(.., |slot| slots.contains(slot)).collect()
        })
    }
}

/// Its client has its answer, and whoever takes the slot next does not know.
#[tokio::test(start_paused = true)]
async fn a_slot_of_which_a_service_lost_a_row_is_not_given_back_in_order() {
    let world = World::new();
    let lost = Slot::new(9).expect("a slot");
    let unlucky = Arc::new(Unlucky::default());
    unlucky.refused.lock().expect("new").push(lost);
    let tenants = vec![Arc::new(Unlucky::default()) as Arc<dyn Tenant>, unlucky];
    let a = world.start_with("a", 1, tenants);
    a.holds(|slots| slots == usize::from(SLOTS)).await;
    let b = world.start("b", 2);
    b.holds(|slots| slots > 0).await;
    a.fabric.leave().await;
    b.holds(|slots| slots == usize::from(SLOTS)).await;
    let holdings = b.fabric.holdings().borrow().clone();
    let in_doubt = |slot: &Slot| holdings.suspect_until(*slot).is_some();
    assert_eq!(Slot::all().filter(in_doubt).collect::<Vec<_>>(), [lost]);
    assert_eq!(holdings.given_back(lost), None);
}
