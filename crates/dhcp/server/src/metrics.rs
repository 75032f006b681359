//! What the service shows at `/metrics`, from copies that the packet threads leave once a second.

use crate::worker::ShellCounters;
use purlin_dhcp_core::view::SubnetUse;
use purlin_dhcp_core::{Counters, reasons};
use purlin_netio::SendReport;
use purlin_telemetry::metrics::{Collector, Encoder};
use std::sync::{Arc, Mutex, PoisonError};

/// Subnets shown by name; more are summed under `other`.
const SUBNET_SERIES_MAX: usize = 5000;
/// Pools shown by range, the same way.
const POOL_SERIES_MAX: usize = 5000;

/// A packet thread's counts as it last left them.
#[derive(Debug, Clone, Default)]
pub struct ThreadReport {
    pub core: Counters,
    pub shell: ShellCounters,
    pub usage: Vec<SubnetUse>,
    /// Kinds of clients whose options were found encoded, and those for whom they were encoded anew.
    pub templates: (u64, u64),
    /// Replies waiting for the disk.
    pub parked: usize,
    /// What is held back after a restore from a backup.
    pub hold: Option<purlin_dhcp_core::HoldView>,
    /// Frames appended and not yet durable.
    pub journal_lag: u64,
}

/// Shows all threads' reports; register it once.
#[derive(Debug, Clone)]
pub struct DhcpMetrics(pub(crate) Arc<[Mutex<ThreadReport>]>);

impl DhcpMetrics {
    /// Of all threads: DHCP messages received since the start.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.sum(|report| report.core.received.iter().sum())
    }

    /// Of all threads: leases bound now, in the slots of this node.
    #[must_use]
    pub fn bound(&self) -> u64 {
        self.sum(|report| report.usage.iter().map(|used| used.bound).sum())
    }

    fn sum(&self, of: impl Fn(&ThreadReport) -> u64) -> u64 {
        let reports = self.0.iter();
        reports
            .map(|report| of(&report.lock().unwrap_or_else(PoisonError::into_inner)))
            .sum()
    }

    /// Of all threads: what became of replies since the start.
    #[must_use]
    pub fn replies(&self) -> SendReport {
        let mut sum = SendReport::default();
        for report in self.0.iter() {
            sum += report.lock().unwrap_or_else(PoisonError::into_inner).shell.sent;
        }
        sum
    }
}

impl Collector for DhcpMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        for report in self.0.iter() {
            let report = report.lock().unwrap_or_else(PoisonError::into_inner).clone();
            packets(encoder, &report.core);
            templates(encoder, report.templates);
            leases(encoder, &report.usage);
            sockets(encoder, &report.shell);
            elsewhere(encoder, &report.shell);
            journal(encoder, &report);
            times(encoder, &report.shell);
        }
    }
}

fn packets(encoder: &mut Encoder, core: &Counters) {
    let mut received = encoder.counter(
        "purlin_dhcp_packets_received_total",
        "DHCP messages received, by type.",
    );
    for (kind, count) in core.received.iter().enumerate() {
        received.count(&[("type", type_name(kind))], *count);
    }
    let mut sent = encoder.counter(
        "purlin_dhcp_packets_sent_total",
        "DHCP messages answered with, by type.",
    );
    for (kind, count) in core.sent.iter().enumerate() {
        sent.count(&[("type", type_name(kind))], *count);
    }
    let mut decisions = encoder.counter(
        "purlin_dhcp_decisions_total",
        "Decisions by reason; see purlin explain.",
    );
    for (code, count) in core.reasons() {
        let slug = reasons::reason(code).map_or("unknown", |reason| reason.slug);
        decisions.count(&[("reason", slug)], count);
    }
    encoder
        .counter(
            "purlin_dhcp_records_total",
            "Lease records written to the journal.",
        )
        .count(&[], core.records);
}

