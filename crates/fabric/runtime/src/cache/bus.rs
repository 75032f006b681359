//! The bus: what the handles of all its users share.

use super::figures::{BusFigures, CacheFigures};
use super::listen;
use super::own::Own;
use super::values::{Cache, CacheSettings, Values};
use crate::entropy;
use crate::local::ReadClock;
use purlin_fabric::invalidate::{Announcement, CHANNEL, Cursor, Freshness, Line, Outbox, TOPIC, Ways};
use purlin_fabric::port::{Fault, HintFault, Hints};
use purlin_types::{BootTime, WallTime};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

/// Invalidations kept for a subscriber that is behind; it is told how many it missed.
const TOLD: usize = 256;
/// Invalidations kept to be looked at.
const PAST: usize = 128;

/// What a bus is started with.
#[derive(Clone)]
pub struct BusSetup {
    pub node: String,
    /// Where announcements are made and heard. Without, nodes have no line in common and the outbox is all there is.
    pub hints: Option<Arc<dyn Hints>>,
    /// Without one, whatever may have been missed clears everything.
    pub outbox: Option<Arc<dyn Outbox>>,
    pub clock: ReadClock,
    /// How often the outbox is read while announcements do not arrive; 1 s in settings. Five times as rarely else. One
    /// that leaves a question unanswered for three polls counts as silent.
    pub poll: Duration,
}

/// Tells all nodes what to forget. Cheap to clone.
#[derive(Clone)]
pub struct InvalidationBus(Arc<Shared>);

pub(super) struct Shared {
    pub(super) setup: BusSetup,
    freshness: watch::Sender<Freshness>,
    ways: Mutex<Ways>,
    caches: Mutex<Vec<Weak<Values>>>,
    told: broadcast::Sender<Invalidation>,
    past: Mutex<VecDeque<Past>>,
    figures: Mutex<BusFigures>,
    /// Tells what this process announced from what another one under the same name did.
    pub(super) life: u64,
    pub(super) own: Own,
}

/// What subscribers are told: each node's own publications too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalidation {
    Patterns {
        patterns: Vec<String>,
        /// Who changed something; unknown for what was found in the outbox.
        from: Option<String>,
    },
    /// Anything may have changed.
    Everything,
}

/// An invalidation that this node has carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// When it was done here.
    pub at: WallTime,
    pub what: Invalidation,
    /// Since it was announced, by the wall clocks of both nodes; unknown for what was found in the outbox.
    pub latency: Option<Duration>,
}

/// Why others may not hear of a change.
#[derive(Debug)]
pub enum PublishFault {
    /// The note may not have been left: it is to be published again.
    Outbox(Fault),
    /// There is no outbox, and the announcement did not get out.
    Announcement(HintFault),
}

impl InvalidationBus {
    /// Starts listening. The task ends when aborted.
    #[must_use]
    pub fn start(setup: BusSetup) -> (Self, JoinHandle<()>) {
        let line = match setup.hints {
            Some(_) => Line::Down,
            None => Line::None,
        };
        let shared = Arc::new(Shared {
            setup,
            freshness: watch::Sender::default(),
            ways: Mutex::new(Ways {
                line,
                ..Ways::default()
            }),
            caches: Mutex::default(),
            told: broadcast::Sender::new(TOLD),
            past: Mutex::default(),
            figures: Mutex::default(),
            life: entropy::seed(),
            own: Own::default(),
        });
        let task = tokio::spawn(listen::run(Arc::clone(&shared)));
        (Self(shared), task)
    }

    /// A cache that this bus clears.
    #[must_use]
    pub fn cache(&self, settings: CacheSettings) -> Cache {
        let clock = Arc::clone(&self.0.setup.clock);
        let values = Arc::new(Values::new(settings, clock, self.0.freshness.subscribe()));
        let mut caches = self.0.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.retain(|cache| cache.strong_count() > 0);
        caches.push(Arc::downgrade(&values));
        Cache(values)
    }

    /// Says, after the change has been committed, that what these globs name may have changed. The caches of this node are
    /// clear when it returns; those of others hear at once, or find it in the outbox.
    ///
    /// # Errors
    /// When others may never hear of it. The caches of this node are clear all the same.
    pub async fn publish(&self, patterns: &[String]) -> Result<(), PublishFault> {
        if patterns.is_empty() {
            return Ok(());
        }
        let outcome = self.tell_others(patterns).await;
        self.0
            .apply(
                patterns.to_vec(),
                Some(self.0.setup.node.clone()),
                Some(Duration::ZERO),
            )
            .await;
        outcome
    }

