//! How the node agrees with others: what is kept of it, and what is told when something is not as it should be.
//!
//! ```text
//!   engine's thread ── News ──►┐
//!   connections ── up, down ──►│ Agreement: window, counts ─┬─► diagnosis (API, doctor), metrics
//!   a look each second ───────►┘                            └─► story: decisions with codes, bounded ─► event stream, API
//! ```
//!
//! The engine's thread only hands values over; what needs sorting is done by who asks, or by the look each second.

pub(crate) mod diagnosis;
mod throttle;
mod words;

use crate::consensus::{Shared, report};
use crate::story::{Decision, Story};
use purlin_chain_core::agreement::{Failure, News, Summary, Window};
use purlin_chain_peers::{PeerInfo, Refused};
use purlin_chain_proto::Address;
use purlin_telemetry::metrics::{Histogram, LATENCY_BOUNDS, Unit};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use throttle::Throttle;
use tokio::time::MissedTickBehavior;

/// Between two looks at what no message tells: silence, and votes that did not come.
const LOOK: Duration = Duration::from_secs(1);

/// See the module. Shared by the engine's thread, the connections and whoever asks.
#[derive(Debug)]
pub(crate) struct Agreement {
    started: Instant,
    kept: Mutex<Kept>,
    story: Arc<Story>,
}

#[derive(Debug)]
struct Kept {
    window: Window,
    counts: Counts,
    throttle: Throttle<Decision>,
    /// Silence has been told of.
    stalled: bool,
}

/// What is counted since the start.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    /// From the beginning of a height to its decision.
    pub(crate) heights: Histogram,
    /// Failed rounds, in the order of [`Failure::WORDS`].
    pub(crate) failed: [u64; Failure::WORDS.len()],
}

impl Agreement {
    pub(crate) fn new(story: Arc<Story>) -> Self {
        let counts = Counts {
            heights: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
            failed: [0; Failure::WORDS.len()],
        };
        Self {
            started: Instant::now(),
            kept: Mutex::new(Kept {
                window: Window::default(),
                counts,
                throttle: Throttle::default(),
                stalled: false,
            }),
            story,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.kept().counts.clone()
    }

    /// What the last heights come to.
    pub(crate) fn summary(&self) -> Summary {
        self.kept().window.summary(self.now())
    }

    /// What the engine tells.
    pub(crate) fn hear(&self, news: News) {
        let now = self.now();
        let mut kept = self.kept();
        match news {
            News::Decided(height) => {
                if let Some(times) = height.times {
                    let nanos = u64::try_from(times.commit.as_nanos()).unwrap_or(u64::MAX);
                    kept.counts.heights.record(nanos);
                }
                kept.window.push(now, height);
            }
            News::Late {
                height,
                validator,
                kind,
                after,
            } => kept.window.late(height, &validator, kind, after),
            News::Failed(failed) => {
                kept.counts.failed[failed.why.index()] += 1;
                self.tell(&mut kept, words::failed(&failed));
            }
            News::Twice {
                validator,
                height,
                round,
            } => self.tell(&mut kept, words::twice(&validator, height, round)),
        }
    }

    pub(crate) fn peer_up(&self, peer: &PeerInfo) {
        self.tell(&mut self.kept(), words::up(peer));
    }

    pub(crate) fn peer_down(&self, id: &Address, why: &str) {
        self.tell(&mut self.kept(), words::down(id, why));
    }

    pub(crate) fn peer_refused(&self, refused: &Refused) {
        self.tell(&mut self.kept(), words::refused(refused));
    }

    fn tell(&self, kept: &mut Kept, decision: Decision) {
        if let Some(told) = kept.throttle.offer(self.now(), decision.key(), decision) {
            self.story.push(told, 0);
        }
    }

    /// Looks at what no message tells.
    fn look(&self, shared: &Shared) {
        let now = self.now();
        // Asked before anything is locked: the answer takes locks of its own.
        let stalled = report::is_stalled(shared).then(|| report::stands_still(shared));
        let mut kept = self.kept();
        for turn in kept.window.turns(now) {
            self.tell(&mut kept, words::turn(&turn));
        }
        if stalled.is_some() != kept.stalled {
            kept.stalled = stalled.is_some();
            let goes_on = || words::goes_on(shared.node_head());
            self.tell(&mut kept, stalled.as_deref().map_or_else(goes_on, words::stalled));
        }
        for (decision, more) in kept.throttle.due(now) {
            self.story.push(decision, more);
        }
    }
}

/// Looks each second, until the node is gone.
pub(crate) async fn watch(shared: Weak<Shared>) {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if shared.is_stopping() {
            return;
        }
        shared.agreement().look(&shared);
    }
}
