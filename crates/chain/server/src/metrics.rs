//! What the chain shows at `/metrics`: the head, the pool, the doors, and how long methods take.

use crate::consensus::Shared;
use crate::listen::Speaks;
use crate::node::Node;
use purlin_chain_core::agreement::Failure;
use purlin_telemetry::metrics::{Collector, Encoder, Histogram, LATENCY_BOUNDS, Unit};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Times and counts of JSON-RPC. The methods are those this node serves, and `other` for every other name.
#[derive(Debug)]
pub(crate) struct RpcMetrics {
    names: Vec<&'static str>,
    places: HashMap<&'static str, usize>,
    methods: Vec<Mutex<MethodCounts>>,
    open: Arc<[AtomicU64; 2]>,
    refused: AtomicU64,
    limited: AtomicU64,
}

#[derive(Debug, Clone)]
struct MethodCounts {
    time: Histogram,
    errors: u64,
}

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Open {
    counts: Arc<[AtomicU64; 2]>,
    place: usize,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.counts[self.place].fetch_sub(1, Ordering::Relaxed);
    }
}

impl RpcMetrics {
    pub(crate) fn new(methods: impl Iterator<Item = &'static str>) -> Self {
        let mut names: Vec<_> = methods.collect();
        names.push("other");
        let empty = || MethodCounts {
            time: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
            errors: 0,
        };
        Self {
            places: names.iter().copied().zip(0..).collect(),
            methods: names.iter().map(|_| Mutex::new(empty())).collect(),
            names,
            open: Arc::default(),
            refused: AtomicU64::new(0),
            limited: AtomicU64::new(0),
        }
    }

    /// The place of a method's counts.
    pub(crate) fn method(&self, name: &str) -> usize {
        self.places.get(name).copied().unwrap_or(self.names.len() - 1)
    }

    pub(crate) fn answered(&self, method: usize, took: Duration, error: Option<i32>) {
        let mut counts = self.methods[method]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts
            .time
            .record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        counts.errors += u64::from(error.is_some());
    }

    pub(crate) fn opened(&self, speaks: Speaks) -> Option<Open> {
        // A WebSocket's TCP connection is counted once it is one: see `upgraded`.
        (speaks == Speaks::Http).then(|| self.open(0))
    }

    pub(crate) fn upgraded(&self) -> Open {
        self.open(1)
    }

    fn open(&self, place: usize) -> Open {
        self.open[place].fetch_add(1, Ordering::Relaxed);
        Open {
            counts: Arc::clone(&self.open),
            place,
        }
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn limited(&self) {
        self.limited.fetch_add(1, Ordering::Relaxed);
    }

    fn collect(&self, encoder: &mut Encoder) {
        let counts = |at: usize| {
            self.methods[at]
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        };
        let asked: Vec<_> = (0..self.names.len())
            .map(|at| (self.names[at], counts(at)))
            .filter(|(_, counts)| counts.time.count() > 0)
            .collect();
        let mut times = encoder.histogram(
            "purlin_chain_rpc_seconds",
            "JSON-RPC: from request to answer, by method.",
        );
        for (name, counts) in &asked {
            times.histogram(&[("method", name)], &counts.time);
        }
        let mut errors = encoder.counter(
            "purlin_chain_rpc_errors_total",
            "JSON-RPC answers that are errors, by method.",
        );
        for (name, counts) in &asked {
            errors.count(&[("method", name)], counts.errors);
        }
        let mut open = encoder.gauge("purlin_chain_rpc_connections", "Open connections of JSON-RPC.");
        for (place, kind) in ["http", "ws"].into_iter().enumerate() {
            open.count(&[("kind", kind)], self.open[place].load(Ordering::Relaxed));
        }
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        encoder
            .counter(
                "purlin_chain_rpc_connections_refused_total",
                "Connections closed for lack of room.",
            )
            .count(&[], load(&self.refused));
        encoder
            .counter(
                "purlin_chain_rpc_limited_total",
                "Requests refused because their client asks too often.",
            )
            .count(&[], load(&self.limited));
    }
}

/// Shows the chain; register it once.
#[derive(Debug, Clone)]
pub struct ChainMetrics(pub(crate) Arc<Node>);

impl Collector for ChainMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        let node = &self.0;
        let head = node.head();
        let header = &head.header;
        let gauges = [
            (
                "purlin_chain_block_number",
                "Number of the head.",
                header.number as f64,
            ),
            (
                "purlin_chain_block_timestamp_seconds",
                "Time of the head, since 1970.",
                header.timestamp as f64,
            ),
            (
                "purlin_chain_block_gas_used",
                "Gas that the head used.",
                header.gas_used as f64,
            ),
            (
                "purlin_chain_block_gas_limit",
                "Gas that the head might have used.",
                header.gas_limit as f64,
            ),
            (
                "purlin_chain_base_fee_wei",
                "Base fee of the head.",
                header.base_fee_per_gas.unwrap_or_default() as f64,
            ),
        ];
        for (name, help, value) in gauges {
            encoder.gauge(name, help).value(&[], value);
        }
        let quota = node.storage.quota();
        encoder
            .gauge(
                "purlin_chain_storage_bytes",
                "What the chain's directory takes of the disk.",
            )
            .count(&[], quota.used());
        if let Some(limit) = quota.limit() {
            encoder
                .gauge("purlin_chain_storage_max_bytes", "What it may take of it.")
                .count(&[], limit);
        }
        let sizes = node.pool_sizes();
        let mut pool = encoder.gauge(
            "purlin_chain_pool_transactions",
            "Transactions that wait, by what they wait for.",
        );
        pool.count(&[("state", "pending")], sizes.pending as u64);
        pool.count(&[("state", "queued")], sizes.queued as u64);
        for (name, help, value) in node.counts.each() {
            encoder.counter(name, help).count(&[], value);
        }
        encoder
            .gauge("purlin_chain_filters", "Installed filters.")
            .count(&[], node.filters.len() as u64);
        if let Some(consensus) = node.consensus() {
            agreement(&consensus, encoder);
        }
        node.rpc.collect(encoder);
    }
}

