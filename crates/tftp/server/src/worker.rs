//! One packet thread: it owns its clients' transfers and its sockets, and shares nothing but the library.
//!
//! ```text
//!   wait ─► read a batch ─► Engine::receive each ─► effects: open, blocks, replies, uploads
//!    ▲                                                 └─► gathered ─► one sendmmsg
//!    └── notes of the library, due timers, tasks from outside ◄─┘
//! ```

mod own_ports;
mod perform;
mod receive;
mod stats;
mod uploads;

pub(crate) use own_ports::OwnPorts;
pub use stats::ShellCounters;

use crate::inbox::{Inbox, Note};
use crate::machines::Machines;
use crate::metrics::ThreadReport;
use perform::Later;
use purlin_netio::{BulkPort, BulkRecv, BulkSend, Piece, Poller, Ready, Trigger, Waker, now};
use purlin_tftp_core::{Effects, Engine};
use purlin_tftp_files::{Content, Library};
use purlin_types::{BootTime, Now};
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use uploads::Uploads;

/// Something to do on a packet thread.
pub(crate) type Task = Box<dyn FnOnce(&mut Worker) + Send>;

/// Datagrams per receive call.
const BATCH: usize = 64;
/// Octets per datagram: the largest DATA packet (RFC 2348), and odd cache lines so that slots do not share sets.
const SLOT: usize = 65_536 + 192;
/// Receive calls per socket before timers and notes have their turn.
const READS_PER_TURN: usize = 8;
/// Windows of transfers under way that are sent between two looks at a socket.
const WINDOWS_PER_READ: usize = 64;
/// How long timers rest at most while sockets are behind, in milliseconds.
const BACKLOG_MILLIS_MAX: u64 = 1000;
/// Tasks done per turn of the loop.
const TASKS_PER_TURN: usize = 8;
/// How often counts are left for whoever scrapes.
const TICK: Duration = Duration::from_secs(1);
const WAKE: u64 = u64::MAX;
/// Tokens from here on are ports of single transfers, by slot.
const OWN: u64 = 1 << 32;

/// What a thread is made of; built before it runs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) thread: u16,
    pub(crate) engine: Engine<Arc<Content>>,
    pub(crate) tree: Library,
    pub(crate) ports: Vec<Arc<BulkPort>>,
    pub(crate) own_ports: OwnPorts,
    pub(crate) machines: Machines,
    pub(crate) tasks: Receiver<Task>,
    pub(crate) waker: Arc<Waker>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) reports: Arc<[Mutex<ThreadReport>]>,
    pub(crate) failed: Arc<watch::Sender<Option<&'static str>>>,
}

pub(crate) struct Worker {
    thread: u16,
    pub(crate) engine: Engine<Arc<Content>>,
    tree: Library,
    ports: Vec<Arc<BulkPort>>,
    own_ports: OwnPorts,
    machines: Machines,
    poller: Poller,
    tasks: Receiver<Task>,
    waker: Arc<Waker>,
    inbox: Arc<Inbox>,
    notes: Vec<Note>,
    /// Lent out while its datagrams are looked at.
    received: Option<BulkRecv>,
    outgoing: BulkSend,
    /// The port that `outgoing` is gathered for.
    gathering: Option<Arc<BulkPort>>,
    effects: Effects,
    /// Windows of transfers that are under way: in a storm, those who have nothing yet come first.
    later: VecDeque<Later>,
    /// The content of the window being gathered.
    pieces: Vec<Piece>,
    uploads: Uploads,
    pub(crate) counters: ShellCounters,
    reports: Arc<[Mutex<ThreadReport>]>,
    failed: Arc<watch::Sender<Option<&'static str>>>,
    next_tick: BootTime,
    /// Sockets were left with datagrams in them since then.
    behind: Option<BootTime>,
    stopping: Option<BootTime>,
    stopped: Option<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("thread", &self.thread)
            .field("transfers", &self.engine.transfers())
            .finish_non_exhaustive()
    }
}

