//! What every piece of content needs to be loaded: threads, room, counters, and the list of what is open.

use crate::content::Content;
use crate::pool::Pool;
use crate::resolve::Identity;
use crate::ring::Ring;
use crate::stats::Counters;
use hashbrown::HashMap;
use purlin_tftp_core::settings::{Cache, Io};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// Without the cache there is still a working set: what transfers that run right now have in common.
const WORKING_SET: u64 = 16 << 20;

type Open = HashMap<Identity, Weak<Content>, foldhash::fast::RandomState>;

#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) pool: Pool,
    pub(crate) ring: Ring,
    pub(crate) counters: Counters,
    read_ahead: AtomicU64,
    direct: AtomicBool,
    direct_refused: OnceLock<&'static str>,
    /// One content per file, whatever names lead to it.
    open: Mutex<Open>,
}

impl Machine {
    pub(crate) fn new(cache: &Cache, io: &Io) -> Arc<Self> {
        Arc::new(Self {
            pool: Pool::new(io.threads, io.asynchronous),
            ring: Ring::new(octets_max(cache)),
            counters: Counters::default(),
            read_ahead: AtomicU64::new(io.read_ahead.0),
            direct: AtomicBool::new(io.direct),
            direct_refused: OnceLock::new(),
            open: Mutex::default(),
        })
    }

    pub(crate) fn apply(&self, cache: &Cache, io: &Io) {
        self.pool.resize(io.threads);
        self.pool.set_asynchronous(io.asynchronous);
        self.ring.set_cap(octets_max(cache));
        self.ring.make_room(&self.counters.evictions);
        self.read_ahead.store(io.read_ahead.0, Ordering::Relaxed);
        self.direct.store(io.direct, Ordering::Relaxed);
    }

    pub(crate) fn read_ahead(&self) -> u64 {
        self.read_ahead.load(Ordering::Relaxed)
    }

    pub(crate) fn direct(&self) -> bool {
        self.direct.load(Ordering::Relaxed)
    }

    pub(crate) fn refuse_direct(&self, why: &'static str) {
        let _ = self.direct_refused.set(why);
    }

    pub(crate) fn direct_refused(&self) -> Option<&'static str> {
        self.direct_refused.get().copied().filter(|_| self.direct())
    }

    /// The content of a file in exactly this state, if someone has it open.
    pub(crate) fn known(&self, identity: &Identity) -> Option<Arc<Content>> {
        self.open()
            .get(identity)
            .and_then(Weak::upgrade)
            .filter(|content| !content.is_stale())
    }

    pub(crate) fn remember(&self, identity: Identity, content: &Arc<Content>) {
        self.open().insert(identity, Arc::downgrade(content));
    }

    /// Called when the last holder of a content is gone.
    pub(crate) fn forget(&self, identity: &Identity) {
        let mut open = self.open();
        if open
            .get(identity)
            .is_some_and(|content| content.strong_count() == 0)
        {
            open.remove(identity);
        }
    }

    /// All open content; holders are taken outside of the lock, since dropping one comes back here.
    pub(crate) fn contents(&self) -> Vec<Weak<Content>> {
        self.open().values().cloned().collect()
    }

    pub(crate) fn files(&self) -> usize {
        self.open().len()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What may be held: never more than three quarters of the memory there is.
fn octets_max(cache: &Cache) -> u64 {
    if !cache.enabled {
        return WORKING_SET;
    }
    let memory = memory();
    let asked = cache.size_max.map_or(memory / 4, |size| size.0);
    asked.min(memory / 4 * 3)
}

/// Octets of memory this process may use: the machine's, or those of its control group.
fn memory() -> u64 {
    let machine = rustix::system::sysinfo();
    let unit = u64::from(machine.mem_unit.max(1));
    #[allow(
        clippy::useless_conversion,
        reason = "the field is as wide as the machine's words"
    )]
    let machine = u64::from(machine.totalram).saturating_mul(unit);
    let group = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let group = group
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(u64::MAX);
    machine.min(group)
}
