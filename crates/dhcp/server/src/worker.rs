//! One packet thread: it owns its networks' leases, its journal and its sockets, and shares nothing.
//!
//! ```text
//!   wait ─► read a batch ─► Engine::step each ─► hand over the records ─► send what may leave
//!    ▲                                                       └─► park what must be durable first
//!    └── tasks, probes, tick, one piece of checkpoint ◄── release what has become durable
//! ```
//!
//! Questions from outside are closures that run here between two batches and work in bounded pieces, so that no
//! packet waits long for them.

mod adopt;
mod control;
mod copies;
mod join;
mod ledger;
mod log;
mod own;
mod park;
mod peers;
mod probe;
mod receive;
mod rewrite;
mod segment;
mod send;
mod settle;
mod stats;

pub use stats::ShellCounters;

pub(crate) use log::{Log, STATE_PIECE};
pub(crate) use rewrite::Rewrite;
pub(crate) use segment::Links;

use crate::handover::{Handed, Inbox};
use crate::metrics::ThreadReport;
use crate::ports::Assignment;
use crate::share::Own;
use crate::status::{Condition, Health};
use crate::switches::Switches;
use park::ParkRing;
use probe::Probes;
use purlin_dhcp_core::Engine;
use purlin_dhcp_core::Plan;
use purlin_netio::{Poller, Ready, RecvBatch, SendBatch, Trigger, Waker, now};
use purlin_types::{BootTime, Now};
use settle::Batch;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Something to do on a packet thread.
pub(crate) type Task = Box<dyn FnOnce(&mut Worker) + Send>;

/// Tasks done per turn of the loop; the rest follow after the next batch.
const TASKS_PER_TURN: usize = 8;
const TICK: Duration = Duration::from_secs(1);
/// Utilisation walks the reservations: told every so many ticks.
const USAGE_TICKS: u64 = 5;
const WAKE: u64 = u64::MAX;
const PING: u64 = u64::MAX - 1;
const PEERS: u64 = u64::MAX - 2;
/// Tokens from here on are ARP sockets, by port id.
const ARP: u64 = 1 << 32;

/// What a thread is made of; built before it runs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) shard: u16,
    pub(crate) shards: u16,
    pub(crate) engine: Engine,
    pub(crate) log: Log,
    pub(crate) switches: Switches,
    /// For a share of the addresses instead of all of them.
    pub(crate) own: Option<Own>,
    pub(crate) tasks: Receiver<Task>,
    pub(crate) waker: Arc<Waker>,
    pub(crate) inboxes: Arc<[Inbox]>,
    pub(crate) health: Arc<watch::Sender<Health>>,
    pub(crate) reports: Arc<[Mutex<ThreadReport>]>,
}

pub(crate) struct Worker {
    shard: u16,
    shards: u16,
    pub(crate) engine: Engine,
    plan: Arc<Plan>,
    pub(crate) log: Log,
    switches: Switches,
    pub(crate) own: Option<Own>,
    /// By port id; holes are ports that have closed.
    slots: Vec<Option<Slot>>,
    /// Port ids of segments by position in `Settings::interfaces`.
    segments: Vec<u32>,
    /// Everything; only the waker, waited on while nothing may be read; the waker and what answers checks.
    poller: Poller,
    wake_only: Poller,
    checks_only: Poller,
    tasks: Receiver<Task>,
    inboxes: Arc<[Inbox]>,
    handed: Vec<Handed>,
    received: RecvBatch,
    /// Datagrams in each message of the last receive call, rounded up.
    per_message: usize,
    outgoing: SendBatch,
    batch: Batch,
    parked: ParkRing,
    /// Replies that wait for the store's second copy, which never is in the way of others.
    copying: ParkRing,
    probes: Probes,
    pub(crate) counters: ShellCounters,
    health: Arc<watch::Sender<Health>>,
    reports: Arc<[Mutex<ThreadReport>]>,
    awaiting: Vec<control::Awaiting>,
    /// The condition that was last told.
    told: Condition,
    next_tick: BootTime,
    ticks: u64,
    /// More leases have ended than one turn may look at.
    sweeping: bool,
    /// Nothing is read or decided while networks move between threads: the one that gets a lease would not know.
    paused: bool,
    /// All that this thread reads is the first one's to decide about: the node has become one of several.
    retired: bool,
    stopping: Option<BootTime>,
    stopped: Option<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("shard", &self.shard)
            .field("parked", &self.parked.len())
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Slot {
    assigned: Assignment,
    /// No longer wanted; it stays until parked replies have left by it.
    closing: bool,
}

impl Worker {
    pub(crate) fn new(parts: Parts) -> std::io::Result<Self> {
        let poller = Poller::new()?;
        let (wake_only, checks_only) = (Poller::new()?, Poller::new()?);
        for poller in [&poller, &wake_only, &checks_only] {
            poller.add(&*parts.waker, WAKE, Trigger::Edge)?;
        }
        if let Some(own) = &parts.own {
            poller.add(own.carrier.socket(), PEERS, Trigger::Level)?;
        }
        let mut worker = Self {
            shard: parts.shard,
            shards: parts.shards,
            plan: Arc::clone(parts.engine.plan()),
            engine: parts.engine,
            log: parts.log,
            switches: parts.switches,
            own: parts.own,
            slots: Vec::new(),
            segments: Vec::new(),
            poller,
            wake_only,
            checks_only,
            tasks: parts.tasks,
            inboxes: parts.inboxes,
            handed: Vec::new(),
            received: RecvBatch::for_trains(),
            per_message: 1,
            outgoing: SendBatch::new(),
            batch: Batch::new(),
            parked: ParkRing::new(),
            copying: ParkRing::new(),
            probes: Probes::default(),
            counters: ShellCounters::default(),
            health: parts.health,
            reports: parts.reports,
            awaiting: Vec::new(),
            told: Condition::Serving,
            next_tick: now().boot,
            ticks: 0,
            sweeping: false,
            paused: false,
            retired: false,
            stopping: None,
            stopped: None,
        };
        worker.switch(parts.switches);
        Ok(worker)
    }