/// How the node stands among the others.
fn agreement(consensus: &Shared, encoder: &mut Encoder) {
    let standing = consensus.standing();
    let gauges = [
        (
            "purlin_chain_peers",
            "Connected nodes of the chain.",
            consensus.peers().len() as u64,
        ),
        (
            "purlin_chain_consensus_height",
            "The height that is being decided.",
            standing.height,
        ),
        (
            "purlin_chain_consensus_round",
            "The round it is in; above 0 a proposer was slow or down.",
            u64::from(standing.round),
        ),
        (
            "purlin_chain_behind_blocks",
            "Blocks behind the best head that a peer told.",
            standing.behind.unwrap_or(0),
        ),
        (
            "purlin_chain_consensus_stopped",
            "1 while the engine stands still after a failure.",
            u64::from(consensus.trouble().is_some()),
        ),
    ];
    for (name, help, value) in gauges.into_iter().chain(consensus.gauges()) {
        encoder.gauge(name, help).count(&[], value);
    }
    let counts = [
        (
            "purlin_chain_consensus_decided_total",
            "Heights decided by votes that this node counted.",
            standing.decided_total,
        ),
        (
            "purlin_chain_consensus_synced_total",
            "Heights taken from peers with their certificates.",
            standing.synced_total,
        ),
        (
            "purlin_chain_consensus_rounds_total",
            "Rounds begun.",
            standing.rounds_total,
        ),
        (
            "purlin_chain_consensus_equivocations_total",
            "Validators seen to sign two different things.",
            standing.equivocations_total,
        ),
        (
            "purlin_chain_consensus_bad_messages_total",
            "Messages and blocks of peers that were wrong.",
            standing.bad_messages_total,
        ),
    ];
    for (name, help, value) in counts {
        encoder.counter(name, help).count(&[], value);
    }
    rounds(consensus, encoder);
    if let Some(lap) = standing.last {
        encoder
            .gauge(
                "purlin_chain_consensus_last_seconds",
                "How long the last height took here, from its start to the decision.",
            )
            .value(&[], lap.whole.as_secs_f64());
    }
}

/// How long heights take, why rounds fail, and how each validator keeps up.
fn rounds(consensus: &Shared, encoder: &mut Encoder) {
    let counts = consensus.agreement().counts();
    encoder
        .histogram(
            "purlin_chain_consensus_height_seconds",
            "From the beginning of a height here to its decision.",
        )
        .histogram(&[], &counts.heights);
    let mut failed = encoder.counter(
        "purlin_chain_consensus_rounds_failed_total",
        "Rounds that ended without a block, by reason.",
    );
    for (reason, count) in Failure::WORDS.into_iter().zip(counts.failed) {
        failed.count(&[("reason", reason)], count);
    }
    // The set has a hundred validators at most.
    let validators: Vec<_> = consensus.agreement().summary().validators;
    let named: Vec<_> = validators
        .iter()
        .map(|one| (one.validator.to_string(), one))
        .collect();
    let mut late = encoder.gauge(
        "purlin_chain_validator_late_seconds",
        "By how much half of a validator's votes came after the first, over the last 512 heights.",
    );
    for (name, figures) in &named {
        if let Some(spread) = figures.late {
            late.value(&[("validator", name)], spread.p50.as_secs_f64());
        }
    }
    let mut missed = encoder.gauge(
        "purlin_chain_validator_missed_ratio",
        "Share of the last 512 heights without any vote of a validator.",
    );
    for (name, figures) in named.iter().filter(|(_, figures)| figures.counted > 0) {
        missed.value(
            &[("validator", name)],
            figures.missed as f64 / figures.counted as f64,
        );
    }
}
