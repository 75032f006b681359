//! What the service shows at `/metrics`, from copies that the packet threads leave once a second.

mod files;

use crate::worker::ShellCounters;
use purlin_telemetry::metrics::{Collector, Encoder};
use purlin_tftp_core::{Counters, reasons};
use purlin_tftp_files::Library;
use std::sync::{Arc, Mutex, PoisonError};

/// A packet thread's counts as it last left them.
#[derive(Debug, Clone, Default)]
pub struct ThreadReport {
    pub core: Counters,
    pub shell: ShellCounters,
    /// Open transfers.
    pub transfers: usize,
}

/// Shows all threads' reports and the cache; register it once.
#[derive(Debug, Clone)]
pub struct TftpMetrics {
    reports: Arc<[Mutex<ThreadReport>]>,
    tree: Library,
}

impl TftpMetrics {
    pub(crate) fn new(reports: Arc<[Mutex<ThreadReport>]>, tree: Library) -> Self {
        Self { reports, tree }
    }

    /// Of all threads: requests since the start.
    #[must_use]
    pub fn requests(&self) -> u64 {
        let of = |report: &Mutex<ThreadReport>| {
            report
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .core
                .requests
        };
        self.reports.iter().map(of).sum()
    }
}

impl Collector for TftpMetrics {
    fn collect(&self, encoder: &mut Encoder) {
        for report in self.reports.iter() {
            let report = report.lock().unwrap_or_else(PoisonError::into_inner).clone();
            transfers(encoder, &report);
            sockets(encoder, &report.shell);
        }
        let stats = self.tree.stats();
        files::held(encoder, &stats);
        files::found(encoder, &stats);
        files::disk(encoder, &stats);
        files::waits(encoder, &stats);
    }
}

fn transfers(encoder: &mut Encoder, report: &ThreadReport) {
    encoder
        .gauge("purlin_tftp_connections", "Open transfers.")
        .count(&[], report.transfers as u64);
    let core = &report.core;
    let mut ended = encoder.counter(
        "purlin_tftp_decisions_total",
        "Requests and transfers by how they ended; see purlin explain.",
    );
    for (code, count) in core.reasons() {
        let slug = reasons::reason(code).map_or("unknown", |reason| reason.slug);
        ended.count(&[("reason", slug)], count);
    }
    let counts = [
        (
            "purlin_tftp_requests_total",
            "Read and write requests, repeated ones included.",
            core.requests,
        ),
        (
            "purlin_tftp_throughput_octets_total",
            "Octets of files sent, retransmissions not counted.",
            core.octets_sent,
        ),
        (
            "purlin_tftp_upload_octets_total",
            "Octets of files received.",
            core.octets_received,
        ),
        (
            "purlin_tftp_blocks_total",
            "DATA packets sent, retransmissions included.",
            core.blocks_sent,
        ),
        (
            "purlin_tftp_retransmitted_blocks_total",
            "DATA packets sent again.",
            core.blocks_again,
        ),
    ];
    for (name, help, count) in counts {
        encoder.counter(name, help).count(&[], count);
    }
    let times = [
        (
            "purlin_tftp_first_block_latency_seconds",
            "From a request to its first DATA or OACK.",
            &core.first_block_time,
        ),
        (
            "purlin_tftp_transfer_latency_seconds",
            "From a request to the last ACK.",
            &core.transfer_time,
        ),
    ];
    for (name, help, histogram) in times {
        encoder.histogram(name, help).histogram(&[], histogram);
    }
}

fn sockets(encoder: &mut Encoder, shell: &ShellCounters) {
    let counts = [
        (
            "purlin_tftp_datagrams_received_total",
            "Datagrams taken from sockets.",
            shell.datagrams,
        ),
        (
            "purlin_tftp_received_octets_total",
            "Octets in them.",
            shell.octets_received,
        ),
        (
            "purlin_tftp_datagrams_sent_total",
            "Datagrams sent.",
            shell.sent.sent,
        ),
        (
            "purlin_tftp_sent_octets_total",
            "Octets in them.",
            shell.octets_sent,
        ),
        (
            "purlin_tftp_recalled_total",
            "Requests answered from memory, without a look at the disk.",
            shell.recalled,
        ),
        (
            "purlin_tftp_stalls_total",
            "Windows that waited for content to be read.",
            shell.stalls,
        ),
        (
            "purlin_tftp_own_port_failures_total",
            "Transfers that went on from the listening port because none of tftp.ports was to be had.",
            shell.own_port_failures,
        ),
    ];
    for (name, help, count) in counts {
        encoder.counter(name, help).count(&[], count);
    }
    let mut lost = encoder.counter(
        "purlin_tftp_datagrams_lost_total",
        "Datagrams that did not leave: refused by the kernel, or no room.",
    );
    lost.count(&[("reason", "refused")], shell.sent.failed);
    lost.count(&[("reason", "full")], shell.sent.blocked);
    let mut calls = encoder.counter(
        "purlin_tftp_syscalls_total",
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

/// Counters without labels: name, help and value.
fn counts(encoder: &mut Encoder, counts: &[(&'static str, &'static str, u64)]) {
    for (name, help, count) in counts {
        encoder.counter(name, help).count(&[], *count);
    }
}
