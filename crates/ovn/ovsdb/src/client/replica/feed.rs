//! Changes in their order, for a watcher that must not miss one.

use super::Snapshot;
use crate::cache::Changes;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// Changes from a state on.
///
/// Each item is what one update of the server changed. A watcher that is more than a thousand behind gets all it missed
/// as one difference: nothing is lost but the steps in between.
#[derive(Debug)]
pub struct Feed {
    changes: Option<broadcast::Receiver<Arc<(Snapshot, Changes)>>>,
    snapshots: watch::Receiver<Snapshot>,
    last: Snapshot,
}

impl Feed {
    pub(super) fn new(
        changes: &broadcast::WeakSender<Arc<(Snapshot, Changes)>>,
        snapshots: watch::Receiver<Snapshot>,
    ) -> Self {
        // Listening begins before the state is taken: what comes in between is known by its generation.
        let changes = changes.upgrade().map(|changes| changes.subscribe());
        let last = snapshots.borrow().clone();
        Self {
            changes,
            snapshots,
            last,
        }
    }

    /// The state up to and with the last change that was handed out.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.last
    }

    /// Waits until the database is followed, and goes on from the state as it is then: what came before is not told.
    /// `false` when the replica is gone.
    pub async fn live(&mut self) -> bool {
        match self.snapshots.wait_for(Snapshot::is_live).await {
            Ok(now) => {
                self.last = now.clone();
                true
            }
            Err(_) => false,
        }
    }

    /// The next change; `None` when the replica is gone. When tables were added or dropped by another schema, the
    /// change is empty and the state is to be read anew.
    pub async fn next(&mut self) -> Option<Changes> {
        loop {
            let item = self.changes.as_mut()?.recv().await;
            match item {
                Ok(item) if item.0.generation <= self.last.generation => {}
                Ok(item) => {
                    self.last = item.0.clone();
                    return Some(item.1.clone());
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let now = self.snapshots.borrow().clone();
                    let changes = Changes::between(&self.last.database, &now.database, now.txn);
                    self.last = now;
                    return Some(changes);
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
