//! How boot events are gathered before they leave.

use crate::bench::{Bench, read};
use futures_util::FutureExt;
use purlin_api::events::{Batch, EventSource};
use purlin_tftp_core::RecordQuery;
use purlin_tftp_core::settings::{Batch as Gathering, Threads};
use purlin_tftp_server::http::HttpRecords;
use purlin_tftp_server::routes::{Books, RecordEvents};
use std::sync::Arc;
use std::time::{Duration, Instant};

const HOUR: Duration = Duration::from_secs(3600);

/// A service that gathers so, and its events. One packet thread: questions to it are answered in their order.
fn gathering(enabled: bool, size: u32, wait: Duration) -> (Bench, RecordEvents) {
    let bench = Bench::with(|settings| {
        settings.threads = Threads::Count(1);
        settings.batch = Gathering { enabled, size, wait };
    });
    bench.file("kernel", 600);
    let events = RecordEvents::new(Books {
        handle: bench.handle.clone(),
        http: Arc::new(HttpRecords::new(64)),
    });
    (bench, events)
}

fn transfer(bench: &Bench) {
    assert_eq!(read(&bench.options(), "kernel").0.len(), 600);
    bench.settle();
}

/// The sizes of the batches in which `count` transfers that have ended leave.
fn batches(bench: &Bench, events: &RecordEvents, count: usize) -> Vec<usize> {
    let mut from = bench.runtime.block_on(events.tail());
    (0..count).for_each(|_| transfer(bench));
    let mut sizes = Vec::new();
    while sizes.iter().sum::<usize>() < count {
        let batch: Batch = bench.runtime.block_on(events.next(&from, 1000));
        assert_eq!(batch.missed, 0);
        let topics = batch.events.iter().map(|event| event.topic.as_str());
        assert!(topics.into_iter().all(|topic| topic == "boot.transfer.file_sent"));
        sizes.push(batch.events.len());
        from = batch.next;
    }
    sizes
}

/// How long an event waits that comes after a look at which there was none.
fn waits(bench: &Bench, events: &RecordEvents) -> Duration {
    let from = bench.runtime.block_on(events.tail());
    let mut next = events.next(&from, 1000);
    bench.runtime.block_on(async {
        assert!((&mut next).now_or_never().is_none(), "nothing came yet");
        // Answered behind the question of the look, so the look is over.
        bench.handle.records(RecordQuery::default()).await;
    });
    transfer(bench);
    let began = Instant::now();
    let batch = bench
        .runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(20), next).await });
    assert_eq!(batch.expect("it leaves").events.len(), 1);
    began.elapsed()
}

#[test]
fn s2_59_without_gathering_every_event_leaves_alone_and_soon() {
    let (bench, events) = gathering(false, 100, HOUR);
    assert_eq!(batches(&bench, &events, 4), [1, 1, 1, 1]);
    waits(&bench, &events);
    let (bench, events) = gathering(true, 100, HOUR);
    assert_eq!(batches(&bench, &events, 4), [4], "what is there waits for nobody");
}

#[test]
fn s2_60_a_batch_holds_no_more_than_its_size() {
    let (bench, events) = gathering(true, 3, HOUR);
    assert_eq!(batches(&bench, &events, 7), [3, 3, 1]);
}

#[test]
fn s2_61_an_event_waits_for_others_as_long_as_said() {
    let wait = Duration::from_millis(150);
    let (bench, events) = gathering(true, 100, wait);
    assert!(waits(&bench, &events) >= wait);
}

/// Each packet thread has its own list; together they still make one batch of that size, and nothing is lost or told
/// twice at its edge.
#[test]
fn the_size_of_a_batch_is_that_of_all_threads_together() {
    let bench = Bench::with(|settings| {
        settings.threads = Threads::Count(2);
        settings.batch.size = 2;
    });
    bench.file("kernel", 600);
    let events = RecordEvents::new(Books {
        handle: bench.handle.clone(),
        http: Arc::new(HttpRecords::new(64)),
    });
    let sizes = batches(&bench, &events, 15);
    assert!(sizes.iter().all(|size| *size <= 2), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 15);
}
