//! Everything at once: nodes, databases, clients and what lies between them, from event to event.

mod aside;
mod audit;
mod drive;
mod ending;
mod statements;
mod trouble;
mod wire;
mod without;

use crate::check::Checker;
use crate::client::{Client, Habits};
use crate::clock::{Clock, MILLI, SECOND};
use crate::database::{Database, Standby};
use crate::mutation::Mutation;
use crate::node::{Job, Leaving, Machine, Node, Out, Outbox, Start, Step};
use crate::queue::Queue;
use crate::random::Random;
use crate::redis::Redis;
use crate::scene::{Mix, Scene};
use crate::tally::Tally;
use crate::trace::{Level, Trace};
use aside::{Aside, Happens};
use ending::Ending;
use purlin_dhcp_core::Plan;
use purlin_fabric::Input;
use purlin_types::Slot;
use statements::{Answer, Statement};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
pub(crate) use trouble::Fault;
use without::{Hopes, believed, laxity};

/// Machines have been up for at least that long when a run begins.
const UPTIME: u64 = 100_000 * SECOND;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Event {
    /// On a node: nothing of it happens while that stands still, or after it has died.
    On(usize, Local),
    /// A statement reaches its database.
    Arrive(Statement),
    /// A write whose claims were looked at goes on without another look: a rule left out.
    Slip(Statement),
    /// The writers' pauses are over.
    Pump,
    Client(u16, u64),
    Hear(u16, Vec<u8>),
    Replicate,
    Fault(Fault),
    NextFault,
    /// What has no claims.
    Aside(Happens),
    End(Ending),
}

impl Event {
    /// Tells events of different kinds and nodes apart in the hash of a run.
    fn mark(&self) -> u64 {
        let (kind, whose) = match self {
            Self::On(node, _) => (1, *node as u64),
            Self::Arrive(_) => (2, 0),
            Self::Slip(_) => (3, 0),
            Self::Pump => (4, 0),
            Self::Client(client, timer) => (5, u64::from(*client) ^ timer << 16),
            Self::Hear(client, payload) => (6, u64::from(*client) ^ (payload.len() as u64) << 16),
            Self::Replicate => (7, 0),
            Self::Fault(_) => (8, 0),
            Self::NextFault => (9, 0),
            Self::End(_) => (10, 0),
            Self::Aside(_) => (11, 0),
        };
        (kind << 56) ^ (whose << 32)
    }
}

/// Something that happens on a node.
#[derive(Debug)]
pub(crate) enum Local {
    Tick,
    Input(Input),
    Answer(Answer),
    /// The loader goes on.
    Load,
    Job(Job),
    /// The packet at hand is worked out.
    Settle,
    /// A reply leaves.
    Leave(Leaving),
    Sweep,
    /// A packet comes in; it was sent then.
    Packet {
        payload: Vec<u8>,
        source: SocketAddrV4,
        attempt: u8,
        sent: u64,
    },
}

impl Local {
    /// Whether the packet thread does it. Everything else is the fabric's, the loader's and the log's.
    const fn is_of_thread(&self) -> bool {
        matches!(
            self,
            Self::Job(_) | Self::Settle | Self::Leave(_) | Self::Sweep | Self::Packet { .. }
        )
    }

    const fn comes_to(&self, step: Step) -> bool {
        match step {
            Step::Check => matches!(self, Self::Settle),
            Step::Send => matches!(self, Self::Leave(_)),
            Step::Claims => matches!(self, Self::Answer(Answer::Claims(_))),
            Step::Written => matches!(self, Self::Answer(Answer::Written(..))),
            Step::Loaded => matches!(self, Self::Answer(Answer::Loaded(..))),
            Step::Job => matches!(self, Self::Job(_)),
        }
    }
}

