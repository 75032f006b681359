//! What a packet thread counts beside the decisions: batches, calls, waits.

use purlin_netio::{BATCH, SendReport};
use purlin_telemetry::metrics::{Histogram, LATENCY_BOUNDS, Unit};
use std::time::Duration;

/// Bounds for one decision of the core, in nanoseconds.
static STEP_BOUNDS: &[u64] = &[
    250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 250_000, 1_000_000,
];
static BATCH_BOUNDS: &[u64] = &[1, 2, 4, 8, 16, 32, BATCH as u64 - 1, BATCH as u64];

/// Counts since the start of the thread.
#[derive(Debug, Clone)]
pub struct ShellCounters {
    /// Datagrams taken from sockets.
    pub datagrams: u64,
    /// Longer than any DHCP message may be; not looked at.
    pub truncated: u64,
    /// Broadcasts heard by a socket that is no local segment's; not looked at.
    pub foreign_broadcasts: u64,
    /// Passed to the thread that owns their network.
    pub handed_over: u64,
    /// Lost on that way because the owner's queue was full.
    pub handed_over_lost: u64,
    /// Given to the node that holds their slot.
    pub forwarded: u64,
    /// Not given: that node is not known, or not to be reached from where the packet came.
    pub forwarded_lost: u64,
    /// From no node of this cluster, though they came to the port for its nodes.
    pub strangers: u64,
    pub receive_calls: u64,
    pub poll_calls: u64,
    pub sent: SendReport,
    /// Replies not sent because what they promise could not be recorded.
    pub withheld: u64,
    /// Times reading stopped because the ring of parked replies was full.
    pub parked_full: u64,
    /// Frames and octets appended to the journal.
    pub frames: u64,
    pub frame_octets: u64,
    pub checkpoints: u64,
    pub probes: u64,
    /// Probes that could not be sent or had no room.
    pub probes_failed: u64,
    /// Probes that nothing else was read beside.
    pub probe_waits: u64,
    /// From receiving a batch to having sent the OFFERs in it.
    pub offer_time: Histogram,
    /// From receiving a batch to having sent a reply that waited for the disk.
    pub commit_time: Histogram,
    /// One decision of the core; one packet in 64 is timed.
    pub step_time: Histogram,
    /// Datagrams per receive call that brought any.
    pub batch_size: Histogram,
    /// Packets whose records are in one frame of the journal.
    pub commit_size: Histogram,
}

impl Default for ShellCounters {
    fn default() -> Self {
        Self {
            datagrams: 0,
            truncated: 0,
            foreign_broadcasts: 0,
            handed_over: 0,
            handed_over_lost: 0,
            forwarded: 0,
            forwarded_lost: 0,
            strangers: 0,
            receive_calls: 0,
            poll_calls: 0,
            sent: SendReport::default(),
            withheld: 0,
            parked_full: 0,
            frames: 0,
            frame_octets: 0,
            checkpoints: 0,
            probes: 0,
            probes_failed: 0,
            probe_waits: 0,
            offer_time: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
            commit_time: Histogram::new(Unit::Nanoseconds, LATENCY_BOUNDS),
            step_time: Histogram::new(Unit::Nanoseconds, STEP_BOUNDS),
            batch_size: Histogram::new(Unit::Count, BATCH_BOUNDS),
            commit_size: Histogram::new(Unit::Count, BATCH_BOUNDS),
        }
    }
}

impl ShellCounters {
    pub(super) fn batch(&mut self, size: usize) {
        self.receive_calls += 1;
        self.datagrams += size as u64;
        if size > 0 {
            self.batch_size.record(size as u64);
        }
    }

    pub(super) fn commit(&mut self, operations: usize, octets: usize) {
        self.frames += 1;
        self.frame_octets += octets as u64;
        self.commit_size.record(operations as u64);
    }
}

/// Records one duration `times` times.
pub(super) fn record(histogram: &mut Histogram, duration: Duration, times: u64) {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    (0..times).for_each(|_| histogram.record(nanos));
}