    pub(super) async fn tell_others(&self, patterns: &[String]) -> Result<(), PublishFault> {
        let Some(outbox) = &self.0.setup.outbox else {
            return self
                .announce(Cursor::default(), 0, patterns)
                .await
                .map_err(PublishFault::Announcement);
        };
        let notes: Vec<(&str, &[u8])> = patterns
            .iter()
            .map(|pattern| (TOPIC, pattern.as_bytes()))
            .collect();
        let last = outbox.leave(&notes).await.map_err(PublishFault::Outbox)?;
        let first = Cursor {
            id: last.id.saturating_sub(notes.len() as u64 - 1),
            ..last
        };
        self.0.remember_own(first, patterns);
        // Who does not hear it reads the outbox.
        let _heard_or_read = self.announce(first, last.id, patterns).await;
        Ok(())
    }

    /// Announces notes that are in the outbox already. When that does not get out, others find them a little later.
    async fn announce(&self, first: Cursor, last: u64, patterns: &[String]) -> Result<(), HintFault> {
        let announcement = Announcement {
            timeline: first.timeline,
            first: first.id,
            last,
            patterns: patterns.to_vec(),
            from: self.0.setup.node.clone(),
            life: self.0.life,
            at: (self.0.setup.clock)().wall.0,
        };
        let body = serde_json::to_vec(&announcement).expect("texts and numbers are JSON");
        if let Some(hints) = &self.0.setup.hints {
            hints.publish(CHANNEL, &body).await?;
        }
        self.0.figures().published += 1;
        Ok(())
    }

    /// Every invalidation from now on, after the caches have been cleared.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Invalidation> {
        self.0.told.subscribe()
    }

    /// How far caches may be trusted now.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        *self.0.freshness.borrow()
    }

    /// As [`Self::freshness`], as it changes.
    #[must_use]
    pub fn freshness_watch(&self) -> watch::Receiver<Freshness> {
        self.0.freshness.subscribe()
    }

    /// The last invalidations carried out here, the newest first.
    #[must_use]
    pub fn past(&self) -> Vec<Past> {
        self.0.past().iter().rev().cloned().collect()
    }

    /// What each cache with a name does; several of one name count together.
    #[must_use]
    pub fn caches(&self) -> Vec<(&'static str, CacheFigures)> {
        let mut named: Vec<(&'static str, CacheFigures)> = Vec::new();
        for cache in self.0.caches() {
            let figures = Cache(Arc::clone(&cache)).figures();
            match named.iter_mut().find(|(name, _)| *name == cache.name()) {
                Some((_, sum)) => sum.add(figures),
                None => named.push((cache.name(), figures)),
            }
        }
        named.retain(|(name, _)| !name.is_empty());
        named
    }

    pub(crate) fn now(&self) -> BootTime {
        (self.0.setup.clock)().boot
    }

    /// Counted since the start.
    #[must_use]
    pub fn figures(&self) -> BusFigures {
        self.0.figures().clone()
    }
}

impl Shared {
    pub(super) fn figures(&self) -> MutexGuard<'_, BusFigures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of how invalidations reach this node now; caches trust what they keep accordingly, at once.
    pub(super) fn note_ways(&self, note: impl FnOnce(&mut Ways)) {
        let mut ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut ways);
        let freshness = ways.freshness();
        // Under the lock: two notes are not told in the wrong order.
        self.freshness.send_if_modified(|now| {
            let changed = *now != freshness;
            *now = freshness;
            changed
        });
    }

    pub(super) fn ways(&self) -> Ways {
        *self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn caches(&self) -> Vec<Arc<Values>> {
        let caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        caches.iter().filter_map(Weak::upgrade).collect()
    }

    fn past(&self) -> MutexGuard<'_, VecDeque<Past>> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, what: Invalidation, latency: Option<Duration>) {
        {
            let mut past = self.past();
            if past.len() == PAST {
                past.pop_front();
            }
            past.push_back(Past {
                at: (self.setup.clock)().wall,
                what: what.clone(),
                latency,
            });
        }
        // Nobody may be listening.
        let _ = self.told.send(what);
    }

    pub(super) async fn apply(&self, patterns: Vec<String>, from: Option<String>, latency: Option<Duration>) {
        if patterns.is_empty() {
            return;
        }
        for cache in self.caches() {
            cache.cleared(&patterns).await;
        }
        self.done(Invalidation::Patterns { patterns, from }, latency);
    }

    pub(super) async fn flush(&self) {
        self.figures().flushes += 1;
        for cache in self.caches() {
            cache.flushed().await;
        }
        self.done(Invalidation::Everything, None);
    }
}

impl fmt::Debug for InvalidationBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvalidationBus")
            .field("node", &self.0.setup.node)
            .field("freshness", &self.freshness())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for BusSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusSetup")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for PublishFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Outbox(_) => "the invalidation could not be left in the outbox",
            Self::Announcement(_) => "the invalidation could not be announced, and there is no outbox",
        })
    }
}

impl std::error::Error for PublishFault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Outbox(cause) => Some(cause),
            Self::Announcement(cause) => Some(cause),
        }
    }
}
