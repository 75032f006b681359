//! Metrics of locks, sessions and caches, under the names of the scaling guide for `ovncp`.

use crate::cache::InvalidationBus;
use crate::locks::LockManager;
use crate::sessions::{Odd, SessionStore};
use purlin_fabric::invalidate::Freshness;
use purlin_telemetry::metrics::{Collector, Encoder};
use purlin_types::NodeId;

const STATES: [Freshness; 3] = [Freshness::Live, Freshness::Polling, Freshness::Blind];

/// Shows one node's share; register it once.
#[derive(Debug, Clone)]
pub struct SharedWork {
    pub node: NodeId,
    pub locks: LockManager,
    pub sessions: SessionStore,
    pub bus: InvalidationBus,
}

impl Collector for SharedWork {
    fn collect(&self, encoder: &mut Encoder) {
        self.locks(encoder);
        self.sessions(encoder);
        self.caches(encoder);
    }
}

impl SharedWork {
    fn locks(&self, encoder: &mut Encoder) {
        let node = [("node_id", self.node.as_str())];
        let mut figures = self.locks.figures();
        let now = self.locks.now();
        encoder
            .counter(
                "ovncp_distributed_locks_acquired_total",
                "Locks taken by this node.",
            )
            .value(&node, figures.acquired as f64);
        encoder
            .gauge("ovncp_distributed_locks_held", "Locks held by this node.")
            .value(&node, figures.held as f64);
        encoder
            .summary(
                "ovncp_distributed_lock_wait_seconds",
                "How long this node waited for locks that it got.",
            )
            .summary(&node, figures.wait.summary(now));
        let mut refused = encoder.counter("purlin_locks_refused_total", "Locks given up unacquired.");
        refused.value(&[("reason", "busy")], figures.busy as f64);
        refused.value(&[("reason", "away")], figures.away as f64);
        encoder
            .counter(
                "purlin_locks_lost_total",
                "Locks lost while held: lapsed, taken or held too long.",
            )
            .value(&[], figures.lost as f64);
    }

    fn sessions(&self, encoder: &mut Encoder) {
        let me = self.node.as_str();
        let node = [("node_id", me)];
        let figures = self.sessions.figures();
        let (open, _) = self.sessions.count(std::time::Duration::ZERO);
        encoder
            .counter(
                "ovncp_sessions_total",
                "Sessions registered on this node since its start.",
            )
            .value(&node, figures.registered as f64);
        encoder
            .gauge("ovncp_sessions_active", "Sessions that live on this node.")
            .value(&node, open as f64);
        let mut moved = encoder.counter(
            "ovncp_session_migrations_total",
            "Sessions that moved to this node.",
        );
        for (from, count) in self.sessions.migrations() {
            moved.value(&[("from", &from), ("to", me)], count as f64);
        }
        encoder
            .counter("purlin_session_sweeps_total", "Sweeps for lapsed sessions.")
            .value(&[], figures.sweeps as f64);
        encoder
            .counter(
                "purlin_sessions_swept_total",
                "Sessions that a sweep found lapsed.",
            )
            .value(&[], figures.swept as f64);
        encoder
            .counter(
                "purlin_session_gaps_total",
                "Clients that came back and were told that events are gone.",
            )
            .value(&[], figures.gaps as f64);
        let mut odd = encoder.counter(
            "purlin_session_oddities_total",
            "Clients of sessions that came to the wrong node, or with what is not theirs or not good any more.",
        );
        for kind in Odd::ALL {
            odd.value(&[("kind", kind.as_str())], self.sessions.noted(kind) as f64);
        }
    }

    fn caches(&self, encoder: &mut Encoder) {
        let node = [("node_id", self.node.as_str())];
        let mut figures = self.bus.figures();
        let now = self.bus.now();
        encoder
            .counter(
                "ovncp_cache_invalidation_events_total",
                "Invalidations published by or heard on this node.",
            )
            .value(&node, (figures.published + figures.heard) as f64);
        encoder
            .summary(
                "ovncp_cache_invalidation_latency_seconds",
                "From the announcement to its clearing here.",
            )
            .summary(&node, figures.latency.summary(now));
        encoder
            .counter(
                "purlin_cache_flushes_total",
                "Times everything cached was dropped.",
            )
            .value(&[], figures.flushes as f64);
        let caches = self.bus.caches();
        let mut asked = encoder.counter("purlin_cache_lookups_total", "Values asked for, by cache.");
        for (cache, figures) in &caches {
            asked.value(&[("cache", cache), ("result", "hit")], figures.hits as f64);
            asked.value(&[("cache", cache), ("result", "miss")], figures.misses as f64);
        }
        let mut entries = encoder.gauge("purlin_cache_entries", "Values kept, by cache.");
        for (cache, figures) in &caches {
            entries.value(&[("cache", cache)], figures.entries as f64);
        }
        let fresh = self.bus.freshness();
        let mut state = encoder.gauge(
            "purlin_cache_freshness",
            "1 for how far caches may be trusted now.",
        );
        for one in STATES {
            state.value(&[("state", one.as_str())], f64::from(u8::from(one == fresh)));
        }
    }
}