pub(crate) struct World {
    pub(crate) real: u64,
    pub(crate) scene: Scene,
    mutation: Option<Mutation>,
    random: Random,
    queue: Queue<Event>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) databases: Vec<Database>,
    pub(crate) clients: Vec<Client>,
    start: Start,
    slots: Vec<Slot>,
    pub(crate) check: Checker,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    /// Nothing goes wrong any more.
    calm: bool,
    redis: Redis,
    hopes: Hopes,
    aside: Aside,
    /// From one node to another: cut until then.
    links: BTreeMap<(usize, usize), u64>,
    next_name: usize,
    runtime: Runtime,
    outbox: Outbox,
    pumped: u64,
    /// Clients of whose leases there was a record when the last node died.
    recorded: BTreeSet<u16>,
    over: bool,
}

impl World {
    pub(crate) fn new(seed: u64, mix: Mix, mutation: Option<Mutation>, level: Level) -> Self {
        let mut random = Random::new(seed);
        let scene = Scene::draw(&mut random, mix, mutation);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without sockets needs nothing");
        let (outbox, slots) = (Outbox::default(), scene.slots());
        let plan = Plan::compile(&scene.settings(scene.ack, scene.mclt), None);
        let start = Start {
            plan: Arc::clone(&plan),
            timing: believed(scene.timing, mutation),
            keyspace: slots.iter().copied().collect(),
            mutation,
            runtime: runtime.handle().clone(),
            outbox: outbox.clone(),
        };
        let database = Database::new(scene.standby, laxity(mutation));
        let clients = (0..scene.clients).map(|n| Client::new(n, habits(&scene, n, &mut random)));
        let clients = clients.collect();
        let mut world = Self {
            real: SECOND,
            check: Checker::new(&scene, plan),
            mutation,
            random,
            queue: Queue::new(),
            nodes: Vec::new(),
            databases: vec![database],
            clients,
            start,
            slots,
            trace: Trace::new(level),
            tally: Tally::default(),
            calm: false,
            redis: Redis::new(scene.hintless),
            hopes: Hopes::default(),
            aside: Aside::new(seed),
            links: BTreeMap::new(),
            next_name: 0,
            runtime,
            outbox,
            pumped: 0,
            recorded: BTreeSet::new(),
            over: false,
            scene,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for _ in 0..self.scene.nodes {
            self.join();
        }
        for n in 0..self.scene.clients {
            let within = match self.random.chance(self.scene.newcomers) {
                true => self.scene.trouble_until,
                false => 4 * self.scene.pace,
            };
            let at = self.real + self.random.below(within);
            self.queue.put(at, Event::Client(n, 0));
        }
        if self.scene.standby != Standby::None {
            self.queue.put(self.real, Event::Replicate);
        }
        self.begin_aside();
        self.queue.put(self.scene.calm_until, Event::NextFault);
        self.queue.put(self.scene.trouble_until, Event::End(Ending::Heal));
    }

    /// Runs to the end, or to the first broken promise.
    pub(crate) fn run(&mut self) {
        while !self.over && self.check.broken().is_none() {
            let Some((at, event)) = self.queue.next() else {
                return;
            };
            self.real = self.real.max(at);
            self.tally.events += 1;
            self.trace.mark(self.real ^ event.mark());
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::On(node, local) => self.on_node(node, local),
            Event::Arrive(statement) => self.arrive(statement),
            Event::Slip(statement) => self.slip(statement),
            Event::Pump => self.pump(),
            Event::Client(client, timer) => self.wake_client(client, timer),
            Event::Hear(client, payload) => self.hear(client, &payload),
            Event::Replicate => {
                for at in 0..self.databases.len() {
                    let some = !self.calm && self.random.chance(500);
                    let most = if some {
                        self.random.below(8) as usize
                    } else {
                        usize::MAX
                    };
                    self.databases[at].replicate(self.real, most);
                }
                let lag = if self.calm { 20 * MILLI } else { self.scene.lag };
                let wait = self.random.between(1, 2 * lag);
                self.queue.put(self.real + wait, Event::Replicate);
            }
            Event::Fault(fault) => self.strike(fault),
            Event::NextFault => self.next_fault(),
            Event::Aside(happens) => self.happen_aside(happens),
            Event::End(ending) => self.end(ending),
        }
    }

    fn on_node(&mut self, node: usize, local: Local) {
        let real = self.real;
        let it = &mut self.nodes[node];
        if !it.alive {
            return;
        }
        if let Some((step, span)) = it.trip.take_if(|(step, _)| local.comes_to(*step)) {
            it.stop_until((real + span).min(self.scene.trouble_until));
            self.trace.say(real, || {
                format!("node {node} stops at {step:?} for {:.3} s", span as f64 / 1e9)
            });
        }
        let it = &self.nodes[node];
        let wake = match local.is_of_thread() {
            true => it.thread_until,
            false => it.fabric_until,
        };
        if wake > real {
            self.queue.put(wake, Event::On(node, local));
            return;
        }
        match local {
            Local::Tick => {
                if self.nodes[node].tick <= self.real {
                    self.nodes[node].tick = u64::MAX;
                }
                self.drive(node, Input::Tick);
            }
            Local::Input(input) => self.drive(node, input),
            Local::Answer(answer) => self.answered(node, answer),
            Local::Load => self.load(node),
            Local::Job(job) => self.give(node, job),
            Local::Settle => self.settle(node),
            Local::Leave(leaving) => self.leave(node, &leaving),
            Local::Sweep => {
                self.give(node, Job::Sweep);
                self.queue.put(self.real + SECOND, Event::On(node, Local::Sweep));
            }
            Local::Packet {
                payload,
                source,
                attempt,
                sent,
            } => self.packet(node, payload, (source, attempt), sent),
        }
    }

    /// A job for a packet thread.
    pub(crate) fn give(&mut self, node: usize, job: Job) {
        let it = &mut self.nodes[node];
        if it.thread_until > self.real {
            self.queue.put(it.thread_until, Event::On(node, Local::Job(job)));
            return;
        }
        it.thread.give(job);
        let mut out = Vec::new();
        it.thread.run(self.real, &it.machine.clock, &it.tenure, &mut out);
        self.carry_out(node, out);
    }

    fn settle(&mut self, node: usize) {
        let it = &mut self.nodes[node];
        let mut out = Vec::new();
        it.thread
            .settle(self.real, &it.machine.clock, &it.tenure, &mut out);
        self.carry_out(node, out);
    }

    fn carry_out(&mut self, node: usize, out: Vec<Out>) {
        for out in out {
            match out {
                Out::Work => {
                    let thread = &self.nodes[node].thread;
                    self.trace
                        .say(self.real, || format!("node {node}: {}", thread.last_decision()));
                    let most = if self.random.chance(20) {
                        5 * MILLI
                    } else {
                        MILLI / 5
                    };
                    let wait = self.random.between(20_000, most);
                    self.later(node, wait, Local::Settle);
                }
                Out::Forward {
                    slot,
                    attempt,
                    payload,
                    source,
                } => self.forward(node, slot, (payload, source, attempt)),
                Out::Ask(wish) => self.ask_home(node, &wish),
                Out::Leave(leaving) => {
                    self.check_promise(node, &leaving);
                    let wait = self.random.between(1_000, 100_000);
                    self.later(node, wait, Local::Leave(leaving));
                }
                Out::Lost(slots) => {
                    self.tally.setbacks += 1;
                    self.trace.say(self.real, || {
                        format!("node {node}: the fence was lost for {slots:?}")
                    });
                    let wait = self.random.between(10_000, MILLI);
                    self.later(node, wait, Local::Input(Input::FenceLost { slots }));
                }
                Out::Declined(at, address) => {
                    let until = at + self.scene.decline_hold;
                    self.check.declined(address, until);
                }
                Out::GoneOn(known) => self.gone_on(node, &known),
                Out::Flush(goal, slots) => self.nodes[node].flushing.push((goal, slots)),
            }
        }
        self.pump();
    }

    /// Lets the row logs' writers do what they can.
    fn pump(&mut self) {
        let passed = Duration::from_nanos(self.real - self.pumped);
        self.pumped = self.real;
        self.runtime.block_on(async {
            if !passed.is_zero() {
                tokio::time::advance(passed).await;
            }
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
        });
        for (node, ask) in self.outbox.take() {
            self.ask_for(node, ask);
        }
        for node in 0..self.nodes.len() {
            if !self.nodes[node].alive {
                continue;
            }
            if self.nodes[node].thread.take_woken() {
                let wait = self.random.between(10_000, MILLI);
                self.later(node, wait, Local::Job(Job::Release));
            }
            self.flushed(node);
        }
    }

    /// Slots whose records are all with the database may be released.
    fn flushed(&mut self, node: usize) {
        if self.nodes[node].flushing.is_empty() {
            return;
        }
        let durable = match self.mutation {
            Some(Mutation::ReleaseUnflushed) => u64::MAX,
            _ => self.nodes[node].thread.durable(),
        };
        let flushing = std::mem::take(&mut self.nodes[node].flushing);
        let (done, left) = flushing.into_iter().partition(|(goal, _)| *goal <= durable);
        self.nodes[node].flushing = left;
        let done: Vec<(u64, Vec<_>)> = done;
        for (_, terms) in done {
            let refused = self.nodes[node].thread.refused(&terms);
            let slots = terms.into_iter().map(|(slot, _)| slot).collect();
            let wait = self.random.between(10_000, MILLI);
            self.later(node, wait, Local::Input(Input::Flushed { slots, refused }));
        }
    }

    pub(crate) fn later(&mut self, node: usize, wait: u64, local: Local) {
        self.queue.put(self.real + wait, Event::On(node, local));
    }

    /// A machine with a new name joins.
    fn join(&mut self) -> usize {
        let name = format!("n{}", self.next_name);
        self.next_name += 1;
        let ppm = match self.random.chance(200) {
            true => self.random.below(20_001) as i64 - 10_000,
            false => self.random.below(401) as i64 - 200,
        };
        let clock = Clock::new(ppm, UPTIME + self.random.below(1000 * SECOND));
        self.boot(&name, Machine::new(clock, self.databases.len() - 1))
    }

    /// A node begins a new life on its machine.
    fn boot(&mut self, name: &str, machine: Machine) -> usize {
        let index = self.nodes.len();
        let mut machine = machine;
        let off = self.random.below(201) as i64 - 100;
        // A clock that runs on no battery starts anywhere, and is set before long.
        let wrong = !self.calm && self.real > self.scene.calm_until && self.random.chance(50);
        let off = if wrong {
            self.random.below(200_000_000) as i64 - 100_000_000
        } else {
            off
        };
        if wrong {
            let wait = self.random.below(4 * self.scene.pace);
            self.queue
                .put(self.real + wait, Event::Fault(Fault::SetClock(index, 0)));
        }
        machine.clock.set_wall(self.real, off);
        machine.database = self.databases.len() - 1;
        let entropy = self.random.next();
        let _guard = self.runtime.enter();
        self.nodes
            .push(Node::new(&self.start, index, name, machine, entropy));
        self.trace
            .say(self.real, || format!("node {index} ({name}) starts"));
        let wait = self.random.below(self.scene.pace / 4);
        self.later(index, wait, Local::Tick);
        self.later(index, wait + SECOND, Local::Sweep);
        self.boot_aside(index);
        index
    }

    /// Indices of the lives that are.
    fn living(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|&node| self.nodes[node].alive)
            .collect()
    }
}

fn habits(scene: &Scene, client: u16, random: &mut Random) -> Habits {
    let says = scene.is_twin(client) || random.chance(300);
    Habits {
        pace: scene.pace,
        identifier: says.then(|| scene.identity(client)),
        turnover: if scene.is_twin(client) { 0 } else { scene.turnover },
        persistent: random.chance(500),
    }
}