fn templates(encoder: &mut Encoder, (hits, misses): (u64, u64)) {
    let help = "Replies by whether their options were found encoded or had to be encoded.";
    let mut templates = encoder.counter("purlin_dhcp_templates_total", help);
    templates.count(&[("found", "hit")], hits);
    templates.count(&[("found", "miss")], misses);
}

fn leases(encoder: &mut Encoder, usage: &[SubnetUse]) {
    let help = "Addresses by state.";
    let mut leases = encoder
        .gauge("purlin_dhcp_leases", help)
        .budget(SUBNET_SERIES_MAX * 4);
    for subnet in usage {
        let states = [
            ("bound", subnet.bound),
            ("offered", subnet.offered),
            ("declined", subnet.declined),
            ("reusable", subnet.reusable),
        ];
        for (state, count) in states {
            leases.count(&[("subnet", &subnet.subnet), ("state", state)], count);
        }
    }
    let help = "Addresses in a subnet's pools.";
    let mut sizes = encoder
        .gauge("purlin_dhcp_pool_addresses", help)
        .budget(SUBNET_SERIES_MAX);
    for subnet in usage {
        sizes.count(&[("subnet", &subnet.subnet)], subnet.size);
    }
    pools(encoder, usage);
}

fn pools(encoder: &mut Encoder, usage: &[SubnetUse]) {
    let all = || {
        let each = |subnet: &'_ SubnetUse| {
            let name = subnet.subnet.clone();
            let pools = subnet.pools.clone().into_iter();
            pools.map(move |pool| (name.clone(), pool.range.to_string(), pool))
        };
        usage.iter().flat_map(each)
    };
    let help = "Addresses of a pool that are bound or declined.";
    let mut taken = encoder
        .gauge("purlin_dhcp_pool_taken", help)
        .budget(POOL_SERIES_MAX);
    for (subnet, range, pool) in all() {
        taken.count(&[("subnet", &subnet), ("pool", &range)], pool.taken());
    }
    let mut sizes = encoder
        .gauge("purlin_dhcp_pool_size", "Addresses of a pool.")
        .budget(POOL_SERIES_MAX);
    for (subnet, range, pool) in all() {
        sizes.count(&[("subnet", &subnet), ("pool", &range)], pool.range.count());
    }
}

fn sockets(encoder: &mut Encoder, shell: &ShellCounters) {
    let counts = [
        (
            "purlin_dhcp_datagrams_total",
            "Datagrams taken from sockets.",
            shell.datagrams,
        ),
        (
            "purlin_dhcp_truncated_total",
            "Datagrams longer than any DHCP message.",
            shell.truncated,
        ),
        (
            "purlin_dhcp_foreign_broadcasts_total",
            "Broadcasts heard where no local segment is served.",
            shell.foreign_broadcasts,
        ),
        (
            "purlin_dhcp_replies_withheld_total",
            "Replies not sent for want of a record.",
            shell.withheld,
        ),
        (
            "purlin_dhcp_probes_total",
            "Conflict probes before an offer.",
            shell.probes,
        ),
        (
            "purlin_dhcp_probes_failed_total",
            "Conflict probes that could not be sent.",
            shell.probes_failed,
        ),
        (
            "purlin_dhcp_probe_waits_total",
            "Conflict probes that nothing else was read beside.",
            shell.probe_waits,
        ),
    ];
    for (name, help, count) in counts {
        encoder.counter(name, help).count(&[], count);
    }
    let mut lost = encoder.counter(
        "purlin_dhcp_replies_lost_total",
        "Replies that did not leave: refused by the kernel, no room, or no hardware address.",
    );
    let reasons = [
        ("refused", shell.sent.failed),
        ("full", shell.sent.blocked),
        ("unresolved", shell.sent.unresolved),
    ];
    for (reason, count) in reasons {
        lost.count(&[("reason", reason)], count);
    }
    let mut calls = encoder.counter(
        "purlin_dhcp_syscalls_total",
        "System calls of the packet threads.",
    );
    let kinds = [
        ("receive", shell.receive_calls),
        ("send", shell.sent.calls),
        ("poll", shell.poll_calls),
    ];
    for (call, count) in kinds {
        calls.count(&[("call", call)], count);
    }
}

