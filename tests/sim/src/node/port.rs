//! The product's row log asks here for its rows to be written, and how far their copies are; the simulator answers in
//! its own time.

use crate::database::{Write, table};
use purlin_store::{FenceFault, FencedRow, FencedRows, Later, Standing, StoredRow, Written};
use purlin_types::{Epoch, Slot};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Who waits for an answer to that.
pub(crate) type Waiting<T> = oneshot::Sender<Result<T, FenceFault>>;

/// On its way to the database.
#[derive(Debug)]
pub(crate) enum Ask {
    Write(Write, Waiting<Written>),
    Standing(Waiting<Standing>),
}

/// What the logs of all nodes, by their indices, have asked for since it was last emptied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox(Arc<Mutex<Vec<(usize, Ask)>>>);

impl Outbox {
    pub(crate) fn take(&self) -> Vec<(usize, Ask)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, node: usize, ask: Ask) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((node, ask));
    }
}

/// One node's way to the rows.
#[derive(Debug)]
pub(super) struct RowsPort {
    pub(super) node: usize,
    pub(super) outbox: Outbox,
}

/// Nobody knows whether it was done.
#[derive(Debug)]
pub(crate) struct Silence;

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer")
    }
}

impl std::error::Error for Silence {}

pub(crate) fn unknown() -> FenceFault {
    FenceFault::Unknown(Box::new(Silence))
}

impl FencedRows for RowsPort {
    fn write<'a>(
        &'a self,
        name: &'a str,
        held: &'a [(Slot, Epoch)],
        rows: &'a [FencedRow],
    ) -> Later<'a, Result<Written, FenceFault>> {
        Box::pin(async move {
            let (answer, answered) = oneshot::channel();
            let write = Write {
                table: table(name),
                held: held.to_vec(),
                rows: rows.to_vec(),
            };
            self.outbox.put(self.node, Ask::Write(write, answer));
            answered.await.unwrap_or_else(|_| Err(unknown()))
        })
    }

    fn standing(&self) -> Later<'_, Result<Standing, FenceFault>> {
        Box::pin(async {
            let (answer, answered) = oneshot::channel();
            self.outbox.put(self.node, Ask::Standing(answer));
            answered.await.unwrap_or_else(|_| Err(unknown()))
        })
    }

    /// The loader is the simulator's own.
    fn load<'a>(
        &'a self,
        _: &'a str,
        _: &'a [Slot],
        _: Option<u64>,
        _: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async { Err(unknown()) })
    }

    fn page<'a>(
        &'a self,
        _: &'a str,
        _: Option<u64>,
        _: usize,
    ) -> Later<'a, Result<Vec<StoredRow>, FenceFault>> {
        Box::pin(async { Err(unknown()) })
    }
}
