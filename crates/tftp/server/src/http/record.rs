//! What became of HTTP requests, in the same records as TFTP's transfers.

use super::body::Lost;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use purlin_api::serve::HandshakeFailure;
use purlin_netio::now;
use purlin_telemetry::ReasonCode;
use purlin_telemetry::decision::{DecisionRing, Outcome, Page};
use purlin_telemetry::metrics::{Collector, Encoder};
use purlin_tftp_core::template::MarkName;
use purlin_tftp_core::{BootRecord, HttpMethod, RecordQuery, Stray, Told, reasons};
use purlin_types::BootTime;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The last requests, and how many there were. Shared by all connections.
#[derive(Debug)]
pub struct HttpRecords {
    ring: Mutex<DecisionRing<BootRecord>>,
    requests: AtomicU64,
    octets: AtomicU64,
    /// Answers by the hundreds of their status.
    answers: [AtomicU64; 5],
}

impl HttpRecords {
    /// Keeps `capacity` records.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::new(DecisionRing::new(capacity)),
            requests: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            answers: Default::default(),
        }
    }

    /// The newest records wanted, oldest first.
    #[must_use]
    pub fn newest(&self, query: &RecordQuery) -> Vec<Told> {
        let found = self.ring().newest(query.limit, |record| query.fits(record));
        found.into_iter().map(Told::of).collect()
    }

    /// A look back before number `bound`.
    #[must_use]
    pub fn before(&self, bound: Option<u64>, query: &RecordQuery) -> Page<BootRecord> {
        self.ring()
            .before(bound, query.limit, |record| query.fits(record))
    }

    /// Records from `seq` on, the number to go on with, and how many had gone already. Without a number it begins
    /// with what comes next.
    #[must_use]
    pub fn since(&self, seq: Option<u64>, limit: usize) -> (Vec<Told>, u64, u64) {
        let ring = self.ring();
        let Some(seq) = seq else {
            return (Vec::new(), ring.next_seq(), 0);
        };
        let missed = ring.oldest_seq().saturating_sub(seq);
        let from = seq.max(ring.oldest_seq());
        let told: Vec<Told> = ring.since(from, limit).map(|record| Told::of(*record)).collect();
        let next = told.last().map_or(from, |told| told.record.seq + 1);
        (told, next, missed)
    }

    fn ring(&self) -> MutexGuard<'_, DecisionRing<BootRecord>> {
        // Nothing here panics while it holds the lock, so a poisoned one is as good as any.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client came for HTTPS boot, and no TLS connection came to be. Connections that say nothing, as those of probes,
    /// are no requests and leave no record.
    pub fn without_tls(&self, client: SocketAddr, why: HandshakeFailure) {
        let (reason, outcome, a) = match why {
            HandshakeFailure::NothingInCommon => (reasons::TLS_NOTHING_IN_COMMON, Outcome::Refused, 0),
            HandshakeFailure::Alert(alert) => (reasons::TLS_ALERT, Outcome::Dropped, alert.into()),
            HandshakeFailure::Other => return,
        };
        let mut record = BootRecord::new(now().wall, client.ip(), client.port(), b"");
        (record.reason, record.outcome, record.a) = (reason, outcome, a);
        record.stray = Some(Stray::Handshake);
        self.ring().push(record);
    }

    fn push(&self, record: BootRecord, status: u16) {
        self.requests.fetch_add(1, Relaxed);
        self.octets.fetch_add(record.octets, Relaxed);
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.answers[class].fetch_add(1, Relaxed);
        self.ring().push(record);
    }
}

impl Collector for HttpRecords {
    fn collect(&self, encoder: &mut Encoder) {
        let mut answers = encoder.counter(
            "purlin_boot_http_answers_total",
            "Answers of HTTP boot, by status.",
        );
        for (count, class) in self.answers.iter().zip(["1xx", "2xx", "3xx", "4xx", "5xx"]) {
            answers.count(&[("status", class)], count.load(Relaxed));
        }
        encoder
            .counter(
                "purlin_boot_http_octets_total",
                "Octets of files handed to HTTP connections.",
            )
            .count(&[], self.octets.load(Relaxed));
    }
}

/// The record of a request on its way; written when it is dropped, because a body ends with its connection.
#[derive(Debug)]
pub(super) struct Entry {
    records: Arc<HttpRecords>,
    record: BootRecord,
    status: u16,
    /// Octets that the body should have.
    promised: u64,
    /// Why the body ended early, when it was not the client.
    lost: Option<Lost>,
    began: BootTime,
}

impl Entry {
    pub(super) fn begin(records: &Arc<HttpRecords>, client: SocketAddr, request: &Request) -> Self {
        let now = now();
        let name = request.uri().path();
        let mut record = BootRecord::new(
            now.wall,
            client.ip().to_canonical(),
            client.port(),
            name.as_bytes(),
        );
        record.http = Some(HttpMethod::of(request.method().as_str()));
        Self {
            records: Arc::clone(records),
            record,
            status: 0,
            promised: 0,
            lost: None,
            began: now.boot,
        }
    }

    /// The file was found, or not.
    pub(super) fn opened(&mut self) {
        self.record.opened_us = self.micros().min(u64::from(u32::MAX)) as u32;
    }

    /// So many octets has the file, in the form that is sent.
    pub(super) fn found(&mut self, size: u64) {
        self.record.size = size;
    }

    /// The head of the answer is known.
    pub(super) fn answered(&mut self, response: &Response, promised: u64, reason: ReasonCode) {
        self.status = response.status().as_u16();
        self.promised = promised;
        self.record.reason = reason;
        self.record.outcome = match response.status() {
            status if status.is_success() || status == StatusCode::NOT_MODIFIED => Outcome::Answered,
            _ => Outcome::Refused,
        };
        self.record.a = u32::from(self.status);
    }

    /// The mark of a template that had no value.
    pub(super) fn marked(&mut self, mark: Option<MarkName>) {
        if let Some(mark) = mark {
            self.record.mark(mark.as_str());
        }
    }

    /// A piece of the body was handed to the connection.
    pub(super) fn sent(&mut self, octets: usize) {
        if self.record.octets == 0 {
            self.record.first_us = self.micros().min(u64::from(u32::MAX)) as u32;
        }
        self.record.octets += octets as u64;
    }

    /// The rest of the body cannot be had, and the connection ends for that.
    pub(super) fn lost(&mut self, lost: Lost) {
        self.lost = Some(lost);
    }

    fn micros(&self) -> u64 {
        now().boot.0.saturating_sub(self.began.0) / 1000
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.record.took_us = self.micros();
        self.record.at = now().wall;
        if self.record.octets < self.promised {
            self.record.reason = match self.lost {
                Some(Lost::Changed) => reasons::CHANGED,
                Some(Lost::Busy) => reasons::BUSY,
                None => reasons::HTTP_CUT,
            };
            self.record.outcome = Outcome::Noted;
        }
        self.records.push(self.record, self.status);
    }
}
