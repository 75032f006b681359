//! The boot file service's part of a story: what a machine asked for, and how that ended.

mod words;

use super::{Books, text};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::clock::Clock;
use purlin_api::story::{Chapter, Subject, Teller, Who};
use purlin_tftp_core::{RecordQuery, Told, TransferView};
use std::cmp::Reverse;
use std::net::IpAddr;

/// Addresses of one machine, or behind one name, that are followed.
const ADDRESSES_MAX: usize = 16;
/// Open transfers per packet thread that are looked through.
const TRANSFERS_MAX: usize = 10_000;

/// Tells what the boot file service knows.
#[derive(Debug, Clone)]
pub struct BootTeller {
    books: Books,
    clock: Clock,
}

/// Everything on record about a subject.
#[derive(Debug, Default)]
struct Found {
    /// Oldest first.
    records: Vec<Told>,
    /// What is on its way now.
    open: Vec<TransferView>,
}

impl BootTeller {
    #[must_use]
    pub fn new(books: Books, clock: Clock) -> Self {
        Self { books, clock }
    }

    async fn chapter(&self, subject: &Subject, who: &Who, limit: usize) -> Chapter {
        let found = self.gather(subject, who, limit).await;
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let told = words::tell(subject, who, &found, now);
        Chapter {
            seen: told.seen,
            summary: told.summary,
            decisions: found.records.iter().map(text::record).collect(),
            checks: told.checks,
            ..Chapter::default()
        }
    }

    async fn gather(&self, subject: &Subject, who: &Who, limit: usize) -> Found {
        let mut found = Found::default();
        for query in queries(subject, who, limit) {
            found.records.extend(self.books.http.newest(&query));
            found.records.extend(self.books.handle.records(query).await);
        }
        order(&mut found.records, limit);
        found.open = self.books.handle.transfers(TRANSFERS_MAX).await;
        let concerns = |view: &TransferView| match subject {
            Subject::Name(name) if who.addresses.is_empty() => view.name.contains(name.as_str()),
            _ => who.addresses.contains(&view.client.ip().to_canonical()),
        };
        found.open.retain(concerns);
        found
    }
}

/// By every address of the machine; by the file's name, when the name belongs to no machine.
fn queries(subject: &Subject, who: &Who, limit: usize) -> Vec<RecordQuery> {
    let by_address = |address: &IpAddr| RecordQuery {
        client: Some(*address),
        limit,
        ..RecordQuery::default()
    };
    let mut queries: Vec<RecordQuery> = who.addresses.iter().take(ADDRESSES_MAX).map(by_address).collect();
    if let Subject::Name(name) = subject
        && queries.is_empty()
    {
        queries.push(RecordQuery {
            name: Some(name.clone()),
            limit,
            ..RecordQuery::default()
        });
    }
    queries
}

/// The newest `limit`, oldest first.
fn order(records: &mut Vec<Told>, limit: usize) {
    records.sort_by_key(|told| Reverse(told.record.at));
    records.truncate(limit);
    records.reverse();
}

impl Teller for BootTeller {
    fn service(&self) -> &'static str {
        "boot"
    }

    /// A file name or an address says nothing more about a machine.
    fn who<'a>(&'a self, _: &'a Subject) -> BoxFuture<'a, Who> {
        std::future::ready(Who::default()).boxed()
    }

    fn tell<'a>(&'a self, subject: &'a Subject, who: &'a Who, limit: usize) -> BoxFuture<'a, Chapter> {
        self.chapter(subject, who, limit).boxed()
    }
}
