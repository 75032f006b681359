//! Cached values of one kind.

use super::figures::CacheFigures;
use crate::local::ReadClock;
use purlin_fabric::glob;
use purlin_fabric::invalidate::{Fills, Freshness, digest};
use purlin_fabric::port::Hints;
use purlin_types::BootTime;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Where values are kept.
#[derive(Debug, Clone, Default)]
pub enum Tier {
    /// By this node, for itself.
    #[default]
    Memory,
    /// By the hints, for all nodes.
    Shared(Arc<dyn Hints>),
}

/// How a cache keeps.
#[derive(Debug, Clone)]
pub struct CacheSettings {
    /// For metrics; one without a name is not shown.
    pub name: &'static str,
    /// A value is kept for so long; defaults to 5 min. At most 5 s while invalidations may be missed.
    pub ttl: Duration,
    /// Values kept in memory at most; defaults to 10 000.
    pub entries_max: usize,
    pub tier: Tier,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            name: "",
            ttl: Duration::from_secs(300),
            entries_max: 10_000,
            tier: Tier::Memory,
        }
    }
}

/// Values by key. Made by [`super::InvalidationBus::cache`]; cheap to clone.
#[derive(Clone)]
pub struct Cache(pub(super) Arc<Values>);

pub(super) struct Values {
    settings: CacheSettings,
    clock: ReadClock,
    freshness: watch::Receiver<Freshness>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fills: Fills,
    entries: HashMap<String, Entry>,
    figures: CacheFigures,
}

struct Entry {
    value: Arc<[u8]>,
    filled: BootTime,
}

impl Cache {
    /// The value, if it is kept and fresh enough.
    pub async fn get(&self, key: &str) -> Option<Arc<[u8]>> {
        let found = self.0.find(key).await;
        let mut state = self.0.state();
        match found {
            Some(_) => state.figures.hits += 1,
            None => state.figures.misses += 1,
        }
        found
    }

    /// The kept value, or what `load` gives; that is kept unless an invalidation that names the key came while it was
    /// loaded.
    ///
    /// # Errors
    /// What `load` fails with; nothing is kept then.
    pub async fn get_or_load<E>(
        &self,
        key: &str,
        load: impl AsyncFnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<Arc<[u8]>, E> {
        if let Some(value) = self.get(key).await {
            return Ok(value);
        }
        let version = self.0.state().fills.version();
        let value: Arc<[u8]> = load().await?.into();
        self.0.fill(key, &value, version).await;
        Ok(value)
    }

    /// Keeps a value of which others need not be told, or have been; whether it is there for who asks next.
    pub async fn put(&self, key: &str, value: Vec<u8>) -> bool {
        let version = self.0.state().fills.version();
        self.0.fill(key, &value.into(), version).await
    }

    /// Whether all nodes have the same values.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.0.settings.tier, Tier::Shared(_))
    }

    /// Forgets what the glob `pattern` names, on this node and in a shared tier; how many values. Other nodes hear of it
    /// by [`super::InvalidationBus::publish`] only.
    pub async fn clear(&self, pattern: &str) -> u64 {
        self.0.cleared(&[pattern.to_owned()]).await
    }

    /// At most `limit` keys that this node keeps for itself and the digests of their values: two nodes that both keep
    /// a key keep the same. Of a shared tier there is nothing to compare.
    #[must_use]
    pub fn digests(&self, limit: usize) -> BTreeMap<String, u64> {
        let state = self.0.state();
        let entries = state.entries.iter().take(limit);
        entries
            .map(|(key, entry)| (key.clone(), digest(&entry.value)))
            .collect()
    }

    #[must_use]
    pub fn figures(&self) -> CacheFigures {
        let state = self.0.state();
        CacheFigures {
            entries: state.entries.len(),
            ..state.figures
        }
    }
}

/// Keys of the cache among all that the hints keep.
fn shared_key(key: &str) -> String {
    format!("cache:{key}")
}

