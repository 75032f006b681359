//! Boot records as events: one lane per packet thread and one for HTTP.

use super::{Books, text};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::clock::rfc3339_millis;
use purlin_api::events::{Batch, Event, EventSource};
use purlin_tftp_core::Told;
use purlin_tftp_core::settings::Batch as Gathering;
use std::time::Duration;

/// How often a stream asks the packet threads when nothing shall be gathered: they are never made to push.
const AT_ONCE: Duration = Duration::from_millis(10);

/// The records of a running service as a source of events.
#[derive(Debug)]
pub struct RecordEvents {
    books: Books,
    lanes: usize,
}

impl RecordEvents {
    /// Follows the packet threads, whose number does not change while they run, and HTTP boot.
    #[must_use]
    pub fn new(books: Books) -> Self {
        let lanes = usize::from(books.handle.status().threads) + 1;
        Self { books, lanes }
    }

    /// From a position on: up to `limit` of each lane, the next position, and how many had gone.
    async fn since(&self, from: &[u64], limit: usize) -> (Vec<(usize, Told)>, Vec<u64>, u64) {
        let http = self.lanes - 1;
        let threads = from.get(..http).unwrap_or_default().to_vec();
        let (mut told, mut next, mut missed) = self.books.handle.records_since(threads, limit).await;
        let (more, to, gone) = self.books.http.since(from.get(http).copied(), limit);
        told.extend(more.into_iter().map(|told| (http, told)));
        told.sort_by_key(|(_, told)| told.record.at);
        next.push(to);
        missed += gone;
        (told, next, missed)
    }
}

impl EventSource for RecordEvents {
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn own_topics(&self) -> Vec<&'static str> {
        vec!["boot"]
    }

    fn tail(&self) -> BoxFuture<'_, Vec<u64>> {
        async { self.since(&[], 0).await.1 }.boxed()
    }

    fn oldest(&self) -> BoxFuture<'_, Vec<u64>> {
        async {
            let (told, mut oldest, _) = self.since(&vec![0; self.lanes], 1).await;
            for (lane, told) in told {
                oldest[lane] = told.record.seq;
            }
            oldest
        }
        .boxed()
    }

    fn next<'a>(&'a self, from: &'a [u64], limit: usize) -> BoxFuture<'a, Batch> {
        async move {
            loop {
                let plan = self.books.handle.plan();
                let (wait, most) = pace(plan.settings().batch);
                let most = limit.min(most);
                let (mut told, mut next, missed) = self.since(from, most).await;
                // Each lane gave as many as all may; those that are too many come next.
                for (lane, told) in told.split_off(most.min(told.len())) {
                    next[lane] = next[lane].min(told.record.seq);
                }
                if !told.is_empty() || missed > 0 {
                    let events = told.iter().map(|(lane, told)| event(*lane, told)).collect();
                    return Batch { events, next, missed };
                }
                tokio::time::sleep(wait).await;
            }
        }
        .boxed()
    }
}

/// How long events wait for others, and how many leave together.
fn pace(batch: Gathering) -> (Duration, usize) {
    if batch.enabled {
        (batch.wait, batch.size as usize)
    } else {
        (AT_ONCE, 1)
    }
}

fn event(lane: usize, told: &Told) -> Event {
    Event {
        lane,
        seq: told.record.seq,
        topic: topic(told),
        at: rfc3339_millis(told.record.at.0),
        data: text::record(told),
    }
}

/// `boot.transfer.file_sent`, `boot.http.not_found`, `boot.stray.stray_packet`.
fn topic(told: &Told) -> String {
    let kind = match (told.record.http, told.record.stray) {
        (Some(_), _) => "http",
        (None, Some(_)) => "stray",
        (None, None) => "transfer",
    };
    format!("boot.{kind}.{}", told.slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_gathering_every_event_leaves_alone() {
        let batch = Gathering {
            enabled: true,
            size: 100,
            wait: Duration::from_millis(100),
        };
        assert_eq!(pace(batch), (Duration::from_millis(100), 100));
        assert_eq!(
            pace(Gathering {
                enabled: false,
                ..batch
            }),
            (AT_ONCE, 1)
        );
    }
}
