//! A reader's way through the stream, without any socket.

use purlin_api::events::{Cursor, EventSource, Follower, Item, Joined, LogSource, Topics};
use purlin_telemetry::{Event, EventLog};
use purlin_types::WallTime;
use serde_json::json;
use std::sync::Arc;

const LIFE: u32 = 7;

fn push(log: &EventLog, topic: &'static str, subject: u64) {
    log.push(Event::new(
        WallTime(1_000),
        topic,
        "happened",
        subject.to_string(),
        "",
    ));
}

fn logs(count: usize, capacity: usize) -> (Vec<Arc<EventLog>>, Arc<dyn EventSource>) {
    let logs: Vec<_> = (0..count).map(|_| Arc::new(EventLog::new(capacity, 0))).collect();
    let sources = logs
        .iter()
        .map(|log| Arc::new(LogSource::new(log.clone())) as Arc<dyn EventSource>);
    (logs.clone(), Arc::new(Joined::new(sources.collect())))
}

async fn follow(source: &Arc<dyn EventSource>, topics: &str, after: Option<&str>) -> Follower {
    let after: Option<Cursor> = after.map(|text| text.parse().unwrap());
    Follower::new(source.clone(), LIFE, Topics::parse(topics), after).await
}

fn subject(item: &Item) -> u64 {
    item.data["subject"]
        .as_str()
        .unwrap_or_else(|| panic!("{item:?}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn resuming_at_any_event_loses_and_doubles_nothing() {
    let (logs, source) = logs(3, 1000);
    let mut reader = follow(&source, "", None).await;
    for n in 0..300 {
        push(&logs[(n * 7 % 3) as usize], "node", n);
    }
    let mut seen = Vec::new();
    while seen.len() < 300 {
        let item = reader.next().await;
        seen.push(subject(&item));
        // Every third event the connection breaks and its reader comes back with the last id.
        if seen.len() % 3 == 0 {
            reader = follow(&source, "", Some(&item.id)).await;
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_reader_that_was_too_slow_learns_how_much_it_missed() {
    let (logs, source) = logs(1, 8);
    let mut reader = follow(&source, "", None).await;
    push(&logs[0], "node", 0);
    let first = reader.next().await;
    for n in 1..21 {
        push(&logs[0], "node", n);
    }
    let gap = reader.next().await;
    assert_eq!(
        (gap.topic.as_str(), &gap.data),
        ("gap", &json!({ "missed": 12, "reason": "overrun" }))
    );
    assert_eq!(subject(&reader.next().await), 13);

    let mut again = follow(&source, "", Some(&first.id)).await;
    assert_eq!(again.next().await.data["missed"], 12);
    let mut behind = follow(&source, "", Some(&gap.id)).await;
    assert_eq!(subject(&behind.next().await), 13, "a gap is told once");
}

#[tokio::test]
async fn a_token_of_another_life_is_a_gap_of_unknown_size() {
    let (logs, source) = logs(1, 8);
    push(&logs[0], "node", 5);
    let mut reader = follow(&source, "", Some("00000001-77")).await;
    assert_eq!(
        reader.next().await.data,
        json!({ "missed": null, "reason": "restarted" })
    );
    assert_eq!(subject(&reader.next().await), 5);
}

#[tokio::test]
async fn topics_filter_and_the_place_moves_on_all_the_same() {
    let (logs, source) = logs(1, 100);
    let mut reader = follow(&source, "config", None).await;
    for n in 0..10 {
        push(&logs[0], if n == 9 { "config.revision" } else { "dhcp.lease" }, n);
    }
    let item = reader.next().await;
    assert_eq!((subject(&item), item.id.as_str()), (9, "00000007-10"));
}

#[tokio::test]
async fn a_waiting_reader_is_woken() {
    let (logs, source) = logs(2, 8);
    let mut reader = follow(&source, "", None).await;
    let waiting = tokio::spawn(async move { reader.next().await });
    tokio::task::yield_now().await;
    push(&logs[1], "node", 3);
    assert_eq!(subject(&waiting.await.unwrap()), 3);
}