    /// Runs until [`Self::stop`].
    pub(crate) fn run(mut self) {
        let mut ready = Ready::default();
        while !self.is_done() {
            let full = !self.parked.has_room() || !self.log.has_room();
            self.counters.parked_full += u64::from(full);
            let waiting = self.own.as_ref().is_some_and(|own| own.waiting);
            let free = !full && !self.paused && !waiting;
            let reading = free && self.stopping.is_none() && self.told != Condition::Failed;
            let source = match reading {
                true if self.waits_for_check() => &self.checks_only,
                true => &self.poller,
                false => &self.wake_only,
            };
            self.counters.poll_calls += 1;
            if source.wait(&mut ready, Some(self.patience())).is_err() {
                // Only a closed or foreign descriptor can do this: no thread can run on like that.
                self.fail("waiting for packets failed");
                return;
            }
            for &token in ready.tokens() {
                self.serve(token);
            }
            self.turn();
        }
        self.finish();
    }

    fn serve(&mut self, token: u64) {
        match token {
            WAKE => {}
            PING => self.hear_pings(),
            PEERS => self.hear_peers(),
            token if token >= ARP => self.hear_arp((token - ARP) as u32),
            token => self.read(token as u32),
        }
    }

    /// All that is not reading, once per wait.
    fn turn(&mut self) {
        let now = self.clock();
        if !self.paused {
            // In this order: what waits in the inbox may wait for a check.
            self.end_probes(&now);
            self.read_inbox();
            self.make_way();
        }
        self.release();
        self.tell_durable();
        self.run_tasks();
        if now.boot >= self.next_tick {
            self.next_tick = now.boot.plus_millis(TICK.as_millis() as u64);
            self.sweeping = true;
            self.tick(&now);
        }
        if self.sweeping {
            self.sweeping = self.engine.tick(&now);
            if self.engine.take_clock_set() {
                self.log.want_checkpoint();
            }
        }
        if self.log.follow_rewrite() {
            // The others' checkpoints have waited for this thread.
            self.inboxes.iter().for_each(Inbox::wake);
        }
        self.checkpoint_piece();
        self.close_unused();
        self.tell_health();
    }

    fn run_tasks(&mut self) {
        for _ in 0..TASKS_PER_TURN {
            let Ok(task) = self.tasks.try_recv() else { return };
            task(self);
        }
        // There may be more; the edge that announced them is spent.
        self.inboxes[usize::from(self.shard)].wake();
    }

    fn tick(&mut self, now: &Now) {
        self.log.tick();
        self.close_idle_probers();
        self.publish(now);
    }

    /// Leaves a copy of the counts for whoever scrapes; skipped while somebody is reading the last one.
    fn publish(&mut self, now: &Now) {
        self.ticks += 1;
        let Ok(mut report) = self.reports[usize::from(self.shard)].try_lock() else {
            return;
        };
        report.shell.clone_from(&self.counters);
        report.core.clone_from(self.engine.counters());
        report.templates = self.engine.template_use();
        report.parked = self.parked.len();
        report.hold = self.engine.hold(now);
        report.journal_lag = self.log.position().0.saturating_sub(self.log.durable().0);
        if self.ticks % USAGE_TICKS == 1 {
            report.usage = self.engine.usage(now);
        }
    }

    fn tell_health(&mut self) {
        let condition = self.log.condition();
        if condition == self.told {
            return;
        }
        if condition == Condition::Failed {
            self.fail("the lease journal failed");
            return;
        }
        if condition == Condition::Full {
            // The disk may have been found full after these were parked. Until there is space their clients have
            // asked again, or elsewhere.
            self.counters.withheld += (self.parked.clear() + self.copying.clear()) as u64;
            self.awaiting.clear();
        }
        self.told = condition;
        let shard = self.shard;
        self.health.send_if_modified(|told| told.note(shard, condition));
    }

    /// Fail-stop: nothing more is read, recorded or sent, and whoever watches is told.
    fn fail(&mut self, what: &'static str) {
        self.told = Condition::Failed;
        self.log.fail();
        self.counters.withheld += (self.parked.clear() + self.copying.clear()) as u64;
        self.awaiting.clear();
        let shard = self.shard;
        self.health.send_if_modified(|told| told.fail(shard, what));
    }

    /// How long there is nothing to do.
    fn patience(&self) -> Duration {
        if self.sweeping || self.log.may_write_piece() {
            return Duration::ZERO;
        }
        let next = self
            .probes
            .next_deadline()
            .filter(|_| !self.paused)
            .map_or(self.next_tick, |deadline| deadline.min(self.next_tick));
        let next = self.stopping.map_or(next, |deadline| deadline.min(next));
        Duration::from_nanos(next.0.saturating_sub(now().boot.0))
    }

    /// Reads no more, and ends once nothing is parked or `grace` has passed.
    pub(crate) fn stop(&mut self, grace: Duration, done: oneshot::Sender<()>) {
        self.stopping = Some(now().boot.plus_millis(grace.as_millis() as u64));
        self.stopped = Some(done);
    }

    fn is_done(&self) -> bool {
        self.stopping
            .is_some_and(|deadline| self.parked.is_empty() || now().boot >= deadline)
    }

    fn finish(&mut self) {
        self.log.close();
        if let Some(done) = self.stopped.take() {
            // Nobody may be waiting any more.
            let _ = done.send(());
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail("a packet thread panicked");
        }
    }
}

#[cfg(test)]
mod tests;
