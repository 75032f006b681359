//! How pools were used over time, kept as records that every node reads, and when they will be full.
//!
//! One node writes, the one that leads; a node alone leads itself. A row holds at most
//! [`SAMPLES_KEPT`](purlin_fabric::capacity::SAMPLES_KEPT) samples, some 4 KiB, and what it forgets first is every second one of
//! the older half. A sample in five minutes is all that is written.

mod outlook;

pub use outlook::{Outlook, Prospect, prospects};

use outlook::Track;
use purlin_dhcp_core::view::SubnetUse;
use purlin_fabric::capacity::{Sample, UseHistory};
use purlin_store::{Batch, RecordError, Records};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// By [`Track::key`].
const TABLE: &str = "dhcp.use";
/// Histories that are kept: those of subnets before those of their pools.
const HISTORIES_MAX: usize = 4000;
/// Rows of one commit.
const ROWS: usize = 200;

/// Between two samples.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(300);

/// The histories of all subnets and pools. Clones share them.
#[derive(Clone)]
pub struct Uses(Arc<dyn Records>);

impl fmt::Debug for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uses")
    }
}

impl Uses {
    #[must_use]
    pub fn new(records: Arc<dyn Records>) -> Self {
        Self(records)
    }

    /// What is remembered, by the keys of [`prospects`].
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn read(&self) -> Result<BTreeMap<String, UseHistory>, RecordError> {
        self.with(|records| Ok(histories(records)?.0)).await
    }

    /// Remembers what is in use now, and forgets what is not there any more.
    ///
    /// # Errors
    /// When the records cannot be read or written; the next sample is tried all the same.
    pub async fn note(&self, at: u64, usage: &[SubnetUse]) -> Result<(), RecordError> {
        let mut tracks: Vec<Track> = usage.iter().flat_map(Track::all).collect();
        tracks.sort_by_key(|track| track.within);
        let now: BTreeMap<String, u64> = tracks
            .into_iter()
            .take(HISTORIES_MAX)
            .map(|track| (track.key, track.used))
            .collect();
        self.with(move |records| {
            let (mut known, keys) = histories(records)?;
            let mut puts = now.iter().map(|(key, &used)| {
                let mut history = known.remove(key).unwrap_or_default();
                history.push(Sample { at, used });
                (key, history.to_text())
            });
            loop {
                let rows: Vec<_> = puts.by_ref().take(ROWS).collect();
                if rows.is_empty() {
                    break;
                }
                let put = |batch: Batch, (key, text): (&String, String)| batch.put(TABLE, key.as_str(), text);
                records.commit(rows.into_iter().fold(Batch::default(), put))?;
            }
            let gone = keys.into_iter().filter(|key| !now.contains_key(key));
            let gone = gone.fold(Batch::default(), |batch, key| batch.delete(TABLE, key));
            records.commit(gone)
        })
        .await
    }

    async fn with<T, F>(&self, work: F) -> Result<T, RecordError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Records) -> Result<T, RecordError> + Send + 'static,
    {
        let records = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(records.as_ref())).await;
        done.unwrap_or_else(|_| Err(RecordError::Failed("a thread of the record store died".into())))
    }
}

type Known = (BTreeMap<String, UseHistory>, Vec<String>);

/// All histories, and the keys of all rows.
fn histories(records: &dyn Records) -> Result<Known, RecordError> {
    let (mut known, mut keys, mut after) = (BTreeMap::new(), Vec::new(), Vec::new());
    loop {
        let rows = records.scan(TABLE, &after, ROWS)?;
        let Some((last, _)) = rows.last() else {
            return Ok((known, keys));
        };
        after.clone_from(last);
        let full = rows.len() == ROWS;
        for (key, value) in rows {
            let (Ok(key), text) = (String::from_utf8(key), String::from_utf8_lossy(&value)) else {
                continue;
            };
            known.insert(key.clone(), UseHistory::from_text(&text));
            keys.push(key);
        }
        if !full {
            return Ok((known, keys));
        }
    }
}
