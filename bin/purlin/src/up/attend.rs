//! Who asks how the node is while it waits for its database: it lives, it has not started, and this is what it waits for.
//!
//! ```text
//!   bound ──── open ───────────────────────────────────────────► answers
//!     └─ somebody waits ─► attended: health, else "come again" ─ open ─► answers, on the same sockets
//! ```
//!
//! A node that finds its database at once goes the upper way: whoever connects early waits for a moment.

use super::node_file::{self, Published};
use crate::client::NodeFile;
use crate::cluster::{Wait, Waits};
use crate::exit::Failure;
use crate::log;
use purlin_api::health::{self, HealthSource};
use purlin_api::serve::{Bound, Router, Running, Shutdown, Switch};
use purlin_telemetry::Health;
use purlin_telemetry::health::{Bears, Check};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Sockets of the API, until it answers.
pub(super) struct Entrance {
    door: Arc<Mutex<Door>>,
    shutdown: Shutdown,
    attending: Option<JoinHandle<()>>,
}

enum Door {
    /// Clients can connect; nobody answers.
    Bound(Bound),
    Attended(Attended),
    /// Somebody else has it.
    Open,
}

struct Attended {
    running: Running,
    /// Of the API, and of what is beside it.
    switches: [Switch; 2],
    /// How commands on this machine find the node.
    published: Option<Published>,
}

impl Entrance {
    pub(super) fn new(bound: Bound) -> Self {
        Self {
            door: Arc::new(Mutex::new(Door::Bound(bound))),
            shutdown: Shutdown::default(),
            attending: None,
        }
    }

    /// From when on something is waited for, says so to whoever asks. `file` is the node without its services.
    pub(super) fn attend(&mut self, waits: &Waits, file: NodeFile, data_dir: &Path) {
        let mut watch = waits.watch();
        let (door, shutdown) = (Arc::clone(&self.door), self.shutdown.clone());
        let data_dir = data_dir.to_owned();
        self.attending = Some(tokio::spawn(async move {
            // An error: nothing will be waited for any more.
            if watch.wait_for(Option::is_some).await.is_ok() {
                lock(&door).attend(watch.clone(), shutdown, || node_file::publish(&file, &data_dir));
            }
        }));
    }

    /// Answers with `api` and, on the listeners beside it, with `beside`. What was published for the time of waiting stands
    /// until it is replaced.
    pub(super) fn open(self, api: Router, beside: Router) -> (Running, Option<Published>) {
        match std::mem::replace(&mut *lock(&self.door), Door::Open) {
            Door::Bound(bound) => (bound.start(&api, &beside, self.shutdown.clone()), None),
            Door::Attended(attended) => {
                let [at_api, at_side] = attended.switches;
                at_api.set(api);
                at_side.set(beside);
                (attended.running, attended.published)
            }
            Door::Open => unreachable!("opened once, by value"),
        }
    }
}

impl Drop for Entrance {
    fn drop(&mut self) {
        if let Some(attending) = &self.attending {
            attending.abort();
        }
    }
}

fn lock(door: &Mutex<Door>) -> MutexGuard<'_, Door> {
    door.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Door {
    fn attend(
        &mut self,
        waits: watch::Receiver<Option<Wait>>,
        shutdown: Shutdown,
        publish: impl FnOnce() -> Result<Published, Failure>,
    ) {
        let bound = match std::mem::replace(self, Self::Open) {
            Self::Bound(bound) => bound,
            other => {
                *self = other;
                return;
            }
        };
        let source: Arc<dyn HealthSource> = Arc::new(Waiting(waits));
        let switches = [(); 2].map(|()| Switch::new(health::starting(&source)));
        let running = bound.start(&switches[0].router(), &switches[1].router(), shutdown);
        let published = publish().inspect_err(|failure| log::warn(&failure.to_string()));
        *self = Self::Attended(Attended {
            running,
            switches,
            published: published.ok(),
        });
    }
}

/// The health of a node that has not started.
struct Waiting(watch::Receiver<Option<Wait>>);

impl HealthSource for Waiting {
    fn health(&self) -> Health {
        let start = match &*self.0.borrow() {
            Some(wait) => Check::fail("node.start", Bears::Startup, &wait.says, wait.fix),
            None => Check::fail(
                "node.start",
                Bears::Startup,
                "the node is starting",
                "wait a few seconds",
            ),
        };
        Health { checks: vec![start] }
    }
}
