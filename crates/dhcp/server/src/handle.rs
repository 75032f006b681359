//! The service as the rest of the process sees it: questions and changes, carried to the packet threads.

mod apply;
mod decisions;
pub(crate) mod leases;

use crate::error::ControlError;
use crate::metrics::{DhcpMetrics, ThreadReport};
use crate::ports::Ports;
use crate::share::{Continued, Gained};
use crate::status::{Condition, Health, InterfaceStatus, JournalStatus, ServerStatus};
use crate::worker::{Task, Worker};
use purlin_dhcp_core::view::SubnetUse;
use purlin_dhcp_core::{HoldView, Plan};
use purlin_netio::{Waker, now};
use purlin_types::{Epoch, Slot, SlotSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

pub use apply::Applied;
pub use decisions::DecisionPage;

/// The way into one packet thread.
#[derive(Debug)]
pub(crate) struct Door {
    tasks: Sender<Task>,
    waker: Arc<Waker>,
}

impl Door {
    pub(crate) fn new(tasks: Sender<Task>, waker: Arc<Waker>) -> Self {
        Self { tasks, waker }
    }

    /// Runs `work` on the thread between two batches; `None` when the thread has ended.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Option<T> {
        self.send(work).await.ok()
    }

    /// Sends `work` off; its result comes by the receiver.
    fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (answer, receiver) = oneshot::channel();
        // A thread that has ended drops the task and with it the sender: the receiver tells.
        let _ = self.tasks.send(Box::new(move |worker| {
            let _ = answer.send(work(worker));
        }));
        self.waker.wake();
        receiver
    }
}

/// Asks and changes the running service. Cheap to clone. Threads that have ended contribute nothing to answers.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    doors: Vec<Door>,
    /// What was last applied; also the lock that lets one change happen at a time.
    current: tokio::sync::Mutex<Ports>,
    plan: Mutex<Arc<Plan>>,
    health: Arc<watch::Sender<Health>>,
    reports: Arc<[Mutex<ThreadReport>]>,
    /// The first thread decides about everything, and the others read for it.
    united: AtomicBool,
    /// Differs between starts of the service, so that a cursor of an earlier one is known.
    life: u32,
}

impl Handle {
    pub(crate) fn new(
        doors: Vec<Door>,
        ports: Ports,
        plan: Arc<Plan>,
        health: Arc<watch::Sender<Health>>,
        reports: Arc<[Mutex<ThreadReport>]>,
    ) -> Self {
        let (current, plan) = (tokio::sync::Mutex::new(ports), Mutex::new(plan));
        Self(Arc::new(Inner {
            doors,
            current,
            plan,
            health,
            reports,
            united: AtomicBool::new(false),
            life: now().wall.secs(),
        }))
    }

    /// The plan in effect, with its settings.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.0.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes of condition; a process ends itself when it turns to [`Condition::Failed`].
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Health> {
        self.0.health.subscribe()
    }

    /// Shows the service's numbers; register it once.
    #[must_use]
    pub fn metrics(&self) -> DhcpMetrics {
        DhcpMetrics(Arc::clone(&self.0.reports))
    }

    /// Ends a lease on an operator's word; returns once that is durable. False when nothing was leased.
    ///
    /// # Errors
    /// See [`ControlError`]. After [`ControlError::NotRecorded`] the release may or may not hold over a restart.
    pub async fn release(&self, address: Ipv4Addr) -> Result<bool, ControlError> {
        // Not while leases change threads: the former one would record it, and the next one not know.
        let settled = self.0.current.lock().await;
        for door in &self.0.doors {
            let released = door.ask(move |worker| worker.release_lease(address)).await;
            match released.ok_or(ControlError::Stopped)? {
                None => {}
                Some(durable) => {
                    drop(settled);
                    return durable
                        .await
                        .map(|()| true)
                        .map_err(|_| ControlError::NotRecorded);
                }
            }
        }
        Ok(false)
    }

    /// The slots that this node decides about: all of them when it shares with nobody.
    pub async fn slots(&self) -> SlotSet {
        let held = self.ask_all(|worker| worker.engine.held().clone()).await;
        held.into_iter().next().unwrap_or_default()
    }

    /// Gives slots with their stored rows to the packet thread of a share.
    pub(crate) async fn adopt_slots(&self, gained: Vec<Gained>, wall_less_boot: Option<i64>) {
        if let Some(door) = self.0.doors.first() {
            // A thread that has ended decides about nothing.
            let _ = door
                .ask(move |worker| worker.adopt_slots(&gained, wall_less_boot))
                .await;
        }
    }

    /// From now on packets are read: what is to be known of their clients is there.
    pub(crate) async fn read_packets(&self) {
        if let Some(door) = self.0.doors.first() {
            let begin = |worker: &mut Worker| worker.own.iter_mut().for_each(|own| own.waiting = false);
            // A thread that has ended reads nothing.
            let _ = door.ask(begin).await;
        }
    }

    /// Goes on with slots under new epochs; gives those that the packet thread did not hold under the former ones.
    pub(crate) async fn continue_slots(&self, continued: Vec<Continued>) -> Vec<Slot> {
        let Some(door) = self.0.doors.first() else {
            return Vec::new();
        };
        let unknown = door.ask(move |worker| worker.continue_slots(&continued)).await;
        unknown.unwrap_or_default()
    }

