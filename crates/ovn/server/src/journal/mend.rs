//! Entries without an end, and times without a watcher: what can be found out, and a plain word where it cannot.

use super::digest::Digest;
use super::entry::{self, Body, Head, Outcome, Source};
use super::fate::{Fate, Own};
use super::{BODIES, HEADS, Inner, OPEN, STATE, end, put};
use crate::platform::Platform;
use purlin_ovn_core::model::{Diff, State};
use purlin_ovn_core::plan::{Evidence, evidence, roll_back};
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{DatabaseSchema, Uuid};
use purlin_store::Batch;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const ROWS: &[u8] = b"rows";

/// After so long the watcher will not see it any more.
const LATE: Duration = Duration::from_secs(10);
/// An open entry of another node is judged after so long: that node has ended. If it lives after all, what it knows in the
/// end is written over the judgement.
const OTHERS: Duration = Duration::from_secs(2 * 60);
/// Open entries that are looked at together.
const PAGE: usize = 1000;

/// At the start: ends entries of an earlier life, and says so when rows were changed meanwhile.
pub(super) async fn since_last_time(inner: &Inner, schema: &Arc<DatabaseSchema>, rows: &Snapshot) -> Digest {
    let (known, database) = (Arc::clone(schema), rows.database.clone());
    let counted = tokio::task::spawn_blocking(move || Digest::of(&known, &database));
    let now = counted.await.unwrap_or_default();
    if inner.history.shared {
        return now;
    }
    let state = State::new(schema, &rows.database);
    let found = judge(inner, state, |_| true).await;
    let stored = inner
        .history
        .ledger
        .get(STATE, ROWS.to_vec())
        .await
        .ok()
        .flatten();
    let stored: Value = stored
        .and_then(|row| serde_json::from_slice(&row).ok())
        .unwrap_or_default();
    let mut batch = seal(Batch::default(), now, &inner.history.clock.text());
    let mut fresh = 0;
    if let Some(mut then) = stored["digest"].as_str().and_then(Digest::parse) {
        let before = then;
        for diff in &found {
            then.apply(schema, diff);
        }
        if then != now && before != now {
            let since = stored["at"].as_str().unwrap_or("the last time");
            batch = gap(
                inner,
                batch,
                &format!("rows were changed while no node watched, since {since}"),
            );
            fresh = 1;
        }
    }
    // Not written down now, it is noticed at the next start.
    let _ = inner.scribe.write(batch, fresh).await;
    now
}

/// An entry that says that something is not known.
fn gap(inner: &Inner, batch: Batch, about: &str) -> Batch {
    let Ok(id) = entry::new_id() else {
        return batch;
    };
    let mut head = Head::new(inner.history.clock.text(), Source::Gap, &Diff::default());
    about.clone_into(&mut head.about);
    head.outcome = Outcome::Unclear;
    let body = Body {
        diff: Value::Null,
        warnings: json!([]),
        affected: Vec::new(),
    };
    put(batch, id, &head, Some(body.octets()))
}

/// What the rows are like goes with the entries that say how they came to be so.
pub(super) fn seal(batch: Batch, digest: Digest, at: &str) -> Batch {
    let row = json!({ "digest": digest.text(), "at": at });
    batch.put(STATE, ROWS, row.to_string())
}

/// Ends what nobody has ended.
pub(super) async fn sweep(inner: &Inner, platform: &Platform) {
    let late: Vec<Arc<Own>> = {
        let under_way = inner.lock();
        let late = |own: &&Arc<Own>| own.fate().1.elapsed() > LATE;
        under_way.own.values().filter(late).cloned().collect()
    };
    for own in &late {
        let outcome = match own.fate().0 {
            Fate::Committed => Some(Outcome::Committed),
            Fate::Lost => outcome(platform, &own.diff).await,
            Fate::UnderWay | Fate::Refused => None,
        };
        if let Some(outcome) = outcome {
            inner.lock().forget(own.id);
            inner
                .scribe
                .write_soon(inner.settled(own, outcome, None), 0)
                .await;
        }
    }
    if inner.history.shared
        && let Ok((schema, rows)) = platform.north().read_live().await
    {
        let now = inner.history.clock.now().as_millisecond();
        let oldest = now - i64::try_from(OTHERS.as_millis()).unwrap_or(i64::MAX);
        let old = |id| entry::made_at(id) < oldest;
        judge(inner, State::new(&schema, &rows.database), old).await;
    }
}

/// Only the rows as they are now tell anything.
async fn outcome(platform: &Platform, diff: &Diff) -> Option<Outcome> {
    let (schema, rows) = platform.north().read_live().await.ok()?;
    Some(of(evidence(&State::new(&schema, &rows.database), diff)))
}

const fn of(evidence: Evidence) -> Outcome {
    match evidence {
        Evidence::Happened => Outcome::Found,
        Evidence::Absent => Outcome::Absent,
        Evidence::Unclear => Outcome::Unclear,
    }
}

/// Ends the open entries of others and of earlier lives; the differences that have happened.
///
/// The newest first, each by the rows as they were before those after it: of a row that came and went there is nothing left
/// to see once both are asked for in the rows of today.
async fn judge(inner: &Inner, mut state: State<'_>, which: impl Fn(Uuid) -> bool) -> Vec<Diff> {
    let mut found = Vec::new();
    let open = inner
        .history
        .ledger
        .scan(OPEN, Vec::new(), PAGE)
        .await
        .unwrap_or_default();
    let mut ids: Vec<Uuid> = open.iter().filter_map(|(key, _)| entry::id_of(key)).collect();
    ids.retain(|id| which(*id) && !inner.lock().own.contains_key(id));
    let mut batch = Batch::default();
    for id in ids {
        let Some((mut head, body)) = stored(inner, id).await else {
            batch = batch.delete(OPEN, entry::key(id));
            continue;
        };
        head.outcome = match Diff::from_json(state.schema(), &body.diff) {
            Ok(diff) => {
                let evidence = evidence(&state, &diff);
                if evidence == Evidence::Happened {
                    roll_back(&mut state, &diff);
                    found.push(diff);
                }
                of(evidence)
            }
            Err(_) => Outcome::Unclear,
        };
        batch = end(batch, id, &head);
    }
    if batch != Batch::default() {
        inner.scribe.write_soon(batch, 0).await;
    }
    found
}

async fn stored(inner: &Inner, id: Uuid) -> Option<(Head, Body)> {
    let key = entry::key(id);
    let head = inner.history.ledger.get(HEADS, key.clone()).await.ok()??;
    let body = inner.history.ledger.get(BODIES, key).await.ok()??;
    Some((
        serde_json::from_slice(&head).ok()?,
        serde_json::from_slice(&body).ok()?,
    ))
}
