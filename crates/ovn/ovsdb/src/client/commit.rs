//! Writes: grouped, sent to the leader, answered once each.

mod batch;
mod gather;
mod guard;

use super::cluster::Cluster;
use super::config::{Config, Group};
use crate::operation::Transaction;
use crate::outcome::{Outcome, Refusal};
use batch::Batch;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::Instant;

/// A transaction that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// What each operation answered.
    pub outcome: Outcome,
    /// How many transactions travelled together, itself included.
    pub together: usize,
    /// How often it was sent.
    pub sendings: u32,
    /// The connection that answered.
    pub(super) connection: u64,
}

/// Why a transaction did not happen, or may not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The server refused it. Nothing of it happened.
    #[error("the transaction was refused: {0}")]
    Refused(#[from] Refusal),
    /// There was no leader to send it to in time. Nothing of it happened.
    #[error("no leader took the transaction within {0:?}")]
    Unreachable(Duration),
    /// It was sent, the answer was lost, and it leaves no trace by which one could tell. Insert a row with it, mark
    /// it, or call it repeatable.
    #[error("the answer to the transaction was lost: it may or may not have happened")]
    Unknown,
    /// The client is being shut down.
    #[error("the client is shut down")]
    Closed,
}

pub(super) struct Job {
    transaction: Transaction,
    began: Instant,
    time: Duration,
    answer: oneshot::Sender<Result<Committed, CommitError>>,
}

impl Job {
    fn answer(self, answer: Result<Committed, CommitError>) {
        // Whoever asked may have gone meanwhile.
        let _ = self.answer.send(answer);
    }

    fn deadline(&self) -> Instant {
        self.began + self.time
    }
}

pub(super) async fn submit(
    jobs: &mpsc::Sender<Job>,
    transaction: Transaction,
    time: Duration,
) -> Result<Committed, CommitError> {
    let (answer, answered) = oneshot::channel();
    let job = Job {
        transaction,
        began: Instant::now(),
        time,
        answer,
    };
    let queued = tokio::time::timeout(time, jobs.send(job)).await;
    queued
        .map_err(|_| CommitError::Unreachable(time))?
        .map_err(|_| CommitError::Closed)?;
    answered.await.unwrap_or(Err(CommitError::Closed))
}

/// Starts the task that gathers writes.
pub(super) fn start(config: Arc<Config>, cluster: Cluster) -> mpsc::Sender<Job> {
    let (sender, inbox) = mpsc::channel(config.group.queue_max.max(1));
    tokio::spawn(gather(inbox, config, cluster));
    sender
}

/// Sends what waits as soon as there is room: alone when nothing else is there, together with others under load.
async fn gather(mut inbox: mpsc::Receiver<Job>, config: Arc<Config>, cluster: Cluster) {
    let groups = Arc::new(Semaphore::new(config.group.in_flight_max.clamp(1, 64)));
    let loners = Arc::new(Semaphore::new(256));
    let mut kept: Option<Job> = None;
    loop {
        let first = match kept.take() {
            Some(job) => job,
            None => match inbox.recv().await {
                Some(job) => job,
                None => return,
            },
        };
        let slots = if first.transaction.can_travel() {
            &groups
        } else {
            &loners
        };
        let slot = slots.clone().acquire_owned().await.expect("never closed");
        let mut jobs = vec![first];
        kept = fill(&mut jobs, &mut inbox, &config.group).await;
        let batch = Batch::new(jobs, config.clone(), cluster.clone());
        tokio::spawn(async move {
            batch.run().await;
            drop(slot);
        });
    }
}

/// Adds what waits, or comes soon enough, and may travel together; returns the first that may not.
async fn fill(jobs: &mut Vec<Job>, inbox: &mut mpsc::Receiver<Job>, group: &Group) -> Option<Job> {
    if !jobs[0].transaction.can_travel() {
        return None;
    }
    let until = jobs[0].began + group.wait;
    let mut operations = jobs[0].transaction.len();
    while operations < group.operations_max && jobs.len() < group.writes_max {
        let job = match inbox.try_recv() {
            Ok(job) => job,
            Err(_) if group.wait.is_zero() => return None,
            Err(_) => tokio::time::timeout_at(until, inbox.recv()).await.ok()??,
        };
        operations += job.transaction.len();
        if !job.transaction.can_travel() || operations > group.operations_max {
            return Some(job);
        }
        jobs.push(job);
    }
    None
}