/// What other threads and nodes have to do with it.
fn elsewhere(encoder: &mut Encoder, shell: &ShellCounters) {
    let counts = [
        (
            "purlin_dhcp_handed_over_total",
            "Packets passed between packet threads.",
            shell.handed_over,
        ),
        (
            "purlin_dhcp_handed_over_lost_total",
            "Packets lost between packet threads.",
            shell.handed_over_lost,
        ),
        (
            "purlin_dhcp_forwarded_total",
            "Packets given to the node that holds their slot.",
            shell.forwarded,
        ),
        (
            "purlin_dhcp_forwarded_lost_total",
            "Packets about slots of a node that is not known or not reached.",
            shell.forwarded_lost,
        ),
        (
            "purlin_dhcp_peer_strangers_total",
            "Datagrams at the port for other nodes that no node of this cluster sealed.",
            shell.strangers,
        ),
    ];
    for (name, help, count) in counts {
        encoder.counter(name, help).count(&[], count);
    }
}

fn journal(encoder: &mut Encoder, report: &ThreadReport) {
    let shell = &report.shell;
    let counts = [
        (
            "purlin_dhcp_journal_frames_total",
            "Frames appended to the lease journal.",
            shell.frames,
        ),
        (
            "purlin_dhcp_journal_octets_total",
            "Octets of records in them.",
            shell.frame_octets,
        ),
        (
            "purlin_dhcp_journal_checkpoints_total",
            "Checkpoints of the leases.",
            shell.checkpoints,
        ),
        (
            "purlin_dhcp_parked_full_total",
            "Times reading stopped for replies that wait.",
            shell.parked_full,
        ),
    ];
    for (name, help, count) in counts {
        encoder.counter(name, help).count(&[], count);
    }
    let parked = report.parked as u64;
    encoder
        .gauge("purlin_dhcp_parked_replies", "Replies that wait for the disk.")
        .count(&[], parked);
    let lag = report.journal_lag;
    encoder
        .gauge(
            "purlin_dhcp_journal_lag_frames",
            "Frames appended and not yet durable.",
        )
        .count(&[], lag);
}

fn times(encoder: &mut Encoder, shell: &ShellCounters) {
    let histograms = [
        (
            "purlin_dhcp_offer_seconds",
            "From receiving a batch to having sent its OFFERs.",
            &shell.offer_time,
        ),
        (
            "purlin_dhcp_commit_seconds",
            "From receipt to a durable reply sent.",
            &shell.commit_time,
        ),
        (
            "purlin_dhcp_step_seconds",
            "One decision; one packet in 64 is timed.",
            &shell.step_time,
        ),
        (
            "purlin_dhcp_batch_datagrams",
            "Datagrams per receive call that brought any.",
            &shell.batch_size,
        ),
        (
            "purlin_dhcp_commit_packets",
            "Packets whose records are in one frame of the lease journal.",
            &shell.commit_size,
        ),
    ];
    for (name, help, histogram) in histograms {
        encoder.histogram(name, help).histogram(&[], histogram);
    }
}

/// Message types by name (RFC 2132, section 9.6, and later); 0 is BOOTP or unreadable.
fn type_name(kind: usize) -> &'static str {
    const NAMES: [&str; 19] = [
        "other",
        "discover",
        "offer",
        "request",
        "decline",
        "ack",
        "nak",
        "release",
        "inform",
        "forcerenew",
        "leasequery",
        "leaseunassigned",
        "leaseunknown",
        "leaseactive",
        "bulkleasequery",
        "leasequerydone",
        "activeleasequery",
        "leasequerystatus",
        "tls",
    ];
    NAMES.get(kind).copied().unwrap_or("other")
}
