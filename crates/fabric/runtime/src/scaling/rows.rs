//! The autoscaler's records: loads of nodes, the leader's verdict, and actions.

use super::action::{self, Action};
use super::pulse::Pulse;
use purlin_store::{Batch, Expectation, RecordError, Records, Row};
use purlin_types::Epoch;
use serde_json::Value;
use std::sync::Arc;

/// By node: what it says of itself, where heartbeats reach nobody.
const LOADS: &str = "scaling.load";
/// By number.
const ACTIONS: &str = "scaling.action";
/// The verdict, and who acted last.
const STATE: &str = "scaling.state";
const VERDICT: &[u8] = b"verdict";
const LEAD: &[u8] = b"lead";

/// Actions that are kept.
const KEPT: u64 = 1000;
/// More nodes than one plan can name.
const NODES_MAX: usize = 1024;

/// Why an action was not begun.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// Somebody else acted, or has the right to.
    Outdone,
    /// Whether it was written is not known.
    Store,
}

impl From<RecordError> for NotBegun {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::Conflict { .. } => Self::Outdone,
            RecordError::Full | RecordError::Failed(_) => Self::Store,
        }
    }
}

/// The records, asked on threads that may block.
#[derive(Debug, Clone)]
pub(super) struct Rows(Arc<dyn Records>);

impl Rows {
    pub(super) fn new(records: Arc<dyn Records>) -> Self {
        Self(records)
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

    /// What nodes wrote of themselves, by id.
    pub(super) async fn loads(&self) -> Result<Vec<(String, Pulse)>, RecordError> {
        let rows = self.with(|records| records.scan(LOADS, &[], NODES_MAX)).await?;
        let read = |(key, value): Row| {
            let value: Value = serde_json::from_slice(&value).ok()?;
            Some((String::from_utf8(key).ok()?, Pulse::from_json(&value)?))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    pub(super) async fn put_load(&self, node: &str, pulse: &Pulse) -> Result<(), RecordError> {
        let batch = Batch::default().put(LOADS, node, pulse.to_json().to_string());
        self.with(|records| records.commit(batch)).await
    }

    pub(super) async fn forget_loads(&self, nodes: Vec<String>) -> Result<(), RecordError> {
        let forget = |batch: Batch, node: String| batch.delete(LOADS, node);
        let batch = nodes.into_iter().fold(Batch::default(), forget);
        self.with(|records| records.commit(batch)).await
    }

    pub(super) async fn verdict(&self) -> Result<Option<Value>, RecordError> {
        let row = self.with(|records| records.get(STATE, VERDICT)).await?;
        Ok(row.and_then(|text| serde_json::from_slice(&text).ok()))
    }

    pub(super) async fn put_verdict(&self, verdict: &Value) -> Result<(), RecordError> {
        let batch = Batch::default().put(STATE, VERDICT, verdict.to_string());
        self.with(|records| records.commit(batch)).await
    }

    /// The newest first. What a later version wrote is left out.
    pub(super) async fn actions(&self, limit: usize) -> Result<Vec<Action>, RecordError> {
        let rows = self.with(move |records| records.last(ACTIONS, limit)).await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Writes an action as the one after the newest, with the right of `action.epoch`; its number.
    pub(super) async fn begin(&self, mut action: Action) -> Result<Action, NotBegun> {
        self.with(move |records| {
            let newest = records.last(ACTIONS, 1)?;
            let newest = newest.first().and_then(|(key, _)| number(key)).unwrap_or(0);
            action.number = newest + 1;
            let (lead, highest) = lead(records)?;
            if highest.is_some_and(|highest| highest > action.epoch) {
                return Err(RecordError::Conflict {
                    table: STATE.to_owned(),
                    key: LEAD.to_vec(),
                });
            }
            let mine = format!("{}.{}", action.epoch.timeline, action.epoch.counter);
            let mut batch = Batch::default()
                .expect(ACTIONS, key(action.number), Expectation::Absent)
                .expect(STATE, LEAD, lead.map_or(Expectation::Absent, Expectation::Value))
                .put(STATE, LEAD, mine)
                .put(ACTIONS, key(action.number), action.to_json().to_string());
            if let Some(old) = action.number.checked_sub(KEPT) {
                batch = batch.delete(ACTIONS, key(old));
            }
            records.commit(batch)?;
            Ok(action)
        })
        .await
        .map_err(NotBegun::from)
    }

    /// Replaces an action by what became of it, unless somebody else has said so already.
    pub(super) async fn end(&self, before: &Action, after: &Action) -> Result<(), RecordError> {
        let expected = Expectation::Value(before.to_json().to_string().into_bytes());
        let batch = Batch::default()
            .expect(ACTIONS, key(before.number), expected)
            .put(ACTIONS, key(after.number), after.to_json().to_string());
        self.with(|records| records.commit(batch)).await
    }
}

fn read((_, value): &Row) -> Option<Action> {
    let value: Value = serde_json::from_slice(value).ok()?;
    Action::from_json(&value)
}

/// Numbers as keys that sort as numbers do.
fn key(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

fn number(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

/// The right under which somebody acted last, as it is stored and as it is meant.
fn lead(records: &dyn Records) -> Result<(Option<Vec<u8>>, Option<Epoch>), RecordError> {
    let stored = records.get(STATE, LEAD)?;
    let text = stored
        .as_deref()
        .and_then(|octets| std::str::from_utf8(octets).ok());
    let meant = text.and_then(action::epoch);
    Ok((stored, meant))
}
