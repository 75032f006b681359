//! The service as the rest of the process sees it: questions and changes, carried to the packet threads.

mod records;

use crate::metrics::{TftpMetrics, ThreadReport};
use crate::ports::Ports;
use crate::status::ServerStatus;
use crate::worker::{Task, Worker};
use purlin_netio::Waker;
use purlin_tftp_core::settings::Backend;
use purlin_tftp_core::{Plan, RecordQuery, Told, TransferView};
use purlin_tftp_files::Library;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

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

    /// Sends `work` off, to run between two batches; its result comes by the receiver.
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
    ports: Ports,
    plan: Mutex<Arc<Plan>>,
    tree: Library,
    reports: Arc<[Mutex<ThreadReport>]>,
    failed: Arc<watch::Sender<Option<&'static str>>>,
}

impl Handle {
    pub(crate) fn new(
        doors: Vec<Door>,
        ports: Ports,
        plan: Arc<Plan>,
        tree: Library,
        reports: Arc<[Mutex<ThreadReport>]>,
        failed: Arc<watch::Sender<Option<&'static str>>>,
    ) -> Self {
        Self(Arc::new(Inner {
            doors,
            ports,
            plan: Mutex::new(plan),
            tree,
            reports,
            failed,
        }))
    }

    /// The plan in effect, with its settings.
    #[must_use]
    pub fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.0.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The boot tree.
    #[must_use]
    pub fn tree(&self) -> &Library {
        &self.0.tree
    }

    /// What failed, when a packet thread did; the process ends itself then.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<&'static str>> {
        self.0.failed.subscribe()
    }

    /// Shows the service's numbers; register it once.
    #[must_use]
    pub fn metrics(&self) -> TftpMetrics {
        TftpMetrics::new(Arc::clone(&self.0.reports), self.0.tree.clone())
    }

    /// Puts a new plan into effect: open transfers keep what they negotiated. Sockets stay as they are.
    pub async fn apply(&self, plan: Arc<Plan>) {
        self.0.tree.apply(&plan);
        *self.0.plan.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&plan);
        self.ask_all(move |worker| worker.engine.apply(Arc::clone(&plan)))
            .await;
    }

    /// Open transfers, `limit` per thread at most.
    pub async fn transfers(&self, limit: usize) -> Vec<TransferView> {
        self.ask_all(move |worker| worker.engine.list(limit))
            .await
            .concat()
    }

    /// The newest records wanted, oldest first.
    pub async fn records(&self, query: RecordQuery) -> Vec<Told> {
        let limit = query.limit.max(1);
        let mut told = self
            .ask_all(move |worker| worker.engine.find_records(&query))
            .await
            .concat();
        told.sort_by_key(|told| told.record.at);
        told.split_off(told.len().saturating_sub(limit))
    }

    /// Records from a cursor on (one number per thread; empty begins with what comes next), at most `limit` per
    /// thread: what they are with their thread, the next cursor, and how many had gone before they were asked for.
    pub async fn records_since(&self, cursor: Vec<u64>, limit: usize) -> (Vec<(usize, Told)>, Vec<u64>, u64) {
        let (mut all, mut next, mut missed) = (Vec::new(), Vec::new(), 0);
        for (thread, door) in self.0.doors.iter().enumerate() {
            let from = cursor.get(thread).copied();
            let asked = door.send(move |worker| worker.engine.records_since(from, limit));
            let Ok((told, to, gone)) = asked.await else {
                next.push(from.unwrap_or(0));
                continue;
            };
            all.extend(told.into_iter().map(|told| (thread, told)));
            next.push(to);
            missed += gone;
        }
        all.sort_by_key(|(_, told)| told.record.at);
        (all, next, missed)
    }

    /// How the service stands.
    #[must_use]
    pub fn status(&self) -> ServerStatus {
        let plan = self.plan();
        let settings = plan.settings();
        let transfers = self
            .0
            .reports
            .iter()
            .map(|report| report.lock().unwrap_or_else(PoisonError::into_inner).transfers);
        let (receive_buffer, send_buffer) = self.0.ports.buffers();
        ServerStatus {
            threads: self.0.doors.len() as u16,
            listen: self.0.ports.listening(),
            transfers: transfers.sum(),
            receive_buffer,
            send_buffer,
            backend: "epoll",
            notes: notes(settings.backend, settings.zero_copy),
            failed: *self.0.failed.borrow(),
            cache: self.0.tree.stats(),
        }
    }

    /// Asks all threads at once; those that have ended are left out.
    async fn ask_all<T, F>(&self, work: F) -> Vec<T>
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
            // Asked of all before any is waited for, so that one grace counts for all.
            drop(door.send(move |worker| worker.stop(grace, done)));
            ends.push(end);
        }
        for end in ends {
            // An error says that the thread has ended already.
            let _ = end.await;
        }
    }
}

/// What was asked for and is done in another way, and why.
fn notes(backend: Backend, zero_copy: bool) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if backend == Backend::IoUring {
        notes.push(
            "io_uring is not used: batched system calls cost less here; epoll serves (docs/performance.md)",
        );
    }
    if zero_copy {
        notes.push(
            "MSG_ZEROCOPY is not used for datagrams: one copy per window costs less than its notifications; content is never copied inside the process",
        );
    }
    notes
}

#[cfg(test)]
mod tests;
