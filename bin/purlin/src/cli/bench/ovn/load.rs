//! Closed loops: each connection asks, waits for the answer, and asks again.

use crate::client::{Ask, Client, Endpoint};
use purlin_load::Times;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Words about failures that are kept.
const EVIDENCE: usize = 5;

/// One request, and how many objects it makes or reads; 0 for one that only prepares.
pub(super) struct Step {
    pub(super) ask: Ask,
    pub(super) counts: u64,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Objects.
    pub(super) done: u64,
    pub(super) requests: u64,
    pub(super) failed: u64,
    /// Of each request that counts.
    pub(super) times: Times,
    pub(super) evidence: Vec<String>,
}

impl Tally {
    pub(super) fn fail(&mut self, words: String) {
        self.failed += 1;
        if self.evidence.len() < EVIDENCE {
            self.evidence.push(words);
        }
    }

    pub(super) fn time(&mut self, took: Duration) {
        self.times
            .record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }
}

/// What all connections of a loop write down.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Tally>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be asked, by the connection and by how much it has asked so far; nothing more to end it.
pub(super) type Asks = Arc<dyn Fn(u32, u64) -> Option<Step> + Send + Sync>;

/// A loop's shape.
pub(super) struct Loop {
    pub(super) endpoint: Endpoint,
    pub(super) connections: u32,
    /// Without one it ends when there is nothing more to ask.
    pub(super) until: Option<Instant>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) asks: Asks,
}

impl Loop {
    /// Starts all connections; they end by themselves.
    pub(super) fn start(self, shared: &Shared) -> JoinSet<()> {
        let (mut tasks, whole) = (JoinSet::new(), Arc::new(self));
        for connection in 0..whole.connections {
            let (whole, shared) = (Arc::clone(&whole), shared.clone());
            tasks.spawn(async move { whole.connection(connection, &shared).await });
        }
        tasks
    }

    fn goes_on(&self) -> bool {
        let time = self.until.is_none_or(|until| Instant::now() < until);
        time && !self.stop.load(Ordering::Relaxed)
    }

    async fn connection(&self, connection: u32, shared: &Shared) {
        let mut client = Client::new(self.endpoint.clone());
        let mut asked = 0;
        while self.goes_on() {
            let Some(Step { ask, counts }) = (self.asks)(connection, asked) else {
                return;
            };
            asked += 1;
            let sent = Instant::now();
            let answer = client.answer(ask).await;
            let took = sent.elapsed();
            let mut tally = shared.lock();
            tally.requests += 1;
            match answer {
                Ok(_) if counts == 0 => {}
                Ok(_) => {
                    tally.done += counts;
                    tally.time(took);
                }
                Err(failure) => tally.fail(failure.to_string()),
            }
        }
    }
}
