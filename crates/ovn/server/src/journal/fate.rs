//! A transaction of ours between its entry and its end.

use super::{Head, Journal};
use purlin_ovn_core::model::Diff;
use purlin_ovsdb::Uuid;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// What its sender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    UnderWay,
    Committed,
    Refused,
    /// It may or may not have happened.
    Lost,
}

/// One of ours.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) id: Uuid,
    /// The generation of the rows that it was decided from.
    pub(super) basis: u64,
    pub(super) head: Head,
    pub(super) diff: Arc<Diff>,
    fate: watch::Sender<(Fate, Instant)>,
}

impl Own {
    pub(super) fn new(id: Uuid, basis: u64, head: Head, diff: Arc<Diff>) -> Self {
        let fate = watch::Sender::new((Fate::UnderWay, Instant::now()));
        Self {
            id,
            basis,
            head,
            diff,
            fate,
        }
    }

    fn tell(&self, fate: Fate) {
        self.fate.send_replace((fate, Instant::now()));
    }

    /// What is known, and since when.
    pub(super) fn fate(&self) -> (Fate, Instant) {
        *self.fate.borrow()
    }

    /// What its sender knows in the end; `Lost` when that takes too long.
    pub(super) async fn end(&self, patience: Duration) -> Fate {
        let mut fate = self.fate.subscribe();
        let end = fate.wait_for(|(fate, _)| *fate != Fate::UnderWay);
        match tokio::time::timeout(patience, end).await {
            Ok(Ok(fate)) => fate.0,
            _ => Fate::Lost,
        }
    }
}

/// Whoever sends a transaction says with this what became of it. Who says nothing leaves it to be found out.
#[derive(Debug)]
#[must_use]
pub(crate) struct Ticket {
    journal: Journal,
    own: Option<Arc<Own>>,
}

impl Ticket {
    pub(super) const fn new(journal: Journal, own: Arc<Own>) -> Self {
        Self {
            journal,
            own: Some(own),
        }
    }

    /// The database has confirmed it.
    pub(crate) fn done(mut self) {
        if let Some(own) = self.own.take() {
            own.tell(Fate::Committed);
        }
    }

    /// Nothing of it happened.
    pub(crate) async fn refused(mut self) {
        if let Some(own) = self.own.take() {
            own.tell(Fate::Refused);
            self.journal.refused(&own).await;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(own) = self.own.take() {
            own.tell(Fate::Lost);
        }
    }
}