impl Worker {
    pub(crate) fn new(parts: Parts) -> std::io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(&*parts.waker, WAKE, Trigger::Edge)?;
        for (index, port) in parts.ports.iter().enumerate() {
            poller.add(&**port, index as u64, Trigger::Level)?;
        }
        Ok(Self {
            thread: parts.thread,
            engine: parts.engine,
            tree: parts.tree,
            ports: parts.ports,
            own_ports: parts.own_ports,
            machines: parts.machines,
            poller,
            tasks: parts.tasks,
            waker: parts.waker,
            inbox: parts.inbox,
            notes: Vec::new(),
            received: Some(BulkRecv::new(BATCH, SLOT)),
            outgoing: BulkSend::new(),
            gathering: None,
            effects: Effects::default(),
            later: VecDeque::new(),
            pieces: Vec::new(),
            uploads: Uploads::default(),
            counters: ShellCounters::default(),
            reports: parts.reports,
            failed: parts.failed,
            next_tick: now().boot,
            behind: None,
            stopping: None,
            stopped: None,
        })
    }

    /// Runs until [`Self::stop`].
    pub(crate) fn run(mut self) {
        let mut ready = Ready::default();
        while !self.is_done() {
            self.counters.poll_calls += 1;
            if self.poller.wait(&mut ready, Some(self.patience())).is_err() {
                // Only a closed or foreign descriptor can do this: no thread can run on like that.
                self.fail("waiting for packets failed");
                return;
            }
            let mut drained = true;
            for &token in ready.tokens() {
                drained &= self.serve(token);
            }
            self.note_backlog(drained && self.later.is_empty());
            self.turn();
        }
        self.finish();
    }

    /// Whether nothing was left to read.
    fn serve(&mut self, token: u64) -> bool {
        match token {
            WAKE => true,
            token if token >= OWN => match self.own_ports.get((token - OWN) as u32) {
                Some((port, listening)) => self.read(&port, listening),
                None => true,
            },
            token => {
                let port = Arc::clone(&self.ports[token as usize]);
                self.read(&port, token as u16)
            }
        }
    }

    /// All that is not reading, once per wait.
    fn turn(&mut self) {
        let now = now();
        self.read_notes(&now);
        self.send_later(WINDOWS_PER_READ);
        if self.may_lose_patience(&now) {
            self.engine.tick(&now, &mut self.effects);
            self.perform(&now, &[]);
        }
        self.flush();
        self.run_tasks();
        if now.boot >= self.next_tick {
            self.next_tick = now.boot.plus_millis(TICK.as_millis() as u64);
            self.publish();
        }
    }

    fn read_notes(&mut self, now: &Now) {
        let mut notes = std::mem::take(&mut self.notes);
        self.inbox.take(&mut notes);
        for note in notes.drain(..) {
            self.counters.notes += 1;
            self.hear(now, note);
            self.perform(now, &[]);
        }
        self.notes = notes;
    }

    fn hear(&mut self, now: &Now, note: Note) {
        let effects = &mut self.effects;
        match note {
            Note::Opened(slot, file) => self.engine.opened(now, slot, file, effects),
            Note::Available(slot, result) => self.engine.available(now, slot, result, effects),
            Note::Created(slot, result) => {
                let created = result.map(|upload| self.uploads.put(slot, upload));
                self.engine.created(now, slot, created, effects);
            }
            Note::Stored(slot, result) => self.engine.stored(now, slot, result, effects),
            Note::Committed(slot, result) => self.engine.committed(now, slot, result, effects),
        }
    }

    fn run_tasks(&mut self) {
        for _ in 0..TASKS_PER_TURN {
            let Ok(task) = self.tasks.try_recv() else { return };
            task(self);
        }
        // There may be more; the edge that announced them is spent.
        self.waker.wake();
    }

    /// Leaves a copy of the counts for whoever scrapes; skipped while somebody is reading the last one.
    fn publish(&mut self) {
        let Ok(mut report) = self.reports[usize::from(self.thread)].try_lock() else {
            return;
        };
        self.counters.sent += self.outgoing.take_report();
        self.counters.octets_sent += self.outgoing.take_octets();
        report.shell.clone_from(&self.counters);
        report.core.clone_from(self.engine.counters());
        report.transfers = self.engine.transfers();
    }

    /// How long there is nothing to do.
    fn patience(&self) -> Duration {
        if !self.later.is_empty() || self.stopping.is_some() && self.behind.is_some() {
            return Duration::ZERO;
        }
        let next = self
            .engine
            .deadline()
            .map_or(self.next_tick, |deadline| deadline.min(self.next_tick));
        let next = self.stopping.map_or(next, |deadline| deadline.min(next));
        Duration::from_nanos(next.0.saturating_sub(now().boot.0))
    }

    /// Takes no new requests, and ends once no transfer is open or `grace` has passed; those whose requests wait at a
    /// socket are told.
    pub(crate) fn stop(&mut self, grace: Duration, done: oneshot::Sender<()>) {
        let now = now().boot;
        self.stopping = Some(now.plus_millis(grace.as_millis() as u64));
        self.stopped = Some(done);
        self.engine.drain();
        // Nobody has looked yet what came meanwhile.
        self.behind = self.behind.or(Some(now));
    }

    fn is_done(&self) -> bool {
        self.stopping.is_some_and(|deadline| {
            let nothing_left = self.engine.transfers() == 0 && self.behind.is_none();
            nothing_left || now().boot >= deadline
        })
    }

    fn finish(&mut self) {
        self.publish();
        if let Some(done) = self.stopped.take() {
            // Nobody may be waiting any more.
            let _ = done.send(());
        }
    }

    fn fail(&mut self, what: &'static str) {
        self.failed.send_if_modified(|told| told.replace(what).is_none());
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.fail("a boot file thread panicked");
        }
    }
}
