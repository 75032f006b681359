//! Changes of the northbound as events of this node.

use crate::platform::Platform;
use purlin_api::events::{EventSource, LogSource};
use purlin_ovn_core::model::{State, is_volatile};
use purlin_ovsdb::DatabaseSchema;
use purlin_ovsdb::cache::RowRef;
use purlin_ovsdb::client::Snapshot;
use purlin_telemetry::event::Datum;
use purlin_telemetry::{Event, EventLog};
use purlin_types::WallTime;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Events that are kept for who comes back.
const KEPT: usize = 16_384;
const TOPIC: &str = "ovn.row";

/// Follows a platform; its events as a source for streams.
///
/// # Panics
/// Outside of a tokio runtime.
#[must_use]
pub fn events(platform: &Platform) -> Arc<dyn EventSource> {
    let log = Arc::new(EventLog::new(KEPT, 0));
    tokio::spawn(follow(platform.clone(), Arc::clone(&log)));
    Arc::new(LogSource::new(log))
}

async fn follow(platform: Platform, log: Arc<EventLog>) {
    let mut feed = platform.north().rows.feed();
    // What is there when the node starts is no news.
    let mut loaded = feed.snapshot().is_live();
    while let Some(changes) = feed.next().await {
        let Ok((schema, _)) = platform.north().read().await else {
            continue;
        };
        if loaded {
            for (table, change, old, new) in changes.iter() {
                let columns: Vec<&str> = match (&old, &new) {
                    (Some(_), Some(row)) => {
                        let names: Vec<&str> = row.columns().map(|(name, _)| name).collect();
                        let changed = change.columns().filter_map(|at| names.get(at).copied());
                        changed.filter(|column| !is_volatile(table, column)).collect()
                    }
                    _ => Vec::new(),
                };
                let kind = match (&old, &new) {
                    (None, _) => "added",
                    (_, None) => "removed",
                    (Some(_), Some(_)) if columns.is_empty() => continue,
                    (Some(_), Some(_)) => "changed",
                };
                let row = new.as_ref().or(old.as_ref());
                let Some(row) = row else { continue };
                log.push(event(&schema, feed.snapshot(), table, kind, row, &columns));
            }
        }
        loaded = true;
    }
}

fn event(
    schema: &DatabaseSchema,
    snapshot: &Snapshot,
    table: &str,
    kind: &'static str,
    row: &RowRef<'_>,
    columns: &[&str],
) -> Event {
    let state = State::new(schema, &snapshot.database);
    let uuid = row.uuid();
    let named = row
        .get("name")
        .and_then(|value| value.one())
        .and_then(|atom| atom.as_str());
    let label = named.map_or_else(|| state.label(table, uuid), str::to_owned);
    let what = if columns.is_empty() {
        String::new()
    } else {
        format!(": {}", columns.join(", "))
    };
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Event {
        seq: 0,
        at: WallTime(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)),
        topic: TOPIC,
        kind,
        subject: format!("{table}/{label}"),
        text: format!("{table} {label} was {kind}{what}"),
        data: vec![
            ("table", Datum::Text(table.to_owned())),
            ("uuid", Datum::Text(uuid.to_string())),
            ("columns", Datum::Text(columns.join(","))),
        ],
    }
}
