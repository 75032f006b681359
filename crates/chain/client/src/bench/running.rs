//! The load itself: connections that send and one that follows, until everything is in a block or the time is up.

use super::follow::{self, Base};
use super::heads::Heads;
use super::ledger::Ledger;
use super::options::BenchOptions;
use super::report::{Progress, Stage};
use super::sender;
use super::sign::Requests;
use crate::rpc::{Connection, Rpc, RpcError};
use alloy_primitives::B256;
use purlin_load::Plan as LoadPlan;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long one question may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const TELL_EVERY: Duration = Duration::from_millis(200);

/// What connections and the follower share; all of them live on one thread.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: RefCell<Ledger>,
    pub(crate) requests: Requests,
    /// A block has come, or something goes out again.
    pub(crate) changed: Notify,
    /// A server did not answer, and may have started again since.
    pub(crate) broken: Cell<bool>,
    over: Cell<bool>,
    began: Instant,
}

/// Why the load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) interrupted: bool,
    pub(crate) timed_out: bool,
}

impl Shared {
    pub(crate) fn new(options: &BenchOptions, requests: Requests) -> Self {
        let load = LoadPlan {
            load: options.load,
            ramp: options.ramp,
            operations: None,
            duration: None,
        };
        let ledger = Ledger::new(options.transactions, options.senders, options.connections, &load);
        Self {
            ledger: RefCell::new(ledger),
            requests,
            changed: Notify::new(),
            broken: Cell::new(false),
            over: Cell::new(false),
            began: Instant::now(),
        }
    }

    /// Nanoseconds since the load began.
    pub(crate) fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// The number of the next block, and the hash of the one before it.
    pub(crate) fn tip(&self, base: Base) -> (u64, B256) {
        let ledger = self.ledger.borrow();
        let hash = ledger.blocks.last().map_or(base.hash, |block| block.hash);
        (base.number + 1 + ledger.blocks.len() as u64, hash)
    }

    pub(crate) fn fails(&self, cause: &RpcError) {
        self.ledger.borrow_mut().failures.count(&cause.to_string());
        self.broken.set(true);
    }
}

/// Runs the load; everything it found is in the ledger.
pub(crate) async fn run(
    shared: &Rc<Shared>,
    options: &BenchOptions,
    base: Base,
    deadline: Instant,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Progress),
) -> Ended {
    let news = Arc::new(Notify::new());
    let listening = options
        .websocket
        .as_ref()
        .map(|url| Heads::listen(url, Arc::clone(&news)));
    let mut tasks = JoinSet::new();
    let rpc = Rpc::new(options.servers[0].clone(), PATIENCE);
    tasks.spawn_local(follow::run(Rc::clone(shared), rpc, base, options.poll(), news));
    for lane in 0..options.connections as usize {
        let server = options.servers[lane % options.servers.len()].clone();
        let connection = Connection::new(server);
        tasks.spawn_local(sender::run(
            Rc::clone(shared),
            lane,
            connection,
            options.batch as usize,
        ));
    }
    let ended = Watch::new(shared, options)
        .until_over(deadline, stop, progress)
        .await;
    shared.over.set(true);
    shared.changed.notify_waiters();
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
    drop(listening);
    ended
}

/// Looks at the ledger now and then: is it over, is it stuck, what is there to tell?
struct Watch<'a> {
    shared: &'a Shared,
    options: &'a BenchOptions,
    /// Since when nothing of ours came in a block, and how much had come then.
    moved: Instant,
    mined: u64,
    told: Instant,
    told_accepted: u64,
    told_mined: u64,
}

impl<'a> Watch<'a> {
    fn new(shared: &'a Shared, options: &'a BenchOptions) -> Self {
        let now = Instant::now();
        Self {
            shared,
            options,
            moved: now,
            mined: 0,
            told: now,
            told_accepted: 0,
            told_mined: 0,
        }
    }

    async fn until_over(
        &mut self,
        deadline: Instant,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(&Progress),
    ) -> Ended {
        let mut interrupted = false;
        loop {
            if stop.load(Ordering::Relaxed) && !interrupted {
                interrupted = true;
                self.shared.ledger.borrow_mut().stop();
            }
            let is_over = self.shared.ledger.borrow().is_over();
            let timed_out = !is_over && Instant::now() >= deadline;
            if is_over || timed_out {
                return Ended {
                    interrupted,
                    timed_out,
                };
            }
            self.unstick();
            if self.told.elapsed() >= TELL_EVERY {
                progress(&self.progress(deadline));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn unstick(&mut self) {
        let mut ledger = self.shared.ledger.borrow_mut();
        let mined = ledger.counts().mined;
        if mined != self.mined || ledger.in_flight() == 0 {
            (self.mined, self.moved) = (mined, Instant::now());
        } else if self.moved.elapsed() >= self.options.resend_after {
            self.moved = Instant::now();
            ledger.send_held_again();
            self.shared.changed.notify_waiters();
        }
    }

    fn progress(&mut self, deadline: Instant) -> Progress {
        let mut ledger = self.shared.ledger.borrow_mut();
        let counts = ledger.counts();
        let passed = self.told.elapsed().as_secs_f64();
        let per_second = |now: u64, before: u64| now.saturating_sub(before) as f64 / passed;
        let elapsed = self.shared.began.elapsed();
        let left = deadline.saturating_duration_since(Instant::now());
        let progress = Progress {
            accepted: counts.accepted,
            in_flight: ledger.in_flight(),
            accepted_per_second: per_second(counts.accepted, self.told_accepted),
            mined_per_second: per_second(counts.mined, self.told_mined),
            inclusion_p99_ms: ledger.recent.take_p99() as f64 / 1e6,
            elapsed_seconds: elapsed.as_secs_f64(),
            seconds_left: left.as_secs_f64(),
            ..Progress::of(Stage::Load, counts.mined, self.options.transactions.into())
        };
        (self.told, self.told_accepted, self.told_mined) = (Instant::now(), counts.accepted, counts.mined);
        progress
    }
}