impl Values {
    pub(super) fn new(
        settings: CacheSettings,
        clock: ReadClock,
        freshness: watch::Receiver<Freshness>,
    ) -> Self {
        Self {
            settings,
            clock,
            freshness,
            state: Mutex::default(),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        self.settings.name
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn freshness(&self) -> Freshness {
        *self.freshness.borrow()
    }

    async fn find(&self, key: &str) -> Option<Arc<[u8]>> {
        match &self.settings.tier {
            Tier::Memory => {
                let now = (self.clock)().boot;
                let ttl = self.freshness().bound(self.settings.ttl);
                let state = self.state();
                let entry = state.entries.get(key)?;
                let age = Duration::from_nanos(now.0.saturating_sub(entry.filled.0));
                (age < ttl).then(|| Arc::clone(&entry.value))
            }
            // How old a shared value is nobody knows: it counts only while invalidations arrive.
            Tier::Shared(_) if self.freshness() != Freshness::Live => None,
            Tier::Shared(hints) => hints.recall(&shared_key(key)).await.ok()?.map(Arc::from),
        }
    }

    /// Whether it is kept.
    async fn fill(&self, key: &str, value: &Arc<[u8]>, version: u64) -> bool {
        let now = (self.clock)().boot;
        {
            let mut state = self.state();
            if !state.fills.may_keep(key, version) {
                state.figures.overtaken += 1;
                return false;
            }
            if let Tier::Memory = self.settings.tier {
                state.make_room(self.settings.entries_max, now, self.settings.ttl);
                let value = Arc::clone(value);
                state.entries.insert(key.to_owned(), Entry { value, filled: now });
                return true;
            }
        }
        let Tier::Shared(hints) = &self.settings.tier else {
            return false;
        };
        let ttl = self.freshness().bound(self.settings.ttl);
        let kept = hints.keep(&shared_key(key), value, ttl).await;
        // An invalidation may have passed on its way there: then what was kept is what it meant.
        let overtaken = !self.state().fills.may_keep(key, version);
        if kept.is_ok() && overtaken {
            self.state().figures.overtaken += 1;
            let _lapses = hints.forget(&shared_key(&glob::escape(key))).await;
        }
        kept.is_ok() && !overtaken
    }

    pub(super) async fn cleared(&self, patterns: &[String]) -> u64 {
        let mut cleared = {
            let mut state = self.state();
            state.fills.cleared(patterns);
            let before = state.entries.len();
            let named = |key: &str| patterns.iter().any(|pattern| glob::matches(pattern, key));
            state.entries.retain(|key, _| !named(key));
            (before - state.entries.len()) as u64
        };
        if let Tier::Shared(hints) = &self.settings.tier {
            for pattern in patterns {
                // While they are away nobody reads what they keep, and when they are back, it was all cleared.
                cleared += hints.forget(&shared_key(pattern)).await.unwrap_or(0);
            }
        }
        self.state().figures.cleared += cleared;
        cleared
    }

    pub(super) async fn flushed(&self) {
        {
            let mut state = self.state();
            state.fills.flushed();
            state.figures.cleared += state.entries.len() as u64;
            state.entries.clear();
        }
        if let Tier::Shared(hints) = &self.settings.tier {
            let _away_or_done = hints.forget(&shared_key("*")).await;
        }
    }
}

impl State {
    /// For one more than there are: first at the cost of what has lapsed, then of anything.
    fn make_room(&mut self, most: usize, now: BootTime, ttl: Duration) {
        if self.entries.len() < most.max(1) {
            return;
        }
        let ttl = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX);
        self.entries
            .retain(|_, entry| now.0.saturating_sub(entry.filled.0) < ttl);
        if self.entries.len() < most.max(1) {
            return;
        }
        // A quarter at once, so that a full cache is not swept at each fill.
        let surplus = (most / 4).max(1);
        let victims: Vec<String> = self.entries.keys().take(surplus).cloned().collect();
        for key in victims {
            self.entries.remove(&key);
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("figures", &self.figures())
            .finish_non_exhaustive()
    }
}
