//! What listeners counted before any request was theirs.

use purlin_telemetry::metrics::{Collector, Encoder};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one set of listeners; a scrape tells them under its name.
#[derive(Debug, Default)]
pub struct Tally {
    name: &'static str,
    full: AtomicU64,
    crowded: AtomicU64,
    garbled: AtomicU64,
    handshakes: AtomicU64,
}

impl Tally {
    /// Nothing counted yet; `name` is the value of the label `listeners`.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// Connections refused at once because as many as may be were open.
    #[must_use]
    pub fn full(&self) -> u64 {
        self.full.load(Ordering::Relaxed)
    }

    /// Connections refused at once because their address had as many as one may have.
    #[must_use]
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Requests that were refused before they had a path: no HTTP, or too long a head.
    #[must_use]
    pub fn garbled(&self) -> u64 {
        self.garbled.load(Ordering::Relaxed)
    }

    /// TLS connections that did not come to be.
    #[must_use]
    pub fn handshakes(&self) -> u64 {
        self.handshakes.load(Ordering::Relaxed)
    }

    pub(super) fn failed_handshake(&self) {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused_garbled(&self) {
        self.garbled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed_crowded(&self) {
        self.crowded.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed_full(&self) {
        self.full.fetch_add(1, Ordering::Relaxed);
    }
}

impl Collector for Tally {
    fn collect(&self, encoder: &mut Encoder) {
        let listeners = [("listeners", self.name)];
        encoder
            .counter(
                "purlin_http_connections_refused_total",
                "Connections refused at once because as many as may be were open.",
            )
            .count(&listeners, self.full());
        encoder
            .counter(
                "purlin_http_connections_crowded_total",
                "Connections refused at once because their address had as many open as one may have.",
            )
            .count(&listeners, self.crowded());
        encoder
            .counter(
                "purlin_http_requests_garbled_total",
                "Requests refused with 400, 414 or 431 before they had a path: no HTTP, or too long a head.",
            )
            .count(&listeners, self.garbled());
        encoder
            .counter(
                "purlin_http_handshakes_failed_total",
                "TLS connections that did not come to be: nothing in common, a certificate that the client does not trust, no TLS.",
            )
            .count(&listeners, self.handshakes());
    }
}