    /// Takes slots away.
    pub(crate) async fn resign_slots(&self, slots: Vec<Slot>) {
        if let Some(door) = self.0.doors.first() {
            let _ = door.ask(move |worker| worker.resign_slots(&slots)).await;
        }
    }

    /// About how many slots this node's packet thread decides: all of them when it shares with nobody.
    pub async fn held(&self) -> usize {
        let held = self.ask_all(|worker| worker.engine.held().len()).await;
        held.into_iter().max().unwrap_or(0)
    }

    /// Takes slots away, for good under these terms, and waits until all that was decided about them is with the store.
    /// Gives those of which the store refused something.
    pub(crate) async fn give_up(&self, slots: Vec<(Slot, Option<Epoch>)>) -> Vec<Slot> {
        let Some(door) = self.0.doors.first() else {
            return Vec::new();
        };
        let asked = door.ask(move |worker| {
            let terms = worker.let_go(&slots);
            worker.own.as_ref().map(|own| (own.log.clone(), terms))
        });
        match asked.await {
            Some(Some((log, terms))) => {
                log.flushed().await;
                log.refused(&terms)
            }
            _ => Vec::new(),
        }
    }

    /// How full every subnet is, by network and subnet name.
    pub async fn usage(&self) -> Vec<SubnetUse> {
        let mut usage: Vec<SubnetUse> = self.ask_all(|worker| worker.engine.usage(&now())).await.concat();
        usage.sort_by(|a, b| (&a.network, &a.subnet).cmp(&(&b.network, &b.subnet)));
        usage
    }

    /// How the service stands.
    pub async fn status(&self) -> ServerStatus {
        let journals = self.ask_all(Worker::journal_status).await;
        let holds = self.ask_all(|worker| worker.engine.hold(&now())).await;
        let ports = self.0.current.lock().await;
        let segments = ports.all().filter_map(|port| port.segment.as_ref());
        let interfaces = segments.map(|segment| InterfaceStatus {
            name: segment.interface.name.clone(),
            index: segment.interface.index,
            mac: segment.mac,
            address: segment.address,
        });
        let health = self.0.health.borrow().clone();
        ServerStatus {
            threads: self.0.doors.len() as u16,
            listen: ports.listening(),
            interfaces: interfaces.collect(),
            ack: self.plan().settings().ack,
            condition: health.condition().max(worst(&journals)),
            cause: health.cause,
            receive_buffer: ports
                .all()
                .map(|port| port.socket.receive_buffer())
                .min()
                .unwrap_or(0),
            journals,
            hold: longest(holds),
        }
    }

    /// What is held back after a restore from a backup, as of a second ago.
    #[must_use]
    pub fn hold(&self) -> Option<HoldView> {
        let report =
            |report: &Mutex<ThreadReport>| report.lock().unwrap_or_else(PoisonError::into_inner).hold;
        longest(self.0.reports.iter().map(report))
    }

    /// Packet threads, whether they decide or not.
    pub(crate) fn threads(&self) -> usize {
        self.0.doors.len()
    }

    pub(crate) fn first_waker(&self) -> &Arc<Waker> {
        &self.0.doors[0].waker
    }

    /// Among how many threads networks are divided.
    fn shards(&self) -> u16 {
        if self.0.united.load(Ordering::Relaxed) {
            1
        } else {
            self.0.doors.len() as u16
        }
    }

    /// Has the kernel give all packets to the first thread from now on.
    pub(crate) async fn steer_to_first(&self) {
        self.0.united.store(true, Ordering::Relaxed);
        let mut ports = self.0.current.lock().await;
        // Where the kernel refuses, packets are passed on in the process.
        let _ = ports.unite(&self.plan());
    }

    /// Asks one thread; the inner `None` says that it has ended, the outer one that there is none of this number.
    pub(crate) async fn ask_thread<T: Send + 'static>(
        &self,
        number: usize,
        work: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Option<Option<T>> {
        Some(self.0.doors.get(number)?.ask(work).await)
    }

    /// Asks all threads at once; those that have ended are left out.
    pub(crate) async fn ask_all<T, F>(&self, work: F) -> Vec<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Worker) -> T + Clone + Send + 'static,
    {
        let asked: Vec<_> = self.0.doors.iter().map(|door| door.send(work.clone())).collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.extend(answer.await.ok());
        }
        answers
    }

    pub(crate) async fn stop_threads(&self, grace: Duration) {
        let mut ends = Vec::new();
        for door in &self.0.doors {
            let (done, end) = oneshot::channel();
            let _ = door.ask(move |worker| worker.stop(grace, done)).await;
            ends.push(end);
        }
        for end in ends {
            // An error says that the thread has ended already.
            let _ = end.await;
        }
    }

    fn set_plan(&self, plan: Arc<Plan>) {
        *self.0.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan;
    }
}

fn longest(holds: impl IntoIterator<Item = Option<HoldView>>) -> Option<HoldView> {
    holds.into_iter().flatten().max_by_key(|hold| hold.until)
}

fn worst(journals: &[JournalStatus]) -> Condition {
    journals
        .iter()
        .map(|journal| journal.condition)
        .max()
        .unwrap_or_default()
}
