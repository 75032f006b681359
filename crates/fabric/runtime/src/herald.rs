//! Signs of life: says that this node is around, and watches who else is.
//!
//! For people, routing and display; who may own what is decided by leases in the claim store, never here. A node that
//! leaves in order says so, and everybody knows at once; one that falls silent is missed after the timeout.

use crate::entropy;
use crate::local::ReadClock;
use purlin_fabric::backoff::Jitter;
use purlin_fabric::port::{Heartbeat, HintFault, Hints, Message, Subscription};
use purlin_fabric::presence::{Change, Presence};
use purlin_types::{BootTime, Incarnation, NodeId};
use serde_json::{Value, json};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::AbortHandle;

/// The channel of farewells.
const CHANNEL: &str = "cluster:leave";

/// Changes kept for a subscriber that is behind; it is told how many it missed.
const CHANGES: usize = 256;

/// Looks between two signs: a silence is noticed so much closer to its time.
const LOOKS: u32 = 5;

/// What a herald is started with.
#[derive(Clone)]
pub struct HeraldSetup {
    pub node: NodeId,
    pub incarnation: Incarnation,
    pub hints: Arc<dyn Hints>,
    pub clock: ReadClock,
    /// Between two signs; 5 s in settings.
    pub interval: Duration,
    /// A node is missed after so long a silence; 30 s in settings, above `interval`.
    pub timeout: Duration,
    /// What goes along with a sign: load, sessions, health.
    pub say: Arc<dyn Fn() -> Value + Send + Sync>,
}

/// The herald of this node. Its task ends when it is dropped, or has said farewell.
#[derive(Debug)]
pub struct Herald {
    shared: Arc<Shared>,
    task: AbortHandle,
}

struct Shared {
    setup: HeraldSetup,
    presence: Mutex<Presence>,
    changes: broadcast::Sender<Change>,
    said: AtomicU64,
    unsaid: AtomicU64,
}

impl Herald {
    /// Says the first sign at once. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(setup: HeraldSetup) -> Self {
        let shared = Arc::new(Shared {
            presence: Mutex::new(Presence::new(setup.timeout)),
            setup,
            changes: broadcast::Sender::new(CHANGES),
            said: AtomicU64::new(0),
            unsaid: AtomicU64::new(0),
        });
        let task = tokio::spawn(run(Arc::clone(&shared))).abort_handle();
        Self { shared, task }
    }

    /// Each join and each leave of a life from now on, once; this node's own too.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.shared.changes.subscribe()
    }

    /// Who is around: node, incarnation, time since the last sign.
    #[must_use]
    pub fn around(&self) -> Vec<(String, Incarnation, Duration)> {
        let now = self.shared.now();
        let presence = self.shared.presence();
        let around = presence.around(now);
        around
            .map(|(node, life, silence)| (node.to_owned(), Incarnation(life), silence))
            .collect()
    }

    /// Signs said, and those that nobody took.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.shared.said), count(&self.shared.unsaid))
    }

    /// Says farewell: others know at once.
    ///
    /// # Errors
    /// When nobody heard it: they miss this node after the timeout.
    pub async fn leave(&self) -> Result<(), HintFault> {
        self.task.abort();
        let HeraldSetup {
            node,
            incarnation,
            hints,
            ..
        } = &self.shared.setup;
        hints.hush(node, *incarnation).await?;
        // As text: not every reader of JSON has 64 bits of integer.
        let body = json!({ "node": node.as_str(), "incarnation": incarnation.0.to_string() });
        hints.publish(CHANNEL, body.to_string().as_bytes()).await
    }
}

impl Drop for Herald {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(shared: Arc<Shared>) {
    let mut jitter = Jitter::new(entropy::seed());
    let mut looks = 0;
    let mut line: Option<Box<dyn Subscription>> = None;
    loop {
        if looks % LOOKS == 0 {
            shared.say().await;
        }
        looks = looks.wrapping_add(1);
        if line.is_none() {
            // What was said before is found by looking.
            line = shared.setup.hints.subscribe(&[CHANNEL]).await.ok();
        }
        shared.look().await;
        // Nodes that started together do not go on in step.
        let between = shared.setup.interval / LOOKS;
        let pause = between - jitter.up_to(between / 10);
        let listening = async {
            match line.as_mut() {
                Some(line) => shared.hear(line.as_mut()).await,
                None => std::future::pending().await,
            }
        };
        if tokio::time::timeout(pause, listening).await.is_ok() {
            line = None;
            tokio::time::sleep(pause).await;
        }
    }
}

impl Shared {
    fn now(&self) -> BootTime {
        (self.setup.clock)().boot
    }

    fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn say(&self) {
        let count = self.said.load(Ordering::Relaxed) + self.unsaid.load(Ordering::Relaxed);
        let beat = Heartbeat {
            node: self.setup.node.as_str().to_owned(),
            incarnation: self.setup.incarnation.0,
            body: json!({ "beat": count, "says": (self.setup.say)() }).to_string(),
        };
        let counter = match self.setup.hints.beat(&beat, self.setup.timeout).await {
            Ok(()) => &self.said,
            Err(_) => &self.unsaid,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    async fn look(&self) {
        let beats = self.setup.hints.beats().await;
        let now = self.now();
        let mut changes = Vec::new();
        match beats {
            Ok(beats) => self.presence().looked(now, &beats, &mut changes),
            Err(_) => self.presence().blind(),
        }
        self.tell(changes);
    }

    /// Farewells, until the line is cut.
    async fn hear(&self, line: &mut dyn Subscription) {
        while let Some(Message { body, .. }) = line.next().await {
            let Ok(said) = serde_json::from_slice::<Value>(&body) else {
                continue;
            };
            let node = said["node"].as_str();
            let incarnation = said["incarnation"].as_str().and_then(|text| text.parse().ok());
            if let (Some(node), Some(incarnation)) = (node, incarnation) {
                let mut changes = Vec::new();
                self.presence().hushed(node, incarnation, &mut changes);
                self.tell(changes);
            }
        }
    }

    fn tell(&self, changes: Vec<Change>) {
        for change in changes {
            // Nobody may be listening.
            let _ = self.changes.send(change);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.setup.fmt(f)
    }
}

impl fmt::Debug for HeraldSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Herald")
            .field("node", &self.node)
            .field("incarnation", &self.incarnation)
            .finish_non_exhaustive()
    }
}
