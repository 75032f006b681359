//! The one who watches: what the database tells is ours, or somebody else's.

use super::digest::Digest;
use super::entry::{self, Body, Head, Outcome, Source};
use super::fate::{Fate, Own};
use super::{HEADS, Inner, end, mend, put};
use crate::platform::WeakPlatform;
use purlin_ovn_core::model::{Diff, Known, RowDiff, State, attribute};
use purlin_ovn_core::plan::affected_ports;
use purlin_ovsdb::cache::Changes;
use purlin_ovsdb::client::{Feed, Snapshot};
use purlin_ovsdb::{DatabaseSchema, Uuid};
use purlin_store::Batch;
use serde_json::{Value, json};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How long the end of one of ours is waited for before its rows are judged without.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often entries are looked for that nobody has ended.
const SWEEP: Duration = Duration::from_secs(5);
/// What others did is kept row by row up to here.
const ROWS_MAX: usize = 20_000;

/// Follows the northbound until the journal or the platform is gone.
pub(super) async fn watch(journal: Weak<Inner>, platform: WeakPlatform) {
    let Some((mut feed, mut digest)) = begin(&journal, &platform).await else {
        return;
    };
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        let since = feed.snapshot().generation;
        let changes = tokio::select! {
            changes = feed.next() => changes,
            _ = sweep.tick() => {
                let (Some(inner), Some(platform)) = (journal.upgrade(), platform.upgrade()) else { return };
                mend::sweep(&inner, &platform).await;
                continue;
            }
        };
        let (Some(changes), Some(inner), Some(platform)) = (changes, journal.upgrade(), platform.upgrade())
        else {
            return;
        };
        let Ok((schema, _)) = platform.north().read().await else {
            continue;
        };
        take(&inner, &schema, (since, feed.snapshot()), &changes, &mut digest).await;
    }
}

/// Waits for the rows, looks at what nobody has watched, and follows from there on.
async fn begin(journal: &Weak<Inner>, platform: &WeakPlatform) -> Option<(Feed, Digest)> {
    let rows = platform.upgrade()?.north().rows.clone();
    rows.live().await;
    let feed = rows.feed();
    let (inner, platform) = (journal.upgrade()?, platform.upgrade()?);
    let (schema, _) = platform.north().read().await.ok()?;
    let digest = mend::since_last_time(&inner, &schema, feed.snapshot()).await;
    inner.watching.send_replace(true);
    Some((feed, digest))
}

/// `since` is the generation of the rows before the changes.
async fn take(
    inner: &Inner,
    schema: &Arc<DatabaseSchema>,
    (since, snapshot): (u64, &Snapshot),
    changes: &Changes,
    digest: &mut Digest,
) {
    let state = State::new(schema, &snapshot.database);
    let seen = told(schema, &state, changes);
    if seen.rows.is_empty() {
        return;
    }
    digest.apply(schema, &seen);
    let candidates = inner.lock().touching(&seen);
    let mut owns: Vec<(Arc<Own>, bool)> = Vec::new();
    for own in candidates {
        match own.end(PATIENCE).await {
            Fate::Refused => {}
            fate => owns.push((own, fate == Fate::Committed)),
        }
    }
    let known: Vec<Known<'_>> = owns
        .iter()
        .map(|(own, sure)| Known {
            diff: &own.diff,
            sure: *sure,
        })
        .collect();
    // A single server has no names for its transactions.
    let txn = changes.txn.filter(|txn| !txn.is_zero());
    let parts = attribute(schema, &seen, &known);
    // In a cluster each node sees the others' writes: only what went through this one can be told from foreign ones.
    let is_foreign = !parts.others.rows.is_empty() && !inner.history.shared;
    // Before ours are forgotten, which may have come after it.
    let place = is_foreign.then(|| inner.lock().id_after(since));
    let mut batch = Batch::default();
    for at in &parts.ours {
        let own = &owns[*at].0;
        inner.lock().forget(own.id);
        let settled = inner.settled(own, Outcome::Committed, txn);
        batch.put.extend(settled.put);
        batch.delete.extend(settled.delete);
    }
    let mut fresh = 0;
    if let Some(Ok(place)) = place {
        batch = foreign(inner, batch, (schema, &state), &parts.others, txn, place);
        fresh = 1;
    }
    if inner.history.shared && !parts.others.rows.is_empty() {
        follow_clocks(inner).await;
    }
    if !inner.history.shared {
        batch = mend::seal(batch, *digest, &inner.history.clock.text());
    }
    inner.scribe.write_soon(batch, fresh).await;
}

/// Another node's change is here, and its entry was written before: whatever is decided here from now on stands after it
/// in the journal, though that node's clock be ahead.
async fn follow_clocks(inner: &Inner) {
    let newest = inner.history.ledger.scan(HEADS, Vec::new(), 1).await;
    // A store that does not answer now takes no entries either.
    if let Ok([(key, _)]) = newest.as_deref()
        && let Some(id) = entry::id_of(key)
    {
        entry::observe(id);
    }
}

/// What was told, without what OVN itself writes.
fn told(schema: &DatabaseSchema, state: &State<'_>, changes: &Changes) -> Diff {
    let rows = changes.iter().filter_map(|(table, change, before, after)| {
        let gone = before.as_ref().filter(|_| after.is_none());
        let label = || match gone.and_then(|row| row.get("name")?.one()?.as_str().map(str::to_owned)) {
            Some(name) => name,
            None => state.label(table, change.uuid),
        };
        RowDiff::between(schema, (table, change.uuid), label, (before, after))
    });
    let mut rows: Vec<RowDiff> = rows.collect();
    rows.sort_unstable_by(|a, b| (&a.table, a.uuid).cmp(&(&b.table, b.uuid)));
    Diff { rows }
}

fn foreign(
    inner: &Inner,
    batch: Batch,
    (schema, state): (&DatabaseSchema, &State<'_>),
    diff: &Diff,
    txn: Option<Uuid>,
    (id, at): (Uuid, Option<String>),
) -> Batch {
    let at = at.unwrap_or_else(|| inner.history.clock.text());
    let affected = affected_ports(state, diff);
    let mut head = Head::new(at, Source::Foreign, diff);
    "not through Purlin".clone_into(&mut head.about);
    (head.outcome, head.txn) = (Outcome::Committed, txn.map(|txn| txn.to_string()));
    head.affecting(&affected);
    let mut body = Body::new(diff, schema, json!([]), &affected);
    if diff.rows.len() > ROWS_MAX {
        body.diff = Value::Null;
    }
    end(put(batch, id, &head, Some(body.octets())), id, &head)
}
