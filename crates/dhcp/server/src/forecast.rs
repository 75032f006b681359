//! How the pools of each subnet were used over time, kept as records that every node reads.
//!
//! One node writes, the one that leads; a node alone leads itself. A row holds at most
//! [`SAMPLES_KEPT`](purlin_fabric::capacity::SAMPLES_KEPT) samples, some 4 KiB, and what it forgets first is every second one of
//! the older half. A sample in five minutes is all that is written.

use purlin_dhcp_core::view::SubnetUse;
use purlin_fabric::capacity::{Sample, UseHistory};
use purlin_store::{Batch, RecordError, Records};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// By subnet.
const TABLE: &str = "dhcp.use";
/// Subnets that are remembered: the first by name.
const SUBNETS_MAX: usize = 2000;
/// Rows of one commit.
const ROWS: usize = 200;

/// Between two samples.
pub const SAMPLE_EVERY: Duration = Duration::from_secs(300);

/// The histories of all subnets. Clones share them.
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

    /// What is remembered, by subnet.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn read(&self) -> Result<BTreeMap<String, UseHistory>, RecordError> {
        self.with(|records| Ok(histories(records)?.0)).await
    }

    /// Remembers what is in use now, and forgets subnets that are not there any more.
    ///
    /// # Errors
    /// When the records cannot be read or written; the next sample is tried all the same.
    pub async fn note(&self, at: u64, usage: &[SubnetUse]) -> Result<(), RecordError> {
        let now: BTreeMap<String, u64> = usage
            .iter()
            .take(SUBNETS_MAX)
            .map(|used| (used.subnet.clone(), in_use(used)))
            .collect();
        self.with(move |records| {
            let (mut known, keys) = histories(records)?;
            let mut puts = now.iter().map(|(subnet, &used)| {
                let mut history = known.remove(subnet).unwrap_or_default();
                history.push(Sample { at, used });
                (subnet, history.to_text())
            });
            loop {
                let rows: Vec<_> = puts.by_ref().take(ROWS).collect();
                if rows.is_empty() {
                    break;
                }
                let put =
                    |batch: Batch, (subnet, text): (&String, String)| batch.put(TABLE, subnet.as_str(), text);
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

/// Addresses that nobody new can have.
pub(crate) fn in_use(used: &SubnetUse) -> u64 {
    used.bound + used.declined
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
            let (Ok(subnet), text) = (String::from_utf8(key), String::from_utf8_lossy(&value)) else {
                continue;
            };
            known.insert(subnet.clone(), UseHistory::from_text(&text));
            keys.push(subnet);
        }
        if !full {
            return Ok((known, keys));
        }
    }
}
